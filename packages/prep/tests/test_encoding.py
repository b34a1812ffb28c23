"""The numbers each kind becomes, against scikit-learn where it has the same and against plain arithmetic where not."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from brickwork.prep import SchemaError, TablePrep


def feature(prep: TablePrep, X, name: str) -> list[float]:
    return prep.transform(X)[:, prep.get_feature_names_out().tolist().index(name)].tolist()


def test_numbers_agree_with_scikit_learn():
    X = np.random.default_rng(0).normal(5, 3, (50, 4))
    np.testing.assert_allclose(TablePrep().fit_transform(X), StandardScaler().fit_transform(X), rtol=1e-6, atol=1e-6)


def test_missing_numbers_are_medians_with_an_indicator():
    X = np.array([[1.0], [np.nan], [2.0], [9.0]])
    out = TablePrep().fit_transform(X)
    filled = SimpleImputer(strategy="median").fit_transform(X)[:, 0]
    present = X[~np.isnan(X)]
    np.testing.assert_allclose(out[:, 0], (filled - present.mean()) / present.std(), rtol=1e-6)
    assert out[:, 1].tolist() == [0, 1, 0, 0]


def test_a_number_missing_only_at_transform_is_the_median():
    prep = TablePrep().fit({"a": [1.0, 2.0, 9.0]})
    assert prep.n_features_out_ == 1
    assert prep.transform({"a": [None]}) == prep.transform({"a": [2.0]})


def test_categories_agree_with_scikit_learn():
    X = np.random.default_rng(0).choice(["a", "b", "c"], (50, 1)).astype(object)
    out = TablePrep().fit_transform(X)
    np.testing.assert_array_equal(out[:, :3], OneHotEncoder(sparse_output=False).fit_transform(X))
    assert not out[:, 3:].any()


def test_unseen_and_missing_have_places():
    prep = TablePrep().fit({"c": ["a", "b", "a"]})
    assert prep.get_feature_names_out().tolist() == ["c_a", "c_b", "c_unseen", "c_missing"]
    np.testing.assert_array_equal(prep.transform({"c": ["b", "z", None, "", "a"]}), np.eye(4)[[1, 2, 3, 3, 0]])


def test_rare_categories_share_the_unseen_place():
    values = ["a"] * 5 + ["b"] * 4 + ["c", "d"]
    prep = TablePrep(max_categories=2, high_cardinality="frequent").fit({"c": values})
    out = prep.transform({"c": values})
    assert prep.get_feature_names_out().tolist() == ["c_a", "c_b", "c_unseen", "c_missing", "c_frequency"]
    assert out[:, :4].sum(axis=0).tolist() == [5, 4, 2, 0]
    np.testing.assert_allclose(out[[0, 5, 9, 10], 4], np.log1p([5, 4, 1, 1]) / np.log1p(5), rtol=1e-6)
    assert prep.transform({"c": ["z", None]})[:, 4].tolist() == [0, 0]
    assert "the 2 rarest" in prep.describe()[0].action


def test_categories_of_numbers_do_not_care_how_numbers_come():
    prep = TablePrep(kinds={"year": "categorical"}).fit(pd.DataFrame({"year": [2007, 2008, 2008]}))
    want = [[1, 0, 0, 0]]
    for year in (2007, 2007.0, "2007", np.int16(2007), pd.array([2007], dtype="Int64")[0]):
        np.testing.assert_array_equal(prep.transform([{"year": year}]), want)


def test_booleans():
    prep = TablePrep().fit({"b": [True, None, False, True]})
    np.testing.assert_array_equal(prep.transform({"b": [True, None, False]}), [[1, 0], [1, 1], [0, 0]])
    assert prep.transform({"b": ["True"]}).tolist() == prep.transform({"b": [1]}).tolist() == [[1, 0]]
    with pytest.raises(SchemaError, match="column 'b' must hold true or false; got 2 in row 1"):
        prep.transform({"b": [1, 2]})


def test_dates_become_parts():
    moments = pd.date_range("1999-12-28 05:30", periods=60, freq="97h")
    X = pd.DataFrame({"d": moments})
    prep = TablePrep().fit(X)
    names = "time year month day weekday hour month_sin month_cos weekday_sin weekday_cos hour_sin hour_cos"
    assert prep.get_feature_names_out().tolist() == [f"d_{name}" for name in names.split()]
    for part in ("year", "month", "day", "weekday"):
        values = getattr(moments, "day_of_week" if part == "weekday" else part).to_numpy(dtype=float)
        np.testing.assert_allclose(feature(prep, X, f"d_{part}"), (values - values.mean()) / values.std(), atol=1e-6)
    np.testing.assert_allclose(feature(prep, X, "d_month_sin"), np.sin(2 * np.pi * moments.month / 12), atol=1e-6)
    np.testing.assert_allclose(
        feature(prep, X, "d_weekday_cos"), np.cos(2 * np.pi * moments.day_of_week / 7), atol=1e-6
    )
    hours = moments.hour + moments.minute / 60
    np.testing.assert_allclose(feature(prep, X, "d_hour_cos"), np.cos(2 * np.pi * hours / 24), atol=1e-6)


def test_a_part_that_does_not_vary_is_left_out():
    prep = TablePrep().fit({"d": ["2024-03-01", "2024-03-08", "2024-03-15"]})
    assert prep.get_feature_names_out().tolist() == ["d_time", "d_day"]


def test_dates_agree_however_they_come():
    prep = TablePrep().fit({"d": ["2024-03-01 10:00", None, "2024-05-08 12:00", "2023-01-15 23:30"]})
    want = prep.transform({"d": ["2024-05-08T12:00:00Z"]})
    stamp = pd.Timestamp("2024-05-08 21:00", tz="Asia/Tokyo")
    for value in (stamp, stamp.to_pydatetime(), np.datetime64("2024-05-08T12"), "2024-05-08 07:00-05:00"):
        np.testing.assert_array_equal(prep.transform({"d": [value]}), want)
    np.testing.assert_array_equal(prep.transform(pd.DataFrame({"d": [stamp]})), want)
    assert prep.transform({"d": [None]})[0, -1] == 1


def test_extremes_stay_finite():
    prep = TablePrep().fit({"a": [1e308, -1e308, 5e307], "b": [1e-310, 2e-310, 0.0], "c": [1.0, 1.0, None]})
    out = prep.transform({"a": [1.7e308, None], "b": [1e300, -1e300], "c": [1e300, 1.0]})
    assert np.isfinite(out).all()


def test_shape_dtype_and_order():
    out = TablePrep().fit_transform({"a": [1, 2, 3], "c": ["x", "y", "x"]})
    assert out.shape == (3, 5) and out.dtype == np.float32 and out.flags.c_contiguous


def test_feature_names_never_double():
    prep = TablePrep().fit({"c": ["missing", "unseen", "a"], "c_a": [1.0, 2.0, 3.0]})
    names = prep.get_feature_names_out().tolist()
    assert names == ["c_a", "c_missing", "c_unseen", "c_unseen_2", "c_missing_2", "c_a_2"]


def test_text_that_is_no_valid_unicode_is_a_category_like_any():
    prep = TablePrep().fit({"c": ["\ud800", "a", "\0", "a\0"]})
    np.testing.assert_array_equal(prep.transform({"c": ["\0", "a", "a\0", "\ud800"]}), np.eye(6)[:4])


def test_moments_at_the_ends_of_the_calendar():
    zones = [timezone(timedelta(hours=hours)) for hours in (14, -12)]
    X = {"d": [datetime.min.replace(tzinfo=zones[0]), datetime.max.replace(tzinfo=zones[1]), None]}
    assert np.isfinite(TablePrep().fit_transform(X)).all()


def test_decimals_and_fractions_are_numbers():
    X = {"a": [Decimal("1.5"), Decimal("sNaN"), Fraction(5, 2), None, np.float32(3.5)]}
    plain = {"a": [1.5, None, 2.5, None, 3.5]}
    np.testing.assert_array_equal(TablePrep().fit_transform(X), TablePrep().fit_transform(plain))


def test_categories_that_no_row_holds_do_no_harm():
    prep = TablePrep().fit({"a": [1.0, 2.0]})
    column = pd.Categorical(["1", "2"], categories=["x", "1", "2"])
    np.testing.assert_array_equal(prep.transform(pd.DataFrame({"a": column})), prep.transform({"a": [1, 2]}))
    assert TablePrep().fit(pd.DataFrame({"a": column})).describe()[0].categories == ("1", "2")
