"""Rows as series: each group's rows one after the other, in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..columns import Column
from ..hashing import hash_columns

__all__ = ["Series", "series_of"]


@dataclass(frozen=True, slots=True)
class Series:
    """The rows of a table (n) in the order of their series. Places are positions in that order.

    `rows` int64 (n,) is the row at each place; `first` int64 (n,) the place at which the series of each place begins;
    `times` (n,) what orders the rows, by place, None where that is the order they came in.
    """

    rows: np.ndarray
    first: np.ndarray
    times: np.ndarray | None

    def back(self, values: np.ndarray) -> np.ndarray:
        """Values by place as values by row."""
        out = np.empty_like(values)
        out[self.rows] = values
        return out

    def before(self, values: np.ndarray, lag: int) -> np.ndarray:
        """Of values by place, float64 (n,), those `lag` places before in the same series; NaN where there is none."""
        out = np.full(len(values), np.nan)
        if lag < len(values):
            places = np.arange(lag, len(values))
            there = places - lag >= self.first[lag:]
            out[lag:][there] = values[: len(values) - lag][there]
        return out


def series_of(groups: Sequence[Column], times: np.ndarray | None, n: int) -> Series:
    """The series of n rows: one for each combination of the values of `groups`, ordered by `times`, then as given."""
    codes = np.unique(hash_columns(groups), return_inverse=True)[1] if groups else np.zeros(n, dtype=np.int64)
    if times is not None:
        rows = np.lexsort((times, codes))
    else:
        rows = np.argsort(codes, kind="stable") if groups else np.arange(n)
    ordered = codes[rows]
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    first = np.maximum.accumulate(np.where(starts, np.arange(n), 0))
    return Series(rows, first, None if times is None else times[rows])
