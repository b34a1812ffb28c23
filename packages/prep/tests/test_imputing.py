"""Imputers beside scikit-learn's, by kind of column, by group."""

import numpy as np
import pandas as pd
import pytest
from sklearn import impute as sk
from sklearn.experimental import enable_iterative_imputer  # noqa: F401

from brickwork import prep
from brickwork.prep import PrepError, SchemaError, StateError

RNG = np.random.default_rng(0)
X = np.where(RNG.random((80, 4)) < 0.2, np.nan, RNG.normal(0, 1, (80, 4)) + RNG.normal(0, 2, (80, 1)))
X[:, 3] = np.round(X[:, 3])
EMPTY = np.column_stack([X, np.full(80, np.nan)])
TEXT = pd.DataFrame({"a": ["x", None, "y", "y", "x"], "b": [None, "k", "k", "l", None]}, dtype=object)


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
@pytest.mark.parametrize("options", [{}, {"add_indicator": True}, {"keep_empty_features": True}], ids=str)
def test_simple_equals_scikit_learn(strategy, options):
    ours = prep.SimpleImputer(strategy, fill_value=7 if strategy == "constant" else None, **options).fit(EMPTY)
    theirs = sk.SimpleImputer(strategy=strategy, fill_value=7 if strategy == "constant" else None, **options).fit(EMPTY)
    got, want = ours.transform(EMPTY), theirs.transform(EMPTY)
    if strategy == "constant" and not options.get("keep_empty_features"):
        want = want if want.shape == got.shape else np.insert(want, 4, 7, axis=1)  # it was dropped before 1.8
    np.testing.assert_allclose(got, want, rtol=1e-12)
    if got.shape[1] == len(theirs.get_feature_names_out()):
        assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())


@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
def test_simple_equals_scikit_learn_for_text(strategy):
    want = sk.SimpleImputer(strategy=strategy, missing_values=None).fit_transform(TEXT)
    np.testing.assert_array_equal(prep.SimpleImputer(strategy).fit_transform(TEXT), want)


def test_kinds_side_by_side():
    table = pd.DataFrame(
        {
            "n": [1.0, None, 4.0],
            "t": ["x", None, "x"],
            "b": pd.array([True, None, True], "boolean"),
            "d": pd.to_datetime(["2024-01-01", None, "2024-01-03"]),
        }
    )
    out = prep.SimpleImputer("mean").set_output(transform="pandas").fit_transform(table)
    assert out.loc[1].tolist() == [2.5, "x", 1.0, pd.Timestamp("2024-01-02")]
    assert out["n"].dtype == np.float64 and out["d"].dtype.kind == "M"
    given = {"n": 9, "d": "1999-12-31", "t": "?"}
    filled = prep.SimpleImputer("constant", fill_value=given).set_output(transform="pandas").fit_transform(table)
    assert filled.loc[1].tolist() == [9.0, "?", 0.0, pd.Timestamp("1999-12-31")]


@pytest.mark.parametrize(
    "imputer, match",
    [
        (prep.SimpleImputer("avg"), "strategy must be one of"),
        (prep.SimpleImputer({"zz": "mean"}), "name columns of the table"),
        (prep.SimpleImputer("constant", fill_value="x"), "fill_value of column 'x0' must be a finite number; got 'x'"),
        (prep.GroupImputer("zz"), "by must name columns"),
        (prep.GroupImputer([]), "by must name columns"),
        (prep.IterativeImputer(max_iter=0), "max_iter must be"),
        (prep.MissingIndicator(features="some"), "features must be"),
    ],
    ids=repr,
)
def test_parameters_are_checked(imputer, match):
    with pytest.raises(PrepError, match=match):
        imputer.fit(X)


def test_a_new_gap_is_refused_by_the_indicator():
    indicator = prep.MissingIndicator().fit([[1.0, None], [2.0, 3.0]])
    with pytest.raises(SchemaError, match=r"column 'x0' missed no value at fit; got None in row 1"):
        indicator.transform([[1.0, None], [None, 3.0]])
    assert prep.MissingIndicator(error_on_new=False).fit([[1.0, None]]).transform([[None, 2.0]]).tolist() == [[0.0]]


@pytest.mark.parametrize("order", ["ascending", "roman", "arabic", "descending", "random"])
@pytest.mark.parametrize("options", [{}, {"n_nearest_features": 2, "initial_strategy": "median"}], ids=str)
@pytest.mark.filterwarnings("ignore:.*convergence")
def test_iterative_equals_scikit_learn(order, options):
    asked = {"imputation_order": order, "random_state": 3, **options}
    ours, theirs = prep.IterativeImputer(**asked).fit(EMPTY), sk.IterativeImputer(**asked).fit(EMPTY)
    new = np.vstack([EMPTY[:20], np.full((1, 5), np.nan)])
    np.testing.assert_allclose(ours.transform(new), theirs.transform(new), rtol=1e-9, atol=1e-9)
    again = prep.IterativeImputer.from_state(ours.to_state())
    np.testing.assert_array_equal(again.transform(new), ours.transform(new))


def test_iterative_states_that_contradict_themselves_are_refused():
    state = prep.IterativeImputer().fit(X).to_state()
    step = state["learned"]["steps"][0]
    for learned in ({"kept": [9]}, {"initial": [1.0]}, {"steps": [step | {"feature": 99}]},
                    {"steps": [step | {"coefficients": [1.0]}]}):  # fmt: skip
        with pytest.raises(StateError):
            prep.IterativeImputer.from_state(state | {"learned": state["learned"] | learned})


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_groups_are_pandas(strategy):
    table = pd.DataFrame({"g": RNG.choice(["a", "b", "c"], 80), "v": X[:, 0], "w": X[:, 3]})
    how = (lambda s: s.mode().iloc[0]) if strategy == "most_frequent" else strategy
    want = table.copy()
    for name in ("v", "w"):
        want[name] = table[name].fillna(table.groupby("g")[name].transform(how))
    got = prep.GroupImputer("g", strategy=strategy).set_output(transform="pandas").fit_transform(table)
    pd.testing.assert_frame_equal(got, want, check_dtype=False)


def test_groups_not_seen_take_the_whole():
    table = {"g": ["a", "a", "b", None], "v": [1.0, 3.0, None, 8.0], "t": ["x", "x", "y", None]}
    imputer = prep.GroupImputer("g").fit(table)
    new = {"g": ["a", "b", "zz", None], "v": [None] * 4, "t": [None] * 4}
    assert imputer.transform(new).tolist() == [
        ["a", 2.0, "x"],
        ["b", 4.0, "y"],  # b saw no number
        ["zz", 4.0, "x"],
        [None, 8.0, "x"],  # the group of those without a value saw no text
    ]
