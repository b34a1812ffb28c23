"""`RollingWindows`: statistics of the last rows, or of the rows of the last days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from ..errors import PrepError, nearest
from ..params import whole
from .base import LookingBack
from .order import Series
from .ranges import STATISTICS, range_statistics

__all__ = ["RollingWindows"]


class RollingWindows(LookingBack):
    """Statistics of numbers over the rows that end with a row, or with the one `lag` rows before it.

    As of `Lags`, a row looks at rows of the table that is given and of no other, and of its own group; `history(X)` are
    the rows that those to come need before them. Missing values are left out. Equal to pandas's `rolling`, but for
    rounding, where a large value that has left a window leaves no trace here.

    Parameters
    ----------
    columns : a selector, a name, a position or a list of these; None for all numbers but those of `groups` and `time`
    window : number of rows, or a `timedelta` d: the rows of the times (t - d, t], t that of the last row.
        Default None: the columns as they are
    statistics : of "mean", "std" (of a sample, n - 1), "min", "max", "sum", "median" and "count"
    lag : rows, default 0; with 1 a window ends before the row itself, so that its own value tells nothing
    min_periods : values that must be present, else the statistic is missing; None for all `window` rows, and for 1
        value where the window is a duration. Counts are never missing, but where `lag` reaches before the series.
    groups, time : as of `Lags`; a window that is a duration needs a time of dates

    Attributes
    ----------
    columns_ : tuple of the names of the columns

    Raises
    ------
    PrepError, SchemaError : no column holds numbers; a group or a time is missing; a duration, but no dates

    Examples
    --------
    >>> from brickwork.prep import RollingWindows
    >>> rolling = RollingWindows("sold", 2, ("mean", "max")).fit({"sold": [5, 6, 4, 8]})
    >>> rolling.get_feature_names_out().tolist()
    ['sold_mean_2', 'sold_max_2']
    >>> rolling.transform({"sold": [5, 6, 4, 8]}).tolist()
    [[nan, nan], [5.5, 6.0], [5.0, 6.0], [6.0, 8.0]]
    """

    def __init__(
        self,
        columns: Any = None,
        window: int | timedelta | None = None,
        statistics: Sequence[str] = ("mean", "std", "min", "max"),
        *,
        lag: int = 0,
        min_periods: int | None = None,
        groups: Any = None,
        time: Any = None,
    ):
        self.columns = columns
        self.window = window
        self.statistics = statistics
        self.lag = lag
        self.min_periods = min_periods
        self.groups = groups
        self.time = time

    def _check_params(self, who: str) -> None:
        if self.window is None:
            pass
        elif not isinstance(self.window, timedelta):
            whole(who, window=self.window)
        elif self.window <= timedelta():
            raise PrepError.of(who, "window must be a duration above 0", repr(self.window))
        whole(who, 0, lag=self.lag)
        if self.min_periods is not None:
            whole(who, min_periods=self.min_periods)
            if isinstance(self.window, (int, np.integer)) and self.min_periods > self.window:
                raise PrepError.of(who, f"min_periods must be at most window={self.window}", repr(self.min_periods))
        asked = list(self.statistics) if isinstance(self.statistics, (list, tuple)) else [self.statistics]
        odd = [name for name in asked if not isinstance(name, str) or name not in STATISTICS]
        if odd or not asked or len(set(asked)) < len(asked):
            got = f"{odd[0]!r}{nearest(odd[0], STATISTICS)}" if odd else repr(self.statistics)
            raise PrepError.of(who, f"statistics must be a tuple of different ones of {', '.join(STATISTICS)}", got)

    def _suffixes(self) -> list[str]:
        if self.window is None:
            return [""]
        lagged = f"_lag_{self.lag}" if self.lag else ""
        return [f"{name}_{_length(self.window)}{lagged}" for name in self._statistics()]

    def _statistics(self) -> list[str]:
        return list(self.statistics) if isinstance(self.statistics, (list, tuple)) else [self.statistics]

    def _lag(self) -> int:
        return 0 if self.window is None else int(self.lag)

    def _lower(self, series: Series, who: str) -> np.ndarray:
        if self.window is None:
            return np.arange(len(series.first))
        if not isinstance(self.window, timedelta):
            return np.maximum(series.first, np.arange(len(series.first)) - (int(self.window) - 1))
        if series.times is None or series.times.dtype.kind != "M":
            raise PrepError.of(who, "a window of a duration needs time=, a column of dates", f"time={self.time!r}")
        moments, rank = np.unique(series.times, return_inverse=True)
        earliest = np.searchsorted(moments, series.times - np.timedelta64(self.window), side="right")
        # Rank within the series' own stretch of numbers: these rise from place to place, so one search does for all.
        own = np.cumsum(series.first == np.arange(len(series.first))) * len(moments)
        return np.searchsorted(own + rank, own + earliest)

    def _features(self, values: np.ndarray, series: Series, lower: np.ndarray) -> list[np.ndarray]:
        if self.window is None:
            return [values]
        if self.min_periods is not None:
            least = int(self.min_periods)
        else:
            least = 1 if isinstance(self.window, timedelta) else int(self.window)
        found = range_statistics(values, lower, self._statistics(), least)
        return [series.before(result, int(self.lag)) for result in found] if self.lag else found


def _length(window: int | timedelta) -> str:
    """A window as part of a name: 7, 7d, 36h, 90s."""
    if not isinstance(window, timedelta):
        return str(window)
    for unit, letter in ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min")):
        if not window % unit:
            return f"{window // unit}{letter}"
    return f"{window.total_seconds():g}s"
