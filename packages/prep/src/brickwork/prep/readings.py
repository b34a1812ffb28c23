"""How a column becomes the input of a formula: numbers, dates as microseconds, or the codes of known categories."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, ClassVar, Literal

import numpy as np

from .cells import column_of
from .columns import Column, as_booleans, as_datetimes, as_numbers, as_texts, number_text
from .errors import SHOWN, bad_values, nearest, quote, quote_rows
from .literals.dates import ISO, STYLES, read_date
from .state import demand

__all__ = ["Booleans", "Codes", "Dates", "Gaps", "Hashed", "Numbers", "Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """From a column to float64 (n,). `kind` says what the numbers are."""

    kind: ClassVar[str]

    def read(self, column: Column, who: str) -> np.ndarray:
        """Float64 (n,); SchemaError, with column and rows, where a value can not be read."""
        raise NotImplementedError

    def open(self, column: Column, who: str) -> Callable[[slice], np.ndarray]:
        """The same, rows by rows, so that what is read need not be stored whole; errors are raised here."""
        return self.read(column, who).__getitem__

    def check(self, where: str) -> None:
        """Refuses, with StateError, fields that no reading can have; those that were made by a fit are never such."""

    def one(self, name: str, value: Any, who: str) -> float:
        """The same of one Python value."""
        return float(self.read(column_of(name, (value,)), who)[0])


@dataclass(frozen=True, slots=True)
class Numbers(Reading):
    """NaN where missing; text of numbers is read, infinities are refused."""

    kind: ClassVar = "number"

    def read(self, column: Column, who: str) -> np.ndarray:
        return as_numbers(column, who)

    def one(self, name: str, value: Any, who: str) -> float:
        if type(value) is float and not math.isinf(value):
            return value
        if value is None:
            return math.nan
        if type(value) is int and -(2**1023) < value < 2**1023:
            return float(value)
        return Reading.one(self, name, value, who)


@dataclass(frozen=True, slots=True)
class Booleans(Reading):
    """0 or 1, NaN where missing."""

    kind: ClassVar = "boolean"

    def read(self, column: Column, who: str) -> np.ndarray:
        return as_booleans(column, who)

    def one(self, name: str, value: Any, who: str) -> float:
        return float(value) if type(value) is bool else Reading.one(self, name, value, who)


@dataclass(frozen=True, slots=True)
class Dates(Reading):
    """Microseconds since 1970 in UTC, NaN where missing; text is read in `style` or ISO 8601."""

    style: str = ISO
    kind: ClassVar = "datetime"

    def check(self, where: str) -> None:
        demand(self.style in STYLES, where, "style must be a known one", self.style)

    def read(self, column: Column, who: str) -> np.ndarray:
        return _ticks(as_datetimes(column, who, self.style))

    def open(self, column: Column, who: str) -> Callable[[slice], np.ndarray]:
        moments = as_datetimes(column, who, self.style)
        return lambda rows: _ticks(moments[rows])

    def one(self, name: str, value: Any, who: str) -> float:
        if value is None:
            return math.nan
        if type(value) is datetime:
            # By difference, since `astimezone` overflows at the first and last day of the calendar.
            offset = value.utcoffset()
            since = value.replace(tzinfo=None) - _EPOCH
            return float((since - offset if offset else since) // _TICK)
        if type(value) is str and (tick := read_date(value, self.style)) is not None:
            return float(tick)
        if hasattr(value, "to_datetime64"):  # pandas's own
            value = value.to_datetime64()
        if isinstance(value, np.datetime64) and not np.isnat(value):
            return float(value.astype("datetime64[us]").view(np.int64))
        return Reading.one(self, name, value, who)


@dataclass(frozen=True, slots=True)
class Codes(Reading):
    """The number that `index` has for a category (a code, or what stands for it); `unseen` for one it has not,
    `missing` where there is none.

    `unknown` says what is done with an unseen category, and with a missing value where `missing` is None (fit saw
    none): "take" gives `unseen`, "warn" does too with a UserWarning, "refuse" is a SchemaError.
    """

    index: Mapping[str, float]
    unseen: float = -1
    missing: float | None = -1
    unknown: Literal["take", "warn", "refuse"] = "take"
    kind: ClassVar = "category"

    def read(self, column: Column, who: str) -> np.ndarray:
        codes, table = self._coded(column, who)
        return table[codes]

    def open(self, column: Column, who: str) -> Callable[[slice], np.ndarray]:
        codes, table = self._coded(column, who)
        return lambda rows: table[codes[rows]]

    def _coded(self, column: Column, who: str) -> tuple[np.ndarray, np.ndarray]:
        """Codes into the column's own vocabulary, and for each of these what the index has for it."""
        codes, vocabulary = as_texts(column, who)
        gap = self.unseen if self.missing is None else self.missing
        find, unseen = self.index.get, self.unseen
        if self.unknown != "take":
            self._tell_unknown(column, codes, vocabulary, who)
        # A missing value has code -1, the table's last.
        return codes, np.array([*(find(text, unseen) for text in vocabulary), gap], dtype=np.float64)

    def _tell_unknown(self, column: Column, codes: np.ndarray, vocabulary: Sequence[str], who: str) -> None:
        unknown = np.array([*(text not in self.index for text in vocabulary), self.missing is None])
        rows = np.flatnonzero(unknown[codes]) if unknown.any() else codes[:0]  # the last word stands for missing
        if not len(rows):
            return
        values = [None if code < 0 else vocabulary[code] for code in codes[rows[:SHOWN]].tolist()]
        rule = "holds a category that was not there at fit"
        if self.unknown == "refuse":
            near = nearest(values[0], islice(self.index, 1000))
            fix = f"Known are {quote(self.index)}{near}. Fit with it in, or set handle_unknown."
            raise bad_values(who, column.name, rule, rows, values, fix)
        found = f"{quote(dict.fromkeys(values))} in {quote_rows(rows)}"
        warnings.warn(f"{who}: column {column.name!r} {rule}; got {found}.", UserWarning, stacklevel=7)

    def one(self, name: str, value: Any, who: str) -> float:
        text = _text(value)
        if text is not None:
            code = self.index.get(text)
            # Only of a text: numbers that are all unseen may be a column of another kind, which `read` looks at.
            if code is None and self.unknown == "take" and text is value and text and not text.isspace():
                code = self.unseen
            if code is not None:
                return float(code)
        if self.missing is not None and (value is None or (type(value) is float and value != value)):
            return float(self.missing)
        return Reading.one(self, name, value, who)


@dataclass(frozen=True, slots=True)
class Hashed(Reading):
    """The bucket in [0, n) of a category's text, by BLAKE2b: the same in every process and on every machine; -1 where
    missing. Source: Weinberger et al., "Feature hashing for large scale multitask learning" (2009)."""

    n: int
    kind: ClassVar = "category"

    def check(self, where: str) -> None:
        demand(0 < self.n < 2**31, where, "n must count buckets", self.n)

    def read(self, column: Column, who: str) -> np.ndarray:
        codes, vocabulary = as_texts(column, who)
        return np.array([*(bucket_of(text, self.n) for text in vocabulary), -1], dtype=np.float64)[codes]

    def one(self, name: str, value: Any, who: str) -> float:
        text = _text(value)
        if text and not text.isspace():
            return float(bucket_of(text, self.n))
        return -1.0 if value is None else Reading.one(self, name, value, who)


def _text(value: Any) -> str | None:
    """The text of a category, as `as_texts` has it, of the plain types that need no column to be read; else None."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return str(value)
    if (kind is float and value == value) or (kind is int and -(2**53) < value < 2**53):
        return number_text(float(value))
    return None


def bucket_of(text: str, n: int) -> int:
    """The first 8 bytes of BLAKE2b of the text's UTF-8, as a little-endian number, modulo n."""
    found = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(found, "little") % n


_EPOCH = datetime(1970, 1, 1)
_TICK = timedelta(microseconds=1)


def _ticks(moments: np.ndarray) -> np.ndarray:
    ticks = moments.view(np.int64).astype(np.float64)
    ticks[np.isnat(moments)] = np.nan
    return ticks


@dataclass(frozen=True, slots=True)
class Gaps(Reading):
    """1 where a value is missing and 0 elsewhere, of a column of any form."""

    kind: ClassVar = "missing"

    def read(self, column: Column, who: str) -> np.ndarray:
        return column.missing.astype(np.float64)
