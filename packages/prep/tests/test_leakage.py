"""Leaks between parts that were split by anyone, and the hashes that find equal rows."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork.prep import LeakageWarning, PrepError, check_leakage
from brickwork.prep.hashing import hash_rows, repeated

DAY = pd.Timestamp("2024-01-01")
CELL = st.sampled_from([None, float("nan"), 0.0, -0.0, 1.0, 2, True, "a", "b", "1", ""])


def quiet(*parts, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)
        return check_leakage(*parts, **options)


def test_nothing_shared_says_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_leakage({"x": [1, 2], "day": [1, 2]}, {"x": [3, 4], "day": [3, 3]}, groups="x", time="day") == ()


def test_each_leak_is_told_once_with_its_rows():
    train = pd.DataFrame({"shop": ["a", "b", "c"], "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-05"])})
    test = pd.DataFrame({"shop": ["d", "c", "c"], "day": pd.to_datetime(["2024-01-06", "2024-01-05", "2024-01-07"])})
    with pytest.warns(LeakageWarning) as told:
        leaks = check_leakage(train, test, groups="shop", time="day")
    assert [str(warning.message) for warning in told] == [
        "check_leakage: 1 of 3 rows of part 1 equal rows of part 0: row 1.",
        "check_leakage: 2 of 3 rows of part 1 have groups of part 0: rows 1, 2.",
        "check_leakage: 1 of 3 rows of part 1 are no later than the last of part 0, 2024-01-05T00:00:00.000000: row 1.",
    ]
    assert all(warning.filename == __file__ for warning in told)
    assert [(leak.what, leak.part, leak.other, leak.rows.tolist()) for leak in leaks] == [
        ("duplicates", "part 1", "part 0", [1]),
        ("groups", "part 1", "part 0", [1, 2]),
        ("times", "part 1", "part 0", [1]),
    ]  # fmt: skip


def test_three_parts_and_arrays_of_groups():
    parts = [np.eye(2), np.eye(2)[:1], np.full((1, 2), 7.0), np.full((2, 2), 7.0)]
    found = quiet(*parts, groups=[[1, 2], ["1"], [4], [5, 1]])
    assert {(leak.what, leak.part, leak.other, *leak.rows.tolist()) for leak in found} >= {
        ("duplicates", "part 1", "part 0", 0), ("duplicates", "part 3", "part 2", 0, 1),
    }  # fmt: skip
    by_number = quiet(*parts, groups=[[1, 2], [3], [4], [5, 1]])
    assert [(leak.part, leak.other, *leak.rows.tolist()) for leak in by_number if leak.what == "groups"] == [
        ("part 3", "part 0", 1)
    ]


@pytest.mark.parametrize(
    ("parts", "options", "text"),
    [
        (([[1]],), {}, "two parts or more are compared; got 1"),
        (([[1]], [[2]]), {"groups": [[1]]}, "groups is a column, or one array for each part; got 1 for 2 parts"),
        (([[1]], [[2]]), {"time": [[1], [2, 3]]}, "time has one value per row; got 2 for 1 rows"),
        (([[1]], [[2]]), {"groups": [[1], [None]]}, "must name the group of each row; got None in row 0"),
    ],
)
def test_refuses(parts, options, text):
    with pytest.raises(PrepError, match=rf"^check_leakage: .*{text}"):
        check_leakage(*parts, **options)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12))
def test_rows_are_equal_where_their_cells_are(rows):
    """Against the plain reading: missing is missing, and a column with text holds the text of its other cells."""
    frame = pd.DataFrame(rows, columns=["a", "b"], dtype=object)

    def plain(column):
        cells = [None if pd.isna(cell) or cell == "" else cell for cell in column]
        if not any(isinstance(cell, str) for cell in column):
            return [None if cell is None else float(cell) for cell in cells]
        return [
            str(cell) if isinstance(cell, (str, bool)) or cell is None else f"{float(cell):g}".replace("-0", "0")
            for cell in cells
        ]

    expected = list(zip(plain(frame["a"]), plain(frame["b"]), strict=True))
    hashes = hash_rows(frame, "test")
    for i, row in enumerate(expected):
        for j in range(i):
            assert (hashes[i] == hashes[j]) == (row == expected[j])
    first = [expected.index(row) for row in expected]
    assert repeated(hashes).tolist() == [i != j for i, j in enumerate(first)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8, bool, "datetime64[s]"])
def test_arrays_of_any_type_and_axes(dtype):
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, (40_000, 3, 2)).astype(dtype)
    hashes = hash_rows(rows, "test")
    plain = rows.reshape(len(rows), -1).astype(np.int64) @ (2 ** np.arange(6))
    assert len(np.unique(hashes)) == len(np.unique(plain)) == 64
    assert len({(a, b) for a, b in zip(hashes.tolist(), plain.tolist(), strict=True)}) == 64


def test_whole_numbers_beyond_float64_and_long_rows_of_zeros_differ():
    assert len(np.unique(hash_rows(np.array([[2**53], [2**53 + 1]]), "test"))) == 2
    zeros = [hash_rows(np.zeros((1, n)), "test")[0] for n in range(1, 50)]
    assert len(set(zeros)) == 49
    grid = np.stack(np.meshgrid(np.arange(300.0), np.arange(300.0)), -1).reshape(-1, 2)
    assert len(np.unique(hash_rows(grid, "test"))) == len(grid)


def test_objects_that_prep_cannot_read_equal_nothing():
    assert not repeated(hash_rows(pd.DataFrame({"x": [1, 1], "tags": [["a"], ["a"]]}), "test")).any()


def test_a_missing_value_is_one_whatever_the_rest_of_the_column_holds():
    with pytest.warns(LeakageWarning, match="1 of 1 rows of part 1 equal rows of part 0: row 0"):
        check_leakage({"x": ["a", None], "d": [DAY, None], "n": [1, None]}, {"x": [None], "d": [None], "n": [None]})
