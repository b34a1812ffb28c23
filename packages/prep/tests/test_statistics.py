"""What fit learns: merged parts tell what the whole tells, and a state brings it back."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork.prep import StateError
from brickwork.prep.statistics import Counts, Moments, Quantiles, read_statistic
from brickwork.prep.statistics.quantiles import MOST

RNG = np.random.default_rng(0)
VALUES = {
    "normal": RNG.normal(0, 1, 40_000),
    "years": RNG.normal(2010, 5, 40_000),
    "lognormal": RNG.lognormal(0, 3, 40_000),
    "great and negative": -RNG.exponential(1e300, 40_000),
    "few": RNG.integers(0, 50, 40_000).astype(float),
    "both signs": RNG.choice([-1.0, 1.0], 40_000) * RNG.lognormal(0, 9, 40_000),
}


def of(kind, values):
    made = kind()
    made.add(np.asarray(values, float))
    return made


def again(statistic):
    return read_statistic(json.loads(json.dumps(statistic.to_state())), "test")


@pytest.mark.parametrize("name", VALUES)
def test_quantiles_of_parts_are_those_of_the_whole(name):
    values = VALUES[name]
    whole, parts = of(Quantiles, values), Quantiles()
    for part in np.array_split(RNG.permutation(values), 7):
        parts.merge(of(Quantiles, part))
    assert parts.shift == whole.shift and len(whole.keys) <= MOST
    np.testing.assert_array_equal(parts.keys, whole.keys)
    np.testing.assert_array_equal(parts.counts, whole.counts)


@pytest.mark.parametrize("name", VALUES)
def test_quantiles_are_near_in_rank(name):
    values = VALUES[name]
    found = of(Quantiles, values)
    for q in (0.0, 0.01, 0.3, 0.5, 0.99, 1.0):
        at = found.at(q)
        below, upto = (values < at).mean(), (values <= at).mean()
        assert below - 1e-3 <= q <= upto + 1e-3


def test_few_values_are_exact():
    values = VALUES["few"]
    found = of(Quantiles, values)
    for q in np.linspace(0, 1, 41):
        assert found.at(q) == np.quantile(values, q)
    np.testing.assert_array_equal(found.share_below(np.arange(50.0)), [(values <= k).mean() for k in range(50)])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_what_was_asked_is_numpys(values):
    asked = (0.0, 0.1, 0.5, 0.75, 1.0)
    found = Quantiles(asked)
    found.add(np.array(values))
    assert all(min(values) <= found.at(q) <= max(values) for q in asked)
    if max(map(abs, values)) < 1e300:  # NumPy's own answer overflows beyond
        np.testing.assert_array_equal([found.at(q) for q in asked], np.quantile(np.array(values) + 0.0, asked))


@given(st.lists(st.floats(allow_infinity=False), max_size=40), st.lists(st.floats(allow_infinity=False), max_size=40))
def test_moments_of_parts_are_those_of_the_whole(a, b):
    parts, whole = of(Moments, a), of(Moments, a + b)
    parts.merge(of(Moments, b))
    assert (parts.n, parts.missing, parts.low, parts.high) == (whole.n, whole.missing, whole.low, whole.high)
    size = max(map(abs, (whole.low, whole.high)))
    assert np.isfinite(whole.deviation)
    assert abs(parts.mean - whole.mean) <= 1e-13 * size
    assert abs(parts.deviation - whole.deviation) <= 1e-7 * size


def test_moments_are_numpys():
    values = VALUES["years"]
    found = of(Moments, np.append(values, np.nan))
    assert (found.n, found.missing) == (len(values), 1)
    np.testing.assert_allclose([found.mean, found.variance], [values.mean(), values.var()], rtol=1e-13)
    assert of(Moments, np.full(10, 0.1)).constant and not found.constant


@pytest.mark.parametrize("statistic", [of(Moments, VALUES["years"]), of(Quantiles, VALUES["normal"])], ids=repr)
def test_a_state_brings_it_back(statistic):
    assert again(statistic).to_state() == statistic.to_state()


def test_a_state_that_contradicts_itself_is_refused():
    state = of(Quantiles, [1.0, 2.0]).to_state()
    for change in ({"counts": [1]}, {"values": [2.0, 1.0]}, {"counts": [0, 1]}, {"shift": 63}, {"statistic": "os"}):
        with pytest.raises(StateError):
            read_statistic(state | change, "test")
    with pytest.raises(StateError, match="must be Counts"):
        read_statistic(state, "test", Counts)


def test_counted_values_are_as_each_by_itself():
    rng = np.random.default_rng(3)
    values = np.unique(rng.normal(0, 3, 50).round(1))
    counts = rng.integers(1, 9, len(values))
    moments, quantiles = Moments(), Quantiles((0.1, 0.5, 0.9))
    order = rng.permutation(len(values))
    moments.add_counted(values[order], counts[order])
    quantiles.add_counted(values[order], counts[order])
    whole = np.repeat(values, counts)
    assert moments.n == quantiles.n == len(whole)
    np.testing.assert_allclose([moments.mean, moments.variance], [whole.mean(), whole.var()], rtol=1e-12)
    np.testing.assert_allclose(quantiles.at_asked, np.quantile(whole, [0.1, 0.5, 0.9]), rtol=1e-12)
    assert (moments.low, moments.high) == (values[0], values[-1])
    great = Moments()
    great.add_counted(np.array([-1e308, 1e308]), np.array([3, 3]))
    assert great.mean == 0 and great.deviation == pytest.approx(1e308)
