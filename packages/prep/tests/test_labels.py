"""Labels, lists of labels and scaled targets: there and back, beside scikit-learn's, in parts, and as states."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import sklearn.preprocessing as theirs
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge

from brickwork.prep import (
    LabelBinarizer,
    LabelEncoder,
    MultiLabelBinarizer,
    PrepError,
    StateError,
    TargetError,
    TargetScaler,
    bundle_types,
)
from brickwork.prep.bundles import TARGETS
from brickwork.prep.targets.values import codes_of_labels

N = 60
RNG = np.random.default_rng(0)
LABELS = {
    "text": RNG.choice(["b", "a", "c"], N),
    "objects": RNG.choice(["b", "a", "c"], N).astype(object),
    "whole": RNG.integers(-3, 9, N),
    "far apart": RNG.integers(-3, 9, N) * 10**12,
    "bytes": RNG.integers(0, 255, N).astype(np.uint8),
    "signed bytes": RNG.integers(-128, 127, N).astype(np.int8),
    "unsigned": np.uint64(2**64 - 1) - RNG.integers(0, 5, N).astype(np.uint64),
    "truth": RNG.random(N) > 0.5,
    "floats": RNG.choice([1.0, 2.0], N),
    "one": np.array(["x"] * N),
}


def dense(values):
    return values.toarray() if hasattr(values, "toarray") else values


def again(fitted):
    return type(fitted).from_state(json.loads(json.dumps(fitted.to_state(), allow_nan=False)))


@pytest.mark.parametrize("name", LABELS)
def test_label_encoder_equals_scikit_learns(name):
    y = LABELS[name]
    ours, other = LabelEncoder().fit(y), theirs.LabelEncoder().fit(y)
    np.testing.assert_array_equal(ours.transform(y), other.transform(y))
    np.testing.assert_array_equal(ours.fit_transform(y), other.transform(y))
    np.testing.assert_array_equal(ours.classes_, other.classes_)
    np.testing.assert_array_equal(ours.inverse_transform(ours.transform(y)), y)
    assert ours.transform([]).tolist() == ours.inverse_transform([]).tolist() == []
    if name != "unsigned":  # beyond what a state holds as a whole number
        np.testing.assert_array_equal(again(ours).transform(y), ours.transform(y))


@pytest.mark.parametrize("name", set(LABELS) - {"floats", "far apart"})
@pytest.mark.parametrize("options", [{}, {"neg_label": -1, "pos_label": 2}, {"sparse_output": True}], ids=str)
def test_label_binarizer_equals_scikit_learns(name, options):
    y = LABELS[name]
    ours, other = LabelBinarizer(**options).fit(y), theirs.LabelBinarizer(**options).fit(y)
    mine, right = ours.transform(y), other.transform(y)
    assert type(mine) is type(right)
    np.testing.assert_array_equal(dense(mine), dense(right))
    np.testing.assert_array_equal(ours.inverse_transform(mine), y)


def test_probabilities_become_labels():
    two, three = LabelBinarizer().fit(["a", "b"]), LabelBinarizer().fit(["a", "b", "c"])
    assert two.inverse_transform(np.array([0.4, 0.6])).tolist() == ["a", "b"]
    assert two.inverse_transform(np.array([[0.6, 0.4], [0.1, 0.9]])).tolist() == ["a", "b"]
    assert two.inverse_transform(np.array([[0.4]]), threshold=0.3).tolist() == ["b"]
    assert three.inverse_transform([[0.1, 0.2, 0.7]]).tolist() == ["c"]


LISTS = [["a", "b"], (), {"c"}, ["b", "b"], ("c", "a")]


@pytest.mark.parametrize("options", [{}, {"classes": ["c", "a", "b"]}, {"sparse_output": True}], ids=str)
def test_multi_label_binarizer_equals_scikit_learns(options):
    ours, other = MultiLabelBinarizer(**options).fit(LISTS), theirs.MultiLabelBinarizer(**options).fit(LISTS)
    mine, right = ours.transform(LISTS), other.transform(LISTS)
    np.testing.assert_array_equal(dense(mine), dense(right))
    np.testing.assert_array_equal(dense(ours.fit_transform(LISTS)), dense(right))
    assert ours.inverse_transform(mine) == other.inverse_transform(right)
    assert ours.classes_.tolist() == other.classes_.tolist()
    np.testing.assert_array_equal(dense(again(ours).transform(LISTS)), dense(mine))
    np.testing.assert_array_equal(dense(ours.transform(pd.Series(LISTS))), dense(mine))


@given(st.lists(st.lists(st.integers(-3, 3), max_size=4), min_size=1, max_size=20))
def test_any_lists_come_back(lists):
    fitted = MultiLabelBinarizer().fit(lists)
    assert fitted.inverse_transform(fitted.transform(lists)) == [tuple(sorted(set(row))) for row in lists]


def test_a_label_without_a_column_is_told():
    fitted = MultiLabelBinarizer().fit([["a"], ["b"]])
    with pytest.warns(UserWarning, match=r"labels not seen at fit have no column; got 'z' in rows 1, 2\."):
        assert fitted.transform([["a"], ["b", "z"], ["z", "z"]]).tolist() == [[1, 0], [0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("lists", "text"),
    [
        (["ab", ["a"]], "column 'target' must hold lists of labels; got 'ab' in row 0. Wrap it: ['label']."),
        ([["a"], None], "got None in row 1. Give [] for a row without labels."),
        ([["a"], 3], "got 3 in row 1"),
        ([[["a"]]], "labels are hashable"),
    ],
)
def test_what_is_no_list_of_labels_is_refused(lists, text):
    with pytest.raises(TargetError, match=re.escape(text)):
        MultiLabelBinarizer().fit(lists)


def test_a_matrix_that_is_none_is_refused():
    fitted = MultiLabelBinarizer().fit([["a"], ["b"]])
    with pytest.raises(TargetError, match=r"holds 0 and 1; got 0\.2, 0\.8\. Compare probabilities"):
        fitted.inverse_transform([[0.2, 0.8]])
    with pytest.raises(TargetError, match="there are 2 columns"):
        fitted.inverse_transform([[1]])


@pytest.mark.parametrize("kind", [LabelEncoder, LabelBinarizer])
def test_a_label_not_seen_is_refused_with_its_rows(kind):
    text = "got 'Gento' in rows 1, 2. The classes are 'Adelie', 'Gentoo' (nearest: 'Gentoo')."
    with pytest.raises(TargetError, match=re.escape(text)):
        kind().fit(["Adelie", "Gentoo"]).transform(["Adelie", "Gento", "Gento"])
    with pytest.raises(TargetError, match="must not be missing; got None in row 1"):
        kind().fit(["a", None])
    with pytest.raises(NotFittedError):
        kind().transform(["a"])


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: LabelBinarizer(neg_label=1), "neg_label and pos_label are whole numbers that rise"),
        (lambda: LabelBinarizer(neg_label=-1, sparse_output=True), "sparse_output needs a neg_label of 0"),
        (lambda: MultiLabelBinarizer(classes=["a", "a"]), "classes must be labels that differ"),
        (lambda: MultiLabelBinarizer(sparse_output=1), "sparse_output must be True or False"),
        (lambda: TargetScaler("minmax"), "method must be one of 'standard'"),
    ],
)
def test_parameters_that_can_not_be_used_are_refused(made, text):
    with pytest.raises(PrepError, match=re.escape(text)):
        made().fit(["a", "b"])


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_told_apart_as_numpy_does(name):
    labels, codes = codes_of_labels(LABELS[name], "test")
    unique, inverse = np.unique(LABELS[name], return_inverse=True)
    assert labels == unique.tolist()
    np.testing.assert_array_equal(codes, inverse)


@pytest.mark.parametrize("kind", [LabelEncoder, LabelBinarizer])
def test_labels_of_parts_join(kind):
    whole = kind().fit(["c", "a", "b"])
    parts = kind().partial_fit(["c"]).partial_fit(["a"]).merge(kind().fit(["b", "a"]))
    assert parts.classes_.tolist() == whole.classes_.tolist()
    lists = MultiLabelBinarizer().partial_fit([["c"]]).merge(MultiLabelBinarizer().fit([["a"], []]))
    assert lists.classes_.tolist() == ["a", "c"]


METHODS = ["standard", "robust", "log", "power", "quantile"]
AMOUNTS = RNG.lognormal(3, 1, 200)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", ["one", "column", "two"])
def test_scaled_targets_come_back(method, shape):
    y = {"one": AMOUNTS, "column": AMOUNTS[:, None], "two": np.c_[AMOUNTS, -AMOUNTS]}[shape]
    fitted = TargetScaler(method).fit(y)
    scaled = fitted.transform(y)
    assert scaled.shape == y.shape and scaled.dtype == np.float64 and 0.5 < scaled.std() < 2
    np.testing.assert_allclose(fitted.inverse_transform(scaled), y, rtol=1e-9)
    np.testing.assert_array_equal(again(fitted).transform(y), scaled)
    np.testing.assert_array_equal(again(fitted).inverse_transform(scaled), fitted.inverse_transform(scaled))


def test_scaled_targets_are_those_of_the_formulas():
    log = np.log1p(AMOUNTS)
    np.testing.assert_allclose(TargetScaler("log").fit_transform(AMOUNTS), (log - log.mean()) / log.std(), rtol=1e-9)
    q1, median, q3 = np.quantile(AMOUNTS, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(
        TargetScaler("robust").fit_transform(AMOUNTS), (AMOUNTS - median) / (q3 - q1), rtol=1e-12
    )


@pytest.mark.parametrize("method", ["standard", "robust", "log", "quantile"])
def test_scalers_of_parts_tell_what_the_whole_tells(method):
    whole = TargetScaler(method).fit(AMOUNTS)
    parts = TargetScaler(method).partial_fit(AMOUNTS[:50]).partial_fit(AMOUNTS[50:120])
    parts.merge(TargetScaler(method).fit(AMOUNTS[120:]))
    np.testing.assert_allclose(parts.transform(AMOUNTS), whole.transform(AMOUNTS), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("targets", [1, 2])
def test_it_serves_a_regressor(method, targets):
    y = np.c_[AMOUNTS, AMOUNTS[::-1]][:, :targets]
    X = np.log(y) if targets == 1 else np.c_[np.log(y), y]
    y = y[:, 0] if targets == 1 else y
    model = TransformedTargetRegressor(Ridge(), transformer=TargetScaler(method)).fit(X, y)
    by_hand = TargetScaler(method).fit(y)
    right = by_hand.inverse_transform(Ridge().fit(X, by_hand.transform(y)).predict(X))
    np.testing.assert_allclose(model.predict(X), right, rtol=1e-9)
    assert model.predict(X).shape == y.shape


@pytest.mark.parametrize(
    ("y", "text"),
    [
        ([1.0, None], "column 'target' must not be missing; got None in row 1"),
        (np.array([[1.0, 2.0], [3.0, np.nan]]), "column 'x1' must not be missing; got None in row 1"),
        (["x", "y"], "column 'target' must hold numbers; got 'x', 'y' in rows 0, 1"),
        ([1.0, np.inf], "must be finite; got inf in row 1"),
        ([], "a target has rows; got none"),
    ],
)
def test_targets_that_are_no_numbers_are_refused(y, text):
    with pytest.raises(TargetError, match=re.escape(text)):
        TargetScaler().fit(y)


def test_another_number_of_targets_is_refused():
    with pytest.raises(TargetError, match="there are 1 targets; got 2"):
        TargetScaler().fit(AMOUNTS).transform(np.c_[AMOUNTS, AMOUNTS])
    with pytest.raises(PrepError, match="scalers to merge are of one method"):
        TargetScaler().fit(AMOUNTS).merge(TargetScaler("log").fit(AMOUNTS))


FITTED = {
    "LabelEncoder": LabelEncoder().fit(["b", "a"]),
    "LabelBinarizer": LabelBinarizer().fit([3, 1, 2]),
    "MultiLabelBinarizer": MultiLabelBinarizer().fit(LISTS),
    "TargetScaler": TargetScaler("log").fit(AMOUNTS),
}


def test_every_target_has_a_state_that_is_tested():
    assert set(FITTED) == set(TARGETS) - {"TargetPrep"} and set(TARGETS) <= set(bundle_types)


@pytest.mark.parametrize("name", FITTED)
def test_a_damaged_state_is_refused(name):
    fitted = FITTED[name]
    state = fitted.to_state()
    assert again(fitted).to_state() == state and not hasattr(clone(fitted), "classes_")
    for field in state:
        for broken in ({key: value for key, value in state.items() if key != field}, state | {field: object()}):
            with pytest.raises(StateError):
                type(fitted).from_state(broken)
    for field in state["learned"]:
        for value in (None, ["a", "a"], ["a", None], [["a"]], object(), -1):
            with pytest.raises(StateError):
                type(fitted).from_state(state | {"learned": state["learned"] | {field: value}})
    with pytest.raises(StateError):
        type(fitted).from_state(state | {"params": {"who": 1}})


def test_labels_that_are_no_plain_values_are_not_saved():
    with pytest.raises(TargetError, match="labels to be saved are text, numbers or booleans"):
        LabelEncoder().fit([("a",), ("b",)]).to_state()
