"""Columns and rows that say nothing, again or too much, and spellings of one name."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from brickwork.prep import (
    Deduplicate,
    DropColumns,
    DropConstant,
    DropCorrelated,
    DropDuplicateColumns,
    DropLeaky,
    LeakageWarning,
    PrepError,
    SelectColumns,
    StateError,
    TablePrep,
    TargetError,
    duplicate_rows,
)
from brickwork.prep import selectors as s
from brickwork.prep.cleaning.correlated import correlations, ranks
from brickwork.prep.cleaning.leaky import information_share
from brickwork.prep.cleaning.spelling import normal_form, spellings

TABLE = {"size": [1.5, 2.0, None], "island": ["Dream", "Biscoe", "Dream"], "id": [1, 2, 3]}
DAY = pd.Timestamp("2024-01-01")


def quiet(transformer, X, y=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)
        return transformer.fit(X, y)


# ---- what comes out -------------------------------------------------------------------------------------------------


def test_the_kind_that_went_in_comes_out():
    drop = DropColumns("island").fit(TABLE)
    assert drop.transform(TABLE) == {"size": [1.5, 2.0, None], "id": [1, 2, 3]}
    assert drop.transform({"id": 4, "size": 1.0}) == {"size": 1.0, "id": 4}
    records = [dict(zip(TABLE, row, strict=True)) for row in zip(*TABLE.values(), strict=True)]
    assert drop.transform(records) == [{"size": r["size"], "id": r["id"]} for r in records]
    frame = pd.DataFrame(TABLE, index=[7, 8, 9]).astype({"id": "Int64"})
    pd.testing.assert_frame_equal(drop.transform(frame), frame[["size", "id"]])
    pd.testing.assert_frame_equal(drop.transform(frame[["id", "island", "size"]]), frame[["size", "id"]])
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    out = DropColumns(1).fit(array).transform(array)
    assert out.dtype == np.int32 and out.tolist() == [[0, 2], [3, 5]]
    mixed = DropColumns(0).fit_transform([[1, "a", 2.5], [2, "b", 3.5]])
    assert mixed.tolist() == [["a", 2.5], ["b", 3.5]]


def test_frames_of_other_libraries_and_of_other_names():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    for table in (polars.DataFrame(TABLE), arrow.table(TABLE)):
        out = SelectColumns(s.numeric()).fit_transform(table)
        assert type(out) is type(table) and out.to_pandas().columns.tolist() == ["size", "id"]
    numbered = pd.DataFrame({0: ["a", "b"], 1: [1, 2]})
    pd.testing.assert_frame_equal(SelectColumns(1).fit_transform(numbered), numbered[[1]])
    pandas = SelectColumns("id").set_output(transform="pandas").fit_transform(TABLE)
    assert isinstance(pandas, pd.DataFrame) and pandas["id"].tolist() == [1, 2, 3]


def test_names_reach_the_next_step_of_a_pipeline():
    frame = pd.DataFrame({"planet": "Earth", "size": np.arange(40) / 3, "sex": ["m", "f"] * 20})
    model = make_pipeline(DropConstant(), TablePrep(), LogisticRegression()).fit(frame, ["a", "b"] * 20)
    assert model[:-1].get_feature_names_out().tolist()[:2] == ["size", "sex_f"]
    assert model.score(frame.drop(columns="planet"), ["a", "b"] * 20) == 1.0


def test_the_choice_of_fit_holds_at_transform():
    select = SelectColumns(s.has_missing()).fit({"a": [1, None], "b": [1, 2]})
    assert select.transform({"a": [1, 2], "b": [None, 2]}) == {"a": [1, 2]}
    assert select.get_support().tolist() == [True, False] and select.get_support(indices=True).tolist() == [0]
    assert select.dropped_ == {"b": "not selected"}


def test_a_selector_is_saved_with_the_state():
    fitted = SelectColumns(s.numeric() - "id").fit(TABLE)
    again = SelectColumns.from_state(json.loads(json.dumps(fitted.to_state())))
    assert again.columns == s.numeric() - "id" and again.transform(TABLE) == fitted.transform(TABLE)
    with pytest.raises(StateError, match="holds no function"):
        SelectColumns(s.where(lambda column: True)).fit(TABLE).to_state()
    for kept in ([], [1, 0], [0, 0], [3]):
        with pytest.raises(StateError):
            SelectColumns.from_state(fitted.to_state() | {"learned": {"kept": kept, "why": ["x"] * (3 - len(kept))}})


# ---- constant, duplicate, correlated --------------------------------------------------------------------------------


def test_constant():
    table = {
        "same": ["x"] * 4, "nothing": [None] * 4, "gaps": ["x", "x", "x", None], "most": [0, 0, 0, 5],
        "day": pd.to_datetime(["2024-01-01"] * 4), "flag": [True] * 4, "free": [1, 2, 3, 4], "tags": [[]] * 4,
    }  # fmt: skip
    assert DropConstant().fit(table).dropped_ == {
        "same": "100.0 % of rows hold 'x'", "nothing": "100.0 % of rows hold nothing",
        "day": "100.0 % of rows hold '2024-01-01T00:00:00.000000'", "flag": "100.0 % of rows hold True",
    }  # fmt: skip
    loose = DropConstant(threshold=0.75).fit(table)
    assert set(loose.dropped_) == {"same", "nothing", "day", "flag", "gaps", "most"}
    assert loose.dropped_["most"] == "75.0 % of rows hold 0"
    assert set(DropConstant(threshold=0.76).fit(table).dropped_) == {"same", "nothing", "day", "flag"}


def test_duplicate_columns():
    gap = [1.0, None, 3.0]
    table = {
        "a": gap,
        "b": gap,
        "c": [1.0, 0.0, 3.0],
        "d": ["1", None, "3"],
        "e": ["1", "", "3"],
        "f": [1, None, 3],
        "t": [[], [], []],
        "u": [[], [], []],
    }
    assert DropDuplicateColumns().fit(table).dropped_ == {"b": "equals 'a'", "e": "equals 'd'", "f": "equals 'a'"}
    table = {
        "code": ["DE", "FR", None, "DE"],
        "land": ["Germany", "France", None, "Germany"],
        "other": ["x", "y", "y", "x"],
        "n": [1, 2, None, 1],
    }
    assert DropDuplicateColumns().fit(table).dropped_ == {}
    assert DropDuplicateColumns(match="codes").fit(table).dropped_ == {"land": "is 'code' by other names"}


@given(st.integers(0, 10_000), st.sampled_from(["pearson", "spearman"]), st.booleans())
def test_correlations_are_those_of_the_rows_that_both_have(seed, method, far):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30, 4)) @ rng.normal(size=(4, 4)) + (1e6 if far else 0)
    X[rng.random(X.shape) < 0.1] = np.nan
    columns = [ranks(x) for x in X.T] if method == "spearman" else list(X.T)
    found = correlations(columns)
    for i in range(4):
        for j in range(4):
            both = ~np.isnan(columns[i]) & ~np.isnan(columns[j])
            expected = np.corrcoef(columns[i][both], columns[j][both])[0, 1]
            assert abs(found[i, j] - expected) < 1e-7


def test_correlated():
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    table = pd.DataFrame(
        {
            "x": x,
            "y": -3 * x + 0.01 * rng.normal(size=500),
            "free": rng.normal(size=500),
            "exp": np.exp(3 * x),
            "one": 1.0,
            "text": "a",
        }
    )
    assert DropCorrelated().fit(table).dropped_ == {"y": "correlation -1.0000 with 'x'"}
    ranked = DropCorrelated(method="spearman").fit(table).dropped_
    assert list(ranked) == ["y", "exp"] and ranked["exp"] == "correlation 1.0000 with 'x'"
    assert np.allclose(correlations([ranks(x), ranks(table["y"].to_numpy())])[0, 1], spearmanr(x, table["y"]).statistic)
    assert DropCorrelated().fit({"a": [1e300, 2e300, -1e300], "b": [1e-300, 2e-300, -1e-300]}).dropped_.keys() == {"b"}
    assert DropCorrelated().fit({"text": ["a", "b"]}).dropped_ == {}


# ---- leaks ----------------------------------------------------------------------------------------------------------


def test_what_tells_the_target_is_dropped_and_told():
    rng = np.random.default_rng(1)
    y = rng.choice(["stay", "leave"], 2000)
    table = pd.DataFrame({
        "left_on": np.where(y == "leave", DAY + pd.to_timedelta(rng.integers(0, 90, 2000), "D"), None),
        "code": np.where(y == "leave", 7, 3), "score": np.where(y == "leave", 1.0, -1.0) + 0.3 * rng.normal(size=2000),
        "customer": [f"c{i}" for i in range(2000)], "age": rng.integers(20, 60, 2000), "tags": [[]] * 2000,
        "hint": np.where(rng.random(2000) < 0.9, y, "stay"),
    })  # fmt: skip
    with pytest.warns(LeakageWarning, match=r"DropLeaky\.fit: column 'code' is dropped: it stands one to one") as told:
        drop = DropLeaky().fit(table, y)
    assert list(drop.dropped_) == ["left_on", "code", "score"] and len(told) == 3
    assert all(warning.filename == __file__ for warning in told)
    assert (
        drop.dropped_["score"].startswith("takes away 9")
        and drop.dropped_["left_on"] == "tells the target by where it is missing"
    )
    assert list(quiet(DropLeaky(information=0.5), table, y).dropped_)[-1] == "hint"


def test_what_tells_a_regression():
    rng = np.random.default_rng(2)
    y = rng.lognormal(size=400)
    tenth = np.searchsorted(np.quantile(y, np.arange(1, 10) / 10), y)
    table = {
        "copy": 3 * y + 1, "log": np.log(y), "gaps": np.where(rng.random(400) < 0.3, np.nan, y),
        "noisy": y + rng.normal(size=400), "bin": [f"b{b}" for b in tenth], "day": DAY + pd.to_timedelta(y, "D"),
        "free": rng.normal(size=400),
    }  # fmt: skip
    drop = quiet(DropLeaky(), table, y)
    assert list(drop.dropped_) == ["copy", "log", "gaps", "bin", "day"]
    assert drop.dropped_["copy"] == "has a correlation (Pearson's) of 1.0000 with the target"
    assert drop.dropped_["log"] == "has a correlation (Spearman's) of 1.0000 with the target"
    assert drop.dropped_["bin"].endswith("of the target's entropy")


def test_the_share_of_information():
    rng = np.random.default_rng(3)
    classes = rng.integers(0, 3, 3000)
    assert information_share(np.arange(3000), classes) == pytest.approx(0, abs=1e-12), "an identifier tells nothing"
    assert information_share(classes, classes) > 0.99
    assert abs(information_share(rng.integers(0, 3, 3000), classes)) < 0.01
    half = np.where(rng.random(3000) < 0.5, classes, 3)
    assert 0.47 < information_share(half, classes) < 0.53, "half of the rows are told, of the others nothing"
    assert information_share(classes, np.zeros(3000, dtype=np.int64)) == 0


def test_few_rows_tell_nothing_and_all_columns_are_not_dropped():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert DropLeaky().fit({"x": [0, 1] * 9, "z": range(18)}, [0, 1] * 9).dropped_ == {}
    with pytest.warns(LeakageWarning, match="none is dropped, since every column tells the target; column 'x' stands"):
        assert DropLeaky().fit({"x": [0, 1] * 20}, [0, 1] * 20).dropped_ == {}


# ---- rows -----------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from("ab")), min_size=1, max_size=15),
    st.sampled_from(["first", "last", False]),
)
def test_duplicate_rows_are_those_of_pandas(rows, keep):
    frame = pd.DataFrame(rows, columns=["n", "t"])
    assert duplicate_rows(frame, keep=keep).tolist() == frame.duplicated(keep=keep).tolist()
    assert duplicate_rows(frame, keep=keep, columns="t").tolist() == frame.duplicated("t", keep=keep).tolist()
    assert duplicate_rows(frame[["n"]].to_numpy(), keep=keep).tolist() == frame.duplicated("n", keep=keep).tolist()


# ---- spellings ------------------------------------------------------------------------------------------------------


def test_normal_forms():
    same = ["São Paulo", "SAO-PAULO", " sao  paulo.", "sao_paulo", "Sa\u0303o Paulo", "(São) Paulo"]
    assert {normal_form(text) for text in same} == {"sao paulo"}
    different = ["C", "C#", "C++", "-5", "5", "1.5", "15", "1,5", "1 5", "10 %", "10", "?", "!", "R&D", "RD", "R D"]
    assert len({normal_form(text) for text in different}) == len(different)


def test_variants_join_the_most_frequent():
    places = ["Berlin"] * 20 + ["berlin", "BERLIN ", "Berlinn", "Münster", "Munster", "Munster"] + ["Bern"] * 5
    fitted = Deduplicate().fit({"place": places, "n": range(len(places))})
    assert fitted.mapping_ == {
        "place": {"berlin": "Berlin", "BERLIN ": "Berlin", "Berlinn": "Berlin", "Münster": "Munster"}
    }
    out = fitted.transform({"place": ["bErLiN", "Bonn", None, "Munster"], "n": [1, 2, 3, 4]})
    assert out == {"place": ["Berlin", "Bonn", None, "Munster"], "n": [1, 2, 3, 4]}


def test_what_differs_in_numbers_or_is_as_frequent_stays():
    times = {"size 10": 90, "size 11": 5, "North Carolina": 50, "South Carolina": 40, "Carolina North": 3}
    assert spellings(times, 0.5, 0.5) == {"Carolina North": "North Carolina"}
    chain = {"aaaa bbbb": 100, "aaaa cccc": 10, "dddd cccc": 1}
    assert spellings(chain, 0.3, 0.5) == {"aaaa cccc": "aaaa bbbb"}, "no chain: the last is not like the first"


@pytest.mark.parametrize("container", ["pandas", "category", "polars", "arrow", "array", "records"])
def test_only_what_is_replaced_changes(container):
    words = ["Berlin", "Berlin", "berlin", None, ""]
    table = {"place": words, "n": [1, 2, 3, 4, 5]}
    frame = pd.DataFrame(table, index=[3, 4, 5, 6, 7])
    given = {
        "pandas": lambda: frame, "category": lambda: frame.astype({"place": "category"}),
        "polars": lambda: pytest.importorskip("polars").DataFrame(table),
        "arrow": lambda: pytest.importorskip("pyarrow").table(table),
        "array": lambda: np.array(list(zip(*table.values(), strict=True)), dtype=object),
        "records": lambda: [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)],
    }[container]()  # fmt: skip
    before = json.dumps(frame.to_dict("list"), default=str)
    out = Deduplicate().fit_transform(given)
    assert type(out) is type(given) and json.dumps(frame.to_dict("list"), default=str) == before
    if container in ("pandas", "category"):
        assert out.index.tolist() == [3, 4, 5, 6, 7] and out["n"].dtype == np.int64
        out = out.to_numpy()
    elif container != "array":
        out = np.array(
            [list(row.values()) for row in (out if container == "records" else out.to_pandas().to_dict("records"))],
            dtype=object,
        )
    assert out[:3, 0].tolist() == ["Berlin"] * 3 and pd.isna(out[3, 0]) and out[4, 0] == ""
    assert out[:, 1].tolist() == [1, 2, 3, 4, 5]
    assert Deduplicate("place").fit({"place": words}).transform({"place": "BERLIN"}) == {"place": "Berlin"}


# ---- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transformer", "y", "text"),
    [
        (DropConstant(threshold=0), None, "DropConstant.fit: threshold must be above 0 and at most 1; got 0"),
        (DropConstant(threshold="1"), None, "got '1'"),
        (DropConstant(threshold=0.3), None, "a column to keep is needed; got 3 rows; 'size: 33.3 % of rows hold 1.5'"),
        (
            DropDuplicateColumns(match="value"),
            None,
            r"match must be values or codes; got 'value' \(nearest: 'values'\)",
        ),
        (DropCorrelated(method="kendall"), None, "method must be pearson or spearman; got 'kendall'"),
        (DropLeaky(), None, "requires y to be passed, but the target y is None"),
        (DropLeaky(), [1, 2], "X and y have one row each per case; got 3 rows in X, 2 in y"),
        (DropLeaky(), [1.5, None, 2.5], "must not be missing; got None in row 1"),
        (DropLeaky(), [1.5, np.inf, 2.5], "must be finite; got inf in row 1"),
        (DropLeaky(correlation=2), [1, 2, 3], "correlation must be above 0 and at most 1; got 2"),
        (Deduplicate(threshold=None), None, "threshold must be above 0 and at most 1; got None"),
        (Deduplicate(rarer=-1), None, "rarer must be above 0"),
        (Deduplicate("size"), None, "column 'size' must hold text; got number"),
        (SelectColumns(["a", 1]), None, "columns are a selector, a name, a position, or a list"),
        (SelectColumns("iland"), None, r"the table must have the column; got 'iland' \(nearest: 'island'\)"),
        (SelectColumns(s.glob("z*")), None, "a column to keep is needed; got 3 rows; 'size: not selected'"),
        (DropColumns(s.all()), None, "a column to keep is needed; got 3 rows; 'size: selected to be dropped'"),
    ],
    ids=str,
)
def test_refuses(transformer, y, text):
    with pytest.raises((PrepError, TargetError), match=text):
        transformer.fit(TABLE, y)


def test_duplicate_rows_refuses():
    for options, text in (
        ({"keep": "frist"}, "keep is"),
        ({"keep": 0}, "keep is"),
        ({"columns": s.glob("z")}, "choose a column"),
    ):
        with pytest.raises(PrepError, match=f"duplicate_rows: .*{text}"):
            duplicate_rows(TABLE, **options)
