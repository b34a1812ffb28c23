"""`TimeSince`: how long before or after one date; `DateDifference`: how long between two dates of a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from ..column_wise import ColumnWise
from ..columns import Column
from ..encoder import Encoder
from ..errors import PrepError, SchemaError, nearest, quote
from ..formula import number
from ..frame import Table
from ..params import choice
from ..schema import ColumnSchema
from ..statistics import Nothing
from .parts import DAY
from .ranges import DateRanges
from .timestamps import EPOCHS, STYLE_NAMES, Timestamps

__all__ = ["DateDifference", "TimeSince"]

UNITS = {"seconds": 1e6, "minutes": 6e7, "hours": 3.6e9, "days": DAY, "weeks": 7 * DAY, "years": 365.2425 * DAY}
"""Microseconds; a year is the mean one of the Gregorian calendar."""


class _Spans(ColumnWise):
    """What both have in common: columns of dates, and a unit."""

    STATISTICS: ClassVar = (DateRanges, Nothing)
    unit: str
    style: str
    epoch: str | None

    def _check_params(self, who: str) -> None:
        choice(who, tuple(UNITS), unit=self.unit)
        choice(who, STYLE_NAMES, style=self.style)
        choice(who, (None, *EPOCHS), epoch=self.epoch)

    def _gather(self, column: Column, who: str) -> DateRanges | Nothing:
        return DateRanges(("time",), self.style, self.epoch)

    def _reading(self, schema: ColumnSchema, statistic: Any) -> Timestamps:
        return Timestamps(statistic.style, self.epoch or ("s" if schema.form == "number" else ""))


class TimeSince(_Spans):
    """How long each date is after one date, negative before it; NaN where it is missing.

    Parameters
    ----------
    date : "latest", "earliest", a date, or its text
        What is subtracted: the latest (earliest) date of all columns at fit, or a given one in UTC.
    unit : {"days", "seconds", "minutes", "hours", "weeks", "years"}
        With fractions; a year has 365.2425 days.
    style, epoch : as in `DatetimeEncoder`

    Attributes
    ----------
    date_ : datetime64[us], what is subtracted; NaT where fit saw no date

    Raises
    ------
    SchemaError, with column and rows, where a value is no date.

    Examples
    --------
    >>> from brickwork.prep import TimeSince
    >>> TimeSince().fit_transform({"seen": ["2024-02-01", "2024-03-01"]}).tolist()
    [[-29.0], [0.0]]
    """

    def __init__(self, date: Any = "latest", *, unit: str = "days", style: str = "auto", epoch: str | None = None):
        self.date = date
        self.unit = unit
        self.style = style
        self.epoch = epoch

    def _check_params(self, who: str) -> None:
        super()._check_params(who)
        self._given(who)

    def _given(self, who: str) -> float:
        """The date that was given in days since 1970, NaN where it is found at fit."""
        if isinstance(self.date, str) and self.date in ("latest", "earliest"):
            return np.nan
        try:
            days = float(Timestamps().one("date", self.date, who) / DAY)
        except SchemaError:
            days = np.nan
        if np.isnan(days):
            raise PrepError.of(who, "date must be 'latest', 'earliest' or a date (2024-12-31)", repr(self.date))
        return days

    def _settle(self, statistics: Sequence[Any], schema: Sequence[ColumnSchema], who: str) -> None:
        days = self._given(who)
        if np.isnan(days):
            seen = [found for statistic in statistics if (found := statistic.range("time"))]
            latest = self.date == "latest"
            days = (max(high for _, high in seen) if latest else min(low for low, _ in seen)) if seen else np.nan
        self._days = days
        self.date_ = np.datetime64("NaT" if np.isnan(days) else int(np.rint(days * DAY)), "us")
        super()._settle(statistics, schema, who)

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        since = (number() / DAY - self._days) * (DAY / UNITS[self.unit])
        return Encoder(schema.name, (f"{self.unit}_since",), (since,), self._reading(schema, statistic))


class DateDifference(_Spans):
    """How long one date of a row is after another; NaN where one is missing.

    Parameters
    ----------
    pairs : None or list of (str, str)
        Columns (end, start), by name (or position, of arrays); None: each column with every one before it.
    unit : {"days", "seconds", "minutes", "hours", "weeks", "years"}
        With fractions; a year has 365.2425 days.
    style, epoch : as in `DatetimeEncoder`

    Attributes
    ----------
    pairs_ : tuple of (int, int), positions of (end, start) among the columns of fit

    Raises
    ------
    PrepError where a pair names no column, SchemaError, with column and rows, where a value is no date.

    Examples
    --------
    >>> from brickwork.prep import DateDifference
    >>> stay = DateDifference(unit="hours").fit({"came": ["2024-02-01"], "left": ["2024-02-02 06:00"]})
    >>> stay.get_feature_names_out().tolist()
    ['left_since_came']
    >>> stay.transform({"came": ["2024-02-28", None], "left": ["2024-03-01", "2024-03-01"]}).tolist()
    [[48.0], [nan]]
    """

    def __init__(
        self,
        pairs: Sequence[tuple[Any, Any]] | None = None,
        *,
        unit: str = "days",
        style: str = "auto",
        epoch: str | None = None,
    ):
        self.pairs = pairs
        self.unit = unit
        self.style = style
        self.epoch = epoch

    def _check_params(self, who: str) -> None:
        super()._check_params(who)
        two = self.pairs is None or all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in self.pairs)
        if not two:
            raise PrepError.of(who, "pairs must be None or (end, start) columns", quote(self.pairs or []))

    def _learn(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> None:
        self._find_dates(who)
        super()._learn(table, columns, y, who)

    def _restore(self, learned: Any, where: str) -> None:
        self._find_dates(where)
        super()._restore(learned, where)

    def _find_dates(self, who: str) -> None:
        names = [one.name for one in self.schema_]
        if self.pairs is None:
            self.pairs_ = tuple((end, start) for start, end in combinations(range(len(names)), 2))
        else:
            self.pairs_ = tuple((_place(end, names, who), _place(start, names, who)) for end, start in self.pairs)
        self._dates = {names[place] for pair in self.pairs_ for place in pair}

    def _gather(self, column: Column, who: str) -> DateRanges | Nothing:
        return super()._gather(column, who) if column.name in self._dates else Nothing()

    def _settle(self, statistics: Sequence[Any], schema: Sequence[ColumnSchema], who: str) -> None:
        super()._settle(statistics, schema, who)
        self.n_features_out_ = len(self.pairs_)

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        if isinstance(statistic, Nothing) != (schema.name not in self._dates):
            raise PrepError.of(who, f"column {schema.name!r} must be of dates", type(statistic).__name__)
        reading = Timestamps() if isinstance(statistic, Nothing) else self._reading(schema, statistic)
        return Encoder(schema.name, (), (), reading)

    def _needs(self) -> Sequence[bool]:
        return [one.name in self._dates for one in self.schema_]

    def _names(self, names: Sequence[str]) -> list[str]:
        return [f"{names[end]}_since_{names[start]}" for end, start in self.pairs_]

    def _give(self, table: Table, positions: Sequence[int], X: Any, who: str) -> Any:
        read = [
            encoder.reading.read(table.column(position), who) if need else None
            for encoder, position, need in zip(self.encoders_, positions, self._needs(), strict=True)
        ]
        out = np.empty((table.n_rows, len(self.pairs_)), dtype=self._dtype(X))
        for place, (end, start) in enumerate(self.pairs_):
            out[:, place] = (read[end] - read[start]) / UNITS[self.unit]
        return out


def _place(column: Any, names: Sequence[str], who: str) -> int:
    """Where a column stands, by its name or position."""
    if isinstance(column, str) and column in names:
        return names.index(column)
    if isinstance(column, (int, np.integer)) and not isinstance(column, bool) and 0 <= column < len(names):
        return int(column)
    raise PrepError.of(
        who, "pairs must name columns", f"{column!r}{nearest(column, names)}", f"Take of {quote(names)}."
    )
