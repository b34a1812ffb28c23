"""Conversions between types of elements."""

from __future__ import annotations

from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor

from ..proto import dtype_of, onnx
from ..registry import translator
from ..runner import value_of


@translator("Cast")
def cast_by_name(x: Any, *, to: str) -> Any:
    return cast(x, to=onnx.TensorProto.DataType.Value(to))


@translator("Cast", 6)
def cast(x: Any, *, to: int, saturate: int = 1, round_mode: str = "up") -> Any:
    return converted(x, dtype_of(to), bool(saturate), round_mode)


@translator("CastLike", 15)
def cast_like(x: Any, like: Any, *, saturate: int = 1, round_mode: str = "up") -> Any:
    return converted(x, like.dtype, bool(saturate), round_mode)


def converted(x: Any, dtype: np.dtype, saturate: bool = True, round_mode: str = "up") -> Any:
    """The values in another type."""
    return bt.astype(x, dtype)


@translator("BitCast", 26)
def bit_cast(x: Any, *, to: int) -> Any:
    array = x.numpy() if isinstance(x, Tensor) else x
    return value_of(array.view(dtype_of(to)))
