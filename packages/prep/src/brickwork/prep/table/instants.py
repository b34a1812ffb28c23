"""What is learned of dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from ..columns import Column, as_datetimes
from ..dates.parts import FORMULAS
from ..evaluation import evaluate
from ..literals.dates import ISO
from ..state import demand
from ..statistics import Moments, Quantiles, Statistic, read_statistic

__all__ = ["LEARNED", "Instants"]

DAY = 86_400_000_000  # microseconds
OF_DAYS = ("year", "month", "day", "weekday")
LEARNED = ("time", *OF_DAYS, "time_of_day")
"""The parts of dates whose moments are known, by their names in `dates.parts`."""


class Instants(Statistic):
    """Dates: `ticks`, their quantiles in microseconds since 1970 (UTC), and the moments of their parts.

    What a day decides is worked out once for each day that occurs, not for each row.
    """

    FIELDS: ClassVar = {"ticks": "any", "parts": "tuple[any, ...]"}

    def __init__(self) -> None:
        self.ticks = Quantiles((0.5,))
        self.parts = tuple(Moments() for _ in LEARNED)

    def update(self, column: Column, y: Any, who: str) -> None:
        moments = as_datetimes(column, who, ISO)
        gaps = np.isnat(moments)
        self._add((moments[~gaps] if gaps.any() else moments).view(np.int64), None)

    @classmethod
    def of_ticks(cls, ticks: Sequence[int | None], counts: Sequence[int]) -> Self:
        """Of distinct moments, in microseconds since 1970, and how often each occurs."""
        made = cls()
        made._add(np.array(ticks, np.int64), np.array(counts, np.int64))
        return made

    def _add(self, ticks: np.ndarray, counts: np.ndarray | None) -> None:
        if not len(ticks):
            return
        instants = ticks.astype(np.float64)
        days = ticks // DAY
        hours = (ticks - days * DAY) / 3.6e9
        seen, times = _tally(days, counts)
        time, *of_days, time_of_day = self.parts
        if counts is None:
            self.ticks.add(instants)
            time.add(instants / DAY)
            time_of_day.add(hours)
        else:
            self.ticks.add_counted(instants, counts)
            time.add_counted(instants / DAY, counts)
            time_of_day.add_counted(hours, counts)
        noons = seen * float(DAY)
        for moments, values in zip(of_days, evaluate([FORMULAS[name] for name in OF_DAYS], [noons]), strict=True):
            moments.add_counted(values, times)

    def merge(self, other: Self) -> None:
        self.ticks.merge(other.ticks)
        for mine, one in zip(self.parts, other.parts, strict=True):
            mine.merge(one)

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        made = cls()
        made.ticks = read_statistic(values["ticks"], f"{where}.ticks", Quantiles)  # type: ignore[assignment]
        parts = [read_statistic(part, f"{where}.parts[{i}]", Moments) for i, part in enumerate(values["parts"])]
        demand(len(parts) == len(LEARNED), where, f"parts must be {len(LEARNED)}", len(parts))
        made.parts = tuple(parts)  # type: ignore[assignment]
        same = {part.n for part in made.parts} == {made.ticks.n}
        demand(same and made.ticks.n > 0, where, "ticks and parts must be of as many", made.ticks.n)
        return made


def _tally(days: np.ndarray, counts: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The days that occur, in order, and how often each does."""
    first = int(days.min())
    if int(days.max()) - first < 4 * len(days) + 4096:
        times = np.bincount(days - first, counts)
        seen = np.flatnonzero(times)
        return seen + first, times[seen].astype(np.int64)
    seen, places = np.unique(days, return_inverse=True)
    return seen, np.bincount(places, counts).astype(np.int64)
