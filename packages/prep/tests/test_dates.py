"""Dates: parts against pandas's own, styles of text, differences, holidays."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork.prep import DateDifference, DatetimeEncoder, HolidayFlags, PrepError, SchemaError, StateError, TimeSince
from brickwork.prep.dates.parts import CYCLES, FORMULAS, circle, splines
from brickwork.prep.dates.zones import parts_in
from brickwork.prep.evaluation import evaluate
from brickwork.prep.literals.dates import ISO, SOME, STYLES, find_style, read_all, read_date
from brickwork.prep.scalar import scalar

RNG = np.random.default_rng(0)
DAYS = np.arange(-100_000, 100_000) * 86_400_000_000  # the years 1696 to 2243
TICKS = np.concatenate([DAYS, DAYS - 1, RNG.integers(-8e15, 8e15, 50_000)])
ALONE = [scalar(formula) for formula in FORMULAS.values()]


def test_parts_are_those_of_pandas():
    moments = pd.Series(TICKS.view("datetime64[us]")).dt
    want = {name: getattr(moments, name) for name in ("year", "quarter", "month", "day", "hour", "minute", "second")}
    want |= {name: getattr(moments, name) for name in ("is_month_start", "is_month_end")}
    want |= {"dayofyear": moments.day_of_year, "weekday": moments.day_of_week, "week": moments.isocalendar().week}
    want["is_weekend"] = moments.day_of_week >= 5
    found = dict(zip(want, evaluate([FORMULAS[name] for name in want], [TICKS.astype(float)]), strict=True))
    for name, values in want.items():
        np.testing.assert_array_equal(found[name], values.to_numpy(float), err_msg=name)


@given(st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2250, 1, 1)))
def test_one_row_has_the_same_parts(moment):
    tick = float((moment - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1))
    whole = evaluate(list(FORMULAS.values()), [np.array([tick])])
    assert [float(value[0]) for value in whole] == [float(one([tick])) for one in ALONE]
    assert FORMULAS.keys() >= CYCLES.keys()


def test_compiled_parts_are_the_same():
    bt = pytest.importorskip("brickwork.tensor", reason="tensor-core is not installed beside prep")
    formulas = [*FORMULAS.values(), *circle("month"), *splines("hour"), parts_in("Europe/Berlin")["hour"]]
    ticks = np.concatenate([DAYS[::50], DAYS[::50] - 1]).astype(float)
    compiled = bt.jit(lambda moments: evaluate(formulas, [moments], bt))  # by graph-exec where it is installed
    for found, want in zip(compiled(bt.asarray(ticks)), evaluate(formulas, [ticks]), strict=True):
        np.testing.assert_allclose(np.asarray(found.numpy(), float), np.asarray(want, float), rtol=0, atol=1e-15)


@pytest.mark.parametrize("part", CYCLES)
def test_cycles_close(part):
    ticks = TICKS[:4000].astype(float)
    sine, cosine = evaluate(circle(part), [ticks])
    np.testing.assert_allclose(sine**2 + cosine**2, 1, rtol=1e-12)
    bumps = np.array(evaluate(splines(part), [ticks]))
    np.testing.assert_allclose(bumps.sum(axis=0), 1, rtol=1e-12)
    assert bumps.min() >= -1e-15 and len(bumps) == CYCLES[part][1]


def test_a_spline_goes_round_the_year():
    near = np.array(evaluate(splines("time_of_day"), [np.array([0.0, 86_399_999_999.0])]))
    np.testing.assert_allclose(near[:, 0], near[:, 1], atol=1e-9)


READ = {
    "2024-02-29T23:30:00.25+01:30": ("year-month-day", dt.datetime(2024, 2, 29, 22, 0, 0, 250_000)),
    "2024/2/9 7:05": ("year-month-day", dt.datetime(2024, 2, 9, 7, 5)),
    "2024-02-09 07:05 UTC": ("year-month-day", dt.datetime(2024, 2, 9, 7, 5)),
    "2024-02-09T07:05-05": ("year-month-day", dt.datetime(2024, 2, 9, 12, 5)),
    "12/31/2024, 12:05 AM": ("month/day/year", dt.datetime(2024, 12, 31, 0, 5)),
    "31.12.2024 12:05 p.m.": ("day/month/year", dt.datetime(2024, 12, 31, 12, 5)),
    "Tue, 31 Dec 2024 10:00:00 GMT": ("day month-name year", dt.datetime(2024, 12, 31, 10)),
    "3rd March, 2024": ("day month-name year", dt.datetime(2024, 3, 3)),
    "Sept. 1, 2024": ("month-name day, year", dt.datetime(2024, 9, 1)),
    "2024-W01-1": ("year-week-weekday", dt.datetime(2024, 1, 1)),
    "2020W53": ("year-week-weekday", dt.datetime(2020, 12, 28)),
    "2024-07": ("year-month", dt.datetime(2024, 7, 1)),
    "20240731": ("yearmonthday", dt.datetime(2024, 7, 31)),
}


@pytest.mark.parametrize("text", READ)
def test_styles(text):
    style, moment = READ[text]
    assert find_style([text]) == style
    assert read_date(text, style) == (moment - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    "text",
    ["2023-02-29", "2024-01-01 13:00 pm", "2024-W54", "32 May 2024", "5 Maybe 2024", "99990231", "", "٢٠٢٤-01-01"],
)
def test_what_is_no_date(text):
    assert all(read_date(text, style) is None for style in STYLES)


WRITTEN = ["%Y-%m-%d", "%Y/%m/%d %H:%M", "%Y.%m.%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%MZ"]
DAMAGED = [
    *("2023-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "2024-01/02", "0000-01-01", "2024-1-1", "20240101", ""),
    *("2024-01-01 24:00", "2024-01-01x10:00", "2024-01-01 10:60", "2024-01-01 10.30", "2024-01-01 1:30:00"),
    *("2024-01-01T10:30:00.12345678", "2024-01-01T10:30:00,5", " 2024-01-01 ", "2024-01-0\x00", "2024-01-0١"),
]


@given(st.lists(st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)), min_size=1, max_size=8), st.randoms())
def test_many_dates_are_read_as_one_is(moments, random):
    texts = [moment.strftime(random.choice(WRITTEN)) for moment in moments] * SOME + DAMAGED
    texts += [text[:-1] + random.choice("0123456789:-.T ") for text in texts[: len(moments)]]
    assert read_all(texts, ISO) == [read_date(text, ISO) for text in texts]


def test_only_parts_that_vary_come_out():
    X = pd.DataFrame({"d": pd.date_range("2024-01-01", "2024-01-09")})
    assert DatetimeEncoder().fit(X).parts_ == {"d": ("total_seconds", "day", "weekday")}
    assert DatetimeEncoder(["year"]).fit_transform(X).tolist() == [[2024.0]] * 9
    assert DatetimeEncoder().fit({"d": [None, None]}).transform({"d": ["2024-01-01"]}).shape == (1, 0)


def test_a_later_chunk_tells_the_style():
    early, late = {"d": ["03/04/2024", "01/02/2024"]}, {"d": ["13/04/2024"]}
    encoder = DatetimeEncoder(["month"]).fit(early)
    assert encoder.transform(early).ravel().tolist() == [3.0, 1.0]
    assert encoder.partial_fit(late).transform(early).ravel().tolist() == [4.0, 2.0]
    merged = DatetimeEncoder(["month"]).fit(early).merge(DatetimeEncoder(["month"]).fit(late))
    assert merged.to_state() == encoder.to_state()
    assert DatetimeEncoder(["month"], style="day/month/year").fit(early).transform(early)[0, 0] == 4.0
    with pytest.raises(PrepError, match="one style; got day/month/year in one part, month/day/year in another"):
        merged.merge(DatetimeEncoder(["month"]).fit({"d": ["04/13/2024"]}))


def test_text_of_two_styles_is_refused():
    with pytest.raises(SchemaError, match=r"most like month/day/year\); got '31/12/2024' in row 2") as caught:
        DatetimeEncoder().fit({"d": ["1/2/2024", "1/13/2024", "31/12/2024"]})
    assert caught.value.rows == (2,) and caught.value.column == "d"
    with pytest.raises(SchemaError, match="'soon' in row 1"):
        DatetimeEncoder(["day"]).fit({"d": ["2024-01-01"]}).transform({"d": ["2024-01-01", "soon"]})


@pytest.mark.parametrize(("epoch", "factor"), [("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)])
def test_numbers_count_from_1970(epoch, factor):
    seconds = 1_700_000_000
    encoder = DatetimeEncoder(["year", "hour", "second"], epoch=epoch).fit({"d": [seconds * factor]})
    assert encoder.transform({"d": [seconds * factor]}).tolist() == [[2023.0, 22.0, 20.0]]
    assert encoder.transform({"d": ["2023-11-14T22:13:20"]}).tolist() == [[2023.0, 22.0, 20.0]]


def test_numbers_that_are_no_seconds_are_refused():
    for values, what in (([2013, 2014], "years"), ([20240131, 20231231], "year, month and day")):
        with pytest.raises(SchemaError, match=f"read as {what}"):
            DatetimeEncoder().fit({"d": values})
    with pytest.raises(SchemaError, match="years 1 to 9999"):
        DatetimeEncoder().fit({"d": [1.7e18, 1.8e18]})
    with pytest.raises(SchemaError, match="must hold dates"):
        DatetimeEncoder(["day"]).fit({"d": ["2024-01-01"]}).transform({"d": [1.0]})


def test_zones_are_utc_inside():
    berlin = pd.DataFrame({"d": pd.date_range("2024-07-01", periods=2, freq="h", tz=ZoneInfo("Europe/Berlin"))})
    assert DatetimeEncoder(["day", "hour"]).fit_transform(berlin).tolist() == [[30.0, 22.0], [30.0, 23.0]]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_clocks_of_a_zone_are_those_of_pandas(zone):
    hours = pd.date_range("1950-01-01", "2090-01-01", freq="7001min", tz="UTC")
    changes = pd.Series(hours).dt.tz_convert(zone)
    parts = ["year", "month", "day", "hour", "minute"]
    encoder = DatetimeEncoder([*parts, "total_seconds"], zone=zone).fit(pd.DataFrame({"d": hours}))
    found = encoder.transform(pd.DataFrame({"d": changes}))
    want = np.column_stack([getattr(changes.dt, part).to_numpy(float) for part in parts])
    np.testing.assert_array_equal(found[:, :-1], want)
    np.testing.assert_array_equal(found[:, -1], hours.as_unit("s").asi8.astype(float))
    spring = ["2024-03-31T00:59:59.999999", "2024-03-31T01:00"]
    again = DatetimeEncoder.from_state(encoder.to_state()).transform({"d": [f"{text}Z" for text in spring]})
    np.testing.assert_array_equal(again, encoder.transform({"d": spring}))
    state = encoder.to_state()
    state["learned"]["statistics"][0]["zone"] = "Nowhere"
    with pytest.raises(StateError, match="zone must be"):
        DatetimeEncoder.from_state(state)


def test_only_parts_that_vary_by_the_clocks_of_a_zone_come_out():
    midnights = pd.DataFrame({"d": pd.date_range("2024-03-30", periods=3, tz="Europe/Berlin").tz_convert("UTC")})
    assert "hour" in DatetimeEncoder().fit(midnights).parts_["d"]
    assert "hour" not in DatetimeEncoder(zone="Europe/Berlin").fit(midnights).parts_["d"]


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"zone": "Berlin"}, "zone must be None or a name of the tz database"),
        ({"zone": "../etc/passwd"}, "zone must be None or a name"),
        ({"zone": 1}, "zone must be None or a name"),
        ({"parts": ["yaer"]}, "nearest: 'year'"),
        ({"parts": []}, "parts must be there"),
        ({"parts": "all"}, "parts must be one of 'auto'"),
        ({"cyclic": "sin"}, "cyclic must be one of"),
        ({"style": "iso"}, "style must be one of"),
        ({"epoch": "min"}, "epoch must be one of"),
    ],
)
def test_bad_parameters(options, rule):
    with pytest.raises(PrepError, match=rule):
        DatetimeEncoder(**options).fit({"d": ["2024-01-01"]})


def test_time_since():
    X = pd.DataFrame(
        {
            "a": pd.to_datetime(["2024-01-01", "2024-01-03 12:00"], format="ISO8601"),
            "b": pd.to_datetime(["2024-02-01", None]),
        }
    )
    latest = TimeSince(unit="hours").fit(X)
    assert latest.date_ == np.datetime64("2024-02-01") and latest.get_feature_names_out().tolist() == [
        "a_hours_since",
        "b_hours_since",
    ]
    np.testing.assert_array_equal(latest.transform(X), [[-31 * 24, 0], [-28.5 * 24, np.nan]])
    assert TimeSince("earliest").fit(X).transform(X)[1, 0] == 2.5
    for date in ("2024-01-01", dt.date(2024, 1, 1), np.datetime64("2024-01-01"), pd.Timestamp("2024-01-01")):
        fitted = TimeSince(date).fit(X)
        again = TimeSince.from_state(fitted.to_state())
        assert fitted.transform(X)[1, 0] == again.transform(X)[1, 0] == 2.5
    with pytest.raises(PrepError, match="date must be"):
        TimeSince("soon").fit(X)


def test_differences():
    X = pd.DataFrame({"a": pd.to_datetime(["2024-01-01", None]), "b": ["2024-01-31", "2024-01-31"], "n": [1, 2]})
    found = DateDifference([("b", "a"), ("a", "b")], unit="weeks").fit(X)
    assert found.get_feature_names_out().tolist() == ["b_since_a", "a_since_b"]
    np.testing.assert_allclose(found.transform(X[["b", "a"]]), [[30 / 7, -30 / 7], [np.nan, np.nan]])
    assert DateDifference([(1, 0)]).fit(X.to_numpy(object)).transform(X.to_numpy(object))[0, 0] == 30
    with pytest.raises(PrepError, match="pairs must name columns; got 'c'"):
        DateDifference([("c", "a")]).fit(X)
    with pytest.raises(StateError):
        state = found.to_state()
        state["learned"]["statistics"][0] = {"statistic": "Nothing"}
        DateDifference.from_state(state)


def test_holidays_as_a_plain_loop_has_them():
    days = pd.date_range("2024-01-01", "2024-12-31")
    holidays = sorted(RNG.choice(days, 9, replace=False))
    found = HolidayFlags(holidays, horizon=20).fit_transform(pd.DataFrame({"d": days + pd.Timedelta("7h")}))
    for day, row in zip(days, found.tolist(), strict=True):
        before = [(day - one).days for one in holidays if one <= day]
        after = [(one - day).days for one in holidays if one >= day]
        assert row == [float(day in holidays), min([20, *before]), min([20, *after])]


def test_holidays_by_country():
    lists = {"DE": [dt.date(2024, 10, 3)], "FR": ["2024-07-14"], "XX": []}
    X = pd.DataFrame({"d": ["2024-10-03", "2024-10-03", None, "2024-07-13"], "land": ["DE", "FR", "FR", None]})
    flags = HolidayFlags(lists, by="land").fit(X)
    expected = [[1, 0, 0], [0, 30, 30], [np.nan] * 3, [np.nan] * 3]
    np.testing.assert_array_equal(flags.transform(X), expected)
    np.testing.assert_array_equal(HolidayFlags.from_state(flags.to_state()).transform(X.iloc[[1]]), expected[1:2])
    each = HolidayFlags(lists, distance=False).fit(X[["d"]])
    assert each.get_feature_names_out().tolist() == ["d_DE_is_holiday", "d_FR_is_holiday", "d_XX_is_holiday"]
    with pytest.raises(SchemaError, match="'IT' in row 0"):
        flags.transform(X.assign(land="IT").iloc[:1])


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"holidays": ["soon"]}, "must hold dates"),
        ({"holidays": "2024-12-25"}, "a list of dates"),
        ({"holidays": [20241225]}, "a list of dates"),
        ({"holidays": {dt.date(2024, 12, 25): "Christmas"}}, r"take list\(holidays\)"),
        ({"holidays": ["2024-12-25"], "by": "d"}, "chooses from a dict"),
        ({"holidays": {"DE": []}, "by": "land"}, "by= must name a column"),
        ({"horizon": 0}, "horizon must be"),
    ],
)
def test_bad_holidays(options, rule):
    with pytest.raises(PrepError, match=rule):
        HolidayFlags(**options).fit({"d": ["2024-01-01"]})
