"""What another transformer of this package has learned of one column of a table."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import TransformerMixin, clone

from ..columns import Column
from ..encoder import Encoder
from ..errors import PrepError, StateError
from ..frame import Table
from ..settings import OURS
from ..state import FIX
from ..statistics import Statistic

__all__ = ["Fitted"]


class Fitted(Statistic):
    """A transformer of the column alone: `made`, fitted once rows were seen."""

    FIELDS: ClassVar = {"made": "any"}

    def __init__(self, made: Any) -> None:
        self.made = clone(made)

    def update(self, column: Column, y: Any, who: str) -> None:
        table = one_column(column)
        if self.made.__sklearn_is_fitted__():
            self.made.partial_fit(table, y)
        else:
            self.made.fit(table, y)

    def merge(self, other: Self) -> None:
        self.made.merge(other.made)

    def encoder(self, name: str, who: str) -> Encoder:
        """What it makes of the column; PrepError where that is no numbers."""
        (encoder,) = self.made.encoders_
        if not isinstance(encoder, Encoder):
            rule = f"column {name!r}: a transformer inside gives numbers"
            raise PrepError.of(who, rule, repr(self.made), "Put it before in a pipeline.", column=name)
        return encoder

    @property
    def crosses(self) -> bool:
        """Whether the rows it learns from become something else than the same rows would later."""
        return type(self.made).fit_transform is not TransformerMixin.fit_transform

    def crossed(self, column: Column, y: Any) -> np.ndarray:
        """What the rows become that it learns from, (n, numbers out)."""
        return np.asarray(clone(self.made).set_output(transform="default").fit_transform(one_column(column), y))

    def to_state(self) -> dict[str, Any]:
        return {"statistic": "Fitted", "made": self.made.to_state()}

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        state = values["made"]
        name = state.get("type") if isinstance(state, dict) else None
        if not isinstance(name, str) or name not in OURS or name == "TablePrep":
            raise StateError.of(where, "made must be a known transformer", repr(name), FIX)
        found = cls.__new__(cls)
        found.made = OURS[name].from_state(state)
        return found


def one_column(column: Column) -> Table:
    """The table of this column alone."""
    return Table([column.name], len(column.values), [column], lambda name, source: source)
