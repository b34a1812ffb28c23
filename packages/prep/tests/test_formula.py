"""One arithmetic, three readers: NumPy, plain Python, and an array library that is traced."""

import numpy as np
import pytest

from brickwork.prep import formula as f
from brickwork.prep.evaluation import evaluate
from brickwork.prep.formula import Formula, number
from brickwork.prep.functions import FUNCTIONS, TWO
from brickwork.prep.scalar import scalar, scalars

X = np.concatenate([np.random.default_rng(0).normal(0, 2, 200), [np.nan, 0.0, -1.0, 1.0, 2.0, 1e300, -1e300]])
Y = np.roll(X, 3)
x, y = number(0), number(1)
filled = f.where(f.is_missing(x), 0.5, x)
CASES = {
    **{name: Formula(name, (x,)) for name in FUNCTIONS},
    **{name: Formula(name, (x, y)) for name in TWO if name != "pow"},
    "square": x**2,
    "arithmetic": -(1 - x) * 3 / (2 + y) - 1 / x,
    "clip": x.clip(-1, 1),
    "floor of one bound": x.clip(0, None),
    "where": f.where(x > y, x, 1.0),
    "where of numbers": f.where(x < 0, 1.0, 0.0),
    "truth in arithmetic": f.is_missing(x) + (x > 0) * 2,
    "bucket": f.bucket(x, [-1.0, 0.0, 1.0]),
    "take": f.take([5, 6, 7], f.bucket(filled, [-1.0, 0.0])),
    "interpolate": f.interpolate(x, [-1, 0, 2], [0, 0.5, 1]),
    "interpolate of shared points": f.interpolate(x, [-1, -1, 0, 0, 0, 2, 2], [0, 1, 2, 3, 4, 5, 6]),
    "bucket of many edges": f.bucket(x, np.linspace(-3, 3, 100)),
    "take of many": f.take(range(101), f.bucket(filled, np.linspace(-3, 3, 100))),
    "interpolate of many points": f.interpolate(x, np.linspace(-3, 3, 100), np.linspace(0, 1, 100) ** 2),
    "interpolate of one point": f.interpolate(x, [1], [3]),
    "one_hot": f.one_hot(f.bucket(filled, [-1.0, 0.0, 1.0]), 4),
    "one_hot of what is outside": f.one_hot(f.bucket(filled, [-1.0, 0.0, 1.0]) - 1, 2),
    "constants": f.constant(2) * 3 + x,
}


@pytest.mark.parametrize("name", CASES)
def test_readers_agree(name):
    formula = CASES[name]
    with np.errstate(all="ignore"):
        (whole,) = evaluate([formula], [X, Y])
    one = scalar(formula)
    rows = np.array([one(row) for row in zip(X.tolist(), Y.tolist(), strict=True)])
    np.testing.assert_allclose(np.asarray(whole, float), rows, rtol=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_an_array_library_agrees(name):
    bt = pytest.importorskip("brickwork.tensor", reason="tensor-core is not installed beside prep")
    with np.errstate(all="ignore"):
        (want,) = evaluate([CASES[name]], [X, Y])
        (got,) = evaluate([CASES[name]], [bt.asarray(X), bt.asarray(Y)], bt)
    np.testing.assert_allclose(np.asarray(got.numpy(), float), np.asarray(want, float), rtol=1e-13)


def test_what_is_shared_is_computed_once():
    calls = []

    class Counting:
        def __getattr__(self, name):
            calls.append(name)
            return getattr(np, name)

    shared = f.call("exp", x)
    evaluate([shared + 1, shared + 2], [np.ones(3)], Counting())
    assert calls.count("exp") == 1


def test_several_of_one_row_are_as_each_alone(monkeypatch):
    names = [name for name in CASES if CASES[name].width == 1]
    together, alone = scalars([CASES[name] for name in names]), [scalar(CASES[name]) for name in names]
    for row in zip(X.tolist(), Y.tolist(), strict=True):
        np.testing.assert_array_equal(together(row), [one(row) for one in alone])
    calls = []
    monkeypatch.setitem(FUNCTIONS, "exp", lambda value: calls.append(value) or value)
    shared = f.call("exp", x) * y
    assert scalars([shared + 1, shared + 2, f.call("exp", y)])([2.0, 3.0]) == [7.0, 8.0, 3.0]
    assert calls == [2.0, 3.0]


def test_an_unknown_function_is_refused():
    with pytest.raises(ValueError, match="a function is one of isnan"):
        f.call("system", x)
