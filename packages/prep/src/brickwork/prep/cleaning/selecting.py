"""`SelectColumns` and `DropColumns`: the columns that a selector chooses when fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..columns import Column
from ..frame import Table
from ..selectors import all as every
from ..selectors import as_selector
from .choice import ColumnChoice

__all__ = ["DropColumns", "SelectColumns"]


class Chosen(ColumnChoice):
    """What both are told: the columns."""

    def __init__(self, columns: Any = None):
        self.columns = columns

    def _check_params(self, who: str) -> None:
        if self.columns is not None:
            as_selector(self.columns)


class SelectColumns(Chosen):
    """Keeps the columns that a selector chooses at fit; at transform these, whatever else has changed.

    Parameters
    ----------
    columns : a selector (`brickwork.prep.selectors`), a name, a position, or a list of names or positions; None for all

    Examples
    --------
    >>> from brickwork.prep import SelectColumns, selectors as s
    >>> SelectColumns(s.numeric()).fit_transform({"size": [1.5, 2.0], "island": ["Dream", "Biscoe"]})
    {'size': [1.5, 2.0]}
    """

    def _drops(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> Mapping[int, str]:
        chosen = set((every() if self.columns is None else as_selector(self.columns)).positions(table, who))
        return {i: "not selected" for i in range(len(columns)) if i not in chosen}


class DropColumns(Chosen):
    """Drops the columns that a selector chooses at fit, and keeps all others.

    Parameters
    ----------
    columns : as of `SelectColumns`; None for none

    Examples
    --------
    >>> from brickwork.prep import DropColumns
    >>> DropColumns("island").fit_transform({"size": [1.5, 2.0], "island": ["Dream", "Biscoe"]})
    {'size': [1.5, 2.0]}
    """

    def _drops(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> Mapping[int, str]:
        chosen = [] if self.columns is None else as_selector(self.columns).positions(table, who)
        return dict.fromkeys(chosen, "selected to be dropped")
