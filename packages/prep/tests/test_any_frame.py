"""Whatever the frame: finite float32 of the promised shape, or one sentence."""

import warnings
from datetime import timedelta, timezone

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brickwork.prep import PrepError, TablePrep

CELLS = {
    "float": st.floats(),
    "int": st.integers(-(2**70), 2**70),
    "bool": st.booleans(),
    "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    "word": st.sampled_from(["a", "b", "", " ", "1", "1e400", "nan", "2024-01-02", "yes", "x" * 5000]),
    "date": st.datetimes(),
    "aware": st.datetimes(timezones=st.sampled_from([timezone(timedelta(hours=hours)) for hours in (-12, 0, 14)])),
    "none": st.none(),
    "object": st.sampled_from([[], {}, b"x", (1,), pd.NA, pd.NaT, np.float32(1), np.datetime64("NaT", "us"), float]),
}


@st.composite
def frames(draw):
    n = draw(st.integers(0, 30))
    columns = []
    for _ in range(draw(st.integers(0, 4))):
        cells = st.one_of(
            *(CELLS[kind] for kind in draw(st.sets(st.sampled_from(sorted(CELLS)), min_size=1, max_size=2)))
        )
        columns.append(draw(st.lists(cells | st.none(), min_size=n, max_size=n)))
    names = draw(st.lists(st.sampled_from("abcdefgh"), min_size=len(columns), max_size=len(columns)))
    frame = pd.DataFrame(dict(enumerate(pd.Series(c, dtype=object) for c in columns)), index=range(n))
    frame.columns = names
    return frame.infer_objects() if draw(st.booleans()) else frame


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frames(), frames())
def test_a_result_or_one_sentence(first, second):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            prep = TablePrep().fit(first)
        except PrepError as error:
            assert str(error).startswith("TablePrep") and "\n" not in str(error)
            return
        out = prep.transform(first)
        assert out.shape == (len(first), prep.n_features_out_) == (len(first), len(prep.get_feature_names_out()))
        assert out.dtype == np.float32 and np.isfinite(out).all()
        same = TablePrep.from_state(prep.to_state())
        assert same.transform(first).tobytes() == out.tobytes()
        np.testing.assert_array_equal(prep.transform(first.to_dict("records")), out)
        try:
            assert np.isfinite(prep.transform(second)).all()
        except PrepError as error:
            assert "\n" not in str(error)
