"""How a column becomes the input of a formula: numbers, dates as microseconds, or the codes of known categories."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, Literal

import numpy as np

from .cells import column_of
from .columns import Column, as_booleans, as_datetimes, as_numbers, as_texts
from .literals.dates import read_date
from .errors import SHOWN, bad_values, nearest, quote, quote_rows

__all__ = ["Booleans", "Codes", "Dates", "Hashed", "Numbers", "Reading"]


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

    style: str = "iso"
    kind: ClassVar = "datetime"

    def read(self, column: Column, who: str) -> np.ndarray:
        return _ticks(as_datetimes(column, who, self.style))

    def open(self, column: Column, who: str) -> Callable[[slice], np.ndarray]:
        moments = as_datetimes(column, who, self.style)
        return lambda rows: _ticks(moments[rows])

    def one(self, name: str, value: Any, who: str) -> float:
        if value is None:
            return math.nan
        if isinstance(value, datetime) and getattr(value, "nanosecond", 0) == 0:
            # By difference, since `astimezone` overflows at the first and last day of the calendar.
            offset = value.utcoffset()
            since = value.replace(tzinfo=None) - _EPOCH
            return float((since - offset if offset else since) // _TICK)
        if type(value) is str and (tick := read_date(value, self.style)) is not None:
            return float(tick)
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
        codes, vocabulary = as_texts(column, who)
        gap = self.unseen if self.missing is None else self.missing
        find, unseen = self.index.get, self.unseen
        table = np.array([*(find(text, unseen) for text in vocabulary), gap], dtype=np.float64)
        if self.unknown != "take":
            self._tell_unknown(column, codes, vocabulary, who)
        return table[codes]  # a missing value has code -1, the table's last

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
        if type(value) is str and value in self.index:
            return float(self.index[value])
        if value is None and self.missing is not None:
            return float(self.missing)
        return Reading.one(self, name, value, who)


@dataclass(frozen=True, slots=True)
class Hashed(Reading):
    """The bucket in [0, n) of a category's text, by BLAKE2b: the same in every process and on every machine; -1 where
    missing. Source: Weinberger et al., "Feature hashing for large scale multitask learning" (2009)."""

    n: int
    kind: ClassVar = "category"

    def read(self, column: Column, who: str) -> np.ndarray:
        codes, vocabulary = as_texts(column, who)
        return np.array([*(bucket_of(text, self.n) for text in vocabulary), -1], dtype=np.float64)[codes]


def bucket_of(text: str, n: int) -> int:
    """The first 8 bytes of BLAKE2b of the text's UTF-8, as a little-endian number, modulo n."""
    found = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(found, "little") % n
