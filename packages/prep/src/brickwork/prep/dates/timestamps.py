"""How the columns of this room are read: dates, dates in text, and numbers that count from 1970."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

import numpy as np

from ..columns import Column, as_numbers
from ..errors import SchemaError, bad_values
from ..literals.dates import ISO, STYLES
from ..readings import Dates, Reading
from ..state import demand

__all__ = ["EPOCHS", "STYLE_NAMES", "Timestamps", "refuse_calendar_numbers"]

EPOCHS = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
"""Microseconds in what a number counts."""

STYLE_NAMES = ("auto", *STYLES)
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_800_000_000  # the years 1 to 9999


@dataclass(frozen=True, slots=True)
class Timestamps(Reading):
    """Whole microseconds since 1970 in UTC, NaN where missing.

    Text is read in `style` or ISO 8601, numbers as `epoch` (a key of `EPOCHS`) has it; they are refused where it is "".
    """

    style: str = ISO
    epoch: str = ""
    kind: ClassVar = "datetime"

    def check(self, where: str) -> None:
        demand(self.style in STYLES, where, "style must be a known one", self.style)
        demand(self.epoch in ("", *EPOCHS), where, "epoch must be a known one", self.epoch)

    def read(self, column: Column, who: str) -> np.ndarray:
        if column.form != "number" or not self.epoch:
            return Dates(self.style).read(column, who)
        with np.errstate(over="ignore"):  # which is outside too
            ticks = np.rint(as_numbers(column, who) * EPOCHS[self.epoch])
        outside = np.flatnonzero((ticks < _FIRST) | (ticks >= _LAST))
        if len(outside):
            rule = f"must count from 1970 within the years 1 to 9999 (read as {self.epoch})"
            raise bad_values(who, column.name, rule, outside, column.at(outside), "Say what it counts by epoch=.")
        return ticks

    def one(self, name: str, value: Any, who: str) -> float:
        if value is None or isinstance(value, (str, date, np.datetime64)):
            return Dates(self.style).one(name, value, who)
        return Reading.one(self, name, value, who)


def refuse_calendar_numbers(column: Column, who: str) -> None:
    """SchemaError where all numbers read as years, or as 20241231: as seconds they would all be of January 1970."""
    present = np.unique(column.values[~np.isnan(column.values)])
    if not len(present) or (present != np.floor(present)).any():
        return
    low, high = present[0], present[-1]
    month, day = (np.clip(present, 0, 1e9) // unit % 100 for unit in (100, 1))
    eight = 19e6 <= low and high < 21e6 and ((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all()
    if (low >= 1900 and high <= 2100) or eight:
        rule = f"holds numbers that read as {'year, month and day' if eight else 'years'}"
        got = ", ".join(f"{value:.0f}" for value in present[:3])
        fix = "Give years as numbers to a scaler and dates as text, or say by epoch= what they count from 1970."
        raise SchemaError.of(who, f"column {column.name!r} {rule}", got, fix, column=column.name)
