"""What each column is found to be, why, and what becomes of it."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from brickwork.prep import TablePrep

N = 24
COUNTED = [f"{i}" for i in range(N)]


def kind_of(values, name="c", **options) -> str:
    with_company = {name: values, "company": [float(i % 5) for i in range(len(values))]}
    return TablePrep(**options).fit(with_company).kinds_[name]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.5, 2.5, None] * 8, "numeric"),
        ([1, 0] * 12, "numeric"),
        ([1.0, None] * 12, "numeric"),
        ([3, True] * 12, "numeric"),
        (["1.5", "2", " 3e4 "] * 8, "numeric"),
        (["01234", "02345"] * 12, "categorical"),
        (["1", "2", "A"] * 8, "categorical"),
        (["yes", "no"] * 12, "categorical"),
        (["a", 1, True, None] * 6, "categorical"),
        ([True, False, None] * 8, "boolean"),
        (["true", "False", ""] * 8, "boolean"),
        ([date(2024, 1, 2), date(2024, 3, 4), None] * 8, "datetime"),
        ([datetime(2024, 1, 2, 3), np.datetime64("2024-05-06"), float("nan")] * 8, "datetime"),
        (["2024-01-02", "2024-01-03T04:05:06.789+02:00", None] * 8, "datetime"),
        (["31/12/2024", "1/2/2025"] * 12, "datetime"),
        (["Dec 31, 2024", "January 2 2025"] * 12, "datetime"),
        (["30 Feb 2024", "1 Mar 2024"] * 12, "categorical"),
        ([f"code {i}" for i in range(N)], "identifier"),
        ([f"code {i}" for i in range(10)], "categorical"),
        (list(range(N)), "identifier"),
        (list(range(1, N + 1)), "identifier"),
        (list(range(1990, 1990 + N)), "numeric"),
        (["same"] * N, "constant"),
        ([4] * N, "constant"),
        ([None] * N, "empty"),
        (["", "  "] * 12, "empty"),
    ],
)
def test_kind(values, kind):
    assert kind_of(values) == kind


@pytest.mark.parametrize("name", ["id", "user_id", "userId", "Unnamed: 0", "INDEX", "sample.key"])
def test_whole_numbers_under_an_identifiers_name_identify(name):
    assert kind_of([i * i for i in range(N)], name) == "identifier"


@pytest.mark.parametrize("name", ["paid", "humidity", "grid", "monkey"])
def test_other_names_do_not(name):
    assert kind_of([i * i for i in range(N)], name) == "numeric"


def test_an_array_has_no_identifiers():
    X = np.column_stack([np.arange(N), np.arange(N) % 3])
    assert TablePrep().fit(X).kinds_ == {"x0": "numeric", "x1": "numeric"}


@pytest.mark.parametrize(
    ("series", "kind"),
    [
        (pd.Series([1, 2, None] * 8, dtype="Int64"), "numeric"),
        (pd.Series([1.5, 2.5, None] * 8, dtype="Float32"), "numeric"),
        (pd.Series([True, False, None] * 8, dtype="boolean"), "boolean"),
        (pd.Series(["a", "b", None] * 8, dtype="string"), "categorical"),
        (pd.Series(["a", "b", None] * 8, dtype=object), "categorical"),
        (pd.Series([1, 2, None] * 8).astype("category"), "categorical"),
        (pd.Series(COUNTED).astype("category"), "categorical"),
        (pd.Series(pd.date_range("2024", periods=N, tz="Asia/Tokyo")), "datetime"),
        (pd.Series(pd.period_range("2024-01", periods=N, freq="M")), "datetime"),
        (pd.Series(pd.to_timedelta([1, 2, None] * 8, unit="h")), "numeric"),
        (pd.Series([0.0, 0.0, 1.0] * 8).astype(pd.SparseDtype("float64", 0.0)), "numeric"),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_pandas_dtype(series, kind):
    frame = pd.DataFrame({"c": series, "company": np.arange(N) % 5})
    prep = TablePrep().fit(frame)
    assert prep.kinds_["c"] == kind
    assert np.isfinite(prep.transform(frame)).all()


def test_objects_are_dropped_with_a_warning():
    X = {"c": [1.0, {"a": 1}, 2.0], "d": [1, 2, 3]}
    with pytest.warns(UserWarning, match=r"TablePrep.fit: column 'c' is dropped; got 'dict' in row 1\."):
        prep = TablePrep().fit(X)
    assert prep.kinds_["c"] == "unsupported"


def test_dates_among_numbers_are_not_guessed():
    with pytest.warns(UserWarning, match="in row 2"):
        TablePrep().fit({"c": [1.0, 2.0, date(2024, 1, 1)], "d": [1, 2, 3]})


def test_kinds_overrides_by_name_and_by_position():
    assert kind_of([1, 2, 3] * 8, kinds={"c": "categorical"}) == "categorical"
    assert kind_of(list(range(N)), kinds={"c": "numeric"}) == "numeric"
    assert kind_of(["yes", "no"] * 12, kinds={"c": "boolean"}) == "boolean"
    assert kind_of([1.5, 2.5] * 12, kinds={"c": "drop"}) == "drop"
    assert TablePrep(kinds={1: "categorical"}).fit([[1, 2], [3, 4]]).kinds_ == {"x0": "numeric", "x1": "categorical"}


def test_describe(mixed):
    reports = {report.name: report for report in TablePrep().fit(mixed).describe()}
    assert list(reports) == list(mixed.columns)
    assert {name: report.kind for name, report in reports.items()} == {
        "row_id": "identifier",
        "size": "numeric",
        "count": "numeric",
        "island": "categorical",
        "ringed": "boolean",
        "seen": "datetime",
        "told": "datetime",
        "price": "numeric",
        "tag": "identifier",
        "planet": "constant",
        "nothing": "empty",
    }
    assert [reports[name].missing for name in ("size", "island", "ringed", "seen", "nothing")] == [2, 1, 1, 1, 40]
    assert reports["island"].categories == ("Biscoe", "Dream", "Torgersen")
    assert reports["planet"].why == "every value is 'Earth'"
    assert reports["planet"].action == "dropped" and reports["planet"].features == ()
    assert reports["told"].why == "text read as day/month/year"
    assert reports["size"].features == ("size", "size_missing")


def test_an_ambiguous_order_of_day_and_month_is_said():
    (report, _) = TablePrep().fit({"c": ["1/2/2024", "3/4/2024"], "d": [1, 2]}).describe()
    assert report.why == "text read as month/day/year, though day first fits too"
