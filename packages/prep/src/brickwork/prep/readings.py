"""How a column becomes the input of a formula: numbers, dates as microseconds, or the codes of known categories."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .cells import column_of
from .columns import Column, as_booleans, as_datetimes, as_numbers, as_texts

__all__ = ["Booleans", "Codes", "Dates", "Numbers", "Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """From a column to float64 (n,). `kind` says what the numbers are."""

    kind: ClassVar[str]

    def read(self, column: Column, who: str) -> np.ndarray:
        """Float64 (n,); SchemaError, with column and rows, where a value can not be read."""
        raise NotImplementedError

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
        moments = as_datetimes(column, who, self.style)
        ticks = moments.view(np.int64).astype(np.float64)
        ticks[np.isnat(moments)] = np.nan
        return ticks


@dataclass(frozen=True, slots=True)
class Codes(Reading):
    """The whole number that `index` has for a category; `unseen` for one it has not, `missing` where there is none."""

    index: Mapping[str, int]
    unseen: int = -1
    missing: int = -1
    kind: ClassVar = "category"

    def read(self, column: Column, who: str) -> np.ndarray:
        codes, vocabulary = as_texts(column, who)
        find, unseen = self.index.get, self.unseen
        table = np.array([*(find(text, unseen) for text in vocabulary), self.missing], dtype=np.float64)
        return table[codes]  # a missing value has code -1, the table's last

    def one(self, name: str, value: Any, who: str) -> float:
        if type(value) is str and value in self.index:
            return float(self.index[value])
        return float(self.missing) if value is None else Reading.one(self, name, value, who)
