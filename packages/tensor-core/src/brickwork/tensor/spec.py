"""What is known of a tensor before its numbers are: shape and dtype."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from .dim import Size
from .dtypes import short_name
from .errors import ShapeError

__all__ = ["Shape", "TensorSpec", "broadcast_shapes", "normalize_axes", "normalize_axis"]

Shape = tuple[Size, ...]


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
    if not shapes:
        return ()
    if all(s == shapes[0] for s in shapes):
        return shapes[0]
    ndim = max(map(len, shapes))
    out: list[Size] = []
    for axis in range(-ndim, 0):
        sizes = {s[axis] for s in shapes if len(s) >= -axis} - {1}
        if len(sizes) > 1:
            got = ", ".join(map(str, shapes))
            raise ShapeError(f"{who}: shapes must broadcast; got {got}: axis {axis} has sizes "
                             f"{' and '.join(map(str, sorted(sizes, key=str)))}. Reshape one so that its size there is 1")  # fmt: skip
        out.append(sizes.pop() if sizes else 1)
    return tuple(out)


def normalize_axis(who: str, axis: int, ndim: int) -> int:
    """A non-negative axis. Raises `ShapeError` when it is out of range."""
    try:
        index = axis.__index__()
    except AttributeError:
        raise ShapeError(f"{who}: axis must be an integer; got {axis!r}") from None
    if not -ndim <= index < ndim:
        raise ShapeError(f"{who}: axis must be in [{-ndim}, {ndim}); got {axis} for a tensor of {ndim} axes")
    return index % ndim


def normalize_axes(who: str, axis: int | tuple[int, ...] | list[int] | None, ndim: int) -> tuple[int, ...]:
    """Sorted, distinct, non-negative axes; None means all."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    out = tuple(sorted(normalize_axis(who, a, ndim) for a in axes))
    if len(set(out)) != len(out):
        raise ShapeError(f"{who}: axes must be distinct; got {axis}")
    return out
