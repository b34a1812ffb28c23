"""One row, as plain Python values by name: the way in for a single case, which must not pay for a whole table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row by column name, None where missing.

    Values are float, int, bool, str, datetime, date, time, timedelta, Decimal, or a NumPy scalar of dates or durations;
    blank text is missing, as in a `Table`. `text_names` is False where a frame's column labels were not all text.
    """

    values: dict[str, Any]
    text_names: bool = True


def open_row(X: Any) -> Row | None:
    """The row of one dict of plain values, a list of one such dict, or a frame of one row (pandas, polars, Arrow).

    None for everything that `open_table` must judge: more rows or none, arrays, other libraries, doubled names, cells
    of other types. So whoever asks goes on to `open_table`, which reads the same row to the same values or says what is
    wrong with it.
    """
    if isinstance(X, list) and len(X) == 1:
        X = X[0]
        if not isinstance(X, dict):
            return None
    found = (list(X), X.values()) if isinstance(X, dict) else _of_frame(X)
    if found is None:
        return None
    names, values = found
    try:
        cells = [_PLAIN[type(value)](value) for value in values]
    except KeyError:
        return None
    text = set(map(type, names)) == {str}
    row = dict(zip(names if text else map(str, names), cells, strict=True))
    return Row(row, text) if len(row) == len(cells) and row else None


def _of_frame(X: Any) -> tuple[list[Any], Iterable[Any]] | None:
    """Labels and values of the one row, or None."""
    library = type(X).__module__.partition(".")[0]
    if library == "pandas":
        pandas = sys.modules["pandas"]
        if not isinstance(X, pandas.DataFrame) or len(X) != 1:
            return None
        return X.columns.tolist(), X.iloc[0].tolist()
    if library == "polars":
        if not isinstance(X, sys.modules["polars"].DataFrame) or X.height != 1:
            return None
        return X.columns, X.row(0)
    if library == "pyarrow":
        arrow = sys.modules["pyarrow"]
        if not isinstance(X, (arrow.Table, arrow.RecordBatch)) or X.num_rows != 1:
            return None
        try:
            return X.schema.names, [column[0].as_py() for column in X.columns]
        except ValueError:  # nanoseconds, which Python's datetime has not
            return None
    return None


def _text(value: str) -> str | None:
    return value if value and not value.isspace() else None


def _number(value: float) -> float | None:
    return value if value == value else None


def _missing(value: Any) -> None:
    return None


def _same(value: Any) -> Any:
    return value


def _moment(value: Any) -> Any:
    return None if np.isnat(value) else value


class _Plain(dict[type, Callable[[Any], Any]]):
    """What to do with a value of each type; a KeyError for types that are not plain."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        # pandas's own are known by name, since pandas may not be loaded.
        if kind.__module__.partition(".")[0] == "pandas":
            if kind.__name__ in ("NAType", "NaTType"):
                return self.setdefault(kind, _missing)
            if kind.__name__ in ("Timestamp", "Timedelta"):
                return self.setdefault(kind, _same)
        raise KeyError(kind)


_WHOLE = (np.int64, np.int32, np.int16, np.int8, np.uint64, np.uint32, np.uint16, np.uint8)
_PLAIN = _Plain()
_PLAIN.update({type(None): _missing, str: _text, float: _number, np.bool_: bool})
_PLAIN[np.str_] = lambda value: _text(str(value))
_PLAIN[Decimal] = lambda value: None if value.is_nan() else value
_PLAIN.update(dict.fromkeys((int, bool, datetime, date, time, timedelta), _same))
_PLAIN.update(dict.fromkeys((np.float64, np.float32, np.float16), lambda value: _number(float(value))))
_PLAIN.update(dict.fromkeys(_WHOLE, int))
_PLAIN.update(dict.fromkeys((np.datetime64, np.timedelta64), _moment))
