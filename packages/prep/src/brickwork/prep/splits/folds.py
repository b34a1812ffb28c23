"""Cross-validation in scikit-learn's protocol, where scikit-learn has no splitter of the kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold, StratifiedKFold

from ..cells import column_of
from ..columns import as_numbers
from ..errors import PrepError, SchemaError, TargetError, bad_values
from ..frame import read_target
from . import keys


class StratifiedRegressionKFold(BaseCrossValidator):  # type: ignore[misc]
    """Folds whose targets are distributed alike: each holds its share of every quantile bin of y.

    scikit-learn's StratifiedKFold of the bins, or, where `groups` are given to `split`, its StratifiedGroupKFold.

    - n_splits: folds, 2 or more. n_bins: quantile bins; at most as many as leave `n_splits` rows to each.
    - shuffle, random_state: as in StratifiedKFold.

    `split(X, y, groups=None)` yields (train, test) row positions, int64. Raises TargetError where a target is missing
    or is no number, PrepError where there are fewer rows than folds or a parameter is out of range.

    Examples
    --------
    >>> y = [1.0, 9.0, 2.0, 8.0]
    >>> [sorted(y[i] for i in test) for _, test in StratifiedRegressionKFold(2).split(y, y)]
    [[1.0, 9.0], [2.0, 8.0]]
    """

    def __init__(self, n_splits: int = 5, *, n_bins: int = 10, shuffle: bool = False, random_state: Any = None):
        self.n_splits = n_splits
        self.n_bins = n_bins
        self.shuffle = shuffle
        self.random_state = random_state

    __metadata_request__split = {"groups": True}  # scikit-learn's routing hands them on where they are given

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(train, test) row positions of each fold; X gives the number of rows alone."""
        who = "StratifiedRegressionKFold.split"
        _need_count("n_splits", self.n_splits, 2, who)
        _need_count("n_bins", self.n_bins, 1, who)
        if y is None:
            raise TargetError.of(who, "a target is needed to stratify by", "y=None", "Give y.")
        values = _numbers(y, who)
        if keys.n_rows(X, who) != len(values):
            got = f"{keys.n_rows(X, who)} rows in X, {len(values)} in y"
            raise PrepError.of(who, "X and y have one row each per case", got)
        if len(values) < self.n_splits:
            raise PrepError.of(who, "every fold needs a row", f"{len(values)} rows for n_splits={self.n_splits}")
        bins = keys.quantile_bins(values, max(1, min(self.n_bins, len(values) // self.n_splits)))
        folds = StratifiedKFold if groups is None else StratifiedGroupKFold
        folding = folds(self.n_splits, shuffle=self.shuffle, random_state=self.random_state)
        codes = None if groups is None else keys.groups_of(groups, X, len(values), who)
        yield from folding.split(np.zeros(len(values)), bins, codes)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """The number of folds."""
        return int(self.n_splits)


class TimeSplit(BaseCrossValidator):  # type: ignore[misc]
    """Folds by time: each learns from the past and is tested on what follows, never on a time it has learned from.

    Where scikit-learn's TimeSeriesSplit counts rows of a sorted table, this counts points in time: rows may come in any
    order, and rows of one time (a panel of shops, say) stay together. With one row per time and the same numbers both
    give the same folds.

    - n_splits: folds, 1 or more, the last of which ends with the last time.
    - time: a column's name or position, or an array (n,), of dates, dates in text, or numbers; None: the order of rows.
    - test_size: of each test, a number of times or a `timedelta`; None shares the times out evenly.
    - gap: what lies between training and test and is used by neither, a number of times or a `timedelta`: as long as
      the horizon of the target, it purges rows whose targets reach into the test.
    - max_train_size: the longest training, a number of times or a `timedelta` (a sliding window); None: all.

    A `timedelta` needs times that are dates: a test of length d covers (end - d, end], the next begins where it ends.

    `split(X)` yields (train, test) row positions, int64, in order of time. Raises PrepError where a fold would be
    empty, a time is missing or a parameter out of range.

    Examples
    --------
    >>> day = ["2024-01-03", "2024-01-01", "2024-01-02", "2024-01-03"]
    >>> [(train.tolist(), test.tolist()) for train, test in TimeSplit(2, time=day).split(day)]
    [([1], [2]), ([1, 2], [0, 3])]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        time: Any = None,
        test_size: int | timedelta | None = None,
        gap: int | timedelta = 0,
        max_train_size: int | timedelta | None = None,
    ):
        self.n_splits = n_splits
        self.time = time
        self.test_size = test_size
        self.gap = gap
        self.max_train_size = max_train_size

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(train, test) row positions of each fold, the earliest first."""
        who = "TimeSplit.split"
        _need_count("n_splits", self.n_splits, 1, who)
        n = keys.n_rows(X, who)
        times = np.arange(n, dtype=np.float64) if self.time is None else keys.times_of(self.time, X, n, who)
        order = np.argsort(times, kind="stable")
        moments, starts = np.unique(times[order], return_index=True)
        starts = np.append(starts, n)
        size = self._test_size(len(moments), who)
        stop, folds = len(moments), []
        for fold in range(self.n_splits, 0, -1):
            first = _back(moments, stop, size, "test_size", who)
            end = _before(moments, first, self.gap, who)
            begin = (
                0 if self.max_train_size is None else _back(moments, end, self.max_train_size, "max_train_size", who)
            )
            if first >= stop or end <= begin:
                got = f"{len(moments)} times for n_splits={self.n_splits}, test_size={size}, gap={self.gap}"
                fix = "Give fewer folds, a smaller test_size or gap, or more times."
                raise PrepError.of(who, f"fold {fold} needs times to learn from and to be tested on", got, fix)
            folds.append((order[starts[begin] : starts[end]], order[starts[first] : starts[stop]]))
            stop = first
        yield from reversed(folds)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """The number of folds."""
        return int(self.n_splits)

    def _test_size(self, n_times: int, who: str) -> int | timedelta:
        if self.test_size is not None:
            return self.test_size
        size = n_times // (self.n_splits + 1)
        if size < 1:
            got = f"{n_times} times for n_splits={self.n_splits}"
            raise PrepError.of(who, "every fold needs a time", got, "Give fewer folds or more times.")
        return size


def _back(moments: np.ndarray, stop: int, size: Any, name: str, who: str) -> int:
    """The first of the moments before `stop` that make up `size`, a number of moments or a duration."""
    if not _is_duration(size, name, moments, who):
        _need_count(name, size, 1, who)
        return max(stop - int(size), 0)
    if not size > size * 0:
        raise PrepError.of(who, f"{name} is a duration above 0", repr(size))
    return int(np.searchsorted(moments, moments[stop - 1] - np.timedelta64(size), side="right")) if stop > 0 else 0


def _before(moments: np.ndarray, first: int, gap: Any, who: str) -> int:
    """Where training stops, so that `gap` lies between it and the moment `first`."""
    if not _is_duration(gap, "gap", moments, who):
        _need_count("gap", gap, 0, who)
        return max(first - int(gap), 0)
    if gap < gap * 0:
        raise PrepError.of(who, "gap is a duration of 0 or more", repr(gap))
    return min(first, int(np.searchsorted(moments, moments[first] - np.timedelta64(gap), side="left")))


def _is_duration(size: Any, name: str, moments: np.ndarray, who: str) -> bool:
    is_duration = isinstance(size, (timedelta, np.timedelta64))
    if is_duration and moments.dtype.kind != "M":
        raise PrepError.of(who, f"{name} is a number of times where times are no dates", repr(size), "Give dates.")
    return is_duration


def _need_count(name: str, value: Any, least: int, who: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise PrepError.of(who, f"{name} must be an integer of {least} or more", repr(value))


def _numbers(y: Any, who: str) -> np.ndarray:
    """A target as finite float64 (n,), or TargetError."""
    values, missing = read_target(y, who)
    if missing.any():
        rows = np.flatnonzero(missing)
        raise bad_values(
            who, "target", "must not be missing", rows, [None] * len(rows), "Drop these rows.", TargetError
        )
    try:
        return as_numbers(column_of("target", values.tolist()), who)
    except SchemaError as cause:
        raise TargetError(str(cause), column=cause.column, rows=cause.rows, values=cause.values) from None
