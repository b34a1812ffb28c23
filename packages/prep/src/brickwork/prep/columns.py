"""One column as plain NumPy arrays, and how its values are read as numbers, booleans, dates or text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .errors import SHOWN, bad_values
from .literals.dates import ISO, NAT, find_style, is_ambiguous, read_dates

Form = Literal["number", "boolean", "datetime", "text", "other"]

WORDS = {"true": 1.0, "yes": 1.0, "y": 1.0, "t": 1.0, "on": 1.0, "1": 1.0} | {
    "false": 0.0, "no": 0.0, "n": 0.0, "f": 0.0, "off": 0.0, "0": 0.0
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """What one column of a table holds, whatever library it came from. `n` rows.

    `values` by `form`: number and boolean, float64 with NaN where missing; datetime, datetime64[us] with NaT, in UTC;
    text, int64 codes into `vocabulary`, -1 where missing; other, bool, True in rows whose `types` prep cannot read.
    Text is kept as codes so that every reading of it works once per distinct value, not once per row.
    `declared` marks a pandas categorical: its owner has said what it is.
    """

    name: str
    form: Form
    values: np.ndarray
    vocabulary: Sequence[str] = ()
    declared: bool = False
    types: tuple[str, ...] = ()

    @property
    def missing(self) -> np.ndarray:
        """Bool (n,): the rows without a value."""
        match self.form:
            case "number" | "boolean":
                return np.isnan(self.values)
            case "datetime":
                return np.isnat(self.values)
            case "text":
                return self.values < 0
        return np.zeros(len(self.values), dtype=bool)

    def at(self, rows: np.ndarray) -> list[Any]:
        """The values in the first few of `rows`, as Python objects for a sentence."""
        picked = self.values[rows[:SHOWN]]
        match self.form:
            case "text":
                return [self.vocabulary[code] for code in picked]
            case "boolean":
                return [bool(value) for value in picked]
            case "datetime":
                return [str(value) for value in picked]
            case "number":
                return [int(value) if value.is_integer() else value for value in picked.tolist()]
        return list(self.types)


def parse_number(text: str) -> float | None:
    """The number a text stands for, or None. `1_000` is Python's notation, not a table's."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def number_text(value: float) -> str:
    """The text of a number as a category: `3` for 3 and 3.0 alike, since gaps turn whole numbers into floats."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def as_numbers(column: Column, who: str) -> np.ndarray:
    """Float64 (n,), NaN where missing; SchemaError where a value is no number or is infinite."""
    match column.form:
        case "number" | "boolean":
            values = column.values
        case "text":
            parsed = [parse_number(text) for text in column.vocabulary]
            _refuse_unread(column, parsed, who, "must hold numbers", "Mend these values, or fit again with them in.")
            values = np.array([*parsed, math.nan], dtype=np.float64)[column.values]
        case _:
            values = _only_missing(column, who, "must hold numbers", np.float64, math.nan)
    infinite = np.isinf(values)
    if infinite.any():
        rows = np.flatnonzero(infinite)
        fix = "Replace them by NaN, which is read as missing, or by a finite value."
        raise bad_values(who, column.name, "must be finite", rows, values[rows].tolist(), fix)
    return values


def as_booleans(column: Column, who: str) -> np.ndarray:
    """Float64 (n,) of 0 and 1, NaN where missing; SchemaError where a value is neither true nor false."""
    rule, fix = "must hold true or false", "Mend these values, or fit again with kinds={...: 'categorical'}."
    match column.form:
        case "boolean":
            return column.values
        case "number":
            rows = np.flatnonzero((column.values != 0) & (column.values != 1) & ~np.isnan(column.values))
            if len(rows):
                raise bad_values(who, column.name, rule, rows, column.at(rows), fix)
            return column.values
        case "text":
            parsed = [WORDS.get(text.strip().casefold()) for text in column.vocabulary]
            _refuse_unread(column, parsed, who, rule, fix)
            return np.array([*parsed, math.nan], dtype=np.float64)[column.values]
    return _only_missing(column, who, rule, np.float64, math.nan)


def as_datetimes(column: Column, who: str, style: str) -> np.ndarray:
    """Datetime64[us] (n,) in UTC, NaT where missing; SchemaError where a text is no date in `style` or in ISO 8601."""
    if column.form == "datetime":
        return column.values
    if column.form == "text":
        parsed = read_dates(column.vocabulary, style)
        fix = "Mend these values, or fit again with kinds={...: 'categorical'}."
        _refuse_unread(column, parsed, who, f"must hold dates (read as {style})", fix)
        return np.array([*parsed, NAT], dtype=np.int64).view("datetime64[us]")[column.values]
    rule = f"must hold dates (read as {style})"
    return _only_missing(column, who, rule, "datetime64[us]", np.datetime64("NaT", "us"))


def date_style(column: Column, who: str) -> tuple[str, str]:
    """The style in which a column's text gives dates, and why; SchemaError where no style reads all of it."""
    if column.form == "datetime":
        return ISO, "dates"
    texts = used_texts(column) if column.form == "text" else []
    style = find_style(texts)
    if style is None:
        rows = np.flatnonzero(~column.missing)
        fix = "Give dates as 2024-12-31 or as datetime objects."
        raise bad_values(who, column.name, "must hold dates of one style", rows, column.at(rows), fix)
    return style, told_style(texts, style)


def told_style(texts: Sequence[str], style: str) -> str:
    """In which style these texts were read, for a person."""
    return f"text read as {style}" + (", though day first fits too" if is_ambiguous(texts, style) else "")


def used_texts(column: Column) -> list[str]:
    """The distinct texts that some row holds; a vocabulary may hold more, as a pandas categorical's does."""
    used = np.flatnonzero(np.bincount(column.values[column.values >= 0]))
    return [column.vocabulary[code] for code in used]


def as_texts(column: Column, who: str) -> tuple[np.ndarray, Sequence[str]]:
    """Codes int64 (n,), -1 where missing, and the vocabulary they point into; other forms become their text."""
    if column.form == "text":
        return column.values, column.vocabulary
    if column.form == "other":
        _only_missing(column, who, "must hold text, numbers, booleans or dates", np.float64, math.nan)
    unique, codes = distinct_values(column.values)
    match column.form:
        case "number":
            vocabulary = [number_text(value) for value in unique.tolist()]
        case "boolean":
            vocabulary = [str(bool(value)) for value in unique]
        case _:
            vocabulary = [str(value) for value in unique]
    return codes, vocabulary


def distinct_values(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values that differ (k,), rising, and the place of each row's among them, int64 (n,), -1 where missing."""
    if values.dtype.kind == "f" and (found := _whole_values(values)) is not None:
        return found
    present = ~(np.isnat(values) if values.dtype.kind == "M" else np.isnan(values))
    unique, inverse = np.unique(values[present], return_inverse=True)
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[present] = inverse
    return unique, codes


def _whole_values(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The same of whole numbers that lie close together, by counting in place of sorting; None of others."""
    low, high = np.fmin.reduce(values, initial=np.inf), np.fmax.reduce(values, initial=-np.inf)
    # A first look at a few keeps fractions from paying for the passes below.
    few = values[:64]
    with np.errstate(invalid="ignore"):
        if not 0 <= high - low <= 4 * len(values) + 1024 or (few[few == few] % 1).any():
            return None
        above = values - low
        slots = above.astype(np.int64)
    gaps = above != above
    if not ((slots == above) | gaps).all():
        return None
    slots += 1
    slots[gaps] = 0
    there = np.bincount(slots, minlength=int(high - low) + 2) > 0
    there[0] = False
    places = np.cumsum(there) - 1
    places[0] = -1
    return np.flatnonzero(there[1:]) + low, places[slots]


def _refuse_unread(column: Column, parsed: list[Any], who: str, rule: str, fix: str) -> None:
    unread = np.array([value is None for value in parsed] + [False])
    if unread.any():
        rows = np.flatnonzero(unread[column.values])
        if len(rows):
            raise bad_values(who, column.name, rule, rows, column.at(rows), fix)
        parsed[:] = [0 if value is None else value for value in parsed]  # words of the vocabulary that no row uses


def _only_missing(column: Column, who: str, rule: str, dtype: Any, missing: Any) -> np.ndarray:
    rows = np.flatnonzero(column.values if column.form == "other" else ~column.missing)
    if len(rows):
        got = {"number": "numbers", "boolean": "booleans", "datetime": "dates"}.get(column.form, "other objects")
        fix = f"The column now holds {got}: give it as it was at fit, or fit again."
        raise bad_values(who, column.name, rule, rows, column.at(rows), fix)
    return np.full(len(column.values), missing, dtype=dtype)
