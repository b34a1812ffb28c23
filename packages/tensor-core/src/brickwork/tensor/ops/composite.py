"""Statistics and other functions written in ops: a compiler sees their parts and fuses them."""

from __future__ import annotations

from math import prod
from typing import Any

from ..dim import Size
from ..dtypes import class_of, real_of, to_inexact
from ..spec import as_bool, as_float, normalize_axes
from ..tensor import Tensor, asarray
from . import elementwise as E
from . import reduce as R
from .creation import size_of
from .elementwise import astype, exp, isfinite, log, sqrt, where

__all__ = ["logsumexp", "mean", "std", "var"]


def _count(x: Tensor, axes: tuple[int, ...]) -> Tensor | float:
    count: Size = prod(x.shape[a] for a in axes)
    return float(count) if type(count) is int else size_of(count, real_of(to_inexact(x.dtype)))


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean over ``axis``; integers give float32. NaN over no elements."""
    tensor = asarray(x)
    tensor = astype(tensor, to_inexact(tensor.dtype), copy=False)
    axes = normalize_axes("mean", axis, tensor.ndim)
    return R.sum(tensor, axes, keepdims) / _count(tensor, axes)


def var(x: Any, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The variance over ``axis``: ``sum(|x - mean|^2) / (n - correction)``, two passes; real of complex numbers.

    Integers give float32. NaN where ``n`` is ``correction``."""
    tensor = asarray(x)
    axes = normalize_axes("var", axis, tensor.ndim)
    centred = tensor - mean(tensor, axes, True)
    if class_of(centred.dtype) == "c":
        centred = E.abs(centred)
    return R.sum(centred * centred, axes, keepdims) / (_count(tensor, axes) - as_float("var", "correction", correction))


def std(x: Any, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The standard deviation over ``axis``: the root of `var`; integers give float32."""
    return sqrt(var(x, axis, correction, keepdims))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """``log(sum(exp(x)))`` over ``axis`` without overflow: the greatest element is taken out first.

    Integers give float32. Raises `ShapeError` over no elements."""
    tensor = asarray(x)
    axes, keepdims = normalize_axes("logsumexp", axis, tensor.ndim), as_bool("logsumexp", "keepdims", keepdims)
    top = R.max(tensor, axes, True)
    safe = where(isfinite(top), top, 0.0)
    total = log(R.sum(exp(tensor - safe), axes, True)) + safe
    return total if keepdims else total.reshape(tuple(n for a, n in enumerate(tensor.shape) if a not in axes))
