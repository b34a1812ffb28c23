"""What rows are split by - strata, groups, times - read from a column of the table or from an array of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..columns import Column, as_datetimes, date_style
from ..errors import PrepError, SchemaError, TargetError, bad_values, nearest, quote
from ..frame import open_table, read_target
from ..targets import find_task

BINS = 10  # quantile bins of a regression target


def n_rows(X: Any, who: str) -> int:
    """The number of rows of a table, an array, a list or a dict of columns; PrepError where X is none of these."""
    if isinstance(X, Mapping):
        return len(next(iter(X.values()))) if X else 0
    if getattr(X, "shape", ()):
        return int(X.shape[0])
    return len(X) if hasattr(X, "__len__") else open_table(X, who).n_rows


def strata(y: Any, stratify: Any, n: int, who: str) -> np.ndarray:
    """Int64 (n,): the class, the quantile bin of a regression target, or 0 for all where shares are not kept."""
    if stratify is False or stratify is None:
        return np.zeros(n, dtype=np.int64)
    values, missing = read_target(y if stratify is True else stratify, who)
    if len(values) != n:
        raise PrepError.of(who, "stratify has one group per row", f"{len(values)} for {n} rows")
    if missing.any():
        rows = np.flatnonzero(missing)[:5].tolist()
        rule = "rows to stratify by have a value"
        raise TargetError.of(who, rule, f"none in rows {rows}", "Drop these rows.", rows=rows)
    if stratify is True and find_task(values)[0] == "regression":
        return quantile_bins(values.astype(np.float64), max(1, min(BINS, n // 5)))
    return codes(values)


def groups_of(groups: Any, X: Any, n: int, who: str) -> np.ndarray:
    """Int64 (n,): codes of the groups, of any hashable values, that a column or an array gives; none may be missing."""
    if not is_name(groups):
        return codes(group_values(groups, X, n, who))
    return codes(_group_column(groups, X, n, who).values)


def group_values(groups: Any, X: Any, n: int, who: str) -> np.ndarray:
    """The groups themselves (n,), of their own dtype or object."""
    if is_name(groups):
        column = _group_column(groups, X, n, who)
        return np.array(column.vocabulary, dtype=object)[column.values] if column.form == "text" else column.values
    values, missing = read_target(groups, who)
    _need_rows("groups", len(values), n, who)
    _refuse_missing("groups", missing, "must name the group of each row", who)
    return values


def refuse_no_group(column: Column, who: str) -> None:
    """Refuses a column of groups that prep cannot read, or that has missing values."""
    if column.form == "other":
        rule = f"group column {column.name!r} holds text, numbers, booleans or dates"
        raise SchemaError.of(who, rule, quote(column.types), column=column.name)
    _refuse_missing(column.name, column.missing, "must name the group of each row", who)


def times_of(time: Any, X: Any, n: int, who: str) -> np.ndarray:
    """Float64 or datetime64[us] (n,) to put rows in order by; text is read as dates. None may be missing."""
    column = column_of_table(time, X, who) if is_name(time) else _of_array(time, who)
    _need_rows("time", len(column.values), n, who)
    return times_in_column(column, who)


def times_in_column(column: Column, who: str, style: str | None = None) -> np.ndarray:
    """As `times_of`, of a column; text is read in a style of `dates`, or else in the one that fits all of it."""
    if column.form not in ("number", "datetime", "text"):
        got = {"boolean": "booleans"}.get(column.form, "other objects")
        raise SchemaError.of(who, f"time column {column.name!r} holds dates or numbers", got, column=column.name)
    _refuse_missing(column.name, column.missing, "must give the time of each row", who)
    style = style or style_of(column, who)
    return column.values if style is None else as_datetimes(column, who, style)


def style_of(column: Column, who: str) -> str | None:
    """The style in which a column of text gives dates; None of other columns."""
    return date_style(column, who)[0] if column.form == "text" else None


def column_of_table(name: str | int, X: Any, who: str) -> Column:
    """The column of X with this name or at this position; SchemaError where there is none."""
    table = open_table(X, who)
    if isinstance(name, str) and name in table.names:
        return table.column(list(table.names).index(name))
    if not isinstance(name, str) and -len(table.names) <= name < len(table.names):
        return table.column(int(name) % len(table.names))
    got = f"{name!r}{nearest(name, table.names)}"
    raise SchemaError.of(
        who, "the table must have the column", got, f"Columns: {quote(table.names)}.", column=str(name)
    )


def quantile_bins(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Int64 (n,): the quantile bin of each value, from 0; equal values share one, so there may be fewer than n_bins."""
    shares = np.arange(1, n_bins) / n_bins
    edges = np.unique(np.quantile(values, shares, method="higher")) if n_bins > 1 else values[:0]
    return np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1].astype(np.int64)


def codes(values: np.ndarray) -> np.ndarray:
    """Int64 (n,): equal where the values are, numbered by first appearance."""
    if values.dtype != object:
        _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[inverse]
    index: dict[Any, int] = {}
    return np.array([index.setdefault(value, len(index)) for value in values.tolist()], dtype=np.int64)


def is_name(key: Any) -> bool:
    """Whether a key names a column, or gives its position, rather than holding one value per row."""
    return isinstance(key, (str, int, np.integer)) and not isinstance(key, bool)


def _group_column(name: str | int, X: Any, n: int, who: str) -> Column:
    column = column_of_table(name, X, who)
    refuse_no_group(column, who)
    _need_rows("groups", len(column.values), n, who)
    return column


def _of_array(values: Any, who: str) -> Column:
    return open_table({"time": values}, who).column(0)


def _need_rows(what: str, n_given: int, n: int, who: str) -> None:
    if n_given != n:
        raise PrepError.of(who, f"{what} has one value per row", f"{n_given} for {n} rows")


def _refuse_missing(name: str, missing: np.ndarray, rule: str, who: str) -> None:
    if missing.any():
        rows = np.flatnonzero(missing)
        raise bad_values(who, name, rule, rows, [None] * len(rows), "Fill or drop these rows.")
