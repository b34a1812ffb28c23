"""Targets: what task they are, what they become, and what cannot be learned from."""

import json
import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from brickwork.prep import PrepError, StateError, TargetError, TargetPrep


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["b", "a", "b"], ["a", "b"]),
        (np.array(["b", "a"]), ["a", "b"]),
        ([True, False], [False, True]),
        ([2, 1, 2], [1, 2]),
        (np.array([2.0, 1.0, 2.0]), [1.0, 2.0]),
        (pd.Series(["b", "a"], dtype="string"), ["a", "b"]),
        (pd.Series(["b", "a"]).astype("category"), ["a", "b"]),
        (pd.Series([1, 0], dtype="boolean"), [False, True]),
        (pd.Series([3, 1, 3], dtype="Int64"), [1, 3]),
        (pd.DataFrame({"y": ["b", "a"]}), ["a", "b"]),
        (np.array([[1], [0]]), [0, 1]),
        ([("a", 1), ("a", 0)], [("a", 0), ("a", 1)]),
        ([date(2024, 1, 2), date(2023, 1, 2)], [date(2023, 1, 2), date(2024, 1, 2)]),
        (["a", 1, 2.5], [2.5, 1, "a"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_labels_become_sorted_indices_and_come_back(y, classes):
    prep = TargetPrep().fit(y)
    assert prep.task_ == "classification"
    assert prep.classes_.tolist() == classes
    indices = prep.transform(y)
    assert indices.dtype == np.int64 and indices.ndim == 1
    back = prep.inverse_transform(indices)
    assert back.tolist() == np.asarray(y, dtype=object).ravel().tolist() or back.tolist() == list(y)


def test_numbers_are_standardised_and_come_back():
    y = np.random.default_rng(0).normal(1e6, 3, 100)
    prep = TargetPrep().fit(y)
    assert prep.task_ == "regression"
    assert (prep.mean_, prep.scale_) == (pytest.approx(y.mean()), pytest.approx(y.std()))
    out = prep.transform(y)
    assert out.dtype == np.float32 and out.mean() == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(prep.inverse_transform(out), y, rtol=1e-10)
    assert prep.inverse_transform(out[:, None]).shape == (100, 1)


@pytest.mark.parametrize(
    ("y", "task"),
    [
        ([0, 1, 1, 0], "classification"),
        (list(range(10)) * 5, "classification"),
        (list(range(10)) * 4, "regression"),
        (list(range(30)) * 50, "regression"),
        ([1.5, 2.0, 1.5, 2.0], "regression"),
        (["1.5", "2"], "classification"),
    ],
)
def test_task_is_found(y, task):
    assert TargetPrep().fit(y).task_ == task


def test_task_as_asked():
    assert TargetPrep(task="regression").fit([0, 1, 1]).mean_ == pytest.approx(2 / 3)
    assert TargetPrep(task="regression").fit(["1.5", "2"]).scale_ == pytest.approx(0.25)
    assert TargetPrep(task="classification").fit([1.5, 2.5]).classes_.tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("y", "task", "text"),
    [
        ([], "auto", "a target has rows; got none."),
        ([None, None], "auto", "a target has values; got 2 rows, every one missing."),
        (pd.Series([np.nan, np.nan]), "auto", "every one missing"),
        (
            ["a", None, "b", np.nan],
            "auto",
            "column 'target' must not be missing; got None in rows 1, 3. Drop these rows.",
        ),
        ([1.5, np.nan, 2.5], "auto", "must not be missing; got None in row 1."),
        (pd.Series([1, None], dtype="Int64"), "auto", "must not be missing; got None in row 1."),
        (["a", "a"], "auto", "two or more classes are needed; got one class, 'a'."),
        ([2.5, 2.5], "auto", "a regression needs values that differ; got only 2.5."),
        ([1.5, np.inf], "auto", "column 'target' must be finite; got inf in row 1."),
        (["1", "x"], "regression", "column 'target' must hold numbers; got 'x' in row 1."),
        ([[1, 2], [3, 4]], "auto", "a target is one column; got shape (2, 2)."),
        ([{}, {}], "auto", "labels are hashable; got {} of type dict."),
    ],
)
def test_fit_refuses(y, task, text):
    with pytest.raises(TargetError, match=re.escape(text)) as caught:
        TargetPrep(task=task).fit(y)
    assert str(caught.value).startswith("TargetPrep.fit: ")


def test_unknown_task_unfitted_and_unseen_labels():
    with pytest.raises(PrepError, match=r"got 'classify' \(nearest: 'classification'\)"):
        TargetPrep(task="classify").fit([1, 2])
    with pytest.raises(NotFittedError, match="Call fit first"):
        TargetPrep().transform([1])
    prep = TargetPrep().fit(["Adelie", "Gentoo"])
    with pytest.raises(TargetError, match=r"got 'Gento' in rows 1, 2\. The classes are .* \(nearest: 'Gentoo'\)"):
        prep.transform(["Adelie", "Gento", "Gento"])
    with pytest.raises(TargetError, match="must be class indices from 0 to 1; got 2, -1 in rows 1, 2"):
        prep.inverse_transform([0, 2, -1])
    with pytest.raises(TargetError, match="class indices are integers; got dtype float64"):
        prep.inverse_transform([0.5])


def test_fitting_again_forgets_the_other_task():
    prep = TargetPrep().fit(["a", "b"]).fit([1.5, 2.5])
    assert not hasattr(prep, "classes_")
    assert not hasattr(clone(prep), "task_")


def test_describe():
    report = TargetPrep().fit(["b", "a", "b"]).describe()
    assert (report.task, report.classes, report.counts, report.mean) == ("classification", ("a", "b"), (1, 2), None)
    assert TargetPrep().fit([1.5, 2.5]).describe().mean == 2


@pytest.mark.parametrize("y", [["b", "a"], [True, False], [3, 1, 3], [1.5, 2.5, 9], [2, "a", True]])
def test_state_comes_back(y):
    prep = TargetPrep().fit(y)
    same = TargetPrep.from_state(json.loads(json.dumps(prep.to_state())))
    np.testing.assert_array_equal(same.transform(y), prep.transform(y))
    assert same.describe() == prep.describe()
    assert same.inverse_transform(same.transform(y)).dtype == prep.inverse_transform(prep.transform(y)).dtype


def test_labels_that_are_no_plain_values_are_not_saved():
    with pytest.raises(TargetError, match=r"labels to be saved are text, numbers or booleans; got .* of type tuple"):
        TargetPrep().fit([("a",), ("b",)]).to_state()


LABELS = TargetPrep().fit(["b", "a"]).to_state()
NUMBERS = TargetPrep().fit([1.5, 2.5]).to_state()


@pytest.mark.parametrize(
    "state",
    [
        None,
        [],
        {},
        LABELS | {"version": 3},
        LABELS | {"version": True},
        LABELS | {"type": "TablePrep"},
        LABELS | {"extra": 1},
        {name: value for name, value in LABELS.items() if name != "counts"},
        LABELS | {"task": "guess"},
        LABELS | {"task_": "guess"},
        LABELS | {"task_": ["regression"]},
        LABELS | {"task": "regression"},
        LABELS | {"classes": ["a"], "counts": [1]},
        LABELS | {"classes": ["a", "a"]},
        LABELS | {"classes": ["b", "a"]},
        LABELS | {"classes": ["a", None]},
        LABELS | {"classes": ["a", ["b"]]},
        LABELS | {"classes": "ab"},
        LABELS | {"counts": [1]},
        LABELS | {"counts": [1, -1]},
        NUMBERS | {"scale": 0},
        NUMBERS | {"scale": float("nan")},
        NUMBERS | {"mean": "1.5"},
        NUMBERS | {"classes": ["a", "b"], "counts": [1, 1]},
    ],
)
def test_a_tampered_state_is_refused(state):
    with pytest.raises(StateError, match=r"^TargetPrep\.from_state"):
        TargetPrep.from_state(state)
