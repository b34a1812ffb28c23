"""States of scikit-learn's compositions of prep's transformers."""

import copy
import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.preprocessing import StandardScaler as ScikitScaler

from brickwork.prep import (
    MinMaxScaler,
    PrepError,
    RobustScaler,
    StandardScaler,
    StateError,
    bundle_types,
    from_state,
    selectors,
    to_state,
)  # fmt: skip

RNG = np.random.default_rng(0)
X = pd.DataFrame({name: RNG.normal(size=40) for name in "abcd"} | {"e": np.where(RNG.random(40) < 0.2, np.nan, 1.0)})
NUMBER = StandardScaler

PARTS = {
    "names": ["a", "b"],
    "positions": [-1, 0],
    "mask": [True, False, True, False, False],
    "names of an array": np.array(["d", "b"]),
    "slice of names": slice("b", "d"),
    "slice": slice(1, None, 2),
    "selector": selectors.numeric() - ["a", "e"],
    "scikit-learn's selector": make_column_selector(pattern="[ab]", dtype_include=np.number),
    "nothing": [],
}

COMPOSITIONS = {
    "pipeline": lambda: make_pipeline(RobustScaler(), NUMBER()),
    "pipeline that passes on": lambda: Pipeline([("a", "passthrough"), ("b", NUMBER()), ("c", "passthrough")]),
    "pipeline of frames": lambda: make_pipeline(RobustScaler(), NUMBER()).set_output(transform="pandas"),
    "union": lambda: FeatureUnion(
        [("a", NUMBER()), ("p", "passthrough"), ("d", "drop"), ("m", MinMaxScaler())], transformer_weights={"a": 2.0}
    ),
    "union of frames": lambda: FeatureUnion([("a", NUMBER()), ("p", "passthrough")]).set_output(transform="polars"),
    "nested": lambda: ColumnTransformer(
        [
            ("both", FeatureUnion([("a", NUMBER()), ("b", make_pipeline(NUMBER(), RobustScaler()))]), ["a", "b"]),
            ("inner", ColumnTransformer([("one", NUMBER(), [0])], remainder="passthrough"), ["c", "d"]),
        ],
        remainder=make_pipeline(MinMaxScaler()),
    ),
    "names without prefix": lambda: ColumnTransformer([("n", NUMBER(), ["b"])], verbose_feature_names_out=False),
    "formatted names": lambda: ColumnTransformer(
        [("n", NUMBER(), ["b"])], verbose_feature_names_out="{feature_name}~{transformer_name}"
    ),
    "weights": lambda: ColumnTransformer(
        [("n", NUMBER(), ["b"]), ("p", "passthrough", ["a"])], transformer_weights={"n": 3, "p": 0.5}
    ),
    "all dropped": lambda: ColumnTransformer([("n", "drop", "a")]),
    "frames inside": lambda: make_pipeline(
        ColumnTransformer([("n", NUMBER(), ["a"])], remainder="passthrough").set_output(transform="pandas"), NUMBER()
    ),
    "names that are doubled": lambda: ColumnTransformer(
        [("m", NUMBER(), ["a"]), ("n", NUMBER(), ["a"])], verbose_feature_names_out=False
    ),
    "with an untaught part": lambda: ColumnTransformer(
        [("n", NUMBER(), ["a"]), ("z", make_pipeline(FeatureUnion([("u", NUMBER())]), NUMBER()), [])]
    ),
    **{
        f"columns by {kind}": lambda columns=columns: ColumnTransformer([("n", NUMBER(), columns)], remainder="drop")
        for kind, columns in PARTS.items()
    },
    **{
        f"remainder {remainder}": lambda remainder=remainder: ColumnTransformer(
            [("n", NUMBER(), ["a"]), ("x", "drop", ["b"]), ("p", "passthrough", slice("c", "c"))], remainder=remainder
        )
        for remainder in ("drop", "passthrough", NUMBER(with_mean=False))
    },
}

EACH = pytest.mark.parametrize("made", COMPOSITIONS.values(), ids=COMPOSITIONS)


def read(state):
    """What comes of a state that was a text in between."""
    return from_state(json.loads(json.dumps(state, allow_nan=False)))


def names_out(estimator):
    try:
        return list(estimator.get_feature_names_out())
    except ValueError as refused:  # scikit-learn, of names that are doubled
        return str(refused)


def same_output(one, two, table=X):
    a, b = one.transform(table), two.transform(table)
    assert type(a) is type(b) and list(getattr(a, "columns", [])) == list(getattr(b, "columns", []))
    np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@EACH
def test_a_state_brings_a_composition_back(made):
    fitted = made().fit(X)
    again = read(to_state(fitted))
    same_output(again, fitted)
    same_output(again, fitted, X[list("edcba")].assign(more=1) if isinstance(fitted, ColumnTransformer) else X)
    assert names_out(again) == names_out(fitted)
    assert list(getattr(again, "feature_names_in_", [])) == list(getattr(fitted, "feature_names_in_", []))
    assert getattr(again, "n_features_in_", None) == getattr(fitted, "n_features_in_", None)
    assert to_state(again) == to_state(fitted)
    assert again._repr_html_() and repr(again).startswith(type(fitted).__name__)


@EACH
def test_a_composition_that_was_read_is_as_any(made):
    fitted, again = made().fit(X), read(to_state(made().fit(X)))
    same_output(clone(again).fit(X), clone(fitted).fit(X))
    if isinstance(names_out(fitted), str):
        return  # no frame can hold columns whose names are doubled
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scikit-learn, where a later step has not seen these names
        same_output(again.set_output(transform="pandas"), fitted.set_output(transform="pandas"))
        same_output(again.set_output(transform="default"), fitted.set_output(transform="default"))


def test_parts_of_what_was_read_are_known_by_name():
    again = read(to_state(COMPOSITIONS["nested"]().fit(X)))
    assert again.named_transformers_["both"].named_transformers["b"][0].mean_.shape == (2,)
    assert again.output_indices_ == {"both": slice(0, 4), "inner": slice(4, 6), "remainder": slice(6, 7)}
    assert again.set_params(both__a__with_mean=False).transformers[0][1].transformer_list[0][1].with_mean is False


def test_arrays_are_columns_too():
    table = X.to_numpy()
    for fitted in (
        ColumnTransformer([("n", NUMBER(), [0, 2])], remainder="passthrough").fit(table),
        FeatureUnion([("n", NUMBER()), ("p", "passthrough")]).fit(table),
    ):
        same_output(read(to_state(fitted)), fitted, table)


def test_every_transformer_is_read_by_the_same_function():
    fitted = NUMBER().fit(X)
    assert type(read(to_state(fitted))) is NUMBER
    same_output(read(to_state(fitted)), fitted)


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (make_pipeline(NUMBER(), LinearRegression()), r"sklearn's LinearRegression. Save .* pipeline\[:-1\]"),
        (make_pipeline(ScikitScaler()), r"\['standardscaler'\]: .* got sklearn's StandardScaler. Use prep's"),
        (make_pipeline(FunctionTransformer(np.abs)), "has no function"),
        (ColumnTransformer([("n", NUMBER(), lambda table: [0])]), r"\['n'\]: columns that are saved are names"),
        (ColumnTransformer([("n", NUMBER(), selectors.where(bool))]), "holds no function"),
        (ColumnTransformer([("n", NUMBER(), [0])], verbose_feature_names_out=lambda a, b: b), "is no function"),
        (ColumnTransformer([("n", NUMBER(), make_column_selector(dtype_include=np.int8))]), "dtype of make_column"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_refused(estimator, text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X.fillna(0), X["a"])
    with pytest.raises(PrepError, match=text):
        to_state(estimator)
    if text.startswith("sklearn's Lin"):
        assert type(read(to_state(estimator[:-1]))) is Pipeline


def test_a_subclass_is_another_class():
    class Mine(Pipeline):
        pass

    with pytest.raises(StateError, match="Mine"):
        to_state(Mine([("n", NUMBER())]).fit(X))


def test_what_has_not_learned_has_no_state():
    for estimator in (
        make_pipeline(NUMBER()),
        ColumnTransformer([("n", NUMBER(), [0])]),
        FeatureUnion([("n", NUMBER())]),
    ):
        with pytest.raises((NotFittedError, StateError)):
            to_state(estimator)


def test_depth_is_bounded():
    deep = NUMBER()
    for _ in range(30):
        deep = make_pipeline(deep)
    with pytest.raises(StateError, match="deeper"):
        to_state(deep.fit(X))
    state = to_state(NUMBER().fit(X))
    for _ in range(30):
        state = {"type": "Pipeline", "version": 2, "steps": [["a", state]], "transform_input": None}
    with pytest.raises(StateError, match="deeper"):
        from_state(state)


def places(state, path=()):
    """Every place in a tree, less what is inside the transformers, whose own tests spoil it."""
    yield path
    if isinstance(state, dict) and ("type" not in state or (state["type"] in bundle_types and "learned" not in state)):
        for key, value in state.items():
            yield from places(value, (*path, key))
    elif isinstance(state, list):
        for index, value in enumerate(state):
            yield from places(value, (*path, index))


def spoilt(state, path, value):
    state = copy.deepcopy(state)
    if not path:
        return value
    inner = state
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return state


@pytest.mark.parametrize("name", ["nested", "union", "pipeline", "weights", "with an untaught part",
                                  "columns by mask", "columns by selector", "columns by slice of names"])  # fmt: skip
def test_a_damaged_state_is_refused_or_works(name):
    state = to_state(COMPOSITIONS[name]().fit(X))
    refused = 0
    for path in places(state):
        for junk in (None, True, -1, 3, 10**30, 0.5, "x", "drop", [], [1], {}, {"type": "Pipeline"}, object()):
            try:
                again = from_state(spoilt(state, path, junk))
            except StateError:
                refused += 1
                continue
            assert again.transform(X).shape[0] == len(X), (path, junk)
    assert refused > 100


def test_fields_are_exact():
    for made in COMPOSITIONS.values():
        state = to_state(made().fit(X))
        for field in state:
            with pytest.raises(StateError):
                from_state({name: value for name, value in state.items() if name != field})
        with pytest.raises(StateError):
            from_state(state | {"extra": 1})


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("version",), 3, "version must be 2; got 3. Update brickwork-prep"),
        (("type",), "Pipelin", "nearest: 'Pipeline'"),
        (("transformers", 0, "name"), "a__b", "double underscore"),
        (("transformers", 0, "name"), "inner", "names of parts must differ"),
        (("transformers", 0, "columns"), {"list": ["a", "c"]}, "called as it knows them"),
        (("transformers", 0, "columns"), {"list": ["a"]}, r"as many columns as it takes \(2\)"),
        (("transformers", 0, "columns"), {"list": ["a", "z"]}, "one of those of fit; got 'z'"),
        (("remainder_columns",), {"list": [0]}, "those that no part takes"),
        (("n_features",), 4, "names must be as many"),
        (("verbose_feature_names_out",), "{feature_name.__class__}", "nothing|bool, or text"),
        (("verbose_feature_names_out",), "{feature_name:>99999}", "bool, or text"),
        (("sparse",), None, "sparse must fit the parts"),
        (("output",), "excel", "output must be a known one"),
    ],
)
def test_errors_say_what_is_wrong(path, value, text):
    state = to_state(COMPOSITIONS["nested"]().fit(X))
    with pytest.raises(StateError, match=text):
        from_state(spoilt(state, path, value))


def test_steps_must_fit_on_one_another():
    state = to_state(COMPOSITIONS["pipeline"]().fit(X))
    state["steps"][1][1] = NUMBER().fit(X[["a"]]).to_state()
    with pytest.raises(StateError, match=r"step 'standardscaler' takes 1 columns, as many as come; got 5"):
        from_state(state)
