"""`HolidayFlags`: whether a date is a holiday, and how far the last and the next one are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

import numpy as np

from ..cells import column_of
from ..column_wise import ColumnWise
from ..columns import Column, as_texts
from ..encoder import Encoder
from ..errors import PrepError, SchemaError, bad_values, nearest, quote
from ..evaluation import evaluate
from ..formula import Formula, bucket, call, is_missing, number, take, where
from ..frame import Table
from ..params import choice, flags, whole
from ..schema import ColumnSchema
from ..statistics import Counts
from .parts import DAY
from .ranges import DateRanges
from .timestamps import EPOCHS, STYLE_NAMES, Timestamps

__all__ = ["HolidayFlags"]

FAR = 1e8  # days; no calendar goes so far


class HolidayFlags(ColumnWise):
    """For each column of dates: 1 on a holiday, else 0, and the days since the last and to the next; NaN where missing.

    Holidays are data that you give; nothing is looked up or downloaded. A day is one of UTC.

    Parameters
    ----------
    holidays : list of dates or their text (2024-12-25), or a dict of countries to such lists
        With a dict and without `by`, every country gives columns of its own. Without any, no day is a holiday.
    by : str or int, optional
        The column that names the country of a row, a key of `holidays`; it gives no column itself.
    distance : bool
        Whether the days since and to a holiday come out.
    horizon : int
        The most days that are told: a holiday farther off, or none in the list, counts as so far.
    style, epoch : as in `DatetimeEncoder`

    Raises
    ------
    PrepError where holidays are no dates, SchemaError, with column and rows, where a value is no date or a
    country has no holidays.

    Examples
    --------
    >>> from brickwork.prep import HolidayFlags
    >>> flags = HolidayFlags(["2024-12-25", "2024-12-26", "2025-01-01"])
    >>> flags.fit_transform({"day": ["2024-12-25", "2024-12-28"]}).tolist()
    [[1.0, 0.0, 0.0], [0.0, 2.0, 4.0]]
    >>> flags.get_feature_names_out().tolist()
    ['day_is_holiday', 'day_since_holiday', 'day_to_holiday']
    """

    STATISTICS: ClassVar = (DateRanges, Counts)

    def __init__(
        self,
        holidays: Any = (),
        *,
        by: str | int | None = None,
        distance: bool = True,
        horizon: int = 30,
        style: str = "auto",
        epoch: str | None = None,
    ):
        self.holidays = holidays
        self.by = by
        self.distance = distance
        self.horizon = horizon
        self.style = style
        self.epoch = epoch

    def _check_params(self, who: str) -> None:
        flags(who, distance=self.distance)
        whole(who, horizon=self.horizon)
        choice(who, STYLE_NAMES, style=self.style)
        choice(who, (None, *EPOCHS), epoch=self.epoch)
        if self.by is not None and not isinstance(self.holidays, Mapping):
            raise PrepError.of(who, "by= chooses from a dict of holidays", type(self.holidays).__name__)
        self._days(who)

    def _days(self, who: str) -> dict[str, list[float]]:
        """Days since 1970, increasing, by country; "" where there is one list."""
        if not isinstance(self.holidays, Mapping):
            return {"": _read(self.holidays, who)}
        if not self.holidays or not all(isinstance(name, str) and name for name in self.holidays):
            rule = "holidays is a list of dates, or a dict of countries to lists"
            fix = "Of a dict of dates to names take list(holidays)."
            raise PrepError.of(who, rule, f"a dict of {quote(self.holidays)}", fix)
        return {name: _read(dates, who) for name, dates in self.holidays.items()}

    def _learn(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> None:
        self._by = self._find_by(table.names, who)
        super()._learn(table, columns, y, who)

    def _restore(self, learned: Any, where: str) -> None:
        self._by = self._find_by([one.name for one in self.schema_], where)
        super()._restore(learned, where)

    def _find_by(self, names: Sequence[str], who: str) -> str | None:
        """The name of the column of countries."""
        if self.by is None or (isinstance(self.by, str) and self.by in names):
            return self.by
        if isinstance(self.by, (int, np.integer)) and 0 <= self.by < len(names):
            return names[self.by]
        raise SchemaError.of(who, "by= must name a column", f"{self.by!r}{nearest(self.by, names)}")

    def _gather(self, column: Column, who: str) -> DateRanges | Counts:
        return Counts() if column.name == self._by else DateRanges(("time",), self.style, self.epoch)

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        if schema.name == self._by:
            return Encoder(schema.name, (), ())
        if not isinstance(statistic, DateRanges):
            raise SchemaError.of(who, f"column {schema.name!r} must be of dates", type(statistic).__name__)
        lists = self._days(who)
        tags = [""] if self._by is not None else [f"{name}_" if name else "" for name in lists]
        endings = ("is_holiday", "since_holiday", "to_holiday") if self.distance else ("is_holiday",)
        made = tuple(one for days in lists.values() for one in _formulas(days, self.distance, self.horizon))
        reading = Timestamps(statistic.style, self.epoch or ("s" if schema.form == "number" else ""))
        return Encoder(schema.name, tuple(f"{tag}{ending}" for tag in tags for ending in endings), made, reading)

    def _needs(self) -> Sequence[bool]:
        return [True] * len(self.schema_)

    def _computes(self) -> bool:
        return self._by is None

    def _give_one(self, X: Any, who: str) -> Any:
        return self._one_row(X, self._dtype(X), who) if self._by is None else None

    def _give(self, table: Table, positions: Sequence[int], X: Any, who: str) -> Any:
        if self._by is None:
            return super()._give(table, positions, X, who)
        names = [one.name for one in self.schema_]
        country = self._countries(table.column(positions[names.index(self._by)]), who)
        out = np.full((table.n_rows, self.n_features_out_), np.nan, dtype=self._dtype(X))
        for encoder, (start, stop), position in zip(self.encoders_, self.spans_, positions, strict=True):
            if stop == start:
                continue
            ticks = encoder.reading.read(table.column(position), who)
            for code in np.unique(country[country >= 0]).tolist():
                rows = np.flatnonzero(country == code)
                own = encoder.formulas[code * (stop - start) : (code + 1) * (stop - start)]
                for place, values in enumerate(evaluate(own, [ticks[rows]]), start):
                    out[rows, place] = values
        return out

    def _countries(self, column: Column, who: str) -> np.ndarray:
        """Int64 (n,): the place of each row's country among the lists, -1 where it is missing."""
        codes, vocabulary = as_texts(column, who)
        places = {name: place for place, name in enumerate(self.holidays)}
        found = np.array([*(places.get(text, -2) for text in vocabulary), -1], dtype=np.int64)[codes]
        rows = np.flatnonzero(found == -2)
        if len(rows):
            rule = f"must name countries of holidays= ({quote(places)})"
            fix = "Add their holidays (an empty list where there are none)."
            raise bad_values(who, column.name, rule, rows, column.at(rows), fix)
        return found


def _read(dates: Any, who: str) -> list[float]:
    """Days since 1970 of dates, increasing and distinct."""
    if isinstance(dates, (str, Mapping)) or not all(isinstance(one, (str, date, np.datetime64)) for one in dates):
        raise PrepError.of(who, "holidays are a list of dates or their text (2024-12-25)", quote([dates]))
    try:
        ticks = Timestamps().read(column_of("holidays", list(dates)), who) if len(dates) else np.zeros(0)
    except SchemaError as cause:
        raise PrepError(str(cause)) from None
    if np.isnan(ticks).any():
        raise PrepError.of(who, "holidays are a list of dates", "one that is missing")
    return np.unique(np.floor(ticks / DAY)).tolist()


def _formulas(days: list[float], distance: bool, horizon: int) -> list[Formula]:
    """Whether a moment's day is one of `days`, and how far the nearest before and after it are."""
    moment = number()
    today = call("floor", moment / DAY)
    # Beyond both ends stands a day that is far from any; `bucket` counts those at or below.
    last = take([-FAR, *days], bucket(today, days))
    following = take([*days, FAR], bucket(today - 1, days))
    gap = is_missing(moment)
    found = [where(gap, moment, last.equals(today))]
    if distance:
        found += [where(gap, moment, away.clip(None, horizon)) for away in (today - last, following - today)]
    return found
