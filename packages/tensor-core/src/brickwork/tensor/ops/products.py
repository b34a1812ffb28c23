"""Products over axes: written as the matrix product, so that compilers and devices do them as they do that."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..errors import ShapeError
from ..spec import as_int, as_ints, broadcast_shapes, normalize_axis
from ..tensor import Tensor, asarray
from .contraction import matmul
from .elementwise import conj
from .movement import broadcast_to, reshape, transpose
from .reduce import sum

__all__ = ["tensordot", "vecdot"]


def tensordot(x1: Any, x2: Any, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """The sum of products over axes of both: the last ``axes`` of ``x1`` with the first of ``x2``, or pairs of axes
    ``(of x1, of x2)``. The result has the other axes of ``x1``, then those of ``x2``; its dtype is the promoted one.

    Raises `ShapeError` where sizes differ.
    """
    a, b = asarray(x1), asarray(x2)
    left, right = _pairs(axes, a.ndim, b.ndim)
    if [a.shape[k] for k in left] != [b.shape[k] for k in right]:
        raise ShapeError(
            f"tensordot: sizes of paired axes must match; got {a.shape}, {b.shape} over {axes}. "
            "Transpose one, or pair other axes"
        )
    rows = [k for k in range(a.ndim) if k not in left]
    columns = [k for k in range(b.ndim) if k not in right]
    inner = prod(a.shape[k] for k in left)
    outer = [tuple(t.shape[k] for k in kept) for t, kept in ((a, rows), (b, columns))]
    x = reshape(transpose(a, (*rows, *left)), (prod(outer[0]), inner))
    y = reshape(transpose(b, (*right, *columns)), (inner, prod(outer[1])))
    return reshape(matmul(x, y), (*outer[0], *outer[1]))


def _pairs(axes: Any, m: int, n: int) -> tuple[list[int], list[int]]:
    if not isinstance(axes, (tuple, list)):
        count = as_int("tensordot", "axes", axes, 0)
        if count > min(m, n):
            raise ShapeError(f"tensordot: axes must be at most {min(m, n)}; got {count}")
        return list(range(m - count, m)), list(range(count))
    if len(axes) != 2:
        raise ShapeError(f"tensordot: axes must be a number or (axes of x1, axes of x2); got {axes!r}")
    left, right = (
        [normalize_axis("tensordot", a, ndim) for a in as_ints("tensordot", "an axis", given)]
        for given, ndim in zip(axes, (m, n), strict=True)
    )
    if len(left) != len(right) or len(set(left)) != len(left) or len(set(right)) != len(right):
        raise ShapeError(f"tensordot: as many distinct axes of x1 as of x2; got {axes!r}. Pair each axis with one")
    return left, right


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """``sum(conj(x1) * x2)`` over one axis of each, counted from the last; the other axes broadcast.

    Raises `ShapeError` where the sizes of the axis differ.
    """
    a, b = asarray(x1), asarray(x2)
    place = as_int("vecdot", "axis", axis)
    if place >= 0:
        if a.ndim != b.ndim:
            raise ShapeError(
                f"vecdot: axis must count from the last (-1) for {a.shape}, {b.shape}; got {place}. Use a negative one"
            )
        place -= a.ndim
    sizes = [t.shape[normalize_axis("vecdot", place, t.ndim)] for t in (a, b)]
    if sizes[0] != sizes[1]:
        raise ShapeError(
            f"vecdot: sizes of the axis must match; got {sizes[0]} and {sizes[1]} of {a.shape}, {b.shape}. "
            "Name another axis"
        )
    shape = broadcast_shapes("vecdot", a.shape, b.shape)
    a, b = broadcast_to(a, shape), broadcast_to(b, shape)
    product = conj(a) * b
    return sum(product, axis=place).astype(product.dtype)
