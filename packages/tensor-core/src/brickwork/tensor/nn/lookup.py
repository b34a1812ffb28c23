"""Rows of a table by number, and marks of several classes at once."""

from __future__ import annotations

from typing import Any

from ..dtypes import DEFAULT_FLOAT
from ..errors import ShapeError
from ..ops import reduce as R
from ..ops.gathering import one_hot, take
from ..spec import normalize_axis
from ..tensor import Tensor, asarray

__all__ = ["embedding", "multi_hot"]


def embedding(indices: Any, table: Any) -> Tensor:
    """Rows of a table (words, width): indices of shape (...) give (..., width).

    Raises `ShapeError` unless the table has two axes or where an index is out of range, `DTypeError` unless the indices
    are integers.
    """
    rows = asarray(table)
    if rows.ndim != 2:
        raise ShapeError(f"embedding: the table must be (words, width); got {rows.shape}. Reshape it")
    return take(rows, indices, 0)


def multi_hot(indices: Any, classes: int, axis: int = -1, dtype: Any = DEFAULT_FLOAT) -> Tensor:
    """A last axis of ``classes`` in place of ``axis``: 1 for each class that occurs along it, else 0. Indices out of
    range mark nothing.

    Raises `ShapeError` for an axis that is not there or is empty, `DTypeError` unless the indices are integers.
    """
    positions = asarray(indices)
    place = normalize_axis("multi_hot", axis, positions.ndim)
    return R.max(one_hot(positions, classes, dtype), place)
