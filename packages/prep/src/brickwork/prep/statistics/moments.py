"""Count, mean, variance and range of numbers."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import numpy as np

from ..columns import Column, as_numbers
from ..state import demand
from .base import Statistic

__all__ = ["Moments"]

_GREAT = 1e150  # beyond which a square overflows


class Moments(Statistic):
    """n values, `missing` gaps, their mean, `spread` (sum of squared differences from the mean), `low` and `high`.

    Joined by the rule of Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances" (1979). Values of any finite size: `spread` is of values divided by `unit`, a power of two.
    """

    FIELDS: ClassVar = {"n": "count", "missing": "count", "mean": "float", "spread": "float", "unit": "float",
                        "low": "float", "high": "float"}  # fmt: skip

    def __init__(self) -> None:
        self.n = self.missing = 0
        self.mean = self.spread = self.low = self.high = 0.0
        self.unit = 1.0

    def update(self, column: Column, y: Any, who: str) -> None:
        self.add(as_numbers(column, who))

    def add(self, values: np.ndarray) -> None:
        """Adds numbers, float64 (n,), NaN where missing."""
        gaps = np.isnan(values)
        missing = int(np.count_nonzero(gaps))
        self.merge(_of(values[~gaps] if missing else values, missing))

    def add_counted(self, values: np.ndarray, counts: np.ndarray) -> None:
        """Adds distinct numbers, float64 (k,) without NaN, and how often each occurs, int64 (k,) above 0."""
        self.merge(_of(values, 0, counts))

    def merge(self, other: Self) -> None:
        self.missing += other.missing
        if not other.n:
            return
        if not self.n:
            self.n, self.mean, self.spread, self.unit = other.n, other.mean, other.spread, other.unit
            self.low, self.high = other.low, other.high
            return
        unit = max(self.unit, other.unit)
        total = self.n + other.n
        gap = other.mean / unit - self.mean / unit
        spread = self.spread * (self.unit / unit) ** 2 + other.spread * (other.unit / unit) ** 2
        self.spread, self.unit = spread + gap * gap * (self.n * (other.n / total)), unit
        self.mean = (self.mean / unit + gap * (other.n / total)) * unit
        self.low, self.high, self.n = min(self.low, other.low), max(self.high, other.high), total

    @property
    def variance(self) -> float:
        """Of the population; infinite where it is beyond float64."""
        return self.spread / self.n * self.unit * self.unit if self.n else 0.0

    @property
    def deviation(self) -> float:
        """The standard deviation of the population, finite for all finite values."""
        return math.sqrt(self.spread / self.n) * self.unit if self.n else 0.0

    @property
    def constant(self) -> bool:
        """Whether all values are one, up to what rounding leaves of their variance (scikit-learn's bound)."""
        eps, mean, n = np.finfo(np.float64).eps, self.mean / self.unit, self.n
        bound = n * eps * self.spread / n + (n * mean * eps) ** 2 if n else 0.0
        return self.low == self.high or self.spread / max(n, 1) <= bound

    def check(self, where: str) -> None:
        demand(self.unit >= 1 and math.frexp(self.unit)[0] == 0.5, where, "unit must be a power of two", self.unit)
        demand(self.spread >= 0, where, "spread must be 0 or more", self.spread)
        demand(self.low <= self.mean <= self.high or not self.n, where, "low, mean, high must rise", self.mean)


def _of(values: np.ndarray, missing: int, counts: np.ndarray | None = None) -> Moments:
    found = Moments()
    found.missing, found.n = missing, len(values) if counts is None else int(counts.sum())
    if found.n:
        found.low, found.high = float(values.min()), float(values.max())
        largest = max(-found.low, found.high)
        if largest > _GREAT:
            found.unit = math.ldexp(1.0, math.frexp(largest)[1] - 1)
            values = values / found.unit
        mean = _mean(values, counts)
        gaps = values - mean
        rest = _mean(gaps, counts)  # what rounding left of the mean
        squares = gaps @ gaps if counts is None else gaps @ (gaps * counts)
        found.spread = max(float(squares) - rest * rest * found.n, 0.0)
        found.mean = min(max((mean + rest) * found.unit, found.low), found.high)
    return found


def _mean(values: np.ndarray, counts: np.ndarray | None) -> float:
    return float(values.mean() if counts is None else values @ (counts / counts.sum()))
