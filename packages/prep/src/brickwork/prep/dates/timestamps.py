"""How the columns of this room are read: dates, dates in text, and numbers that count from 1970."""

from __future__ import annotations

from dataclasses import dataclass
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
        ticks = np.rint(as_numbers(column, who) * EPOCHS[self.epoch])
        outside = np.flatnonzero((ticks < _FIRST) | (ticks >= _LAST))
        if len(outside):
            rule = f"must count from 1970 within the years 1 to 9999 (read as {self.epoch})"
            raise bad_values(who, column.name, rule, outside, column.at(outside), "Say what it counts by epoch=.")
        return ticks

    def one(self, name: str, value: Any, who: str) -> float:
        if type(value) in (int, float):
            return Reading.one(self, name, value, who)
        return Dates(self.style).one(name, value, who)


def refuse_calendar_numbers(column: Column, who: str) -> None:
    """SchemaError where all numbers read as years, or as 20241231: as seconds they would all be of January 1970."""
    present = np.unique(column.values[~np.isnan(column.values)])
    whole = present[present == np.floor(present)]
    if not len(present) or len(whole) < len(present):
        return
    month, day = whole // 100 % 100, whole % 100
    eight = (whole >= 19e6) & (whole < 21e6) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    years = (whole >= 1900) & (whole <= 2100)
    if years.all() or eight.all():
        rule = f"holds numbers that read as {'years' if years.all() else 'year, month and day'}"
        got = ", ".join(f"{value:.0f}" for value in present[:3])
        fix = "Give years as numbers to a scaler and dates as text, or say by epoch= what they count from 1970."
        raise SchemaError.of(who, f"column {column.name!r} {rule}", got, fix, column=column.name)
