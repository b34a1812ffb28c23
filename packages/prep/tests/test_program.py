"""The arithmetic of transformers and compositions as data."""

import copy
import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import FeatureUnion, make_pipeline

from brickwork.prep import (
    LogTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PrepError,
    Program,
    QuantileTransformer,
    RareGrouper,
    RobustScaler,
    SchemaError,
    SelectColumns,
    SimpleImputer,
    StandardScaler,
    StateError,
    program,
    selectors,
)

from .catalogue import CASES

RNG = np.random.default_rng(0)
N = 50
X = pd.DataFrame(
    {
        "a": np.where(RNG.random(N) < 0.2, np.nan, RNG.normal(size=N)),
        "b": RNG.lognormal(size=N),
        "c": RNG.integers(0, 5, N),
        "city": RNG.choice(["Bonn", "Köln", "Ulm"], N),
        "grade": np.where(RNG.random(N) < 0.2, None, RNG.choice(["low", "high"], N)),
    }
)

COMPOSITIONS = {
    "steps": lambda: make_pipeline(
        SelectColumns(["a", "b", "c"]), SimpleImputer(add_indicator=True), StandardScaler(), MinMaxScaler()
    ),
    "steps after a one-hot": lambda: make_pipeline(OneHotEncoder(sparse_output=False), StandardScaler()),
    "columns": lambda: ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), LogTransformer(), RobustScaler()), ["b", "c"]),
            ("spread", QuantileTransformer(n_quantiles=10), ["b"]),
            ("words", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["city", "grade"]),
            ("order", OrdinalEncoder(), ["city"]),
            ("as it is", "passthrough", ["c"]),
            ("gone", "drop", ["grade"]),
        ],
        remainder=StandardScaler(),
        transformer_weights={"words": 0.5},
    ),
    "union": lambda: make_pipeline(
        SelectColumns(selectors.numeric()),
        FeatureUnion(
            [("one", StandardScaler()), ("two", make_pipeline("passthrough", MinMaxScaler())), ("x", "drop")],
            transformer_weights={"two": 3},
        ),
    ),
    "steps that hand on texts": lambda: make_pipeline(
        SelectColumns(["grade", "city", "b"]),
        ColumnTransformer(
            [
                ("words", SimpleImputer(strategy="most_frequent", add_indicator=True), ["city", "grade"]),
                ("as it is", "passthrough", ["b"]),
            ]
        ).set_output(transform="pandas"),
        ColumnTransformer(
            [
                ("ones", OneHotEncoder(sparse_output=False), [0, 1]),
                ("marks", StandardScaler(), [2, 3]),
            ]
        ),
    ),
    "nothing but columns": lambda: ColumnTransformer([("as it is", "passthrough", ["c", "a"])]),
}  # fmt: skip


def same(found, expected):
    expected = np.asarray(expected.toarray() if hasattr(expected, "toarray") else expected, dtype=float)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("made", COMPOSITIONS.values(), ids=COMPOSITIONS)
def test_a_program_computes_what_a_composition_does(made):
    fitted = made().fit(X)
    found = program(fitted)
    same(found.transform(X), fitted.transform(X))
    same(found.transform(X[list(X.columns)[::-1]].assign(more=1).iloc[7:9]), fitted.transform(X.iloc[7:9]))
    assert found.names == tuple(fitted.get_feature_names_out()) and found.dtype == "float64"


@pytest.mark.parametrize("made", COMPOSITIONS.values(), ids=COMPOSITIONS)
def test_a_program_has_a_state(made):
    found = program(made().fit(X))
    again = Program.from_state(json.loads(json.dumps(found.to_state(), allow_nan=False)))
    assert again.transform(X).tobytes() == found.transform(X).tobytes()
    assert again.to_state() == found.to_state() and len(again.inputs) == len(found.inputs)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_transformer_has_a_program_or_says_why_not(case):
    fitted = case.make().fit(case.X, case.y)
    try:
        found = program(fitted)
    except PrepError as refused:
        assert str(refused).startswith(f"program({type(fitted).__name__}): what a program computes is numbers")
        return
    same(found.transform(case.X), fitted.transform(case.X))
    assert found.names == tuple(fitted.get_feature_names_out())
    again = Program.from_state(json.loads(json.dumps(found.to_state(), allow_nan=False)))
    assert again.transform(case.X).tobytes() == found.transform(case.X).tobytes()


def test_what_is_shared_is_bound_once():
    fitted = ColumnTransformer([("one", StandardScaler(), ["b"]), ("two", MinMaxScaler(), ["b", "c"])]).fit(X)
    found = program(fitted)
    assert [(one.place, one.reading.kind) for one in found.inputs] == [(1, "number"), (2, "number")]
    arrays = found.bind(X)
    assert [array.dtype for array in arrays] == [np.float64] * 2 and arrays[0].shape == (N,)
    nodes = found.to_state()["nodes"]
    assert sum(node[0] == "input" for node in nodes) <= 3


def test_arrays_have_programs():
    table = X[["a", "b", "c"]].to_numpy()
    found = program(make_pipeline(StandardScaler(), MinMaxScaler()).fit(table))
    assert found.columns == ("x0", "x1", "x2") and not found.named
    same(found.transform(table), make_pipeline(StandardScaler(), MinMaxScaler()).fit(table).transform(table))


def test_binding_tells_what_is_wrong_with_a_column():
    found = program(COMPOSITIONS["columns"]().fit(X))
    with pytest.raises(SchemaError, match=r"Program.bind: column 'b' was there at fit and is missing"):
        found.bind(X.drop(columns="b"))
    with pytest.raises(SchemaError, match=r"Program.bind: column 'b' must hold numbers; got 'x' in row 1\."):
        found.bind(X.head(2).assign(b=[1.0, "x"]))
    with pytest.raises(PrepError, match=r"Program: one array for each input \(6\); got 1. Give what bind gives"):
        found([np.zeros(3)])


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (make_pipeline(RareGrouper(), OneHotEncoder()), r"\['raregrouper'\]: what a program computes is numbers"),
        (make_pipeline(SimpleImputer(strategy="most_frequent")), "got column 0 as it is, which holds no numbers"),
        (SelectColumns(["city"]), "got column 0 as it is, which holds no numbers"),
        (make_pipeline(StandardScaler(), OrdinalEncoder()), r"\['ordinalencoder'\]: a step that follows another"),
        (LinearRegression(), r"program\(LinearRegression\): what a program computes is numbers of single columns"),
    ],
)  # fmt: skip
def test_what_is_no_arithmetic_says_so(estimator, text):
    table = X[["b", "c"]] if "ordinal" in text or "Linear" in text else X[["city"]]
    with pytest.raises(PrepError, match=text):
        program(estimator.fit(table, X["b"]))
    with pytest.raises(PrepError, match="is fitted and knows its columns"):
        program(StandardScaler())


def places(state, path=()):
    yield path
    for key, value in state.items() if isinstance(state, dict) else enumerate(state) if isinstance(state, list) else ():
        yield from places(value, (*path, key))


def spoilt(state, path, value):
    state = copy.deepcopy(state)
    inner = state
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return state


def test_a_damaged_program_is_refused_or_computes():
    state = program(COMPOSITIONS["columns"]().fit(X)).to_state()
    refused = 0
    for path in list(places(state))[1:]:
        for junk in (None, True, -1, 3, 10**400, 0.5, "x", "nan", [], [1], {}, object()):
            try:
                found = Program.from_state(spoilt(state, path, junk))
            except StateError:
                refused += 1
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    assert found.transform(X).shape == (N, len(found.names))
                except (PrepError, IndexError):  # other columns than there are, other codes than the table has
                    continue
    assert refused > 1000


def test_depth_is_bounded():
    state = program(COMPOSITIONS["steps that hand on texts"]().fit(X)).to_state()
    reading = next(one for _, one in state["inputs"] if one["reading"] == "Filled")
    with pytest.raises(StateError, match="no filling inside another"):
        Program.from_state(state | {"inputs": [[0, reading | {"inner": reading}]]})
    state = program(StandardScaler().fit(X[["b"]])).to_state()
    last = state["outputs"][0]
    for _ in range(300):
        state["nodes"].append(["abs", [last], None, 1])
        last = len(state["nodes"]) - 1
    with pytest.raises(StateError, match="not nested deeper"):
        Program.from_state(state | {"outputs": [last]})
