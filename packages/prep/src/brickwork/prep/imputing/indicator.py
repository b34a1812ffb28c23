"""`MissingIndicator`: where values were missing, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from ..column_wise import ColumnWise
from ..columns import Column
from ..encoder import Encoder
from ..errors import bad_values
from ..formula import number
from ..params import choice, flags
from ..readings import Gaps
from ..schema import ColumnSchema
from ..state import demand
from ..statistics.base import Statistic
from .filling import INDICATOR

__all__ = ["MissingIndicator"]


class GapCounts(Statistic):
    """How many of n rows were missing."""

    FIELDS: ClassVar = {"n": "count", "missing": "count"}

    def __init__(self) -> None:
        self.n = self.missing = 0

    def update(self, column: Column, y: Any, who: str) -> None:
        self.n += len(column.values)
        self.missing += int(np.count_nonzero(column.missing))

    def merge(self, other: Self) -> None:
        self.n, self.missing = self.n + other.n, self.missing + other.missing

    def check(self, where: str) -> None:
        demand(self.missing <= self.n, where, "missing must be at most n", self.missing)


class MissingIndicator(ColumnWise):
    """1 where a value is missing and 0 elsewhere, for columns of any form. Names: `missingindicator_<name>`.

    Equals scikit-learn's of that name, as numbers.

    Parameters
    ----------
    features : "missing-only" or "all", default "missing-only"
        For the columns that missed values at fit, or for all.
    error_on_new : bool, default True
        Whether a column that missed none at fit and does at transform is refused, with "missing-only".

    Examples
    --------
    >>> from brickwork.prep import MissingIndicator
    >>> MissingIndicator().fit_transform({"a": [1.0, None], "b": ["x", "y"]}).tolist()
    [[0.0], [1.0]]
    """

    STATISTICS: ClassVar = (GapCounts,)

    def __init__(self, *, features: str = "missing-only", error_on_new: bool = True):
        self.features = features
        self.error_on_new = error_on_new

    def _check_params(self, who: str) -> None:
        choice(who, ("missing-only", "all"), features=self.features)
        flags(who, error_on_new=self.error_on_new)

    def _gather(self, column: Column, who: str) -> GapCounts:
        return GapCounts()

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        wanted = statistic.missing > 0 or self.features == "all"
        return Encoder(schema.name, (INDICATOR,) if wanted else (), (number(),) if wanted else (), Gaps())

    def _needs(self) -> Sequence[bool]:
        return [bool(encoder.suffixes) or self.error_on_new for encoder in self.encoders_]

    def _computes(self) -> bool:
        return True

    def _give(self, table: Any, positions: Sequence[int], X: Any, who: str) -> Any:
        for encoder, position in zip(self.encoders_, positions, strict=True):
            if not encoder.suffixes and self.error_on_new:
                rows = np.flatnonzero(table.column(position).missing)
                if len(rows):
                    rule, fix = "missed no value at fit", "Fit with such rows, or give error_on_new=False."
                    raise bad_values(who, encoder.name, rule, rows, [None] * len(rows), fix)
        return super()._give(table, positions, X, who)

    def _name(self, name: str, suffix: str) -> str:
        return f"{suffix}_{name}"
