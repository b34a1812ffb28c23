"""From Python objects to a `Column`: what a cell may hold, and which cells are missing."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from .columns import Column, Form, number_text
from .errors import SHOWN, SchemaError

Cell = Literal["missing", "number", "boolean", "datetime", "duration", "text", "complex", "other"]

# Types first met in this order decide; pandas's NA and NaT are known by name, since pandas may not be loaded.
_CELLS: tuple[tuple[tuple[type, ...], Cell], ...] = (
    ((type(None),), "missing"),
    ((bool, np.bool_), "boolean"),
    ((timedelta, np.timedelta64), "duration"),
    ((numbers.Real, Decimal), "number"),
    ((str,), "text"),
    ((date, np.datetime64), "datetime"),
    ((numbers.Complex,), "complex"),
)


@lru_cache(maxsize=256)
def cell_of(kind: type) -> Cell:
    """What values of this Python type are to prep."""
    if kind.__name__ in ("NAType", "NaTType"):
        return "missing"
    return next((cell for types, cell in _CELLS if issubclass(kind, types)), "other")


def is_missing(value: Any) -> bool:
    """None, NaN of any type, NaT, pandas's NA."""
    cell = cell_of(type(value))
    if isinstance(value, Decimal):  # a signalling NaN raises where it is compared
        return value.is_nan()
    return cell == "missing" or (cell not in ("text", "other") and bool(value != value))


def column_of(name: str, values: Sequence[Any]) -> Column:
    """The column of these Python objects.

    Numbers with booleans are numbers; text with numbers, booleans or dates is text; anything else mixed is `other`.
    """
    types = set(map(type, values))
    cells = {cell_of(kind) for kind in types} - {"missing"}
    if "text" in cells and len(cells) > 1:
        values = [None if is_missing(value) else value for value in values]
        cells = {cell_of(type(value)) for value in values} - {"missing"}
    if "complex" in cells:
        raise complex_refused(name)
    if cells <= {"number", "boolean"}:
        form: Form = "boolean" if cells == {"boolean"} else "number"
        return Column(name, form, _floats(values, types))
    if cells == {"text"}:
        return text_column(name, *factorize(values))
    if cells <= {"datetime", "number"} and all(is_missing(v) for v in values if cell_of(type(v)) == "number"):
        return Column(name, "datetime", np.array([_moment(value) for value in values], dtype="datetime64[us]"))
    if cells == {"duration"}:
        return Column(name, "number", np.array([_seconds(value) for value in values], dtype=np.float64))
    if "text" in cells and cells <= {"text", "number", "boolean", "datetime"}:
        return text_column(name, *factorize([_text(value) for value in values]))
    return _unreadable(name, values)


def factorize(values: Sequence[Any]) -> tuple[np.ndarray, list[str]]:
    """Codes int64 (n,) by first appearance, -1 where missing, and the distinct texts."""
    index: dict[str, int] = {}
    codes = [index.setdefault(v, len(index)) if isinstance(v, str) else -1 for v in values]
    return np.array(codes, dtype=np.int64), [str(text) for text in index]


def text_column(name: str, codes: np.ndarray, vocabulary: Sequence[str], declared: bool = False) -> Column:
    """A text column in which blank texts, what an empty cell of a file leaves, are missing."""
    blank = [not text or text.isspace() for text in vocabulary]
    if any(blank):
        codes = np.where(np.array([*blank, True])[codes], -1, codes)
    return Column(name, "text", codes, vocabulary, declared)


def complex_refused(name: str) -> SchemaError:
    """The error for a column of complex numbers, in the words scikit-learn's users search for."""
    fix = "Complex data not supported: give real and imaginary parts as two columns."
    return SchemaError.of("TablePrep", f"column {name!r} must be real", "complex numbers", fix, column=name)


def _floats(values: Sequence[Any], types: set[type]) -> np.ndarray:
    if types <= {int, float, bool, np.float64}:
        try:
            return np.array(values, dtype=np.float64)
        except OverflowError:  # an integer beyond 1e308, read below as infinite and refused where numbers are used
            pass
    return np.array([_float(value) for value in values], dtype=np.float64)


def _float(value: Any) -> float:
    if is_missing(value):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _moment(value: Any) -> Any:
    if is_missing(value):
        return np.datetime64("NaT", "us")
    if isinstance(value, datetime):
        # By difference, since `astimezone` overflows at the first and last day of the calendar.
        offset = value.utcoffset() or timedelta()
        since = value.replace(tzinfo=None) - datetime(1970, 1, 1) - offset
        return np.datetime64(since // timedelta(microseconds=1), "us")
    return value


def _seconds(value: Any) -> float:
    if is_missing(value):
        return math.nan
    return float(value / np.timedelta64(1, "us")) / 1e6 if isinstance(value, np.timedelta64) else value.total_seconds()


def _text(value: Any) -> str | None:
    match cell_of(type(value)):
        case "missing":
            return None
        case "number":
            return number_text(_float(value))
        case "datetime":
            return str(np.datetime64(_moment(value), "us"))
    return str(value)


def _unreadable(name: str, values: Sequence[Any]) -> Column:
    """The column as `other`: marked are the rows of the rarer kind of cell, since those are the ones to look at."""
    cells = [cell_of(type(value)) for value in values]
    usual = max((cell for cell in set(cells) - {"missing"}), key=lambda cell: (cells.count(cell), cell))
    strange = {"other"} if "other" in cells else set(cells) - {"missing", usual}
    marked = np.array([cell in strange for cell in cells])
    types = tuple(type(values[row]).__name__ for row in np.flatnonzero(marked)[:SHOWN])
    return Column(name, "other", marked, types=types)


def ragged(lengths: Sequence[int]) -> list[int]:
    """The first few positions whose length is not the first one's; [] where all agree."""
    if all(a == b for a, b in pairwise(lengths)):
        return []
    return [i for i, length in enumerate(lengths) if length != lengths[0]][:SHOWN]
