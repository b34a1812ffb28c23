"""How far a table has moved: measures, verdicts, and what every fit keeps for them."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from brickwork.prep import (
    CountEncoder,
    DatetimeEncoder,
    DriftLimits,
    SelectColumns,
    StandardScaler,
    StateError,
    TablePrep,
    selectors,
)
from brickwork.prep.columns import Column
from brickwork.prep.drift import measures
from brickwork.prep.schema import ColumnSchema
from brickwork.prep.statistics import Profile


def table(n, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": rng.normal(shift, 1, n),
            "count": rng.integers(0, 5, n),
            "price": rng.lognormal(shift, 1, n),
            "large": 1e6 + rng.random(n),
            "flag": rng.random(n) < 0.3,
            "gaps": np.where(rng.random(n) < 0.1 + 0.2 * shift, np.nan, rng.random(n)),
            "city": rng.choice(["Bonn", "Köln", "Ulm"], n, p=[0.5 - 0.4 * shift, 0.3 + 0.4 * shift, 0.2]),
            "name": [f"name {i}" for i in rng.integers(0, 2000, n)],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
        }
    )


@pytest.fixture(scope="module")
def prep():
    return SelectColumns(selectors.all()).fit(table(20_000))


@pytest.mark.parametrize("n", [1, 5, 30, 200, 1000, 30_000])
def test_what_has_not_moved_is_stable(prep, n):
    found = [prep.drift(table(n, seed)) for seed in range(1, 11)]
    assert [column for report in found for column in report.columns if column.verdict != "stable"] == []


def test_the_rows_of_fit_themselves_have_not_moved(prep):
    report = prep.drift(table(20_000))
    assert all(column.ks in (None, 0.0) and abs(column.psi) < 1e-9 for column in report.columns)
    assert report.drifted == [] and report.n_before == report.n_now == 20_000


def test_what_has_moved_is_told(prep):
    report = prep.drift(table(2000, 1, shift=1.0))
    assert report.drifted == ["x", "price", "gaps", "city"]
    assert abs(report["x"].mean - 1) < 0.1 and abs(report["x"].ks - 0.383) < 0.05
    before, now = report["gaps"].missing
    assert abs(before - 0.1) < 0.01 and abs(now - 0.3) < 0.05
    assert report["x"].reasons[0].startswith("psi ")


@pytest.mark.parametrize(
    ("name", "change", "verdict", "reason"),
    [
        ("x", lambda t: t.assign(x=t["x"] + 0.35), "shifted", "mean 0.3"),
        ("x", lambda t: t.assign(x=t["x"].where(np.arange(len(t)) % 20 > 0, 99.0)), "drifted", "outside 5.0%"),
        ("flag", lambda t: t.assign(flag=True), "drifted", "psi"),
        ("flag", lambda t: t.assign(flag=t["flag"].astype(float)), "stable", None),
        ("large", lambda t: t.assign(large=np.nan), "drifted", "missing 100.0%"),
        ("x", lambda t: t.assign(x="some"), "retyped", "number at fit, text now"),
        ("city", lambda t: t.drop(columns="city"), "gone", "no such column"),
        ("city", lambda t: t.assign(city=t["city"].replace("Ulm", "Trier")), "drifted", "'Trier'"),
        ("day", lambda t: t.assign(day=t["day"] + pd.Timedelta("900D")), "stable", None),
        ("count", lambda t: t.assign(count=t["count"] // 4), "drifted", "ks"),
    ],
)  # fmt: skip
def test_verdicts(prep, name, change, verdict, reason):
    report = prep.drift(change(table(2000, 1)))
    found = report[name]
    assert (found.verdict, name in report.drifted) == (verdict, verdict in ("gone", "retyped", "drifted"))
    assert reason is None or any(reason in one for one in found.reasons), found.reasons
    assert {column.verdict for column in report.columns if column.name != name} == {"stable"}


def test_new_categories_are_counted(prep):
    given = table(1000, 1)
    given.loc[:49, "city"] = "Trier"
    given.loc[50:54, "city"] = "Jena"
    assert prep.drift(given)["city"].unseen == {"Trier": 50, "Jena": 5}
    assert prep.drift(given.iloc[50:])["city"].verdict == "stable"  # half of one in a hundred


def test_limits_can_be_set(prep):
    given = table(2000, 1).assign(x=lambda t: t["x"] + 0.6)
    assert prep.drift(given)["x"].verdict == "drifted"
    assert prep.drift(given, limits=DriftLimits(psi=9, ks=9, mean=9, outside=9))["x"].verdict == "stable"


def test_extra_columns_are_named_and_arrays_go_by_position():
    scaler = StandardScaler().fit(table(500)[["x", "price"]])
    assert scaler.drift(table(500, 1)).extra == ("count", "large", "flag", "gaps", "city", "name", "day")
    array = StandardScaler().fit(table(500)[["x", "price"]].to_numpy())
    assert array.drift(table(500, 1)[["price", "x"]].to_numpy()).drifted == ["x0", "x1"]


def test_reports_are_text_html_and_data(prep):
    given = table(1000, 1).assign(city="<b>Bonn</b>", more=1)
    report = prep.drift(given)
    lines = str(report).splitlines()
    assert lines[0] == "1,000 rows against 20,000 at fit: 1 of 9 columns drifted; not there at fit: 'more'"
    assert lines[1].split() == ["column", "form", "verdict", "psi", "ks", "mean", "missing", "outside", "why"]
    assert lines[8].startswith("city    text      drifted  ")
    html = report._repr_html_()
    assert "<b>" not in html and "&lt;b&gt;Bonn" in html and html.count("<tr") == 10
    assert json.loads(json.dumps(report.to_dict()))["columns"][6]["unseen"] == {"<b>Bonn</b>": 1000}


def test_a_state_keeps_what_drift_needs(prep):
    again = SelectColumns.from_state(json.loads(json.dumps(prep.to_state())))
    given = table(2000, 1, shift=0.7)
    assert again.drift(given) == prep.drift(given)


def test_nothing_can_be_said_of_nothing():
    empty = StandardScaler().fit({"a": [None, None], "b": [1.0, 2.0]})
    report = empty.drift({"a": [1.0, 2.0], "b": [None, None]})
    assert [column.verdict for column in report.columns] == ["drifted", "drifted"] or report.columns[
        0
    ].verdict == "empty"
    assert StandardScaler().fit({"a": [1.0]}).drift({"a": [3.0]})["a"].verdict == "stable"


# ---- measures ------------------------------------------------------------------------------------------------------


def profile(values):
    found = Profile()
    found.add(np.asarray(values, dtype=float))
    return found


def test_the_distance_is_that_of_kolmogorov_and_smirnov():
    rng = np.random.default_rng(0)
    for a, b in [
        (rng.normal(size=200), rng.normal(0.5, 2, 150)),
        (rng.integers(0, 6, 3000), rng.integers(1, 7, 2000)),
        (rng.normal(size=4000), rng.normal(0.1, 1, 4000)),
    ]:
        found = measures.kolmogorov_smirnov(profile(a), profile(b))
        assert abs(found - stats.ks_2samp(a, b).statistic) < 0.02


def test_chance_is_rarely_passed():
    rng = np.random.default_rng(0)
    n, m, over = 400, 300, np.zeros(3)
    for _ in range(400):
        a, b = rng.normal(size=n), rng.normal(size=m)
        p, q = profile(a), profile(b)
        over += (
            measures.index(*measures.shares(p, q), n, m) > measures.chance_of_psi(10, n, m),
            measures.kolmogorov_smirnov(p, q) > measures.chance_of_ks(n, m),
            np.mean((b < a.min()) | (b > a.max())) > measures.chance_of_outside(n, m),
        )
    assert over.max() == 0
    quantile = stats.chi2(9).ppf(1 - 1e-5) * (1 / n + 1 / m)
    assert abs(measures.chance_of_psi(10, n, m) / quantile - 1) < 0.02


def test_the_index_is_a_sum_over_bins():
    e, a = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    exact = -0.25 * np.log(0.5) + 0.25 * np.log(1.5)
    assert abs(measures.index(e, a, 10**9, 10**9) - exact) < 1e-6
    assert np.isfinite(measures.index(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 10, 10))


# ---- profiles ------------------------------------------------------------------------------------------------------


def test_a_profile_of_many_rows_is_near_them():
    rng = np.random.default_rng(3)
    for values in (rng.normal(size=300_000), np.sort(rng.lognormal(size=300_000)), 1e9 + rng.random(300_000)):
        found = profile(values)
        assert len(found.keys) <= 256 and abs(found.n / len(values) - 1) < 0.02
        places = np.quantile(values, [0.05, 0.3, 0.5, 0.9])
        np.testing.assert_allclose(found.share_below(places), [0.05, 0.3, 0.5, 0.9], atol=0.03)
        assert abs(found.mean - values.mean()) < 0.08 * values.std()
        assert abs(found.deviation / values.std() - 1) < 0.1


def test_a_period_of_the_data_does_not_fool_the_sample():
    values = np.tile(np.arange(256.0), 4096)  # as many rows as a stretch of the sample has
    assert abs(profile(values).mean - 127.5) < 5


def test_parts_merge_by_their_size():
    rng = np.random.default_rng(3)
    found = Profile()
    for _ in range(40):
        found.add(rng.normal(0, 1, 10_000))
    found.add(rng.normal(10, 1, 100_000))
    assert abs(found.share_below(np.array([5.0]))[0] - 0.8) < 0.01


def test_great_values_and_infinities_have_a_profile():
    found = ColumnSchema("a", "number")
    found.update(Column("a", "number", np.array([1.7e308, -1.7e308, np.inf, 2.0, np.nan])))
    assert (found.low, found.high, found.n, found.missing) == (-1.7e308, 1.7e308, 5, 1)
    assert np.isfinite(found.profile.deviation) and json.dumps(found.to_state(), allow_nan=False)


def test_a_damaged_profile_is_refused():
    state = StandardScaler().fit(table(50)[["x"]]).to_state()
    for junk in (None, {}, {"statistic": "Moments"}, state["schema"][0]["profile"] | {"counts": [1]}):
        state["schema"][0]["profile"] = junk
        with pytest.raises(StateError):
            StandardScaler.from_state(state)


# ---- what a transformer knows more of than its schema ---------------------------------------------------------------


@pytest.mark.parametrize("made", [CountEncoder, TablePrep])
def test_of_thousands_of_categories_the_new_ones_are_known(made):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2000, 20_000)
    fitted = made().fit(pd.DataFrame({"code": [f"c{code}" for code in codes]}))
    again = pd.DataFrame({"code": [f"c{code}" for code in rng.integers(0, 2000, 5000)]})
    assert fitted.drift(again)["code"].verdict == "stable"
    other = again.where(np.arange(5000)[:, None] % 10 > 0, "c2001")
    assert fitted.drift(other)["code"].unseen == {"c2001": 500}
    assert fitted.drift(other).drifted == ["code"]


def test_texts_that_are_read_as_numbers_or_dates_are_no_categories():
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(200) % 50, unit="D")
    text = pd.DataFrame({"day": day.strftime("%Y-%m-%d"), "size": [f"{i % 40}.5" for i in range(200)]})
    later = text.assign(day=(day + pd.Timedelta("90D")).strftime("%Y-%m-%d"), size=[f"{i % 40}.25" for i in range(200)])
    for fitted in (TablePrep().fit(text), DatetimeEncoder().fit(text[["day"]]), StandardScaler().fit(text[["size"]])):
        assert fitted.drift(later).drifted == [] and fitted.drift(later).columns[0].unseen == {}
