"""Names of types and constants in LLVM text."""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

import numpy as np

from brickwork.tensor.dtypes import class_of

__all__ = ["constant", "memory_type", "register_type", "suffix", "vector"]

_TYPES = {"float16": "half", "bfloat16": "bfloat", "float32": "float", "float64": "double"}
_SUFFIX = {"half": "f16", "bfloat": "bf16", "float": "f32", "double": "f64"}


@cache
def register_type(dtype: np.dtype) -> str:
    """The type a value has in a register: booleans are one bit."""
    if dtype.name in _TYPES:
        return _TYPES[dtype.name]
    if class_of(dtype) == "b":
        return "i1"
    return f"i{dtype.itemsize * 8}"


@cache
def memory_type(dtype: np.dtype) -> str:
    """The type a value has in memory: booleans are a byte."""
    return "i8" if class_of(dtype) == "b" else register_type(dtype)


def vector(scalar: str, lanes: int) -> str:
    """``<lanes x scalar>``; the scalar itself for lanes 0."""
    return f"<{lanes} x {scalar}>" if lanes else scalar


def suffix(scalar: str, lanes: int = 0) -> str:
    """How intrinsics name a type: ``f32``, ``v16f32``."""
    return f"{f'v{lanes}' if lanes else ''}{_SUFFIX.get(scalar, scalar)}"


def constant(value: Any, dtype: np.dtype) -> str:
    """A constant in LLVM text, bit for bit."""
    scalar = np.asarray(value).astype(dtype)
    match dtype.name:
        case "float32" | "float64":
            return f"0x{struct.unpack('<Q', struct.pack('<d', float(scalar)))[0]:016X}"
        case "float16":
            return f"0xH{int(scalar.view(np.uint16)):04X}"
        case "bfloat16":
            return f"0xR{int(scalar.view(np.uint16)):04X}"
        case "bool":
            return "true" if bool(scalar) else "false"
    return str(int(scalar))
