"""Whatever the frame: what reads dates, text and numbers gives numbers or one sentence, and of a row alone the same."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickwork.prep import (
    BooleanParser,
    CountVectorizer,
    DateDifference,
    DatetimeEncoder,
    HashingVectorizer,
    HolidayFlags,
    NumberParser,
    PrepError,
    TextIndexer,
    TfidfVectorizer,
    TimeSince,
)

from .test_frames_fuzz import EXAMPLES, FUZZ, typed_frames, wild_frames

FEW = settings(FUZZ, max_examples=max(EXAMPLES // 8, 1))  # of each class

MAKE = [
    DatetimeEncoder,
    lambda: DatetimeEncoder(["week", "hour", "is_month_end"], cyclic="splines", epoch="ms"),
    TimeSince,
    DateDifference,
    lambda: HolidayFlags(["2000-01-01", "1970-01-01"]),
    NumberParser,
    lambda: NumberParser(errors="missing", fractions=True),
    BooleanParser,
    lambda: BooleanParser(errors="missing"),
    lambda: CountVectorizer(sparse_output=False),
    lambda: TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sparse_output=False),
    lambda: HashingVectorizer(n_features=8, sparse_output=False),
    TextIndexer,
]
EACH = pytest.mark.parametrize("make", MAKE, ids=lambda make: repr(make()).split("\n")[0])


def outcome(function, *args):
    """What comes out, or the sentence of a PrepError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            return function(*args)
        except PrepError as error:
            return str(error)


def numbers_of(fitted, X, n):
    """What a fitted transformer makes of n rows: finite numbers or NaN, as many as it has names for."""
    found = outcome(fitted.transform, X)
    if not isinstance(found, str):
        assert found.shape == (n, len(fitted.get_feature_names_out())) and not np.isinf(found).any()
    return found


@EACH
@FEW
@given(wild_frames(), wild_frames())
def test_any_frame_gives_numbers_or_one_sentence(make, X, other):
    fitted = outcome(make().fit, X)
    if isinstance(fitted, str):
        assert ": " in fitted
        return
    found = numbers_of(fitted, X, len(X))
    numbers_of(fitted, other, len(other))
    outcome(fitted.partial_fit, other)
    again = type(fitted).from_state(json.loads(json.dumps(make().fit(X).to_state(), allow_nan=False)))
    np.testing.assert_array_equal(numbers_of(again, X, len(X)), found)


@EACH
@FEW
@given(typed_frames(low=1), st.integers(0, 79))
def test_libraries_and_single_rows_agree(make, drawn, row):
    _, frames = drawn
    found = []
    for X in frames:
        fitted = outcome(make().fit, X)
        found.append(fitted if isinstance(fitted, str) else numbers_of(fitted, X, len(frames[0])))
    for other in found[1:]:
        assert isinstance(other, str) == isinstance(found[0], str)
        if not isinstance(other, str):
            np.testing.assert_array_equal(other, found[0])
    if not isinstance(found[0], str):
        row %= len(frames[0])
        alone = numbers_of(make().fit(frames[0]), frames[-1][row : row + 1], 1)
        np.testing.assert_array_equal(alone, found[0][[row]])
