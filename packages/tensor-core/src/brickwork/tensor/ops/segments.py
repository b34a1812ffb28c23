"""Reductions over rows that share a number: segments, and counts of integers."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ..dtypes import DEFAULT_INT, class_of, to_inexact
from ..errors import DTypeError, ShapeError, TraceError
from ..spec import as_int
from ..tensor import Tensor, asarray, beside
from .creation import full, ones
from .elementwise import astype, clip, where
from .movement import broadcast_to, reshape
from .scattering import place

__all__ = ["bincount", "segment_max", "segment_mean", "segment_min", "segment_prod", "segment_sum"]

_SHAPES = """

    ``data``: (rows, ...). ``segment_ids``: an integer per row, in any order. ``num_segments``: how many there are; by
    default one more than the greatest id, which must then be known. Result: (num_segments, ...) of the dtype of the
    data. Rows are combined in their order, the same bits on every run.

    Raises `ShapeError` for an id below 0 or not below num_segments, `DTypeError` for ids that are no integers,
    `TraceError` where num_segments is needed."""


def _ids(who: str, segment_ids: Any, rows: Tensor, count: Any) -> tuple[Tensor, int]:
    """The ids, of which those below 0 are brought out of range too, and the number of segments."""
    ids = asarray(segment_ids)
    if ids.dtype.kind not in "iu":
        raise DTypeError(f"{who}: ids must be integers; got {ids.dtype}. Cast with astype('int64')")
    if rows.ndim == 0 or ids.shape != rows.shape[:1]:
        raise ShapeError(
            f"{who}: ids must be one per row; got {ids.shape} for rows {rows.shape}. Give an id to every row"
        )
    ids = astype(ids, DEFAULT_INT, copy=False)
    if count is not None:
        n = as_int(who, "the number of segments", count, 0)
    elif not ids.symbolic:
        values = ids.numpy()
        n = int(values.max()) + 1 if values.size else 0
    else:
        raise TraceError(
            f"{who}: ids must be known to say how many segments there are; got a symbol. Name the number of segments"
        )
    return beside(where(ids < 0, n, ids), rows), n


def _reduced(who: str, data: Any, segment_ids: Any, count: Any, mode: str, start: Any) -> Tensor:
    rows = asarray(data)
    if class_of(rows.dtype) == "b":
        raise DTypeError(f"{who}: needs numbers; got {rows.dtype}. Cast with astype('int64')")
    ids, n = _ids(who, segment_ids, rows, count)
    base = full((n, *rows.shape[1:]), start(rows.dtype), rows.dtype)
    return place(beside(base, rows), rows, ids, mode)


def _lowest(dtype: np.dtype) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else -inf


def _highest(dtype: np.dtype) -> Any:
    return np.iinfo(dtype).max if dtype.kind in "iu" else inf


def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None) -> Tensor:
    """The sum of the rows of each segment, ``out[s] = sum(data[i] where segment_ids[i] == s)``; 0 of an empty one."""
    return _reduced("segment_sum", data, segment_ids, num_segments, "add", lambda _: 0)


def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None) -> Tensor:
    """The product of the rows of each segment; 1 of an empty one."""
    return _reduced("segment_prod", data, segment_ids, num_segments, "mul", lambda _: 1)


def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None) -> Tensor:
    """The greatest of the rows of each segment, element by element; minus infinity (of integers, their least) of an
    empty one. Ties share the gradient."""
    return _reduced("segment_max", data, segment_ids, num_segments, "max", _lowest)


def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None) -> Tensor:
    """The least of the rows of each segment, element by element; infinity (of integers, their greatest) of an empty
    one. Ties share the gradient."""
    return _reduced("segment_min", data, segment_ids, num_segments, "min", _highest)


def segment_mean(data: Any, segment_ids: Any, num_segments: int | None = None) -> Tensor:
    """The mean of the rows of each segment; 0 of an empty one. Integers give float32."""
    rows = asarray(data)
    rows = astype(rows, to_inexact(rows.dtype), copy=False)
    total = _reduced("segment_mean", rows, segment_ids, num_segments, "add", lambda _: 0)
    each = broadcast_to(ones((), DEFAULT_INT), rows.shape[:1])
    counts = _reduced("segment_mean", each, segment_ids, num_segments, "add", lambda _: 0)
    shape = (total.shape[0], *(1,) * (total.ndim - 1))
    return total / beside(astype(reshape(clip(counts, 1), shape), total.dtype), total)


for _function in (segment_sum, segment_prod, segment_max, segment_min, segment_mean):
    _function.__doc__ = (_function.__doc__ or "") + _SHAPES


def bincount(x: Any, weights: Any = None, minlength: int = 0, length: int | None = None) -> Tensor:
    """How often each integer from 0 occurs, or the sum of the weights where it does.

    ``x``: integers (n,). ``weights``: (n,), their dtype is that of the result; else it is int64. ``length``: the size
    of the result; by default one more than the greatest integer, which must then be known, and at least ``minlength``.
    Raises `ShapeError` for an integer below 0 or not below ``length``, and `TraceError` where the length is needed.
    """
    values = asarray(x)
    if values.dtype.kind not in "iu" or values.ndim != 1:
        raise DTypeError(f"bincount: x must be integers (n,); got {values.spec}. Cast and reshape it")
    least = as_int("bincount", "minlength", minlength, 0)
    rows = broadcast_to(ones((), DEFAULT_INT), values.shape) if weights is None else asarray(weights)
    if rows.shape != values.shape:
        raise ShapeError(
            f"bincount: weights must be one per element of x; got {rows.shape} for {values.shape}. "
            "Give a weight to each"
        )
    if length is None and not values.symbolic:
        found = values.numpy()
        length = max(least, int(found.max()) + 1 if found.size else 0)
    return segment_sum(rows, values, length)
