"""Gather, scatter, ``x.at`` and segments: against loops, out of range, twice the same place, transformed, compiled."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import BrickworkError, DTypeError, ShapeError, TraceError
from brickwork.tensor.placing import _multiply_in_rounds, accumulate

RNG = np.random.default_rng(2)
X = RNG.normal(size=(4, 5, 3))
UFUNCS = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}
PLACES = np.array([[1, -1], [1, 0]])


def combined(x, key, values, mode):
    out = x.copy()
    UFUNCS[mode].at(out, key, values)
    return out


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("mode", UFUNCS)
def test_scatter_along_an_axis(axis, mode):
    place = axis % 3
    values = RNG.normal(size=(*X.shape[:place], 2, 2, *X.shape[place + 1 :]))
    want = combined(X, (slice(None),) * place + (PLACES,), values, mode)
    np.testing.assert_allclose(bt.scatter(X, PLACES, values, mode, axis).numpy(), want, 1e-14)


def test_set_leaves_one_of_several_and_stretches():
    np.testing.assert_array_equal(bt.scatter([1, 2, 3], [0, -1], 7), [7, 2, 7])
    assert bt.scatter(np.zeros(2), [1, 1], [3.0, 4.0]).numpy()[1] in (3.0, 4.0)


@pytest.mark.parametrize("dtype", ["int8", "uint32", "int64", "float16", "bfloat16", "float32", "complex64"])
def test_the_dtype_stays(dtype):
    out = bt.scatter(bt.ones(3, dtype), [0, 0, 2], 2, "add")
    assert out.dtype == bt.as_dtype(dtype)
    np.testing.assert_array_equal(out.numpy().astype(complex), [5, 1, 3])


def test_two_byte_floats_are_summed_in_float32():
    many = bt.segment_sum(bt.ones(4096, "float16") * 0.25, np.zeros(4096, int), 1)
    assert many.item() == 1024.0  # in float16, 0.25 is lost beside 512


def test_out_of_range_is_never_silent():
    for call in (
        lambda: bt.scatter(X, [4], 0.0),
        lambda: bt.scatter(X, [-5], 0.0, "add"),
        lambda: bt.gather(X, [4]),
        lambda: bt.segment_sum(X, [0, 1, 2, -1]),
        lambda: bt.segment_max(X, [0, 1, 2, 3], 3),
        lambda: bt.bincount([-1]),
        lambda: bt.bincount([3], length=3),
        lambda: bt.scatter(X, [0], 0.0, "average"),
        lambda: bt.scatter(X, [0], 0.0, bounds="wrap"),
        lambda: bt.scatter(X, [0], np.zeros((2, 2))),
        lambda: bt.segment_sum(X, [0, 1]),
        lambda: bt.index_add(X, [9], 1.0),
    ):
        with pytest.raises(ShapeError, match=r"^\w+: .+; .+"):
            call()
    for call in (
        lambda: bt.scatter(np.zeros(2, int), [0], 1.5),
        lambda: bt.scatter(X, [0.0], 1.0),
        lambda: bt.scatter(np.zeros(2, complex), [0], 1.0, "max"),
        lambda: bt.segment_sum(np.ones(2, bool), [0, 0]),
        lambda: bt.bincount([0.5]),
    ):
        with pytest.raises(DTypeError, match=r"^\w+: .+; .+"):
            call()


def test_out_of_range_clips_or_drops_where_that_is_asked():
    x = np.array([10.0, 20.0, 30.0])
    places = [0, 3, -1, -4]
    np.testing.assert_array_equal(bt.gather(x, places, bounds="drop", fill=-1), [10, -1, 30, -1])
    np.testing.assert_array_equal(bt.gather(x, places, bounds="clip"), [10, 30, 10, 10])
    np.testing.assert_array_equal(bt.scatter(x, places, 1.0, "add", bounds="drop"), [11, 20, 31])
    np.testing.assert_array_equal(bt.scatter(x, places, 1.0, "add", bounds="clip"), [13, 20, 31])
    np.testing.assert_array_equal(bt.gather(np.zeros((0, 2)), [0], bounds="drop", fill=5), [[5, 5]])
    np.testing.assert_array_equal(bt.scatter(np.zeros((0, 2)), [0], 1.0, bounds="drop"), np.zeros((0, 2)))


KEYS = [1, slice(1, 3), (slice(None), [0, 0, 2]), ([1, 1], slice(None, None, 2), 0), X[..., 0] > 0, (..., -1)]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_at_takes_any_key(key):
    t = bt.asarray(X)
    np.testing.assert_array_equal(t.at[key].get(), X[key])
    for name, mode in (("add", "add"), ("multiply", "mul"), ("min", "min"), ("max", "max")):
        np.testing.assert_array_equal(getattr(t.at[key], name)(0.5), combined(X, key, 0.5, mode))
    changed = X.copy()
    changed[key] = 0.5
    np.testing.assert_array_equal(t.at[key].set(0.5), changed)
    np.testing.assert_array_equal(t, X)


IDS = np.array([2, 0, 2, 4])
SEGMENTS = {
    "segment_sum": (np.sum, 0.0),
    "segment_prod": (np.prod, 1.0),
    "segment_max": (np.max, -np.inf),
    "segment_min": (np.min, np.inf),
    "segment_mean": (np.mean, 0.0),
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_segments(name):
    reduce, empty = SEGMENTS[name]
    rows = [reduce(X[n == IDS], axis=0) if (n == IDS).any() else np.full(X.shape[1:], empty) for n in range(6)]
    np.testing.assert_allclose(getattr(bt, name)(X, IDS, 6).numpy(), rows, 1e-14)
    np.testing.assert_allclose(getattr(bt, name)(X, IDS).numpy(), rows[:5], 1e-14)
    assert getattr(bt, name)(np.zeros((0, 2)), np.zeros(0, int)).shape == (0, 2)


def test_segments_of_integers():
    np.testing.assert_array_equal(bt.segment_max(np.array([3, 5], np.int8), [0, 0], 2), np.array([5, -128], np.int8))
    assert bt.segment_mean([1, 2], [0, 0]).numpy() == np.float32(1.5)


def test_bincount():
    x, weights = np.array([1, 3, 1]), np.array([0.5, 2.0, 1.0])
    np.testing.assert_array_equal(bt.bincount(x), np.bincount(x))
    np.testing.assert_array_equal(bt.bincount(x, weights, minlength=6), np.bincount(x, weights, 6))
    np.testing.assert_array_equal(bt.bincount(x, length=4), [0, 2, 0, 1])
    assert bt.bincount(np.zeros(0, int)).shape == (0,)


def test_ties_share_the_gradient():
    def total(x, updates):
        return bt.sum(bt.scatter(x, [0, 0, 1], updates, "max") * np.array([6.0, 1.0]))

    found = bt.grad(total, (0, 1))(np.array([2.0, 0.0]), np.array([2.0, 2.0, -1.0]))
    np.testing.assert_allclose([*found[0].numpy(), *found[1].numpy()], [2, 1, 2, 2, 0])


def test_products_have_exact_gradients_beside_zeros():
    x, updates = np.array([2.0, 3.0]), np.array([0.0, 5.0, 0.0, 0.0])

    def total(updates):
        return bt.sum(bt.scatter(x, [0, 0, 1, 1], updates, "mul"))

    np.testing.assert_allclose(bt.grad(total)(updates).numpy(), [10.0, 0.0, 0.0, 0.0])


def test_forward_mode_and_vmap():
    x, v = RNG.normal(size=(2, 4)), RNG.normal(size=(2, 3))
    _, out = bt.jvp(lambda a, b: bt.scatter(a, [1, 1, 0], b, "add"), (x[0], v[0]), (x[1], v[1]))
    np.testing.assert_allclose(out.numpy(), combined(x[1], np.array([1, 1, 0]), v[1], "add"))
    ids = np.array([[0, 1, 0], [2, 2, 2]])
    found = bt.vmap(lambda d, k: bt.segment_sum(d, k, 3))(v, ids)
    np.testing.assert_allclose(found.numpy(), [np.bincount(k, d, 3) for k, d in zip(ids, v)])
    with pytest.raises(TraceError, match="Name the number of segments"):
        bt.vmap(bt.segment_sum)(v, ids)


def test_compiled_gives_the_same_and_the_same_errors():
    step = bt.jit(lambda x, k, v: (bt.scatter(x, k, v, "add"), x.at[k].max(v), bt.segment_sum(v, k, 5)))
    k, v = np.array([1, 1, 3]), RNG.normal(size=(3, 5, 3))
    for got, want in zip(
        step(bt.asarray(X), k, v),
        (combined(X, k, v, "add"), combined(X, k, v, "max"), bt.segment_sum(v, k, 5)),
        strict=True,
    ):
        np.testing.assert_allclose(np.asarray(got), np.asarray(want), 1e-14)
    with pytest.raises(BrickworkError, match="indices must be in"):
        step(X, np.array([1, 9, 3]), v)


def test_rounds_of_products_are_the_products():
    """What array modules without multiply.at get."""
    places, values = RNG.integers(0, 5, 40), RNG.normal(size=40)
    out = np.ones(5)
    _multiply_in_rounds(np, out, places, values)
    np.testing.assert_allclose(out, accumulate(np, "mul", np.ones(5), values, [places]), 1e-14)
    _multiply_in_rounds(np, out, places[:0], values[:0])
