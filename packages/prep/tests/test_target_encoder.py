"""`TargetEncoder`: equal to scikit-learn's, cross-fitting too; parts that merge; targets that are refused."""

import inspect
import json
import re

import numpy as np
import pandas as pd
import pytest
import sklearn.preprocessing as theirs
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit

from brickwork.prep import PrepError, StateError, TargetEncoder, TargetError
from brickwork.prep.statistics import read_statistic
from brickwork.prep.statistics.targets import TargetCounts, TargetMoments, moments_by

N = 300
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "town": RNG.choice(list("abcdefg"), N, p=[0.4, 0.3, 0.1, 0.1, 0.05, 0.04, 0.01]),
        "floor": RNG.integers(0, 12, N),
        "price": np.where(RNG.random(N) < 0.1, np.nan, RNG.choice([1.5, 2.0, -3.0, 10.0], N)),
    }
)
TARGETS = {
    "continuous": RNG.normal(5, 2, N),
    "binary": RNG.choice(["no", "yes"], N),
    "truth": RNG.random(N) > 0.3,
    "multiclass": RNG.choice(["u", "v", "w"], N),
    "whole": RNG.integers(0, 4, N),
}


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("smooth", ["auto", 0.0, 3.0])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.filterwarnings("ignore:`TargetEncoder.shuffle`:FutureWarning")
def test_equals_scikit_learns(target, smooth):
    y = TARGETS[target]
    ours = TargetEncoder(smooth=smooth, random_state=0)
    # scikit-learn is about to take shuffling from the encoder to its cv, which takes a splitter only in later releases.
    folds = (KFold if target == "continuous" else StratifiedKFold)(5, shuffle=True, random_state=0)
    own = "random_state" in inspect.signature(theirs.TargetEncoder).parameters
    other = theirs.TargetEncoder(smooth=smooth, **({"random_state": 0} if own else {"cv": folds}))
    close(ours.fit_transform(TABLE, y), other.fit_transform(TABLE, y))
    close(ours.transform(TABLE), other.transform(TABLE))
    unseen = TABLE.assign(town="nowhere", price=np.nan)
    close(ours.transform(unseen), other.transform(unseen))
    close(ours.target_mean_, other.target_mean_)
    assert ours.target_type_ == other.target_type_
    np.testing.assert_array_equal(ours.classes_, other.classes_)
    assert ours.get_feature_names_out().tolist() == other.get_feature_names_out().tolist()
    for a, b in zip(ours.encodings_, other.encodings_, strict=True):
        close(a, b)


@pytest.mark.parametrize("cv", [3, KFold(4), list(KFold(3).split(TABLE))], ids=["3", "KFold", "list"])
@pytest.mark.filterwarnings("ignore:`TargetEncoder.shuffle`:FutureWarning")
def test_folds_are_those_asked_for(cv):
    y = TARGETS["continuous"]
    ours = TargetEncoder(cv=cv, shuffle=False).fit_transform(TABLE, y)
    folds = KFold(3) if isinstance(cv, (int, list)) else cv
    for train, test in folds.split(TABLE):
        one = TargetEncoder().fit(TABLE.iloc[train], y[train]).transform(TABLE.iloc[test])
        close(ours[test], one)


def test_groups_go_to_the_folds():
    groups = np.arange(N) % 7
    out = TargetEncoder(cv=GroupKFold(3)).fit_transform(TABLE, TARGETS["continuous"], groups=groups)
    for train, test in GroupKFold(3).split(TABLE, groups=groups):
        one = TargetEncoder().fit(TABLE.iloc[train], TARGETS["continuous"][train]).transform(TABLE.iloc[test])
        close(out[test], one)


def test_categories_given_count_and_others_become_the_mean():
    y = TARGETS["continuous"]
    given = [["b", "a", "never"], [3, 4], [1.5, np.nan]]
    fitted = TargetEncoder(categories=given).fit(TABLE, y)
    whole = TargetEncoder().fit(TABLE, y)
    known = TABLE["town"].isin(["a", "b"]).to_numpy()
    close(fitted.transform(TABLE)[known, 0], whole.transform(TABLE)[known, 0])
    assert (fitted.transform(TABLE)[~known, 0] == fitted.target_mean_).all()
    assert fitted.encodings_[0][2] == fitted.target_mean_
    assert np.isfinite(fitted.fit_transform(TABLE, y)).all()


@pytest.mark.parametrize(
    ("y", "options", "text"),
    [
        (None, {}, "requires y to be passed, but the target y is None"),
        ([1.0], {}, "y must have as many rows as X, 4; got 1"),
        (["a", None, "b", "b"], {}, "column 'target' must not be missing; got None in row 1"),
        ([1.5, np.inf, 1, 1], {}, "must be finite; got inf in row 1"),
        ([1.5, 1e200, 1, 1], {}, "must be at most 1e+150 in size, since it is squared; got 1e+200 in row 1"),
        (["a", "b", "c", "a"], {"target_type": "binary"}, "a binary target has two labels; got 'a', 'b', 'c'"),
        (["a", "b", "c", "a"], {"target_type": "continuous"}, "must hold numbers; got 'a', 'b', 'c' in rows"),
        ([("a",), ("b",), ("b",), ("a",)], {}, "labels to be saved are text, numbers or booleans"),
        ([0, 1, 0, 1], {"smooth": -1}, "smooth must be 'auto' or a number of 0 or more; got -1"),
        ([0, 1, 0, 1], {"target_type": "number"}, "target_type must be one of"),
        ([0, 1, 0, 1], {"cv": 1}, "cv must be 2 folds or more; got 1"),
    ],
)
def test_what_can_not_be_learned_from_is_refused(y, options, text):
    with pytest.raises(PrepError, match=re.escape(text)):
        TargetEncoder(**options).fit([["a"], ["b"], ["a"], ["b"]], y)


def test_folds_that_do_not_fit_are_refused():
    with pytest.raises(
        PrepError, match=r"column 'row' is in the test part of exactly one fold of cv; got 0 in rows 0, 1"
    ):
        TargetEncoder(cv=TimeSeriesSplit(3)).fit_transform(TABLE, TARGETS["continuous"])
    with pytest.raises(PrepError, match=r"cv must give folds of these rows; got .*n_splits=5"):
        TargetEncoder().fit_transform([["a"], ["b"]], [1.5, 2.5])


def test_targets_of_parts_must_be_of_one_type():
    fitted = TargetEncoder().fit([["a"], ["b"]], [1, 2])
    with pytest.raises(TargetError, match="the target was one of classes in the parts before"):
        fitted.partial_fit([["a"]], [1.5])
    with pytest.raises(PrepError, match="targets to merge are of one type; got continuous beside binary"):
        fitted.merge(TargetEncoder().fit([["a"], ["b"]], [1.5, 2.5]))
    numbers = TargetEncoder().fit([["a"], ["b"]], [1.5, 2.5]).partial_fit([["a"]], [3])
    assert numbers.target_mean_ == pytest.approx(7 / 3)


def test_labels_of_parts_join():
    parts = TargetEncoder().partial_fit([["a"], ["b"]], ["x", "y"]).partial_fit([["a"], ["c"]], ["z", "y"])
    whole = TargetEncoder().fit([["a"], ["b"], ["a"], ["c"]], ["x", "y", "z", "y"])
    assert parts.target_type_ == "multiclass" and parts.classes_.tolist() == ["x", "y", "z"]
    close(parts.transform([["a"], ["b"], ["q"]]), whole.transform([["a"], ["b"], ["q"]]))


@given(st.data())
def test_statistics_of_parts_are_those_of_the_whole(data):
    n = data.draw(st.integers(1, 30))
    cells = data.draw(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=n, max_size=n))
    y = np.array(data.draw(st.lists(st.floats(-1e6, 1e6), min_size=n, max_size=n)))
    cut = data.draw(st.integers(0, n))
    table = pd.DataFrame({"a": pd.Series(cells, dtype=object)})
    whole = TargetEncoder(target_type="continuous").fit(table, y).statistics_[0]
    parts = TargetMoments()
    for rows in (slice(0, cut), slice(cut, n)):
        if len(y[rows]):
            parts.merge(TargetEncoder(target_type="continuous").fit(table[rows], y[rows]).statistics_[0])
    assert parts.times == whole.times and parts.missing == whole.missing
    order = [0, *(parts.index[text] for text in whole.texts)]
    np.testing.assert_allclose(parts.means[order], whole.means, atol=1e-8)
    np.testing.assert_allclose(parts.spreads[order], whole.spreads, rtol=1e-7, atol=1e-2)
    again = read_statistic(json.loads(json.dumps(whole.to_state())), "test", TargetMoments)
    assert again.to_state() == whole.to_state()


def test_moments_by_place_are_numpys():
    rows, y = RNG.integers(0, 5, N), RNG.normal(1e6, 1, N)
    found = moments_by(rows, y, 6)
    for place in range(5):
        own = y[rows == place]
        np.testing.assert_allclose(found.means[place, 0], own.mean(), rtol=1e-13)
        np.testing.assert_allclose(found.spreads[place, 0], ((own - own.mean()) ** 2).sum(), rtol=1e-6)
    assert found.counts[5] == found.means[5, 0] == 0
    mean, variance = found.whole()
    np.testing.assert_allclose([mean[0], variance[0]], [y.mean(), y.var()], rtol=1e-6)


@pytest.mark.parametrize(
    ("target", "change"),
    [
        ("continuous", {"counts": [1]}),
        ("continuous", {"means": [1.0]}),
        ("continuous", {"texts": ["a", "a"]}),
        ("continuous", {"statistic": "Counts"}),
        ("binary", {"labels": ["no", "no"]}),
        ("binary", {"labels": ["no"]}),
        ("binary", {"counts": [1, 2, 3]}),
        ("binary", {"labels": ["no", "maybe"]}),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(target, change):
    state = TargetEncoder().fit(TABLE, TARGETS[target]).to_state()
    state["learned"]["statistics"][0] = state["learned"]["statistics"][0] | change
    with pytest.raises(StateError):
        TargetEncoder.from_state(state)


def test_what_holds_a_splitter_is_not_saved():
    with pytest.raises(StateError, match=r"TargetEncoder.to_state.cv: .*plain data"):
        TargetEncoder(cv=KFold(3)).fit(TABLE, TARGETS["binary"]).to_state()


def test_one_class_gives_the_mean():
    fitted = TargetEncoder().fit([["a"], ["b"]], ["x", "x"])
    assert fitted.target_type_ == "binary" and fitted.transform([["a"], ["q"]]).tolist() == [[0.0], [0.0]]
    assert isinstance(fitted.statistics_[0], TargetCounts)


def test_fitting_again_forgets_the_other_type():
    encoder = TargetEncoder()
    for target in ("binary", "continuous", "multiclass", "continuous"):
        assert encoder.fit(TABLE, TARGETS[target]).target_type_ == target
        close(encoder.transform(TABLE), TargetEncoder().fit(TABLE, TARGETS[target]).transform(TABLE))
        assert encoder.fit_transform(TABLE, TARGETS[target]).shape == encoder.transform(TABLE).shape
