"""The same table in any form gives the same numbers."""

import pickle
import timeit

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline

from brickwork.prep import TablePrep


def forms(frame: pd.DataFrame):
    objects = frame.astype(object).where(frame.notna(), None)
    yield objects
    yield frame.convert_dtypes()
    yield {name: frame[name] for name in frame}
    yield {name: objects[name].tolist() for name in frame}
    yield {name: frame[name].to_numpy() for name in frame}
    yield objects.to_dict("records")
    yield frame[frame.columns[::-1]].assign(extra="ignored")


def test_forms_agree(mixed):
    want = TablePrep().fit_transform(mixed)
    assert np.isfinite(want).all()
    for X in forms(mixed):
        np.testing.assert_array_equal(TablePrep().fit(mixed).transform(X), want)
        np.testing.assert_array_equal(np.sort(TablePrep().fit_transform(X), axis=1), np.sort(want, axis=1))


def test_lists_of_rows_are_read_cell_by_cell(mixed):
    rows = mixed.astype(object).to_numpy().tolist()
    kept = mixed[[c for c in mixed if c not in ("row_id", "tag")]]
    np.testing.assert_array_equal(
        TablePrep(kinds={0: "drop", 8: "drop"}).fit_transform(rows), TablePrep().fit_transform(kept)
    )


def test_each_row_alone_is_as_in_its_table(mixed):
    prep = TablePrep().fit(mixed)
    want = prep.transform(mixed)
    records = mixed.astype(object).to_dict("records")
    np.testing.assert_array_equal(np.concatenate([prep.transform(record) for record in records]), want)
    np.testing.assert_array_equal(np.concatenate([prep.transform(mixed.iloc[[i]]) for i in range(len(mixed))]), want)


def test_a_batch_of_whole_numbers_matches_categories_of_text():
    prep = TablePrep().fit({"grade": ["1", "2", "A", "1"]})
    np.testing.assert_array_equal(prep.transform(pd.DataFrame({"grade": [1, 2, 7]})), np.eye(5)[[0, 1, 3]])


def test_records_may_lack_a_key_in_some_rows():
    prep = TablePrep().fit([{"a": 1.0, "b": "x"}, {"a": 2.0}, {"a": 3.0, "b": "y"}])
    assert prep.describe()[1].missing == 1


def test_dropped_columns_need_not_come_back(mixed):
    prep = TablePrep().fit(mixed)
    lean = mixed.drop(columns=["row_id", "tag", "planet", "nothing"])
    np.testing.assert_array_equal(prep.transform(lean), prep.transform(mixed))


def test_names_and_positions_warn_as_scikit_learn_does():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]})
    with pytest.warns(UserWarning, match="does not have valid feature names, but TablePrep was fitted with"):
        TablePrep().fit(frame).transform(frame.to_numpy())
    with pytest.warns(UserWarning, match="X has feature names, but TablePrep was fitted without"):
        TablePrep().fit(frame.to_numpy()).transform(frame)


def test_set_output_keeps_names_and_index(mixed):
    mixed.index = pd.RangeIndex(100, 140)
    prep = TablePrep().set_output(transform="pandas").fit(mixed)
    out = prep.transform(mixed)
    assert out.columns.tolist() == prep.get_feature_names_out().tolist()
    assert out.index.equals(mixed.index) and (out.dtypes == np.float32).all()


def test_feature_names_in(mixed):
    prep = TablePrep().fit(mixed)
    assert prep.feature_names_in_.tolist() == mixed.columns.tolist()
    prep.fit(np.eye(3))
    assert not hasattr(prep, "feature_names_in_")
    assert prep.get_feature_names_out(["a", "b", "c"]).tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="input_features should have length equal"):
        prep.get_feature_names_out(["a"])


def test_in_pipelines(mixed):
    y = np.where(mixed["size"].fillna(50) > 50, "big", "small")
    pipeline = Pipeline([("prep", TablePrep()), ("model", LogisticRegression(max_iter=500))])
    assert pipeline.fit(mixed, y).score(mixed, y) > 0.9
    assert cross_val_score(pipeline, mixed, y, cv=4, error_score="raise").mean() > 0.6
    search = GridSearchCV(pipeline, {"prep__max_categories": [2, 100], "prep__kinds": [None, {"tag": "drop"}]}, cv=2)
    assert search.fit(mixed, y).best_score_ > 0.5
    assert make_pipeline(TablePrep(), LogisticRegression())[:-1].fit(mixed).get_feature_names_out().size


def test_clone_and_pickle(mixed):
    prep = TablePrep(kinds={"count": "categorical"}, max_categories=3).fit(mixed)
    assert clone(prep).get_params() == prep.get_params()
    assert not hasattr(clone(prep), "encoders_")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(prep)).transform(mixed), prep.transform(mixed))  # noqa: S301


def test_transform_leaves_self_and_input_alone(mixed):
    prep, before = TablePrep().fit(mixed), mixed.copy(deep=True)
    state = pickle.dumps(prep)
    prep.transform(mixed)
    assert pickle.dumps(prep) == state
    pd.testing.assert_frame_equal(mixed, before)


def test_one_row_is_fast():
    rows = {"i": ["a", "b", "c"], "s": ["m", None, "f"], **{f"n{k}": [1.0, None, 3.5] for k in range(5)}}
    prep = TablePrep().fit(rows)
    row = {name: values[0] for name, values in rows.items()}
    best = min(timeit.repeat(lambda: prep.transform(row), number=50, repeat=9)) / 50
    assert best < 500e-6  # about 60 microseconds on a server core of 2024; the bound allows for a busy, slow one
