"""Lags, differences and rolling windows beside pandas, and windows of a series for networks."""

import contextlib
import json
from datetime import timedelta
from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import estimator_checks_generator

from brickwork.prep import Differences, Lags, PrepError, RollingWindows, SchemaError, StateError, make_windows
from brickwork.prep import selectors as s
from brickwork.prep.windows.ranges import STATISTICS, range_statistics

SALES = pd.DataFrame(
    {
        "shop": ["a", "b", "a", "b", "a", "a"],
        "day": ["03.01.2024", "01.01.2024", "01.01.2024", "20.01.2024", "02.01.2024", "09.01.2024"],
        "sold": [3.0, 10.0, 1.0, 14.0, None, 4.0],
        "price": [1, 2, 1, 2, 1, 3],
    }
)


@st.composite
def panels(draw):
    """A shuffled table of a few series with gaps; days may be left out, and stand twice."""
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    values = np.where(rng.random(n) < 0.2, np.nan, np.round(rng.normal(0, 10, n), 1))
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 25, n), unit="D")
    return pd.DataFrame({"shop": rng.integers(0, 3, n), "day": day, "sold": values})


def by_pandas(table, take):
    """What `take` makes of each shop's sales in order of time, in the order of the rows."""
    ordered = table.sort_values(["shop", "day"], kind="stable")
    parts = [take(part) for _, part in ordered.groupby("shop")]
    return pd.concat(parts).loc[table.index].to_numpy()


# ---- beside pandas --------------------------------------------------------------------------------------------------


@given(panels(), st.integers(1, 5))
def test_lags_and_differences_are_those_of_pandas(table, lag):
    options = {"groups": "shop", "time": "day"}
    found = Lags("sold", lag, **options).fit_transform(table)
    np.testing.assert_array_equal(found[:, 0], by_pandas(table, lambda part: part["sold"].shift(lag)))
    found = Differences("sold", lag, **options).fit_transform(table)
    np.testing.assert_array_equal(found[:, 0], by_pandas(table, lambda part: part["sold"].diff(lag)))
    found = Differences("sold", [lag], relative=True, **options).fit_transform(table)
    expected = by_pandas(table, lambda part: part["sold"].pct_change(lag, fill_method=None))
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(panels(), st.integers(1, 9), st.integers(0, 2), st.one_of(st.none(), st.integers(1, 4)))
def test_rolling_windows_are_those_of_pandas(table, window, lag, least):
    least = None if least is None else min(least, window)
    found = RollingWindows(
        "sold", window, tuple(STATISTICS), lag=lag, min_periods=least, groups="shop", time="day"
    ).fit_transform(table)
    for place, name in enumerate(STATISTICS):
        periods = 0 if name == "count" else least
        expected = by_pandas(
            table, lambda part, n=name, p=periods: getattr(part["sold"].rolling(window, min_periods=p), n)().shift(lag)
        )
        np.testing.assert_allclose(found[:, place], expected, rtol=1e-9, atol=1e-9, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(panels(), st.integers(1, 12))
def test_windows_of_days_are_those_of_pandas(table, days):
    table["day"] += pd.to_timedelta(np.arange(len(table)), unit="min")  # pandas sees all rows of one time at the first
    made = RollingWindows("sold", timedelta(days=days), tuple(STATISTICS), groups="shop", time="day")
    found = made.fit_transform(table)
    for place, name in enumerate(STATISTICS):
        expected = by_pandas(
            table,
            lambda part, n=name: getattr(
                part.rolling(f"{days}D", on="day", min_periods=int(n != "count"))["sold"], n
            )(),
        )
        np.testing.assert_allclose(found[:, place], expected, rtol=1e-9, atol=1e-9, err_msg=name)


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=40), st.randoms())
def test_ranges_of_any_length_beside_a_plain_loop(values, random):
    values = np.array([np.nan if value is None else value for value in values])
    lower = np.maximum.accumulate([random.randint(0, i) for i in range(len(values))])
    lower = np.minimum(lower, np.arange(len(values)))
    found = dict(zip(STATISTICS, range_statistics(values, lower, list(STATISTICS), 1), strict=True))
    for i, low in enumerate(lower):
        inside = values[low : i + 1][~np.isnan(values[low : i + 1])]
        assert found["count"][i] == len(inside)
        for name in set(STATISTICS) - {"count", "std"}:
            expected = getattr(np, name)(inside) if len(inside) else np.nan
            np.testing.assert_allclose(found[name][i], expected, rtol=1e-9, atol=1e-6)
        expected = inside.std(ddof=1) if len(inside) > 1 else np.nan
        np.testing.assert_allclose(found["std"][i], expected, rtol=1e-7, atol=1e-6)


def test_what_has_left_a_window_leaves_no_trace():
    calm = np.random.default_rng(0).normal(size=50)
    loud = np.concatenate([[1e17, -3e16], calm])
    options = {"window": 7, "statistics": ("sum", "mean", "std", "median")}
    after = RollingWindows(**options).fit_transform(loud[:, None])[8:]
    assert after.tobytes() == RollingWindows(**options).fit_transform(calm[:, None])[6:].tobytes()


# ---- what a row looks at --------------------------------------------------------------------------------------------


def test_groups_and_times_order_the_rows():
    lags = Lags("sold", 1, groups="shop", time="day").fit(SALES)
    np.testing.assert_array_equal(lags.transform(SALES)[:, 0], [np.nan, np.nan, np.nan, 10, 1, 3])
    assert lags.columns_ == ("sold",) and lags.get_feature_names_out().tolist() == ["sold_lag_1"]
    both = Lags(lags=1, groups=["shop", "price"]).fit(SALES)
    assert both.columns_ == ("sold",), "of groups and times no lag is made by default"
    np.testing.assert_array_equal(both.transform(SALES)[:, 0], [np.nan, np.nan, 3, 10, 1, np.nan])
    assert Lags(s.numeric()).fit(SALES).columns_ == ("sold", "price")


def test_dates_in_text_keep_their_style():
    """At transform a table of few dates could be read in another order of day and month."""
    lags = Lags("sold", 1, time="day").fit(SALES)
    few = SALES.iloc[[0, 1]].assign(day=["02.03.2024", "03.02.2024"])
    np.testing.assert_array_equal(lags.transform(few)[:, 0], [10, np.nan])
    again = Lags.from_state(json.loads(json.dumps(lags.to_state())))
    np.testing.assert_array_equal(again.transform(few), lags.transform(few))


@settings(max_examples=40, deadline=None)
@given(panels(), st.integers(0, 3))
def test_history_is_enough_for_new_rows(table, which):
    """New rows with the history before them get what they get with all that was before them."""
    table = table.sort_values("day", kind="stable").reset_index(drop=True)
    old, new = table.iloc[: len(table) // 2], table.iloc[len(table) // 2 :]
    options = {"groups": "shop", "time": "day"}
    made = [
        Lags("sold", (1, 4), **options), Differences("sold", 2, **options),
        RollingWindows("sold", 4, ("sum", "count"), lag=which, **options),
        RollingWindows("sold", timedelta(days=5), ("sum", "median"), lag=which, **options),
    ][which].fit(table)  # fmt: skip
    whole = made.transform(table)[len(old) :]
    if len(old):
        history = made.history(old)
        assert isinstance(history, pd.DataFrame) and len(history) <= len(old)
        table = pd.concat([history, new])
        np.testing.assert_array_equal(made.transform(table)[len(history) :], whole)


def test_history_keeps_no_more_than_is_needed():
    table = {"x": list(range(20)), "g": ["a", "b"] * 10}
    assert Lags("x", (1, 3), groups="g").fit(table).history(table) == {"x": list(range(12, 20)), "g": ["a", "b"] * 4}
    assert len(RollingWindows("x", 2).fit(table).history(table)["x"]) == 2


def test_states_hold_durations_and_are_checked():
    options = {"window": timedelta(hours=36), "statistics": ("mean",), "groups": "shop", "time": "day"}
    made = RollingWindows("sold", **options).fit(SALES)
    assert made.get_feature_names_out().tolist() == ["sold_mean_36h"]
    state = json.loads(json.dumps(made.to_state()))
    again = RollingWindows.from_state(state)
    assert again.window == timedelta(hours=36)
    np.testing.assert_array_equal(again.transform(SALES), made.transform(SALES))
    learned = state["learned"]
    for name, value in (
        ("columns", []),
        ("columns", [9]),
        ("groups", [0, 0]),
        ("time", [0, 1]),
        ("style", "(a+)+$"),
        ("style", [1]),
    ):
        with pytest.raises(StateError):
            RollingWindows.from_state(state | {"learned": learned | {name: value}})
    for seconds in ("1", float("nan"), 1e20):
        with pytest.raises(StateError):
            RollingWindows.from_state(state | {"params": state["params"] | {"window": {"seconds": seconds}}})


def test_names():
    windows = {7: "7", timedelta(days=7): "7d", timedelta(minutes=90): "90min", timedelta(seconds=2.5): "2.5s"}
    for window, text in windows.items():
        made = RollingWindows("sold", window, "sum", lag=2, time="day").fit(SALES)
        assert made.get_feature_names_out().tolist() == [f"sold_sum_{text}_lag_2"]
    assert Differences("sold", range(1, 3), relative=True).fit(SALES).get_feature_names_out().tolist() == [
        "sold_change_1", "sold_change_2",
    ]  # fmt: skip


NEIGHBOURS = {"check_methods_sample_order_invariance", "check_methods_subset_invariance"}


@pytest.mark.parametrize("made", [Lags(lags=1), Differences(lags=1), RollingWindows(window=2)], ids=repr)
def test_scikit_learns_checks_hold_but_for_the_two_that_forbid_looking_at_neighbours(made):
    """Those two ask that a row gives the same in any order and company, which is what these are there not to do."""
    ran = set()
    for estimator, check in estimator_checks_generator(made):
        name = getattr(check, "func", check).__name__
        ran.add(name)
        if name in NEIGHBOURS:
            with pytest.raises(AssertionError):
                check(estimator)
        else:
            with contextlib.suppress(SkipTest):  # what a check skips it would skip for anyone
                check(estimator)
    assert ran >= NEIGHBOURS and len(ran) > 30


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (Lags(lags=0), "Lags.fit: lags must be an integer of 1 or more; got 0"),
        (Lags(lags=[1, 1]), r"lags must differ; got \[1, 1\]"),
        (Lags("shop"), "column 'shop' must hold numbers"),
        (Lags(s.boolean()), "a column of numbers is needed; got 'shop': text, 'day': text"),
        (Lags(groups="sold"), "column 'sold' must name the group of each row; got None in row 4"),
        (Lags(time="sold"), "column 'sold' must give the time of each row; got None in row 4"),
        (Lags(time=["sold", "day"]), "time is one column"),
        (Lags(time="shop"), "'shop'"),
        (Lags("sld"), r"the table must have the column; got 'sld' \(nearest: 'sold'\)"),
        (Differences(relative=1), "relative must be True or False; got 1"),
        (RollingWindows(window=0), "window must be an integer of 1 or more; got 0"),
        (RollingWindows(window=timedelta()), "window must be a duration above 0"),
        (RollingWindows(window=timedelta(1)), "a window of a duration needs time=, a column of dates; got time=None"),
        (RollingWindows(window=timedelta(1), time="price"), "needs time=, a column of dates; got time='price'"),
        (RollingWindows(window=7, min_periods=8), "min_periods must be at most window=7; got 8"),
        (RollingWindows(lag=-1), "lag must be an integer of 0 or more; got -1"),
        (RollingWindows(statistics=("mean", "avg")), "statistics must be a tuple of different ones of mean, std"),
        (RollingWindows(statistics=()), "statistics must be a tuple"),
    ],
    ids=str,
)
def test_refuses(made, text):
    with pytest.raises((PrepError, SchemaError), match=text):
        made.fit(SALES)


# ---- windows for networks -------------------------------------------------------------------------------------------


@given(st.integers(4, 30), st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3), st.booleans())
def test_windows_beside_a_plain_loop(t, length, horizon, stride, gap, wide):
    series = np.arange(t * 2, dtype=np.float32).reshape(t, 2) if wide else np.arange(t, dtype=np.int16)
    starts = [i for i in range(0, t, stride) if i + length + gap + horizon <= t]
    if not starts:
        with pytest.raises(PrepError, match="a window and what follows it need points"):
            make_windows(series, length, horizon, stride, gap=gap)
        return
    X, y = make_windows(series, length, horizon, stride, gap=gap)
    points = series.reshape(t, -1)
    np.testing.assert_array_equal(X, [points[i : i + length] for i in starts])
    np.testing.assert_array_equal(y, [points[i + length + gap :][:horizon] for i in starts])
    assert X.dtype == y.dtype == series.dtype
    assert np.shares_memory(X, series) and np.shares_memory(y, series) and not X.flags.writeable


def test_targets_and_tables():
    series = np.arange(20.0).reshape(10, 2)
    X, y = make_windows(series, 3, 2, target=1)
    assert X.shape == (6, 3, 2) and y.shape == (6, 2) and y[0].tolist() == [7, 9]
    assert make_windows(series, 3, 2, target=[1])[1].shape == (6, 2, 1)
    table = pd.DataFrame(series, columns=["load", "wind"])
    X_table, y_table = make_windows(table, 3, 2, target="wind")
    np.testing.assert_array_equal(X_table, X)
    np.testing.assert_array_equal(y_table, y)
    assert make_windows(table, 3, target=s.all())[1].shape == (7, 1, 2)
    assert make_windows(pd.Series([1, 2, 3]), 2)[0].shape == (1, 2, 1)
    million = np.zeros((1_000_000, 4))
    assert make_windows(million, 512, 96)[0].shape == (999_393, 512, 4), "a copy would take 16 TB"


def test_windows_refuse():
    for options, text in (
        ({"length": 0}, "length must be an integer of 1 or more; got 0"), ({"gap": -1}, "gap must be an integer of 0"),
        ({"horizon": 1.5}, "horizon must be an integer"), ({"target": "z"}, "the table must have the column; got 'z'"),
        ({"length": 10}, "got 10 points for length=10, gap=0, horizon=1. Give a longer series"),
    ):  # fmt: skip
        with pytest.raises(PrepError, match=f"make_windows: .*{text}"):
            make_windows(np.zeros(10), **({"length": 2} | options))
    with pytest.raises(SchemaError, match="column 'x' must hold numbers"):
        make_windows({"x": ["a", "b", "c"]}, 1)
