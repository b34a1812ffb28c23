"""Splits: the same rows every time, in their shares, in the types given."""

import warnings

import numpy as np
import pandas as pd
import pytest

from brickwork.prep import LeakageWarning, PrepError, TargetError, train_valid_split, train_valid_test_split

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


def test_a_regression_keeps_the_shares_of_its_quantile_bins():
    numbers = np.random.default_rng(0).lognormal(size=1000)
    *_, valid = train_valid_split(np.arange(1000), numbers, valid_size=0.1)
    deciles = np.quantile(numbers, np.arange(1, 10) / 10)
    assert np.bincount(np.searchsorted(deciles, valid, side="right")).tolist() == [10] * 10
    *_, free = train_valid_split(np.arange(1000), numbers, valid_size=0.1, stratify=False)
    assert np.bincount(np.searchsorted(deciles, free, side="right")).tolist() != [10] * 10


def test_a_lone_row_goes_to_training():
    y = ["a"] * 9 + ["b"]
    for seed in range(10):
        assert "b" in train_valid_split(X[:10], y, seed=seed)[2]
    assert len(train_valid_split(X[:10], list(range(10)), stratify=list(range(10)))[1]) == 2


def test_three_parts_keep_shares_and_lose_no_row():
    parts = train_valid_test_split(X, Y, valid_size=20, test_size=0.1)
    assert [len(part) for part in parts] == [70, 20, 10] * 2
    assert sorted(row for part in parts[:3] for row in part) == X
    assert [[part.count(label) for label in "abc"] for part in parts[3:]] == [[35, 21, 14], [10, 6, 4], [5, 3, 2]]
    assert all([Y[row[0]] for row in rows] == labels for rows, labels in zip(parts[:3], parts[3:], strict=True))


def test_the_test_rows_do_not_depend_on_the_validation():
    tests = [train_valid_test_split(X, Y, valid_size=size, test_size=15)[2] for size in (1, 10, 0.5)]
    assert tests[0] == tests[1] == tests[2] == train_valid_split(X, Y, valid_size=15)[1]


@pytest.mark.parametrize("key", ["column", "array", "text"])
def test_no_group_is_in_two_parts(key):
    rng = np.random.default_rng(5)
    shops = rng.integers(0, 40, 1000)
    y = np.where(rng.random(1000) < 0.1 + 0.02 * shops, "yes", "no")
    table = pd.DataFrame({"shop": shops if key != "text" else [f"s{shop}" for shop in shops], "row": np.arange(1000)})
    groups = shops if key == "array" else "shop"
    *parts, _, y_valid, y_test = train_valid_test_split(table, y, groups=groups, seed=2)
    owners = [set(part["shop"]) for part in parts]
    assert len(set.union(*owners)) == sum(map(len, owners)) == 40
    assert sorted(row for part in parts for row in part["row"]) == list(range(1000))
    for part, labels in ((parts[1], y_valid), (parts[2], y_test)):
        assert abs(len(part) - 200) <= 25 and abs((labels == "yes").mean() - (y == "yes").mean()) < 0.05


def test_groups_larger_than_a_part_still_give_every_part_a_group():
    groups = np.repeat([0, 1, 2], [50, 30, 20])
    *parts, _, _, _ = train_valid_test_split(np.arange(100), Y, valid_size=1, test_size=1, groups=groups)
    assert sorted(len(part) for part in parts) == [20, 30, 50] and len(parts[2]) == 20


def test_by_time_the_latest_rows_are_the_test():
    rng = np.random.default_rng(1)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.permutation(100), unit="D")
    table = pd.DataFrame({"day": day, "written": day.strftime("%d.%m.%Y"), "number": day.day_of_year * 1.5})
    for time in ("day", "written", "number", 2, day, day.strftime("%Y-%m-%d").tolist()):
        *parts, y_train, y_valid, y_test = train_valid_test_split(table, np.arange(100), time=time)
        assert [len(part) for part in parts] == [60, 20, 20]
        assert pd.concat(parts)["day"].is_monotonic_increasing
        assert [*y_train, *y_valid, *y_test] == np.argsort(day).tolist()


def test_one_time_in_two_parts_is_told():
    with pytest.warns(LeakageWarning, match=r"1 of 3 rows of valid are no later than the last of train, 2.0: row 3\."):
        train_valid_split(np.arange(6), range(6), valid_size=3, time=[0, 1, 2, 2, 3, 4][::-1])


def test_equal_rows_in_two_parts_are_told_or_kept_together():
    table = {"a": np.arange(100) % 50, "b": ["x", "y"] * 50}
    with pytest.warns(
        LeakageWarning, match=r"^train_valid_split: \d+ of 20 rows of valid equal rows of train: rows "
    ) as told:
        train_valid_split(table, Y)
    assert len(told) == 1 and told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train_valid_split(table, Y, duplicates="ignore")
        *parts, _, _, y_test = train_valid_test_split(table, Y, duplicates="together")
        train_valid_split({"x": [1j] * 100}, Y)  # no table: split, and not looked at
    kept = [set(part["a"]) for part in parts]
    assert sum(map(len, kept)) == 50 and 17 <= len(y_test) <= 23


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
        (
            (X, Y, {"valid_size": 100}),
            "every part needs a row; got 100 by valid_size=100, of 100 rows. Give more rows or other sizes",
        ),
        ((X, Y, {"valid_size": 0.001}), "every part needs a row; got 0 by valid_size=0.001, of 100"),
        ((X, Y, {"groups": [1, 2]}), "groups has one value per row; got 2 for 100 rows"),
        ((X, Y, {"groups": [None] * 100}), "column 'groups' must name the group of each row; got None in rows 0, 1"),
        ((X, Y, {"groups": [1] * 100}), "2 parts need a group each; got 1 groups"),
        ((X, Y, {"groups": "shop"}), "the table must have the column; got 'shop'. Columns: 'x0'"),
        ((X, Y, {"groups": 1}), "the table must have the column; got 1. Columns: 'x0'"),
        ((X, Y, {"time": [1, 2]}), "time has one value per row; got 2 for 100 rows"),
        ((X, Y, {"time": [*range(99), None]}), "column 'time' must give the time of each row; got None in row 99"),
        ((X, Y, {"time": [True] * 100}), "time column 'time' holds dates or numbers; got booleans"),
        ((X, Y, {"time": ["soon"] * 100}), "'time'"),
        ((X, Y, {"time": 0, "stratify": Y}), "a split by time keeps no shares"),
        ((X, Y, {"time": 0, "groups": 0}), "each say which rows go together; got groups and time. Give one of them"),
        (
            (X, Y, {"duplicates": "warm"}),
            r"duplicates must be one of warn, together, ignore; got 'warm' \(nearest: 'warn'\)",
        ),
        (({"x": [1j] * 100}, Y, {"duplicates": "together"}), "column 'x' must be real"),
        ((X, Y, {"stratify": [1, 2]}), "stratify has one group per row; got 2 for 100 rows"),
        ((X, [*Y[:99], None], {}), r"rows to stratify by have a value; got none in rows \[99\]"),
    ],
)
def test_refuses(arguments, text):
    X, y, options = arguments
    with pytest.raises(PrepError, match=text) as caught:
        train_valid_split(X, y, **options)
    assert isinstance(caught.value, TargetError) == ("stratify by" in text)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_frames_of_other_libraries_give_the_rows_of_pandas(library):
    table = {
        "shop": ["a", "b", "c", "d", "e"] * 20,
        "day": pd.date_range("2024-01-01", periods=100).to_pydatetime().tolist(),
    }
    other = pytest.importorskip(library, reason=f"{library} is not installed")
    given = other.DataFrame(table) if library == "polars" else other.table(table)
    labels = other.Series(Y) if library == "polars" else other.array(Y)
    for by, name in ((None, None), ("groups", "shop"), ("time", "day")):
        mine = train_valid_test_split(pd.DataFrame(table), pd.Series(Y), **({by: name} if by else {}))
        theirs = train_valid_test_split(given, labels, **({by: name} if by else {}))
        if by:  # by a column of its own
            again = train_valid_test_split(given, labels, **{by: given[name]})
            assert all(a.equals(b) for a, b in zip(again, theirs, strict=True))
        assert [type(part) for part in theirs] == [type(given)] * 3 + [type(labels)] * 3
        assert [part.to_pandas()["day"].tolist() for part in theirs[:3]] == [part["day"].tolist() for part in mine[:3]]
        assert [part.to_pandas().tolist() for part in theirs[3:]] == [part.tolist() for part in mine[3:]]
    if library == "polars":
        with pytest.raises(PrepError, match="collect"):
            train_valid_split(given.lazy(), labels)
