"""Splitters for cross-validation, beside scikit-learn's own where both exist."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, check_cv, cross_val_score

from brickwork.prep import PrepError, StratifiedRegressionKFold, TargetError, TimeSplit

DAYS = pd.date_range("2024-01-01", periods=10)


def parts(splitter, X, *rest):
    return [(train.tolist(), test.tolist()) for train, test in splitter.split(X, *rest)]


def test_folds_hold_their_share_of_every_bin():
    y = np.random.default_rng(0).lognormal(size=503)
    deciles = np.quantile(y, np.arange(1, 10) / 10)
    seen = []
    for train, test in StratifiedRegressionKFold(4, shuffle=True, random_state=1).split(y, y):
        counts = np.bincount(np.searchsorted(deciles, y[test], side="right"), minlength=10)
        assert counts.min() >= 11 and counts.max() <= 14
        assert sorted([*train, *test]) == list(range(503))
        seen += test.tolist()
    assert sorted(seen) == list(range(503))


def test_folds_of_few_rows_and_of_equal_targets():
    assert len(parts(StratifiedRegressionKFold(5), range(5), [1.0, 2.0, 3.0, 4.0, 5.0])) == 5
    assert len(parts(StratifiedRegressionKFold(2), range(6), [1.0] * 6)) == 2


def test_folds_keep_groups_whole():
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 30, 300)
    y = groups + rng.normal(size=300)
    for train, test in StratifiedRegressionKFold(3).split(np.zeros(300), y, groups):
        assert not set(groups[train]) & set(groups[test])
        assert abs(y[test].mean() - y.mean()) < 3


def test_folds_serve_scikit_learn():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = X @ [1.0, 2.0]
    for cv in (StratifiedRegressionKFold(3), TimeSplit(3), TimeSplit(3, time=0)):
        assert clone(Ridge()).fit(X, y) and check_cv(cv) is cv
        assert len(cross_val_score(Ridge(), X, y, cv=cv)) == cv.get_n_splits(X, y) == 3
        search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=cv).fit(X, y)
        assert search.n_splits_ == 3
    assert repr(TimeSplit(3, gap=2)) == "TimeSplit(gap=2, max_train_size=None, n_splits=3, test_size=None, time=None)"


@pytest.mark.parametrize("options", [{}, {"gap": 2}, {"test_size": 1}, {"max_train_size": 3, "gap": 1, "test_size": 2}])
def test_in_order_of_rows_it_is_scikit_learns(options):
    rows = np.arange(23)
    expected = [(train.tolist(), test.tolist()) for train, test in TimeSeriesSplit(3, **options).split(rows)]
    assert parts(TimeSplit(3, **options), rows) == expected


def test_rows_of_one_time_stay_together_in_any_order():
    rng = np.random.default_rng(0)
    day = rng.permutation(np.repeat(np.arange(12), rng.integers(1, 6, 12)))
    table = pd.DataFrame({"day": day})
    folds = list(TimeSplit(3, time="day").split(table))
    assert [sorted(set(day[test])) for _, test in folds] == [[3, 4, 5], [6, 7, 8], [9, 10, 11]]
    for train, test in folds:
        assert day[train].max() < day[test].min() and (np.diff(day[train]) >= 0).all()
        assert len(test) == np.isin(day, day[test]).sum()


def test_durations():
    table = pd.DataFrame({"when": DAYS[[0, 1, 2, 5, 6, 7, 9]]})
    week = TimeSplit(2, time="when", test_size=timedelta(days=2), gap=timedelta(days=1))
    # The last test is (8th, 10th], the one before it (6th, 8th]; a row a day before the first time tested is left out.
    assert parts(week, table) == [([0, 1, 2], [4, 5]), ([0, 1, 2, 3, 4, 5], [6])]
    window = TimeSplit(1, time="when", test_size=1, max_train_size=timedelta(days=3), gap=timedelta(hours=36))
    assert parts(window, table) == [([3, 4, 5], [6])]


@pytest.mark.parametrize(
    ("splitter", "text"),
    [
        (TimeSplit(0), "TimeSplit.split: n_splits must be an integer of 1 or more; got 0"),
        (TimeSplit(3, gap=-1), "gap must be an integer of 0 or more; got -1"),
        (TimeSplit(3, test_size=0), "test_size must be an integer of 1 or more; got 0"),
        (TimeSplit(3, max_train_size=1.5), "max_train_size must be an integer of 1 or more; got 1.5"),
        (TimeSplit(10), "every fold needs a time; got 10 times for n_splits=10"),
        (
            TimeSplit(3, test_size=5),
            "fold 2 needs times to learn from and to be tested on; got 10 times for n_splits=3",
        ),
        (TimeSplit(3, gap=9), "fold 3 needs times to learn from"),
        (TimeSplit(3, gap=timedelta(1)), "gap is a number of times where times are no dates"),
        (TimeSplit(1, time=DAYS, test_size=-timedelta(1)), "test_size is a duration above 0"),
        (TimeSplit(1, time=DAYS, gap=-timedelta(1)), "gap is a duration of 0 or more"),
        (TimeSplit(1, time="day"), "the table must have the column; got 'day'. Columns: 'x0'"),
        (TimeSplit(1, time=DAYS[:3]), "time has one value per row; got 3 for 10 rows"),
    ],
)
def test_time_split_refuses(splitter, text):
    with pytest.raises(PrepError, match=text):
        list(splitter.split(np.zeros((10, 1))))


@pytest.mark.parametrize(
    ("splitter", "y", "text"),
    [
        (StratifiedRegressionKFold(1), [1.0, 2.0], "n_splits must be an integer of 2 or more; got 1"),
        (StratifiedRegressionKFold(2, n_bins=0), [1.0, 2.0], "n_bins must be an integer of 1 or more; got 0"),
        (StratifiedRegressionKFold(3), [1.0, 2.0], "every fold needs a row; got 2 rows for n_splits=3"),
        (StratifiedRegressionKFold(2), None, "a target is needed to stratify by; got y=None. Give y."),
        (StratifiedRegressionKFold(2), [1.0, None], "must not be missing; got None in row 1"),
        (StratifiedRegressionKFold(2), [1.0, "b"], "must hold numbers; got 'b' in row 1"),
        (StratifiedRegressionKFold(2), [1.0, 2.0, 3.0], "one row each per case; got 2 rows in X, 3 in y"),
    ],
)
def test_regression_folds_refuse(splitter, y, text):
    with pytest.raises((PrepError, TargetError), match=rf"^StratifiedRegressionKFold\.split: .*{text}"):
        list(splitter.split([[0], [0]], y))
