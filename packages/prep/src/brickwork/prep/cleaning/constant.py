"""`DropConstant`: columns in which almost every row holds the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..columns import Column
from ..errors import PrepError
from ..frame import Table
from .choice import ColumnChoice

__all__ = ["DropConstant"]


class DropConstant(ColumnChoice):
    """Drops columns in which one value, or a missing one, stands in a share of rows of at least `threshold`.

    Missing values count as one value of their own, so a column of one value with gaps is kept by the default: where it
    is missing may tell something. Columns of objects that prep cannot read are kept.

    Parameters
    ----------
    threshold : share in (0, 1], default 1.0: only columns of a single value

    Attributes
    ----------
    kept_, dropped_ : the positions of the columns kept, and of each dropped one the reason

    Raises
    ------
    PrepError where threshold is not in (0, 1], or where no column would be kept.

    Examples
    --------
    >>> from brickwork.prep import DropConstant
    >>> drop = DropConstant(threshold=0.75).fit({"planet": ["Earth"] * 4, "legs": [2, 2, 2, 4], "size": [1, 2, 3, 4]})
    >>> drop.dropped_
    {'planet': "100.0 % of rows hold 'Earth'", 'legs': '75.0 % of rows hold 2'}
    """

    def __init__(self, threshold: float = 1.0):
        self.threshold = threshold

    def _check_params(self, who: str) -> None:
        need_share("threshold", self.threshold, who)

    def _drops(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> Mapping[int, str]:
        found = {i: _usual(column) for i, column in enumerate(columns) if column.form != "other"}
        return {
            i: f"{share:.1%} of rows hold {what}".replace("%", " %")
            for i, (share, what) in found.items()
            if share >= self.threshold
        }


def need_share(name: str, value: Any, who: str) -> None:
    """Refuses what is no number in (0, 1]."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not real or not 0 < value <= 1:
        raise PrepError.of(who, f"{name} must be above 0 and at most 1", repr(value))


def _usual(column: Column) -> tuple[float, str]:
    """The share of rows that hold the most frequent value, and that value as text."""
    n, missing = len(column.values), int(np.count_nonzero(column.missing))
    if missing == n:
        return 1.0, "nothing"
    if column.form == "text":
        counts = np.bincount(column.values + 1)[1:]
        top = int(counts.argmax())
        times, row = counts[top], np.flatnonzero(column.values == top)[:1]
    else:
        values, counts = np.unique(column.values[~column.missing], return_counts=True)
        times, row = counts.max(), np.flatnonzero(column.values == values[counts.argmax()])[:1]
    return (missing / n, "nothing") if missing > times else (float(times / n), repr(column.at(row)[0]))
