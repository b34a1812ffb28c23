"""Numbers as small integers with a scale and a zero point, and products of them."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor

from ..proto import dtype_of
from ..registry import translator
from .cast import converted

_INTEGERS = {np.dtype(d) for d in (ml_dtypes.int2, ml_dtypes.uint2, ml_dtypes.int4, ml_dtypes.uint4)} | {
    np.dtype(d) for d in ("int8", "uint8", "int16", "uint16", "int32", "uint32")
}
F32 = np.dtype("float32")


def _along(settings: Any, x: Any, axis: int, block_size: int) -> Any:
    """A scale or zero point in a shape that goes with x: one for all, one for each place of an axis, or one for each
    block of an axis."""
    if settings.ndim == 0 or settings.size == 1:
        return bt.reshape(settings, ())
    if not block_size:
        return bt.reshape(settings, [-1 if a == axis % x.ndim else 1 for a in range(x.ndim)])
    return bt.repeat(settings, block_size, axis)[tuple(slice(n) for n in x.shape)]


def _zero(zero_point: Any, x: Any, axis: int, block_size: int) -> Any:
    return None if zero_point is None else _along(converted(zero_point, F32), x, axis, block_size)


@translator("QuantizeLinear", 10)
def quantize_linear(
    x: Tensor,
    scale: Tensor,
    zero_point: Any = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
    precision: int = 0,
    saturate: int = 1,
) -> Any:
    """``round(x / scale) + zero_point``, within the range of the type."""
    wanted = dtype_of(output_dtype) if output_dtype else np.dtype("uint8")
    if zero_point is not None:
        wanted = zero_point.dtype
    if precision:
        x, scale = x.astype(dtype_of(precision)), scale.astype(dtype_of(precision))
    quotient = x / _along(scale, x, axis, block_size).astype(x.dtype)
    zero = _zero(zero_point, x, axis, block_size)
    if wanted not in _INTEGERS:
        return converted(quotient, wanted, bool(saturate))
    return requantized(quotient, zero, wanted)


def requantized(quotient: Tensor, zero: Any, wanted: np.dtype) -> Any:
    """Rounded, shifted and held within the range of an integer type."""
    whole = bt.round(quotient).astype(F32) if quotient.dtype.itemsize < 4 else bt.round(quotient)
    limits = ml_dtypes.iinfo(wanted)
    whole = whole if zero is None else whole + zero.astype(whole.dtype)
    return converted(bt.clip(whole, float(limits.min), float(limits.max)), wanted)


@translator("DequantizeLinear", 10)
def dequantize_linear(
    x: Any, scale: Tensor, zero_point: Any = None, *, axis: int = 1, block_size: int = 0, output_dtype: int = 0
) -> Tensor:
    """``(x - zero_point) * scale``."""
    values = converted(x, F32)
    zero = _zero(zero_point, values, axis, block_size)
    if zero is not None:
        values = values - zero
    product = values * _along(scale, values, axis, block_size)
    return product.astype(dtype_of(output_dtype) if output_dtype else scale.dtype)


@translator("DynamicQuantizeLinear", 11)
def dynamic_quantize_linear(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """To unsigned bytes, with the scale and zero point that hold all of x and 0."""
    low, high = bt.minimum(bt.min(x), 0.0), bt.maximum(bt.max(x), 0.0)
    scale = bt.where(high == low, 1.0, high - low) / 255.0
    zero = bt.round(bt.clip(-low / scale, 0.0, 255.0))
    quotient = bt.round(x / scale) + zero
    return bt.clip(quotient, 0.0, 255.0).astype("uint8"), scale, zero.astype("uint8")


def centered(x: Tensor, zero_point: Tensor | None) -> Tensor:
    """x as int32, less its zero point."""
    wide = x.astype("int32")
    return wide if zero_point is None else wide - zero_point.astype("int32")


def _of_rows(zero_point: Tensor | None, x: Tensor) -> Tensor | None:
    """A zero point for each row of a matrix stands in a column."""
    if zero_point is None or zero_point.ndim != 1 or zero_point.size == 1 or x.ndim == 1:
        return zero_point
    return bt.reshape(zero_point, (-1, 1))


@translator("MatMulInteger", 10)
def matmul_integer(
    a: Tensor, b: Tensor, a_zero_point: Tensor | None = None, b_zero_point: Tensor | None = None
) -> Tensor:
    return bt.matmul(centered(a, _of_rows(a_zero_point, a)), centered(b, b_zero_point))


@translator("QLinearMatMul", 10)
def qlinear_matmul(
    a: Tensor,
    a_scale: Tensor,
    a_zero_point: Tensor,
    b: Tensor,
    b_scale: Tensor,
    b_zero_point: Tensor,
    y_scale: Tensor,
    y_zero_point: Tensor,
) -> Tensor:
    product = bt.matmul(centered(a, _of_rows(a_zero_point, a)), centered(b, b_zero_point)).astype(F32)
    scale = _of_rows(a_scale, a).astype(F32) * b_scale.astype(F32) / _of_rows(y_scale, a).astype(F32)
    return requantized(product * scale, _of_rows(y_zero_point, a), y_zero_point.dtype)
