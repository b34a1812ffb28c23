"""`Lags` and `Differences`: what a number was some rows ago, and how it has changed since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import PrepError
from ..params import flags, whole
from .base import LookingBack
from .order import Series

__all__ = ["Differences", "Lags"]


class Lagging(LookingBack):
    """What looks at single rows before, `lags` of them."""

    lags: Any

    def _check_params(self, who: str) -> None:
        lags = _listed(self.lags)
        for lag in lags:
            whole(who, lags=lag)
        if len(set(lags)) < len(lags):
            raise PrepError.of(who, "lags must differ", repr(self.lags))

    def _lower(self, series: Series, who: str) -> np.ndarray:
        places = np.arange(len(series.first))
        return np.maximum(series.first, places - max(map(int, _listed(self.lags)), default=0))


class Lags(Lagging):
    """The values of numbers in rows before, x[t - lag] for each lag; missing where the series has no such row.

    A row's values are those of the table that is given and of no other: nothing is remembered from fit, since no call
    of `transform` says which rows came before its own. So the table of training gives at transform what it gave at fit,
    and the first rows of every group have missing values. For new rows give the rows before them in the same table, and
    take the new rows of what comes out; `history(X)` are those that are enough.

    Parameters
    ----------
    columns : a selector, a name, a position or a list of these; None for all numbers but those of `groups` and `time`
    lags : whole number of 1 or more, or a sequence of such; 1 is the row before. Default (): the columns as they are
    groups : columns likewise, whose values tell one series from another; None for a single series
    time : a column of dates, dates in text, or numbers, that orders each series; None for the order of the rows

    Attributes
    ----------
    columns_ : tuple of the names of the columns

    Raises
    ------
    PrepError, SchemaError : no column holds numbers; a group or a time is missing

    Examples
    --------
    >>> from brickwork.prep import Lags
    >>> lags = Lags("sold", (1, 2)).fit({"sold": [5, 6, 7, 8]})
    >>> lags.get_feature_names_out().tolist()
    ['sold_lag_1', 'sold_lag_2']
    >>> lags.transform({"sold": [5, 6, 7, 8]}).tolist()
    [[nan, nan], [5.0, nan], [6.0, 5.0], [7.0, 6.0]]
    >>> before = lags.history({"sold": [5, 6, 7, 8]})["sold"]  # enough for rows to come
    >>> lags.transform({"sold": [*before, 9]})[len(before) :].tolist()
    [[8.0, 7.0]]
    """

    def __init__(self, columns: Any = None, lags: int | Sequence[int] = (), *, groups: Any = None, time: Any = None):
        self.columns = columns
        self.lags = lags
        self.groups = groups
        self.time = time

    def _suffixes(self) -> list[str]:
        return [f"lag_{lag}" for lag in _listed(self.lags)] or [""]

    def _features(self, values: np.ndarray, series: Series, lower: np.ndarray) -> list[np.ndarray]:
        return [series.before(values, int(lag)) for lag in _listed(self.lags)] or [values]


class Differences(Lagging):
    """How numbers have changed, x[t] - x[t - lag], or with `relative` x[t] / x[t - lag] - 1, for each lag.

    Missing where one of both is missing, or where the series has no such row; a relative change from 0 is infinite, or
    missing where both are 0. As of `Lags`, a row looks at rows of the table that is given and of no other.

    Parameters
    ----------
    columns, lags, groups, time : as of `Lags`
    relative : bool, default False

    Attributes
    ----------
    columns_ : tuple of the names of the columns

    Raises
    ------
    PrepError, SchemaError : no column holds numbers; a group or a time is missing

    Examples
    --------
    >>> from brickwork.prep import Differences
    >>> Differences(lags=1, groups="shop").fit_transform({"sold": [5, 1, 7, 4], "shop": ["a", "b", "a", "b"]}).tolist()
    [[nan], [nan], [2.0], [3.0]]
    """

    def __init__(
        self, columns: Any = None, lags: int | Sequence[int] = (), *, relative: bool = False, groups: Any = None,
        time: Any = None,
    ):  # fmt: skip
        self.columns = columns
        self.lags = lags
        self.relative = relative
        self.groups = groups
        self.time = time

    def _check_params(self, who: str) -> None:
        super()._check_params(who)
        flags(who, relative=self.relative)

    def _suffixes(self) -> list[str]:
        return [f"{'change' if self.relative else 'diff'}_{lag}" for lag in _listed(self.lags)] or [""]

    def _features(self, values: np.ndarray, series: Series, lower: np.ndarray) -> list[np.ndarray]:
        earlier = [series.before(values, int(lag)) for lag in _listed(self.lags)]
        with np.errstate(all="ignore"):
            return [values / old - 1 if self.relative else values - old for old in earlier] or [values]


def _listed(lags: Any) -> list[Any]:
    return list(lags) if isinstance(lags, (list, tuple, range, np.ndarray)) else [lags]
