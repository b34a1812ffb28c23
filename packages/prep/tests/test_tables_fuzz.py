"""Whatever the frame: cleaning, selectors, windows and splits give a result that holds together, or one sentence."""

import json
import warnings
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork.prep import (
    Deduplicate,
    Differences,
    DropConstant,
    DropCorrelated,
    DropDuplicateColumns,
    DropLeaky,
    Lags,
    PrepError,
    RollingWindows,
    SelectColumns,
    TimeSplit,
    duplicate_rows,
    train_valid_test_split,
)
from brickwork.prep import selectors as s
from brickwork.prep.frame import open_table, take_rows

pytest.importorskip("polars", reason="polars is not installed")
pytest.importorskip("pyarrow", reason="pyarrow is not installed")

from .test_frames_fuzz import FUZZ, typed_frames, wild_frames

CHOICES = [
    DropConstant(threshold=0.8), DropDuplicateColumns(match="codes"), DropCorrelated(threshold=0.5, method="spearman"),
    DropLeaky(correlation=0.5, information=0.5), SelectColumns(s.has_missing() | s.cardinality(most=3)),
]  # fmt: skip
SERIES = [
    Lags(s.numeric(), (1, 30)), Differences(relative=True), RollingWindows(window=3, statistics=("std", "median")),
    RollingWindows(s.all(), timedelta(days=1), time=0),
]  # fmt: skip


def tried(call):
    """What a call gives, or None where it raises one sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            return call()
        except PrepError as error:
            assert "\n" not in str(error) and len(str(error)) < 700
            return None


def target(n):
    return [i % 2 for i in range(n)]


def same(a, b):
    """Two frames hold the same; by the text of their cells, since pandas stumbles over a signalling NaN."""
    assert a.dtypes.tolist() == b.dtypes.tolist() and list(map(repr, a.columns)) == list(map(repr, b.columns))
    assert a.index.tolist() == b.index.tolist()
    assert [list(map(repr, a.iloc[:, i])) for i in range(a.shape[1])] == [
        list(map(repr, b.iloc[:, i])) for i in range(b.shape[1])
    ]


def plainly(table):
    """The cells of a table as text, column by column."""
    opened = open_table(table, "test")
    return [[repr(column.at(np.array([row]))) if not gap else "gone" for row, gap in enumerate(column.missing)]
            for column in map(opened.column, range(len(opened.names)))]  # fmt: skip


@FUZZ
@given(wild_frames(), st.sampled_from(CHOICES))
def test_what_is_kept_of_any_frame_is_untouched(frame, choice):
    out = tried(lambda: choice.fit_transform(frame, target(len(frame))))
    if out is not None:
        same(out, frame.iloc[:, list(choice.kept_)])
        state = tried(lambda: json.loads(json.dumps(choice.to_state())))
        again = type(choice).from_state(state)
        same(again.transform(frame), out)


@FUZZ
@given(typed_frames(), st.sampled_from(CHOICES))
def test_every_library_keeps_the_same_columns(made, choice):
    columns, frames = made
    n = len(next(iter(columns.values())))
    kept = set()
    for frame in frames:
        out = tried(lambda frame=frame: choice.fit_transform(frame, target(n)))
        kept.add(None if out is None else choice.kept_)
        assert out is None or type(out) is type(frame)
    assert len(kept) == 1


@FUZZ
@given(typed_frames(kinds=("text", "word", "int64")))
def test_spellings_in_every_library(made):
    frames = made[1]
    outs = [tried(lambda frame=frame: Deduplicate().fit_transform(frame)) for frame in frames]
    assert all(out is None for out in outs) or all(plainly(out) == plainly(outs[0]) for out in outs)


@FUZZ
@given(wild_frames(), st.sampled_from(SERIES))
def test_series_of_any_frame(frame, made):
    out = tried(lambda: made.fit_transform(frame))
    if out is not None:
        assert out.shape == (len(frame), len(made.get_feature_names_out())) and out.dtype == np.float64
        history = made.history(frame)
        assert tried(lambda: made.transform(history)) is not None


@FUZZ
@given(wild_frames(), st.sampled_from([{}, {"groups": 0}, {"time": 0}, {"duplicates": "together"}]), st.integers(0, 9))
def test_parts_of_any_frame_lose_no_row(frame, options, seed):
    n = len(frame)
    numbered = np.arange(n)
    parts = tried(lambda: train_valid_test_split(frame, numbered, valid_size=0.3, stratify=False, seed=seed, **options))
    if parts is not None:
        assert sorted(np.concatenate(parts[3:])) == list(range(n))
        for part, rows in zip(parts[:3], parts[3:], strict=True):
            same(part, frame.iloc[rows])
    folds = tried(lambda: list(TimeSplit(2, time=0).split(frame)))
    for train, test in folds or []:
        assert not set(train.tolist()) & set(test.tolist())


@FUZZ
@given(typed_frames(low=1))
def test_rows_that_repeat_in_every_library(made):
    columns, frames = made
    marks = [tried(lambda frame=frame: duplicate_rows(frame).tolist()) for frame in frames]
    assert all(mark == marks[0] for mark in marks)
    unread = any(isinstance(cell, (list, bytes)) for values in columns.values() for cell in values)
    if marks[0] is not None and not unread:  # rows of objects that prep can not read equal none
        twice = take_rows(frames[0], np.concatenate([np.arange(len(marks[0]))] * 2))
        assert duplicate_rows(twice).tolist() == marks[0] + [True] * len(marks[0])
