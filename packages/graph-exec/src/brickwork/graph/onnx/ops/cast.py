"""Conversions between types of elements, those that no tensor holds (strings, 2 to 8 bits) by NumPy."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor

from ..errors import ModelError
from ..foreign import HELD, text_of, value_of
from ..proto import dtype_of, onnx
from ..registry import translator

_POWERS_OF_TWO = np.dtype(ml_dtypes.float8_e8m0fnu)
_EXPONENTS = (-127, 127)


@translator("Cast")
def cast_by_name(x: Any, *, to: str) -> Any:
    return cast(x, to=onnx.TensorProto.DataType.Value(to))


@translator("Cast", 6)
def cast(x: Any, *, to: int, saturate: int = 1, round_mode: str = "up") -> Any:
    return converted(x, dtype_of(to), bool(saturate), round_mode)


@translator("CastLike", 15)
def cast_like(x: Any, like: Any, *, saturate: int = 1, round_mode: str = "up") -> Any:
    return converted(x, like.dtype, bool(saturate), round_mode)


@translator("BitCast", 26, eager=True)
def bit_cast(x: Any, *, to: int) -> Any:
    """The same bits read as another type of the same width."""
    array, dtype = x.numpy() if isinstance(x, Tensor) else x, dtype_of(to)
    if array.dtype.itemsize != dtype.itemsize:
        raise ModelError(f"BitCast: both types have one width; got {array.dtype} and {dtype}")
    return value_of(np.ascontiguousarray(array).view(dtype).reshape(array.shape))


def converted(x: Any, dtype: np.dtype, saturate: bool = True, round_mode: str = "up") -> Any:
    """The values in another type. ``saturate``: beyond the range of a float of 8 bits, its greatest; ``round_mode``:
    up, down or nearest, to a power of two."""
    narrow = dtype.itemsize == 1 and "float" in dtype.name
    if isinstance(x, Tensor) and dtype in HELD:
        if x.dtype == dtype or not (narrow and saturate):
            return bt.astype(x, dtype)
        limit = float(ml_dtypes.finfo(dtype).max)
        return bt.astype(bt.clip(x, -limit, limit), dtype)
    array = x.numpy() if isinstance(x, Tensor) else x
    if array.dtype.kind in "OSU" or dtype.hasobject:
        return value_of(_of_text(array, dtype))
    if dtype == _POWERS_OF_TWO:
        return _powers_of_two(array.astype(np.float32), saturate, round_mode)
    wide = array if array.dtype.isbuiltin == 1 else array.astype(np.float32)
    if narrow and saturate:
        limit = ml_dtypes.finfo(dtype).max
        wide = np.clip(wide, -float(limit), float(limit))
    return value_of(wide.astype(dtype))


def _of_text(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """From or to strings: numbers as they are written in decimal, INF and NaN by name."""
    if dtype.hasobject:
        return np.array([text_of(v) for v in array.reshape(-1)], object).reshape(array.shape)
    words = [text_of(w) for w in array.reshape(-1)]
    numbers = np.array([int(w) for w in words] if dtype.kind in "iu" else [float(w) for w in words])
    return numbers.astype(dtype).reshape(array.shape)


def _powers_of_two(x: np.ndarray, saturate: bool, round_mode: str) -> np.ndarray:
    """The exponent alone (Open Compute Project, "Microscaling formats", E8M0)."""
    fraction, exponent = np.frexp(np.abs(x))  # x = fraction * 2**exponent, fraction in [0.5, 1)
    rounding = {"up": fraction > 0.5, "down": np.zeros(x.shape, bool), "nearest": fraction >= 0.75}
    if round_mode not in rounding:
        raise ModelError(f"Cast: the rounding mode is up, down or nearest; got {round_mode!r}")
    found = np.where(x == 0, _EXPONENTS[0], exponent - 1 + rounding[round_mode])
    if saturate:
        found = np.minimum(found, _EXPONENTS[1])
    codes = np.clip(found - _EXPONENTS[0], 0, 255).astype(np.uint8)
    codes[~np.isfinite(x)] = 255  # the one that is not a number
    return codes.view(_POWERS_OF_TWO)
