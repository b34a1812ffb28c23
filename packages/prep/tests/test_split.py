"""Splits: the same rows every time, in their shares, in the types given."""

import numpy as np
import pandas as pd
import pytest

from brickwork.prep import PrepError, TargetError, train_valid_split

Y = ["a"] * 50 + ["b"] * 30 + ["c"] * 20
X = [[i] for i in range(100)]


def test_shares_are_kept():
    _, _, y_train, y_valid = train_valid_split(X, Y)
    assert [y_valid.count(label) for label in "abc"] == [10, 6, 4]
    assert len(y_train) == 80


def test_rows_stay_together_and_none_is_lost():
    X_train, X_valid, y_train, y_valid = train_valid_split(X, Y, valid_size=0.33, seed=4)
    assert sorted(X_train + X_valid) == X
    assert [Y[row[0]] for row in X_train + X_valid] == y_train + y_valid
    assert X_train != sorted(X_train), "training rows are shuffled"


def test_the_seed_decides():
    first = train_valid_split(X, Y, seed=1)
    assert train_valid_split(X, Y, seed=1) == first
    assert train_valid_split(X, Y, seed=2) != first


def test_the_rows_of_seed_0_are_fixed():
    """Across versions and machines, since figures are reported on this split."""
    assert train_valid_split(X[:10], Y[:5] + Y[-5:], valid_size=4)[1] == [[4], [6], [2], [7]]


@pytest.mark.parametrize("wrap", [np.array, pd.DataFrame, lambda rows: {"x": [row[0] for row in rows]}, tuple])
def test_types_are_kept(wrap):
    X_train, X_valid, y_train, _ = train_valid_split(wrap(X), pd.Series(Y))
    assert type(X_train) is type(X_valid) is type(wrap(X))
    assert isinstance(y_train, pd.Series)
    plain = train_valid_split(X, Y)[1]
    rows = X_valid["x"] if isinstance(X_valid, dict) else [row[0] for row in np.asarray(X_valid).tolist()]
    assert rows == [row[0] for row in plain]


def test_by_given_groups_or_by_none():
    groups = np.arange(100) % 4
    valid = train_valid_split(X, Y, stratify=groups)[1]
    assert np.bincount([row[0] % 4 for row in valid]).tolist() == [5, 5, 5, 5]
    assert train_valid_split(X, Y, stratify=False) != train_valid_split(X, Y)
    numbers = np.linspace(0, 1, 100)
    assert train_valid_split(X, numbers)[1] == train_valid_split(X, numbers, stratify=False)[1]


def test_a_lone_row_goes_to_training():
    y = ["a"] * 9 + ["b"]
    for seed in range(10):
        assert "b" in train_valid_split(X[:10], y, seed=seed)[2]
    assert len(train_valid_split(X[:10], list(range(10)), stratify=list(range(10)))[1]) == 2


@pytest.mark.parametrize("n_valid", range(1, 100, 7))
def test_the_number_of_rows_is_exact(n_valid):
    y = np.random.default_rng(n_valid).integers(0, 5, 100)
    assert len(train_valid_split(X, y, valid_size=n_valid)[1]) == n_valid


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((X, Y[:99], {}), "X and y have one row each per case; got 100 rows in X, 99 in y"),
        ((X, Y, {"valid_size": 1.5}), "valid_size is a fraction between 0 and 1, or a number of rows; got 1.5"),
        ((X, Y, {"valid_size": True}), "got True"),
        ((X, Y, {"valid_size": 100}), "both parts need a row; got 100 of 100 rows for validation"),
        ((X, Y, {"valid_size": 0.001}), "both parts need a row; got 0 of 100"),
        ((X, Y, {"stratify": [1, 2]}), "stratify has one group per row; got 2 for 100 rows"),
        ((X, [*Y[:99], None], {}), r"rows to stratify by have a value; got none in rows \[99\]"),
    ],
)
def test_refuses(arguments, text):
    X, y, options = arguments
    with pytest.raises(PrepError, match=text) as caught:
        train_valid_split(X, y, **options)
    assert isinstance(caught.value, TargetError) == ("stratify by" in text)
