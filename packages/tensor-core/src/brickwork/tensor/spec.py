"""What is known of a tensor before its numbers are: shape and dtype."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from operator import index
from typing import Any

import numpy as np

from .dim import Dim, Size
from .dtypes import short_name
from .errors import DTypeError, IndexingError, ShapeError

__all__ = [
    "Shape",
    "TensorSpec",
    "as_bool",
    "as_float",
    "as_int",
    "as_ints",
    "as_shape",
    "broadcast_shapes",
    "is_open",
    "normalize_axes",
    "normalize_axis",
]

Shape = tuple[Size, ...]
_ALL_AXES = tuple(tuple(range(ndim)) for ndim in range(9))


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Shape (ints, or symbolic sizes) and dtype of a tensor."""

    shape: Shape
    dtype: np.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Size:
        return prod(self.shape)

    def __str__(self) -> str:
        return f"{short_name(self.dtype)}[{', '.join(map(str, self.shape))}]"


def broadcast_shapes(who: str, *shapes: Shape) -> Shape:
    """The common shape by NumPy's rule. Raises `ShapeError` naming the first axis that clashes."""
    wide = [s for s in shapes if s]
    if not wide or wide.count(wide[0]) == len(wide):  # numbers, and tensors of one shape
        return wide[0] if wide else ()
    ndim = max(map(len, shapes))
    out: list[Size] = []
    for axis in range(-ndim, 0):
        sizes = {s[axis] for s in shapes if len(s) >= -axis} - {1}
        if len(sizes) > 1:
            got = ", ".join(map(str, shapes))
            clash = " and ".join(map(str, sorted(sizes, key=str)))
            raise ShapeError(
                f"{who}: shapes must broadcast; got {got}: axis {axis} has sizes {clash}. Reshape one to size 1 there"
            )
        out.append(sizes.pop() if sizes else 1)
    return tuple(out)


def as_int(who: str, what: str, value: Any, least: int | None = None) -> int:
    """An integer argument. Raises `ShapeError` where it is none, or below ``least``."""
    try:
        number = index(value)
    except TypeError:
        raise ShapeError(f"{who}: {what} must be an integer; got {value!r}") from None
    if least is not None and number < least:
        raise ShapeError(f"{who}: {what} must be at least {least}; got {number}")
    return number


def as_ints(who: str, what: str, value: Any, count: int | None = None, least: int | None = None) -> tuple[int, ...]:
    """Several integers: a tuple, list or range of them; one stands for ``count`` equal ones."""
    if not isinstance(value, (tuple, list, range)):
        return (as_int(who, what, value, least),) * (1 if count is None else count)
    if count is not None and len(value) != count:
        raise ShapeError(f"{who}: {what} must be one for each of {count} axes; got {value!r}")
    return tuple(as_int(who, what, v, least) for v in value)


def as_float(who: str, what: str, value: Any) -> float:
    """A real number as argument. Raises `DTypeError` where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise DTypeError(f"{who}: {what} must be a number; got {value!r}") from None


def as_bool(who: str, what: str, value: Any) -> bool:
    """A yes or no as argument. Raises `ShapeError` for an array of several."""
    if value is False or value is True:
        return value
    try:
        return bool(value)
    except (TypeError, ValueError):
        raise ShapeError(f"{who}: {what} must be True or False; got {value!r}") from None


def as_shape(who: str, shape: Any) -> Shape:
    """A shape: integers of at least 0 or symbolic sizes; one size stands for one axis. Raises `ShapeError`."""
    sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
    for n in sizes:
        if type(n) is not int or n < 0:
            return tuple(n if isinstance(n, Dim) else as_int(who, "a size", n, 0) for n in sizes)
    return tuple(sizes)


def is_open(shape: Shape) -> bool:
    """Whether a size of a shape is symbolic."""
    for n in shape:
        if type(n) is not int and isinstance(n, Dim):
            return True
    return False


def normalize_axis(who: str, axis: Any, ndim: int) -> int:
    """A non-negative axis. Raises `ShapeError` when it is no integer, `IndexingError` when it is out of range."""
    number = axis if type(axis) is int else as_int(who, "axis", axis)
    if not -ndim <= number < ndim:
        raise IndexingError(f"{who}: axis must be in [{-ndim}, {ndim}); got {axis} for a tensor of {ndim} axes")
    return number % ndim


def normalize_axes(who: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """Sorted, distinct, non-negative axes; None means all."""
    if axis is None:
        return _ALL_AXES[ndim] if ndim < len(_ALL_AXES) else tuple(range(ndim))
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis % ndim,)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    if len(axes) == ndim < len(_ALL_AXES) and all(type(a) is int for a in axes) and axes == _ALL_AXES[ndim]:
        return _ALL_AXES[ndim]
    out = tuple(sorted(normalize_axis(who, a, ndim) for a in axes))
    if len(set(out)) != len(out):
        raise ShapeError(f"{who}: axes must be distinct; got {axis}. Name each axis once")
    return out
