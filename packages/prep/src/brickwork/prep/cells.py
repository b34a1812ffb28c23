"""From Python objects to a `Column`: what a cell may hold, and which cells are missing."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from .columns import Column, Form, number_text
from .errors import SHOWN, SchemaError, bad_values

Cell = Literal["missing", "number", "boolean", "datetime", "duration", "time", "text", "complex", "other"]

# Types first met in this order decide; pandas's NA and NaT are known by name, since pandas may not be loaded.
_CELLS: tuple[tuple[tuple[type, ...], Cell], ...] = (
    ((type(None),), "missing"),
    ((bool, np.bool_), "boolean"),
    ((timedelta, np.timedelta64), "duration"),
    ((numbers.Real, Decimal), "number"),
    ((str,), "text"),
    ((date, np.datetime64), "datetime"),
    ((time,), "time"),
    ((numbers.Complex,), "complex"),
)
_TEXTS = ("missing", "text", "number", "boolean", "datetime")  # what text of its own stands for
_AT_ONCE = {int, float, bool, Decimal, np.float64, np.float32, np.int64, np.int32, np.bool_}
_EPOCH = datetime(1970, 1, 1)
_FIRST_DAY = _EPOCH.toordinal()
_NAT = np.iinfo(np.int64).min  # NumPy's bit pattern for "not a time"
_TICK = timedelta(microseconds=1)


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

    Numbers with booleans are numbers; text with numbers, booleans or dates is text; durations, and times of day since
    midnight, are numbers of seconds; anything else mixed is `other`.
    """
    types = set(map(type, values))
    cells = {cell_of(kind) for kind in types} - {"missing"}
    if len(cells) > 1 and "number" in cells and cells & {"text", "datetime", "duration", "time"}:
        values = [None if is_missing(value) else value for value in values]  # a NaN among them is no number
        types = set(map(type, values))
        cells = {cell_of(kind) for kind in types} - {"missing"}
    if "complex" in cells:
        raise complex_refused(name)
    if cells <= {"number", "boolean"}:
        form: Form = "boolean" if cells == {"boolean"} else "number"
        return Column(name, form, _floats(values, types))
    if cells == {"text"}:
        return text_column(name, *factorize(values))
    if cells == {"datetime"}:
        return Column(name, "datetime", _moments(name, values, types))
    if cells in ({"duration"}, {"time"}):
        _refuse_far_cells(name, values, types)
        return Column(name, "number", np.array([_seconds(value) for value in values], dtype=np.float64))
    if "text" in cells and cells <= {"text", "number", "boolean", "datetime"}:
        return text_column(name, *_mixed(values))
    return _unreadable(name, values)


def factorize(values: Sequence[Any]) -> tuple[np.ndarray, list[str]]:
    """Codes int64 (n,) by first appearance, -1 where missing, and the distinct texts; all else counts as missing."""
    # A few passes that never leave C: several times as fast as a loop that asks per row.
    index: dict[Any, int] = dict.fromkeys(values, -1)
    vocabulary = list(index)
    if set(map(type, vocabulary)) != {str}:
        vocabulary = [value for value in vocabulary if isinstance(value, str)]
    if len(vocabulary) == len(values):
        codes = np.arange(len(values), dtype=np.int64)
    else:
        index.update(zip(vocabulary, range(len(vocabulary)), strict=True))
        codes = np.fromiter(map(index.__getitem__, values), dtype=np.int64, count=len(values))
    return codes, plain_texts(vocabulary)


def plain_texts(texts: list[str]) -> list[str]:
    """The texts without the subclasses of str that arrays give."""
    return texts if set(map(type, texts)) <= {str} else [str(text) for text in texts]


def text_column(name: str, codes: np.ndarray, vocabulary: Sequence[str], declared: bool = False) -> Column:
    """A text column in which blank texts, what an empty cell of a file leaves, are missing."""
    if not all(map(str.strip, vocabulary)):
        blank = [not text.strip() for text in vocabulary]
        codes = np.where(np.array([*blank, True])[codes], -1, codes)
    return Column(name, "text", codes, vocabulary, declared)


def category_column(name: str, codes: np.ndarray, categories: Sequence[Any]) -> Column:
    """The column of a library's own categories, of any type: text in their order, with codes int64 (n,) into them."""
    texts = [_text(value) if cell_of(type(value)) in _TEXTS else str(value) for value in categories]
    return text_column(name, codes, ["" if text is None else text for text in texts], declared=True)


def unreadable(name: str, marked: np.ndarray, examples: Sequence[Any]) -> Column:
    """The column as `other`, or one of missing values: `marked` rows, bool (n,), hold objects like these first few."""
    if not marked.any():
        return Column(name, "number", np.full(len(marked), math.nan))
    return Column(name, "other", marked, types=tuple(type(value).__name__ for value in examples[:SHOWN]))


def microseconds(name: str, values: np.ndarray) -> np.ndarray:
    """Datetimes or durations of any unit (n,) by the microsecond; SchemaError beyond what 64 bits of these can hold."""
    _refuse_far(name, np.flatnonzero(_far(values)), values)
    return values.astype(f"{values.dtype.kind}8[us]", copy=False)


def _far(values: np.ndarray) -> np.ndarray:
    """Bool (n,): a coarser unit reaches further than microseconds do, and NumPy would wrap around."""
    if np.datetime_data(values.dtype)[0] in ("us", "ns", "ps", "fs", "as", "generic"):
        return np.zeros(len(values), dtype=bool)
    last = np.array(2**63 - 1).view(f"{values.dtype.kind}8[us]").astype(values.dtype).view(np.int64)
    return (np.abs(values.view(np.int64)) > last) & ~np.isnat(values)


def _refuse_far(name: str, rows: np.ndarray, values: Any) -> None:
    if len(rows):
        got = [str(values[row]) for row in rows[:SHOWN]]
        rule, fix = "must be within 292,000 years of 1970", "Mend these, or make them missing."
        raise bad_values("TablePrep", name, rule, rows, got, fix)


def _refuse_far_cells(name: str, values: Sequence[Any], types: set[type]) -> None:
    kinds = (np.datetime64, np.timedelta64)
    if types & set(kinds):
        far = [isinstance(value, kinds) and bool(_far(np.array([value]))[0]) for value in values]
        _refuse_far(name, np.flatnonzero(far), values)


def complex_refused(name: str) -> SchemaError:
    """The error for a column of complex numbers, in the words scikit-learn's users search for."""
    fix = "Complex data not supported: give real and imaginary parts as two columns."
    return SchemaError.of("TablePrep", f"column {name!r} must be real", "complex numbers", fix, column=name)


def _floats(values: Sequence[Any], types: set[type]) -> np.ndarray:
    gone = {kind for kind in types if cell_of(kind) == "missing"}
    if gone - {type(None)}:
        values = [None if type(value) in gone else value for value in values]
    if types - gone <= _AT_ONCE:
        try:
            return np.array(values, dtype=np.float64)  # None becomes NaN
        except (OverflowError, ValueError):  # an integer beyond 1e308, refused where numbers are used; a signalling NaN
            pass
    return np.array([_float(value) for value in values], dtype=np.float64)


def _float(value: Any) -> float:
    if is_missing(value):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _moments(name: str, values: Sequence[Any], types: set[type]) -> np.ndarray:
    # Python's own dates, without zones, by whole numbers: several times as fast as NumPy's reading of them.
    if types <= {date, type(None)}:
        days = [_NAT if value is None else value.toordinal() - _FIRST_DAY for value in values]
        return np.array(days, dtype=np.int64).view("datetime64[D]").astype("datetime64[us]")
    if types <= {datetime, type(None)} and {value.tzinfo for value in values if value is not None} == {None}:
        ticks = [_NAT if value is None else (value - _EPOCH) // _TICK for value in values]
        return np.array(ticks, dtype=np.int64).view("datetime64[us]")
    _refuse_far_cells(name, values, types)
    return np.array([_moment(value) for value in values], dtype="datetime64[us]")


def _moment(value: Any) -> Any:
    if is_missing(value):
        return np.datetime64("NaT", "us")
    if isinstance(value, datetime):
        # By difference, since `astimezone` overflows at the first and last day of the calendar.
        offset = value.utcoffset() or timedelta()
        return np.datetime64((value.replace(tzinfo=None) - _EPOCH - offset) // _TICK, "us")
    return value


def _mixed(values: Sequence[Any]) -> tuple[np.ndarray, list[str]]:
    """`factorize` of text among numbers, booleans and dates: each distinct value becomes text once."""
    pairs = list(zip(map(type, values), values, strict=True))  # since 1, 1.0 and True are equal
    texts = {pair: _text(pair[1]) for pair in dict.fromkeys(pairs)}
    return factorize([texts[pair] for pair in pairs])


def _seconds(value: Any) -> float:
    if is_missing(value):
        return math.nan
    if isinstance(value, time):  # as the clock shows it, whatever its zone
        whole = value.hour * 3600 + value.minute * 60 + value.second
        return (whole * 1_000_000 + value.microsecond) / 1e6
    if isinstance(value, np.timedelta64):
        return int(value.astype("timedelta64[us]").astype(np.int64)) / 1e6
    return value // _TICK / 1e6


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
