"""What a transformer knows of its table, and what it says of another: missing, extra, reordered and retyped columns."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.validation import check_is_fitted

from brickwork.prep import MinMaxScaler, PrepError, SchemaError, StandardScaler
from brickwork.prep.schema import ColumnSchema

from .catalogue import CASES

TABLE = pd.DataFrame({"size": [1.0, 2.0, 4.0, np.nan], "count": [1, 2, 3, 4], "price": [0.5, 0.25, 1.0, 2.0]})


@pytest.fixture
def scaler():
    return StandardScaler().fit(TABLE)


def refused(call, text):
    with pytest.raises(SchemaError, match=re.escape(text)) as caught:
        call()
    return caught.value


# ---- what is known -------------------------------------------------------------------------------------------------


def test_the_schema_says_what_each_column_was(mixed):
    seen = pd.to_datetime(mixed["seen"], utc=True)
    found = {one.name: one for one in _schema_of(mixed)}
    assert (found["size"].form, found["size"].n, found["size"].missing) == ("number", 40, 2)
    assert (found["size"].low, found["size"].high) == (mixed["size"].min(), mixed["size"].max())
    assert found["size"].missing_rate == 0.05
    assert found["seen"].form == "datetime" and found["seen"].low == seen.min().timestamp() * 1e6
    assert found["ringed"].form == "boolean" and (found["ringed"].low, found["ringed"].high) == (0, 1)
    assert found["island"].categories == mixed["island"].value_counts().to_dict() and found["island"].others == 0
    assert found["nothing"].low is None and found["nothing"].missing == 40


def _schema_of(frame):
    from brickwork.prep.frame import open_table

    table = open_table(frame, "test")
    found = []
    for position, name in enumerate(table.names):
        column = table.column(position)
        found.append(ColumnSchema(name, column.form))
        found[-1].update(column)
    return found


def test_of_many_categories_the_most_frequent_are_kept():
    words = ["often"] * 50 + [f"word {i}" for i in range(1000)]
    (found,) = _schema_of(pd.DataFrame({"a": words}))
    assert len(found.categories) == 256 and found.categories["often"] == 50 and found.others == 745


def test_parts_tell_what_the_whole_tells(mixed):
    whole = _schema_of(mixed)
    parts = [_schema_of(mixed.iloc[part]) for part in (slice(0, 7), slice(7, 30), slice(30, None))]
    for before, *rest in zip(*parts, strict=True):
        for one in rest:
            before.merge(one)
    for a, b in zip(whole, parts[0], strict=True):
        assert a.categories == b.categories and {**a.to_state(), "categories": 0} == {**b.to_state(), "categories": 0}


def test_a_part_without_values_has_no_form_of_its_own():
    first, second = _schema_of({"a": [None, None]}), _schema_of({"a": ["x", "y"]})
    assert ColumnSchema.from_state(first[0].to_state(), "here").form == first[0].form
    first[0].merge(second[0])
    assert first[0].form == "text" and (first[0].n, first[0].missing) == (4, 2)
    second[0].merge(_schema_of({"a": [None]})[0])
    assert second[0].form == "text"


# ---- missing, extra, reordered -------------------------------------------------------------------------------------


def test_a_missing_column_is_named_with_the_nearest_that_is_there(scaler):
    given = TABLE.rename(columns={"size": "Size"}).drop(columns="price")
    error = refused(
        lambda: scaler.transform(given),
        "StandardScaler.transform: column 'size' was there at fit and is missing; got columns 'Size', 'count' "
        "(nearest: 'Size'). Add or rename it. Also missing: 'price'.",
    )
    assert error.column == "size"


def test_order_is_free_and_extra_columns_are_ignored(scaler):
    given = TABLE.assign(more="text", other=[[1], [2], [3], [4]])[["more", "price", "size", "other", "count"]]
    np.testing.assert_array_equal(scaler.transform(given), scaler.transform(TABLE))
    np.testing.assert_array_equal(scaler.transform(given.to_dict("list")), scaler.transform(TABLE))


def test_an_array_must_be_as_wide_as_the_table_of_fit(scaler):
    refused(
        lambda: scaler.transform(np.zeros((2, 4))),
        "StandardScaler.transform: X has 4 features, but StandardScaler is expecting 3 features as input. "
        "Give the same columns in the same order, or a table with names.",
    )
    with pytest.warns(UserWarning, match="X does not have valid feature names, but StandardScaler was fitted with"):
        scaler.transform(TABLE.to_numpy())
    unnamed = StandardScaler().fit(TABLE.to_numpy())
    with pytest.warns(UserWarning, match="X has feature names, but StandardScaler was fitted without"):
        unnamed.transform(TABLE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unnamed.transform(TABLE.to_numpy())


def test_doubled_names_are_refused(scaler):
    doubled = pd.concat([TABLE, TABLE[["size"]]], axis=1)
    refused(lambda: scaler.transform(doubled), "column names must differ from one another; got 'size' more than once.")


# ---- retyped -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "rows", "values", "text"),
    [
        (["1", "x", "3", "y"], (1, 3), ["x", "y"], "must hold numbers; got 'x', 'y' in rows 1, 3. Mend these values"),
        ([1.0, np.inf, 2.0, 3.0], (1,), [np.inf], "must be finite; got inf in row 1. Replace them by NaN"),
        (pd.to_datetime(["2024-01-02", None, "2024-01-03", None]), (0, 2), ["2024-01-02T00:00:00.000000",
         "2024-01-03T00:00:00.000000"], "in rows 0, 2. The column now holds dates: give it as it was at fit"),
        ([[1], None, [2], 3.0], (0, 2), None, "in rows 0, 2. The column now holds other objects"),
    ],
)  # fmt: skip
def test_a_retyped_column_is_refused_with_its_rows_and_values(scaler, column, rows, values, text):
    error = refused(lambda: scaler.transform(TABLE.assign(size=column)), text)
    assert str(error).startswith("StandardScaler.transform: column 'size' must ")
    assert (error.column, error.rows) == ("size", rows)
    assert values is None or list(error.values) == values


@pytest.mark.parametrize("column", [["1", "2", "4", None], [1, 2, 4, None], pd.array([1, 2, 4, None], dtype="Int32")])
def test_other_types_of_the_same_numbers_are_the_same(scaler, column):
    given = TABLE.assign(size=column)
    np.testing.assert_array_equal(scaler.transform(given), scaler.transform(TABLE))


def test_many_bad_rows_are_counted():
    fitted = MinMaxScaler().fit({"a": [1.0, 2.0]})
    text = "got 'x0', 'x1', 'x2', 'x3', 'x4' in rows 0, 1, 2, 3, 4 (and 95 more)"
    refused(lambda: fitted.transform({"a": [f"x{i}" for i in range(100)]}), text)


# ---- every transformer ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_transformer_names_the_column(case):
    """A column that is gone is refused by name, or was not needed; so is one of lists, where it is read."""
    fitted = case.make().fit(case.X, case.y)
    check_is_fitted(fitted)
    start = f"{type(fitted).__name__}.transform: column "
    for name in case.X.columns if case.X.shape[1] > 1 else ():
        try:
            found = _dense(fitted.transform(case.X.drop(columns=name)))
        except PrepError as error:
            assert error.column == name and str(error).startswith(
                f"{start}{name!r} was there at fit and is missing; got"
            )
        else:
            whole = _dense(fitted.transform(case.X))
            pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(whole), check_dtype=False)
        try:
            fitted.transform(case.X.assign(**{name: [[1]] * len(case.X)}))
        except PrepError as error:
            assert error.column == name and f"column {name!r}" in str(error)


def _dense(found):
    return np.asarray(found.toarray() if hasattr(found, "toarray") else found)
