"""How a dtype is written in CUDA C: its type in memory and in registers, its constants, its conversions.

float16 and bfloat16 take 16 bits in memory and are floats in registers, rounded to their own width after every
operation that can need it, so that a kernel gives the bits that NumPy gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brickwork.tensor.dtypes import NAMES, class_of
from brickwork.tensor.errors import DTypeError

__all__ = ["CType", "bitcast", "c_type", "cast", "literal", "load", "rounded", "store"]


@dataclass(frozen=True, slots=True)
class CType:
    """``memory``, ``register``: C types. ``modular``: the unsigned type in which its integers wrap, else empty."""

    memory: str
    register: str
    modular: str = ""


TYPES = {
    NAMES["bool"]: CType("unsigned char", "bool"),
    NAMES["int8"]: CType("signed char", "signed char", "unsigned int"),
    NAMES["int16"]: CType("short", "short", "unsigned int"),
    NAMES["int32"]: CType("int", "int", "unsigned int"),
    NAMES["int64"]: CType("long long", "long long", "unsigned long long"),
    NAMES["uint8"]: CType("unsigned char", "unsigned char", "unsigned int"),
    NAMES["uint16"]: CType("unsigned short", "unsigned short", "unsigned int"),
    NAMES["uint32"]: CType("unsigned int", "unsigned int", "unsigned int"),
    NAMES["uint64"]: CType("unsigned long long", "unsigned long long", "unsigned long long"),
    NAMES["float16"]: CType("unsigned short", "float"),
    NAMES["bfloat16"]: CType("unsigned short", "float"),
    NAMES["float32"]: CType("float", "float"),
    NAMES["float64"]: CType("double", "double"),
}
SUFFIXES = {"int32": "", "int64": "ll", "uint32": "u", "uint64": "ull"}
NARROW = (NAMES["float16"], NAMES["bfloat16"])
F16, F32, F64 = NAMES["float16"], NAMES["float32"], NAMES["float64"]

# reading a float's bits as an unsigned integer, and back
TO_BITS = {
    F32: "__float_as_uint({0})",
    F64: "(unsigned long long)__double_as_longlong({0})",
    **{d: f"bw_{d.name}_bits({{0}})" for d in NARROW},
}
FROM_BITS = {
    F32: "__uint_as_float({0})",
    F64: "__longlong_as_double((long long){0})",
    **{d: f"bw_{d.name}_value((unsigned short){{0}})" for d in NARROW},
}


def c_type(dtype: np.dtype) -> CType:
    """The C types of a dtype. Raises `DTypeError` for complex and float8, which generated kernels do not have."""
    found = TYPES.get(dtype)
    if found is None:
        raise DTypeError(
            "cuda: generated kernels take booleans, integers, float16, bfloat16, float32 and float64; got "
            f"{dtype.name}. Cast with astype first, or leave this op to CuPy"
        )
    return found


def literal(value: np.generic) -> str:
    """A constant of exactly these bits: floats in hexadecimal, infinities and NaN by bit pattern."""
    dtype = value.dtype
    kind, c = class_of(dtype), c_type(dtype)
    if kind == "b":
        return "true" if value else "false"
    if kind == "f":
        return _float_literal(value.astype(F32) if dtype in NARROW else value)
    if kind == "i" and int(value) == np.iinfo(dtype.name).min:
        # C has no negative literals: -2147483648 is minus a long.
        return f"(({c.register})(1ull << {dtype.itemsize * 8 - 1}))"
    suffix = SUFFIXES.get(dtype.name)
    if suffix is None:
        return f"(({c.register}){int(value)})"
    return f"({int(value)}{suffix})" if int(value) < 0 else f"{int(value)}{suffix}"


def _float_literal(value: np.generic) -> str:
    if not np.isfinite(value):
        bits = int(value.view(f"u{value.dtype.itemsize}"))
        return FROM_BITS[value.dtype].format(f"0x{bits:x}{'u' if value.dtype == F32 else 'ull'}")
    mantissa, exponent = float(value).hex().split("p")
    head, _, digits = mantissa.partition(".")
    digits = digits.rstrip("0") or "0"
    text = f"{head}.{digits}p{exponent}{'f' if value.dtype == F32 else ''}"
    return f"({text})" if text.startswith("-") else text


def rounded(text: str, dtype: np.dtype) -> str:
    """The result of an operation in registers, brought to what the dtype can hold."""
    return f"bw_{dtype.name}_round({text})" if dtype in NARROW else text


def load(text: str, dtype: np.dtype) -> str:
    """An element of memory as a register value."""
    if dtype in NARROW:
        return f"bw_{dtype.name}_value({text})"
    return f"{text} != 0" if dtype == NAMES["bool"] else text


def store(text: str, dtype: np.dtype) -> str:
    """A register value as an element of memory."""
    return f"bw_{dtype.name}_bits({text})" if dtype in NARROW else text


def cast(text: str, source: np.dtype, target: np.dtype) -> str:
    """A value converted, as ``astype`` does; a float out of an integer's range gives what the machine gives."""
    if target == NAMES["bool"]:
        return f"({text} != {literal(source.type(0))})"
    if target not in NARROW:
        return f"(({c_type(target).register}){text})"
    # NumPy turns float64 into float16 with one rounding, but reaches bfloat16, as ml_dtypes does, by way of float32.
    single = f"bw_round_to_odd({text})" if source == F64 and target == F16 else f"(float){text}"
    return rounded(single, target)


def bitcast(text: str, source: np.dtype, target: np.dtype) -> str:
    """The same bits as another type. Raises `DTypeError` where the widths differ."""
    if source.itemsize != target.itemsize:
        raise DTypeError(f"cuda: a bitcast keeps the width; got {source.name} as {target.name}. Cast instead")
    bits = TO_BITS.get(source, "{0}").format(text)
    return FROM_BITS[target].format(bits) if target in FROM_BITS else f"(({c_type(target).register}){bits})"
