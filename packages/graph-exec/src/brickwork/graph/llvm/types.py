"""Names of types and constants in LLVM text."""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

import numpy as np

from brickwork.tensor.dtypes import class_of

__all__ = [
    "constant",
    "first_lanes",
    "is_narrow",
    "memory_constant",
    "memory_type",
    "register_type",
    "suffix",
    "vector",
]

_TYPES = {"float16": "float", "bfloat16": "float", "float32": "float", "float64": "double"}
_SUFFIX = {"float": "f32", "double": "f64"}
_NARROW = ("float16", "bfloat16")


@cache
def register_type(dtype: np.dtype) -> str:
    """The type a value has in a register: booleans are one bit, 16-bit floats are float32."""
    if dtype.name in _TYPES:
        return _TYPES[dtype.name]
    if class_of(dtype) == "b":
        return "i1"
    return f"i{dtype.itemsize * 8}"


@cache
def memory_type(dtype: np.dtype) -> str:
    """The type a value has in memory: booleans are a byte, 16-bit floats their bits."""
    if is_narrow(dtype):
        return "i16"
    return "i8" if class_of(dtype) == "b" else register_type(dtype)


def is_narrow(dtype: np.dtype) -> bool:
    """Whether values are 16-bit floats, which memory holds as bits and registers as float32 (see `narrow`)."""
    return dtype.name in _NARROW


def vector(scalar: str, lanes: int) -> str:
    """``<lanes x scalar>``; the scalar itself for lanes 0."""
    return f"<{lanes} x {scalar}>" if lanes else scalar


def first_lanes(count: int, lanes: int) -> str:
    """A mask of the first lanes."""
    return "<" + ", ".join(f"i1 {'true' if k < count else 'false'}" for k in range(lanes)) + ">"


def suffix(scalar: str, lanes: int = 0) -> str:
    """How intrinsics name a type: ``f32``, ``v16f32``."""
    return f"{f'v{lanes}' if lanes else ''}{_SUFFIX.get(scalar, scalar)}"


def constant(value: Any, dtype: np.dtype) -> str:
    """A constant of a register in LLVM text, bit for bit."""
    scalar = np.asarray(value).astype(dtype)
    if register_type(dtype) in ("float", "double"):
        return f"0x{struct.unpack('<Q', struct.pack('<d', float(scalar)))[0]:016X}"
    if dtype.name == "bool":
        return "true" if bool(scalar) else "false"
    return str(int(scalar))


def memory_constant(value: Any, dtype: np.dtype) -> str:
    """A constant as it stands in memory."""
    if class_of(dtype) == "b":
        return str(int(bool(value)))
    if is_narrow(dtype):
        return str(int(np.asarray(value).astype(dtype).view(np.uint16)))
    return constant(value, dtype)
