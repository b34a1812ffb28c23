"""Pooling: one number for each window of ``(batch, *space, channels)``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dim import Dim
from ..dtypes import class_of, to_inexact
from ..errors import ShapeError
from ..ops import reduce as R
from ..ops.composite import mean
from ..ops.contraction import contract
from ..ops.creation import full
from ..ops.elementwise import astype
from ..ops.gathering import take
from ..ops.movement import pad, sliding_window
from ..spec import as_bool, as_ints
from ..tensor import Tensor, asarray, beside
from ..trace import bind
from ..view import Affine, Form
from .convolution import padding_widths

__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "along",
    "average_pool",
    "global_average_pool",
    "global_max_pool",
    "known_size",
    "max_pool",
]

LARGEST = 2**26
"""The most weights that the matrix of an axis may have."""


def _space(who: str, x: Any) -> tuple[Tensor, int]:
    """The tensor, and how many axes of space it has."""
    tensor = asarray(x)
    if tensor.ndim < 3:
        raise ShapeError(
            f"{who}: x must be (batch, *space, channels); got {tensor.shape}. Add the missing axes with reshape"
        )
    return tensor, tensor.ndim - 2


def _least(dtype: np.dtype) -> float:
    """What loses against every element."""
    if class_of(dtype) in "iu":
        return int(np.iinfo(dtype).min)
    return 0 if class_of(dtype) == "b" else -math.inf


def _windows(
    who: str, x: Tensor, size: Sequence[int], strides: Any, padding: Any, dilations: Any, fill: float
) -> Tensor:
    """Windows as axes at the end."""
    space = x.ndim - 2
    steps = as_ints(who, "strides", size if strides is None else strides, space, 1)
    spread = as_ints(who, "dilations", dilations, space, 1)
    widths = padding_widths(who, padding, x.shape[1:-1], size, steps, spread)
    if any(w != (0, 0) for w in widths):
        x = pad(x, ((0, 0), *widths, (0, 0)), fill)
    return sliding_window(x, range(1, 1 + space), size, steps, spread)


def max_pool(x: Any, size: Any, strides: Any = None, padding: Any = "valid", dilations: Any = 1) -> Tensor:
    """The greatest element of each window of ``x`` (batch, *space, channels). Padding never wins. Ties share the
    gradient.

    ``size``, ``strides`` (of ``size`` by default), ``dilations``: an int, or one per axis of space. ``padding``: as
    `conv` takes it. Raises `ShapeError` where a window does not fit.
    """
    tensor, space = _space("max_pool", x)
    sizes = as_ints("max_pool", "size", size, space, 1)
    windows = _windows("max_pool", tensor, sizes, strides, padding, dilations, _least(tensor.dtype))
    return R.max(windows, tuple(range(tensor.ndim, windows.ndim)))


def average_pool(
    x: Any, size: Any, strides: Any = None, padding: Any = "valid", count_include_pad: bool = False
) -> Tensor:
    """The mean of each window of ``x`` (batch, *space, channels); padding counts only where ``count_include_pad``.

    Other arguments and errors as of `max_pool`; integers give float32.
    """
    tensor, space = _space("average_pool", x)
    tensor = astype(tensor, to_inexact(tensor.dtype), copy=False)
    sizes = as_ints("average_pool", "size", size, space, 1)
    windows = _windows("average_pool", tensor, sizes, strides, padding, 1, 0.0)
    axes = tuple(range(tensor.ndim, windows.ndim))
    total = R.sum(windows, axes)
    if as_bool("average_pool", "count_include_pad", count_include_pad) or (
        isinstance(padding, str) and padding == "valid"
    ):
        return total / float(math.prod(sizes))
    ones = full((1, *tensor.shape[1:-1], 1), 1, tensor.dtype)  # one row: the batch may be symbolic
    ones = beside(ones, tensor)
    return total / R.sum(_windows("average_pool", ones, sizes, strides, padding, 1, 0.0), axes)


def global_average_pool(x: Any, keepdims: bool = False) -> Tensor:
    """The mean over all places: (batch, *space, channels) to (batch, channels), or axes of size 1 where
    ``keepdims``."""
    tensor, space = _space("global_average_pool", x)
    return mean(tensor, tuple(range(1, 1 + space)), as_bool("global_average_pool", "keepdims", keepdims))


def global_max_pool(x: Any, keepdims: bool = False) -> Tensor:
    """The greatest of all places: (batch, *space, channels) to (batch, channels), or axes of size 1 where
    ``keepdims``."""
    tensor, space = _space("global_max_pool", x)
    return R.max(tensor, tuple(range(1, 1 + space)), keepdims)


def along(x: Tensor, axis: int, matrix: np.ndarray) -> Tensor:
    """An axis multiplied by a matrix (out, in)."""
    weights = beside(asarray(matrix.astype(x.dtype)), x)
    n = x.ndim + 1
    extents = (*x.shape[:axis], matrix.shape[0], *x.shape[axis + 1 :], x.shape[axis])
    rows = tuple(Affine.axis(x.ndim if a == axis else a, n) for a in range(x.ndim))
    form = Form(extents, ((Affine.axis(axis, n), Affine.axis(x.ndim, n)), rows), tuple(range(x.ndim)))
    return bind(contract, (weights, x), {"form": form})


def _bounds(n: int, places: int) -> list[tuple[int, int]]:
    """Where the window of each place begins and ends: as even a partition of n as there is, with overlaps."""
    return [(i * n // places, -(-(i + 1) * n // places)) for i in range(places)]


def known_size(who: str, x: Tensor, axis: int, places: int) -> int:
    """The size of an axis of which so many places are to be made. Raises `ShapeError` where it is open, or the matrix
    from one to the other would be too large."""
    n = x.shape[axis]
    if isinstance(n, Dim) or n < 1:
        raise ShapeError(
            f"{who}: sizes of space must be known and at least 1; got {x.shape}. Leave no axis open but the batch"
        )
    if n * places > LARGEST:
        raise ShapeError(
            f"{who}: places times elements of an axis must be at most {LARGEST}; got {places} of {n}. Go in two steps"
        )
    return n


def _adaptive(who: str, x: Any, size: Any, step: Callable[[Tensor, int, list[tuple[int, int]]], Tensor]) -> Tensor:
    tensor, space = _space(who, x)
    for axis, places in enumerate(as_ints(who, "size", size, space, 1), 1):
        n = known_size(who, tensor, axis, places)
        if n != places:
            tensor = step(tensor, axis, _bounds(n, places))
    return tensor


def _average(x: Tensor, axis: int, bounds: list[tuple[int, int]]) -> Tensor:
    matrix = np.zeros((len(bounds), x.shape[axis]))
    for row, (start, end) in zip(matrix, bounds, strict=True):
        row[start:end] = 1.0 / (end - start)
    return along(x, axis, matrix)


def _greatest(x: Tensor, axis: int, bounds: list[tuple[int, int]]) -> Tensor:
    """Windows of one length, whose last element stands for what a shorter one lacks."""
    length = max(end - start for start, end in bounds)
    if len(bounds) * length == x.shape[axis]:
        shape = (*x.shape[:axis], len(bounds), length, *x.shape[axis + 1 :])
        return R.max(x.reshape(shape), axis + 1)
    places = np.array([[min(start + k, end - 1) for k in range(length)] for start, end in bounds])
    return R.max(take(x, places, axis), axis + 1)


def adaptive_average_pool(x: Any, size: Any) -> Tensor:
    """The mean of windows that part each axis of space into ``size`` places: place i of m has the elements from
    ``floor(i * n / m)`` to ``ceil((i + 1) * n / m)`` of n.

    ``x``: (batch, *space, channels), space of known sizes. ``size``: an int, or one per axis of space. Raises
    `ShapeError`.
    """
    tensor = asarray(x)
    return _adaptive("adaptive_average_pool", astype(tensor, to_inexact(tensor.dtype), copy=False), size, _average)


def adaptive_max_pool(x: Any, size: Any) -> Tensor:
    """The greatest element of windows that part each axis of space into ``size`` places, as `adaptive_average_pool`
    has them."""
    return _adaptive("adaptive_max_pool", x, size, _greatest)
