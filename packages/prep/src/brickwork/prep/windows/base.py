"""The base of what looks at the rows before a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..columns import Column, as_numbers
from ..errors import PrepError
from ..frame import Table, open_table, take_rows
from ..literals.dates import STYLES
from ..selectors import as_selector
from ..splits.keys import refuse_no_group, style_of, times_in_column
from ..state import demand, read_fields
from ..transformer import Transformer
from .order import Series, series_of

__all__ = ["LookingBack"]


class LookingBack(Transformer):
    """Numbers made of numbers in the same row and in rows before it, in the same group.

    A row's numbers are those of the table that is given and of no other: nothing is remembered from fit, since no call
    of `transform` says which rows came before its own. So the table of training gives at transform what it gave at fit,
    and the first rows of every group have missing values. For new rows give the rows before them in the same table, and
    take the new rows of what comes out; `history(X)` are those that are enough.

    How far to look back is for a person to say: where it was not said, the columns come out as they are.

    A subclass gives `_check_params`, `_suffixes`, `_lower` and `_features`.

    Attributes
    ----------
    columns_ : tuple of the names of the columns that numbers are made of
    """

    LOOKS_AROUND: ClassVar = True

    columns: Any
    groups: Any
    time: Any

    def _suffixes(self) -> list[str]:
        """Of what comes out of each column, in order; "" for the column as it is."""
        raise NotImplementedError

    def _lower(self, series: Series, who: str) -> np.ndarray:
        """Int64 (n,) by place: the first place that each place looks at; it never falls along a series."""
        raise NotImplementedError

    def _lag(self) -> int:
        """How many places before its own a place looks from."""
        return 0

    def _features(self, values: np.ndarray, series: Series, lower: np.ndarray) -> list[np.ndarray]:
        """What comes out of a column, float64 (n,) by place, likewise by place."""
        raise NotImplementedError

    def history(self, X: Any) -> Any:
        """The last rows of each group of X, as many as new rows after them look back on, of the type given."""
        who = self._who("history")
        self._need_fit(who)
        table = open_table(X, who)
        series = self._series(table, self._positions_in(table, who), who)
        places = np.arange(table.n_rows)
        ends = np.flatnonzero(np.append(series.first[1:] != series.first[:-1], True))
        last = ends[np.searchsorted(ends, places)]  # of the series that a place is in
        least = self._lower(series, who)[np.maximum(last - self._lag(), series.first)]
        return take_rows(X, np.sort(series.rows[places >= least]))

    def _learn(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> None:
        groups = _positions(self.groups, table, who)
        times = _positions(self.time, table, who)
        if len(times) > 1:
            raise PrepError.of(who, "time is one column", repr(self.time))
        keys = {*groups, *times}
        if self.columns is None:
            chosen = [i for i, column in enumerate(columns) if column.form == "number" and i not in keys]
        else:
            chosen = as_selector(self.columns).positions(table, who)
        if not chosen:
            forms = ", ".join(f"{column.name!r}: {column.form}" for column in columns[:5])
            raise PrepError.of(who, "a column of numbers is needed", forms, "Give columns=.")
        self._set_places(chosen, groups, times)
        self._style = style_of(columns[times[0]], who) if times else None
        for i in chosen:
            as_numbers(columns[i], who)
        self._lower(self._series(table, range(len(columns)), who), who)  # what it can not look back on is told at fit

    def _give(self, table: Table, positions: Sequence[int], X: Any, who: str) -> np.ndarray:
        series = self._series(table, positions, who)
        lower = self._lower(series, who)
        out = np.empty((table.n_rows, len(self._chosen) * len(self._suffixes())))
        place = 0
        for i in self._chosen:
            values = as_numbers(table.column(positions[i]), who)[series.rows]
            for feature in self._features(values, series, lower):
                out[series.rows, place] = feature
                place += 1
        return out

    def _names(self, names: Sequence[str]) -> list[str]:
        return [f"{names[i]}_{suffix}" if suffix else names[i] for i in self._chosen for suffix in self._suffixes()]

    def _needs(self) -> Sequence[bool]:
        needed = {*self._chosen, *self._groups, *self._times}
        return [i in needed for i in range(len(self.schema_))]

    def _series(self, table: Table, positions: Sequence[int], who: str) -> Series:
        groups = [table.column(positions[i]) for i in self._groups]
        for column in groups:
            refuse_no_group(column, who)
        times = [times_in_column(table.column(positions[i]), who, self._style) for i in self._times]
        return series_of(groups, times[0] if times else None, table.n_rows)

    def _set_places(self, chosen: Sequence[int], groups: Sequence[int], times: Sequence[int]) -> None:
        self._chosen, self._groups, self._times = tuple(chosen), tuple(groups), tuple(times)
        self.columns_ = tuple(self.schema_[i].name for i in chosen)

    def _learned(self) -> dict[str, Any]:
        return {"columns": list(self._chosen), "groups": list(self._groups), "time": list(self._times),
                "style": self._style}  # fmt: skip

    def _restore(self, learned: Any, where: str) -> None:
        kinds = dict.fromkeys(("columns", "groups", "time"), "tuple[count, ...]")
        values = read_fields(learned, kinds | {"style": "any"}, where)
        for name in kinds:
            places = values[name]
            fits = len(set(places)) == len(places) and all(i < len(self.schema_) for i in places)
            demand(fits, where, f"{name} must be columns", places)
        demand(bool(values["columns"]) and len(values["time"]) <= 1, where, "columns and one time are needed", learned)
        style = values["style"]
        known = style is None or (isinstance(style, str) and style in STYLES)
        demand(known, where, "style must be a known one", style)
        self._set_places(*(values[name] for name in kinds))
        self._style = style


def _positions(key: Any, table: Table, who: str) -> list[int]:
    return [] if key is None else as_selector(key).positions(table, who)
