"""A polars Series as a column. polars itself is handed in by whoever met the Series, and is never imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cells import category_column, column_of, text_column, unreadable
from ..columns import Column
from ..errors import SHOWN
from .of_numpy import array_column, floats


def polars_column(name: str, series: Any, polars: Any) -> Column:
    """The column of a Series of any dtype."""
    kind = series.dtype
    if kind == polars.String:
        return text_column(name, *_coded(series.cast(polars.Categorical), series))
    if kind == polars.Enum:
        return category_column(name, _codes(series), kind.categories.to_list())
    if kind.base_type() is polars.Categorical:  # of any categories: equality holds for the global ones alone
        return category_column(name, *_coded(series, series))
    if kind == polars.Boolean:
        return Column(name, "boolean", floats(series.cast(polars.Float64).to_numpy()))
    if kind.is_decimal():  # through text, which reads each number to the last bit
        return Column(name, "number", floats(series.cast(polars.String).cast(polars.Float64).to_numpy()))
    if kind.is_numeric():
        plain = kind if kind in (polars.Float64, polars.Int64) else polars.Float64
        return Column(name, "number", floats(series.cast(plain).to_numpy()))
    if kind == polars.Time:
        since = series.to_physical().to_numpy()
        return Column(name, "number", np.floor(since / 1e3) / 1e6)
    if kind.is_temporal():
        return array_column(name, series.to_numpy())
    if kind in (polars.Null, polars.Object):
        return column_of(name, series.to_list())
    return _unread(name, series)


def _codes(series: Any) -> np.ndarray:
    """The physical codes of a categorical, int64 (n,), -1 where missing."""
    physical = series.to_physical()
    if physical.null_count():
        return np.asarray(physical.cast(int).fill_null(-1).to_numpy(), dtype=np.int64)
    return np.asarray(physical.to_numpy(), dtype=np.int64)


def _coded(series: Any, texts: Any) -> tuple[np.ndarray, list[str]]:
    """Codes by first appearance, int64 (n,), -1 where missing, and the texts they stand for.

    A Categorical's own codes are shared with others that polars has met, so neither order nor size says anything.
    """
    codes = _codes(series)
    first = np.full(codes.max(initial=-1) + 2, -1, dtype=np.int64)  # the last place is that of missing values
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # of equal places the last written stays: the first row
    first[-1] = -1
    used = np.flatnonzero(first >= 0)
    used = used[np.argsort(first[used])]
    renumbered = np.full(len(first), -1, dtype=np.int64)
    renumbered[used] = np.arange(len(used))
    vocabulary = texts.gather(first[used]).to_list()
    in_order = np.array_equal(used, np.arange(len(first) - 1))
    return codes if in_order else renumbered[codes], vocabulary


def _unread(name: str, series: Any) -> Column:
    marked = series.is_not_null().to_numpy()
    rows = np.flatnonzero(marked)[:SHOWN]
    return unreadable(name, marked, series.gather(rows).to_list())
