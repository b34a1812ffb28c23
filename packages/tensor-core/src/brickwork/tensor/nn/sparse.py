"""Sparsemax: probabilities of which many are exactly zero."""

from __future__ import annotations

from typing import Any

from ..dtypes import to_inexact
from ..errors import ShapeError
from ..op import Composite, register
from ..ops import reduce as R
from ..ops.arranging import moveaxis
from ..ops.creation import iota
from ..ops.cumulative import cumulative_sum
from ..ops.elementwise import astype, maximum
from ..ops.sorting import sort
from ..spec import normalize_axis
from ..tensor import Tensor, asarray, beside
from ..trace import bind

__all__ = ["sparsemax"]


def _body(x: Tensor) -> Tensor:
    """Of the last axis: the threshold follows from how many of the greatest elements stay above it."""
    falling = sort(x, axis=-1, descending=True)
    sums = cumulative_sum(falling, axis=-1)
    rank = astype(beside(iota((x.shape[-1],)), x) + 1, x.dtype)
    inside = astype(rank * falling + 1.0 > sums, x.dtype)
    count = R.sum(inside, -1, True)
    level = (R.sum(inside * falling, -1, True) - 1.0) / count
    return maximum(x - level, 0.0)


def _rule(i: int, g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    """g less its mean over what is not zero, there (Martins and Astudillo 2016, proposition 2)."""
    alive = astype(out > 0.0, out.dtype)
    return alive * (g - R.sum(g * alive, -1, True) / R.sum(alive, -1, True))


_sparsemax = register(Composite("sparsemax", _body, _rule))


def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """The point of the simplex nearest to ``x`` along an axis: ``max(x - t, 0)`` with t such that it sums to one
    (Martins and Astudillo 2016).

    Raises `ShapeError` for an axis that is not there or has no elements.
    """
    tensor = asarray(x)
    place = normalize_axis("sparsemax", axis, tensor.ndim)
    if isinstance(tensor.shape[place], int) and tensor.shape[place] < 1:
        raise ShapeError(
            f"sparsemax: the axis must have an element; got {tensor.shape}, axis {axis}. Name another axis"
        )
    last = moveaxis(astype(tensor, to_inexact(tensor.dtype), copy=False), place, -1)
    return moveaxis(bind(_sparsemax, (last,)), -1, place)
