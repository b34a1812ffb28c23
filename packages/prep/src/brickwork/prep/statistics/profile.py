"""How the numbers of a column are spread, from a sample: what every schema keeps, so it must cost next to nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import numpy as np

from .quantiles import Quantiles

__all__ = ["Profile"]

SAMPLE = 4096


class Profile(Quantiles):
    """`Quantiles` to at most 256 distinct values; of more than 4,096 rows a sample, one from each of as many stretches.

    Which rows are looked at depends on their number alone. Each counts for as many as its stretch holds, so profiles of
    parts merge by their sizes.
    """

    KEYS: ClassVar = 256

    def add(self, values: np.ndarray) -> None:
        """Adds numbers, float64 or datetime64 (n,), NaN or NaT where missing."""
        n = len(values)
        picked = values[_places(n)] if n > SAMPLE else values
        if picked.dtype.kind == "M":
            numbers = picked.view(np.int64).astype(np.float64)
            numbers[np.isnat(picked)] = np.nan
            picked = numbers
        found = type(self)()
        Quantiles.add(found, picked)
        if n > SAMPLE:
            ends = np.rint(np.cumsum(found.counts) * (n / SAMPLE)).astype(np.int64)
            found.counts = np.diff(ends, prepend=0)
            found.missing = n - found.n
        self.merge(found)

    @property
    def mean(self) -> float:
        """Of the middles of the values kept."""
        return float(np.average(self.middles(), weights=self.counts)) if len(self.counts) else 0.0

    @property
    def deviation(self) -> float:
        """The standard deviation of the same; finite for all finite values."""
        if not len(self.counts):
            return 0.0
        unit = max(float(np.abs(self.middles()).max()), 1e-300)
        scaled = self.middles() / unit
        mean = np.average(scaled, weights=self.counts)
        return float(np.sqrt(np.average((scaled - mean) ** 2, weights=self.counts))) * unit


@lru_cache(maxsize=16)
def _places(n: int) -> np.ndarray:
    """A row from each of `SAMPLE` stretches of n rows, at random, so that no period of the data is in step with it."""
    edges = np.arange(SAMPLE + 1) * n // SAMPLE
    return np.random.default_rng(n).integers(edges[:-1], edges[1:])
