"""`DropCorrelated`: numbers that say nearly what another column says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..columns import Column
from ..errors import PrepError, nearest
from ..frame import Table
from .choice import ColumnChoice
from .constant import need_share

__all__ = ["DropCorrelated", "correlations", "ranks"]

METHODS = ("pearson", "spearman")
ROWS = 1 << 16  # at once, so that copies of all columns need not fit the memory twice


class DropCorrelated(ColumnChoice):
    """Drops numbers whose correlation with a number kept before them is, in size, at least `threshold`.

    Columns are gone through in the order of the table. Of two columns the rows count where both have a value. Text,
    dates and booleans are kept; so are columns of a single value, whose correlation is not defined.

    Parameters
    ----------
    threshold : in (0, 1], default 0.95
    method : "pearson" (default), r = cov(a, b) / (std(a) std(b)); or "spearman", the same of the ranks of the values

    Attributes
    ----------
    kept_, dropped_ : the positions of the columns kept, and of each dropped one the reason

    Examples
    --------
    >>> from brickwork.prep import DropCorrelated
    >>> DropCorrelated().fit({"cm": [1, 2, 3, 5], "inch": [0.39, 0.79, 1.18, 1.97], "age": [3, 1, 2, 2]}).dropped_
    {'inch': "correlation 1.0000 with 'cm'"}
    """

    def __init__(self, threshold: float = 0.95, method: str = "pearson"):
        self.threshold = threshold
        self.method = method

    def _check_params(self, who: str) -> None:
        need_share("threshold", self.threshold, who)
        if not isinstance(self.method, str) or self.method not in METHODS:
            raise PrepError.of(
                who, "method must be pearson or spearman", f"{self.method!r}{nearest(self.method, METHODS)}"
            )

    def _drops(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> Mapping[int, str]:
        numbers = [i for i, column in enumerate(columns) if column.form == "number"]
        if not numbers:
            return {}
        values = [finite(columns[i].values) for i in numbers]
        found = correlations([ranks(v) for v in values] if self.method == "spearman" else values)
        drops: dict[int, str] = {}
        kept: list[int] = []
        for place, i in enumerate(numbers):
            with_kept = np.abs(found[place, kept])
            if len(kept) and with_kept.max() >= self.threshold:
                first = kept[int(np.argmax(with_kept >= self.threshold))]
                drops[i] = f"correlation {found[place, first]:.4f} with {columns[numbers[first]].name!r}"
            else:
                kept.append(place)
        return drops


def correlations(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Float64 (k, k): Pearson's r of each two columns (n,), over rows where neither is NaN; 0 where undefined."""
    k, n = len(columns), len(columns[0])
    means, scales = np.zeros(k), np.ones(k)
    for i, column in enumerate(columns):  # sums of squares would overflow, and cancel, without it
        present = column[~np.isnan(column)]
        if len(present):
            unit = max(float(np.abs(present).max()), np.finfo(np.float64).tiny)
            means[i], scales[i] = (present / unit).mean(), unit
    count, total, square, product = (np.zeros((k, k)) for _ in range(4))
    for start in range(0, n, ROWS):
        block = np.stack([column[start : start + ROWS] for column in columns])
        there = ~np.isnan(block)
        block = np.where(there, block / scales[:, None] - means[:, None], 0.0)
        mask = there.astype(np.float64)
        count += mask @ mask.T
        total += block @ mask.T
        square += (block * block) @ mask.T
        product += block @ block.T
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = square - total * total / count
        spread = np.where(spread > 1e-12 * square, spread, np.nan)  # all of one value, but for what rounding leaves
        found = (product - total * total.T / count) / np.sqrt(spread * spread.T)
    return np.clip(np.nan_to_num(found), -1.0, 1.0)


def ranks(values: np.ndarray) -> np.ndarray:
    """Float64 (n,): the rank of each value among those present, the mean rank of equal ones; NaN where missing."""
    present = ~np.isnan(values)
    _, inverse, counts = np.unique(values[present], return_inverse=True, return_counts=True)
    out = np.full(len(values), np.nan)
    out[present] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return out


def finite(values: np.ndarray) -> np.ndarray:
    """The values with NaN in place of infinities, of which no correlation can be told."""
    return np.where(np.isinf(values), np.nan, values)
