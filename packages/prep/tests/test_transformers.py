"""What holds for every transformer: states, parts that merge, names, containers, one arithmetic."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from brickwork.prep import PrepError, StateError
from brickwork.prep.bundles import TRANSFORMERS
from brickwork.prep.column_wise import ColumnWise, Invertible
from brickwork.prep.frame import take_rows

from .catalogue import CASES

EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def same(a, b, exact=True):
    """Whether two outputs hold the same values, bit by bit or to rounding."""
    a, b = (np.asarray(v.toarray() if hasattr(v, "toarray") else v) for v in (a, b))
    if a.dtype == object or b.dtype == object:
        pd.testing.assert_frame_equal(pd.DataFrame(a), pd.DataFrame(b), check_dtype=False, check_exact=exact)
    elif exact:
        np.testing.assert_array_equal(a, b)
    else:
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_every_class_has_a_case():
    assert set(TRANSFORMERS.values()) == {type(case.make()) for case in CASES}


@EACH
def test_a_state_is_json_and_brings_it_back(case):
    fitted = case.make().fit(case.X, case.y)
    state = json.loads(json.dumps(fitted.to_state(), allow_nan=False))
    again = type(fitted).from_state(state)
    same(again.transform(case.X), fitted.transform(case.X))
    assert list(again.get_feature_names_out()) == list(fitted.get_feature_names_out())
    assert again.to_state() == fitted.to_state()
    same(pickle.loads(pickle.dumps(fitted)).transform(case.X), fitted.transform(case.X))  # noqa: S301 - our own bytes


@EACH
def test_a_damaged_state_is_refused(case):
    state = case.make().fit(case.X, case.y).to_state()
    for field in state:
        with pytest.raises(StateError):
            type(case.make()).from_state({name: value for name, value in state.items() if name != field})
        with pytest.raises(StateError):
            type(case.make()).from_state(state | {field: object()})
    with pytest.raises(StateError):
        type(case.make()).from_state(state | {"extra": 1})


@EACH
def test_parts_that_merge_tell_what_the_whole_tells(case):
    transformer = case.make()
    if not case.merges or not isinstance(transformer, ColumnWise):
        pytest.skip("its statistic does not merge exactly, or it learns nothing of single columns")
    whole = case.make().fit(case.X, case.y).transform(case.X)
    parts = [slice(0, 25), slice(25, 40), slice(40, None)]
    target = [None if case.y is None else case.y[part] for part in parts]
    chunks, merged = case.make(), None
    for part, y in zip(parts, target, strict=True):
        chunks.partial_fit(case.X[part], y)
        one = case.make().fit(case.X[part], y)
        merged = one if merged is None else merged.merge(one)
    same(chunks.transform(case.X), whole, exact=False)
    same(merged.transform(case.X), whole, exact=False)
    assert merged.n_samples_seen_ == chunks.n_samples_seen_ == len(case.X)


@EACH
def test_frames_come_out_as_asked(case):
    fitted = case.make().fit(case.X, case.y)
    plain, names = fitted.transform(case.X), list(fitted.get_feature_names_out())
    if hasattr(plain, "toarray"):
        pytest.skip("scikit-learn allows no frame of sparse columns")
    frame = clone(fitted).set_output(transform="pandas").fit(case.X, case.y).transform(case.X)
    assert list(frame.columns) == names and frame.index.equals(case.X.index)
    same(frame.to_numpy(), plain)
    polars = pytest.importorskip("polars", reason="polars is not installed")
    given = polars.from_pandas(case.X)
    other = clone(fitted).set_output(transform="polars").fit(given, case.y).transform(given)
    assert other.columns == names
    same(other.to_pandas().to_numpy(), plain)


@EACH
def test_order_and_extra_columns_do_not_matter(case):
    fitted = case.make().fit(case.X, case.y)
    turned = case.X[list(case.X.columns)[::-1]].assign(extra_column=1)
    same(fitted.transform(turned), fitted.transform(case.X))


@EACH
def test_one_row_is_as_many(case):
    """Where a row does not look at its neighbours."""
    fitted = case.make().fit(case.X, case.y)
    if getattr(type(fitted), "LOOKS_AROUND", False):
        pytest.skip("its rows look at their neighbours")
    whole = fitted.transform(case.X)
    for row in (0, 7, 31):
        same(fitted.transform(case.X.iloc[[row]]), take_rows(whole, np.array([row])))


@EACH
def test_an_inverse_brings_the_columns_back(case):
    transformer = case.make()
    if not isinstance(transformer, Invertible) or not case.invertible:
        pytest.skip("has no inverse, or one that loses something by its nature")
    numbers = transformer.fit_transform(case.X, case.y)
    np.testing.assert_allclose(transformer.inverse_transform(numbers), case.X.to_numpy(float), rtol=1e-9, atol=1e-9)
    with pytest.raises(PrepError, match="columns"):
        transformer.inverse_transform(numbers[:, :1])


def test_rows_that_can_not_be_learned_from_leave_what_was_learned():
    from brickwork.prep import StandardScaler

    scaler = StandardScaler().fit({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    before = scaler.to_state()
    with pytest.raises(PrepError, match="'b'"):
        scaler.partial_fit({"a": [9.0], "b": ["nine"]})
    assert scaler.to_state() == before
    assert scaler.partial_fit({"a": [9.0], "b": [9.0]}).n_samples_seen_ == 3
