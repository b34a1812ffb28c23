"""Every mistake gets one sentence that names the column, the rows and what to do."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from brickwork.prep import PrepError, SchemaError, TablePrep

GOOD = {"a": [1.0, 2.0, 3.0], "island": ["x", "y", "x"], "d": ["2024-01-02", "2024-03-04", "2024-05-06"]}
TWENTY = [str(i / 4) for i in range(40)]


def doubled() -> pd.DataFrame:
    return pd.DataFrame([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], columns=["a", "b", "a"])


@pytest.mark.parametrize(
    ("X", "options", "text"),
    [
        (np.empty((0, 3)), {}, "a table has rows; got 0 sample(s) (shape=(0, 3)) while a minimum of 1 is required."),
        (pd.DataFrame({"a": []}), {}, "a table has rows; got 0 sample(s)"),
        ([], {}, "Reshape your data"),
        ({}, {}, "a table has columns; got 0 feature(s)"),
        (np.zeros(3), {}, "a table has two dimensions; got 1-D, shape (3,). Reshape your data"),
        ("table.csv", {}, "a table has two dimensions; got 0-D"),
        (doubled(), {}, "column names must differ from one another; got 'a' more than once. Rename or drop one."),
        ({"a": [1, 2], "b": [1]}, {}, "columns must have one length; got 'a': 2, 'b': 1."),
        ({"a": [1, 2], "b": 1}, {}, "plain values in 'b' beside lists. Wrap these in a list."),
        ([[1, 2], [3]], {}, "rows must have one length; got 2 in row 0, 1 in row 1."),
        ([{"a": 1}, 2], {}, "each record is a dict; got int in row 1."),
        ([[1, 2], 3], {}, "each row is a list; got int in row 1."),
        ({"a": [1.0, np.inf, 3.0, -np.inf]}, {}, "column 'a' must be finite; got inf, -inf in rows 1, 3."),
        ({"a": [1, 10**400, 3]}, {}, "column 'a' must be finite; got inf in row 1."),
        ({"a": [1j, 2j]}, {}, "Complex data not supported"),
        (
            {"a": [*TWENTY, "oops", "?"]},
            {},
            "column 'a' mixes numbers with other text; got 'oops', '?' in rows 40, 41.",
        ),
        ({"a": ["x", "x"], "b": [None, None]}, {}, "a column to learn from is needed; got 2 rows; 'a': constant"),
        ({"a": [1.0], "b": ["x"]}, {}, "a column to learn from is needed; got 1 sample;"),
        (
            GOOD,
            {"kinds": {"Island": "drop"}},
            "kinds must name columns of the table; got 'Island' (nearest: 'island').",
        ),
        (GOOD, {"kinds": {"a": "numerical"}}, "got kinds['a'] = 'numerical' (nearest: 'numeric')."),
        (GOOD, {"kinds": ["a"]}, "kinds must be a dict from column to kind; got list."),
        (GOOD, {"kinds": {"island": "numeric"}}, "column 'island' must hold numbers; got 'x', 'y' in rows 0, 1, 2."),
        (GOOD, {"kinds": {"island": "datetime"}}, "column 'island' must hold dates of one style; got 'x', 'y' in rows"),
        (
            GOOD,
            {"kinds": {"a": "datetime"}},
            "column 'a' must hold dates (read as year-month-day); got 1, 2, 3 in rows",
        ),
        (GOOD, {"kinds": {"a": "boolean"}}, "column 'a' must hold true or false; got 2, 3 in rows 1, 2."),
        ({"a": [None], "b": [1]}, {"kinds": {"a": "numeric"}}, "column 'a' needs a value to learn from"),
        (GOOD, {"max_categories": 0}, "max_categories must be an integer of 1 or more; got 0."),
    ],
)
def test_fit(X, options, text):
    with pytest.raises(PrepError, match=re.escape(text)) as caught:
        TablePrep(**options).fit(X)
    assert str(caught.value).startswith("TablePrep")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"island": ...}, "column 'island' was there at fit and is missing; got columns 'a', 'd'. Add or rename it."),
        ({"island": ..., "Island": ["x"]}, "got columns 'a', 'd', 'Island' (nearest: 'Island')."),
        ({"a": ..., "d": ...}, "column 'a' was there at fit and is missing; got columns 'island'. Add or rename it."),
        ({"a": ["1", "b", "c", None]}, "column 'a' must hold numbers; got 'b', 'c' in rows 1, 2."),
        ({"a": [np.nan, np.inf]}, "column 'a' must be finite; got inf in row 1."),
        ({"a": [pd.Timestamp("2024")]}, "column 'a' must hold numbers; got '2024-01-01T00:00:00.000000' in row 0."),
        ({"a": [[1]]}, "column 'a' must hold numbers; got 'list' in row 0."),
        ({"island": [3.5, None]}, "column 'island' held text at fit and now holds numbers; got 3.5 in row 0."),
        ({"island": [True]}, "column 'island' held text at fit and now holds booleans; got True in row 0."),
        ({"island": [{"x": 1}]}, "column 'island' must hold text, numbers, booleans or dates; got 'dict' in row 0."),
        ({"d": ["2024-01-02", "2024-13-01"]}, "column 'd' must hold dates (read as year-month-day); got '2024-13-01'"),
        ({"d": [5]}, "column 'd' must hold dates (read as year-month-day); got 5 in row 0."),
    ],
)
def test_transform(changes, text):
    prep = TablePrep().fit(GOOD)
    n = next((len(values) for values in changes.values() if values is not ...), 1)
    table = {name: (values * n)[:n] for name, values in GOOD.items()} | changes
    table = {name: values for name, values in table.items() if values is not ...}
    with pytest.raises(SchemaError, match=re.escape(text)) as caught:
        prep.transform(table)
    assert caught.value.column in GOOD
    with pytest.raises(SchemaError, match=re.escape(text)):
        prep.transform(pd.DataFrame(table))


def test_an_error_carries_where_and_what():
    with pytest.raises(SchemaError) as caught:
        TablePrep().fit(GOOD).transform(GOOD | {"a": ["1", "oops", "2"]})
    error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - as joblib does on the way out of a worker
    assert (error.column, error.rows, error.values) == ("a", (1,), ("oops",))
    assert str(error) == str(caught.value)


def test_many_rows_are_counted_not_listed():
    with pytest.raises(SchemaError, match=r"rows 0, 1, 2, 3, 4 \(and 95 more\)"):
        TablePrep().fit({"a": [1.0, 2.0]}).transform({"a": ["x"] * 100})


def test_a_long_value_is_cut():
    with pytest.raises(SchemaError) as caught:
        TablePrep().fit({"a": [1.0, 2.0]}).transform({"a": ["x" * 10_000]})
    assert len(str(caught.value)) < 300


def test_all_missing_at_transform_is_no_error():
    prep = TablePrep().fit(GOOD)
    assert np.isfinite(prep.transform({name: [None, None] for name in GOOD})).all()
    assert np.isfinite(prep.transform(pd.DataFrame({name: [np.nan] for name in GOOD}))).all()


def test_array_of_another_width():
    with pytest.raises(SchemaError, match="X has 2 features, but TablePrep is expecting 3 features as input"):
        TablePrep().fit(np.eye(3)).transform(np.eye(2))


@pytest.mark.parametrize("method", ["describe", "to_state", "get_feature_names_out"])
def test_unfitted(method):
    with pytest.raises(NotFittedError, match=f"TablePrep.{method}: this TablePrep is not fitted yet. Call fit first."):
        getattr(TablePrep(), method)()
