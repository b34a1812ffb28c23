"""Indexing, reading and writing, against NumPy; gradients against differences; under a compiler's trace as well."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import brickwork.tensor as bt
from brickwork.tensor import BrickworkError, ShapeError, TraceError, Variable

X = np.arange(60.0).reshape(3, 4, 5)
MASK = X % 3 == 0
KEYS = [
    (),
    0,
    -1,
    np.int64(2),
    Ellipsis,
    None,
    (slice(None), 1),
    (slice(2, None, -2), Ellipsis, slice(1, 4)),
    (None, 0, Ellipsis, None),
    [0, 2],
    [],
    np.array(1),
    np.array([[0], [2]]),
    (np.array([[0], [1]]), np.array([1, 2, 3])),
    ([0, 1], slice(None), [1, 2]),
    (slice(None), [0, 1], [1, 2]),
    (slice(None), [0, 1], Ellipsis, [0, 1]),
    (0, slice(None), [1, 2]),
    (slice(None), 0, [1, 2]),
    (0, [1, 2]),
    ([0], None, [1]),
    (None, [[0, 1]], None),
    (Ellipsis, [-1, -5]),
    MASK,
    MASK[:, 0, 0],
    (slice(None), MASK[0]),
    (MASK[:, 0, 0], [0, 3]),
    ([True, False, True], slice(None), 0),
    True,
    (slice(None), False),
    (True, [0, 1]),
    np.zeros((3, 4), bool),
]
BAD = [
    3,
    -4,
    (0, 0, 0, 0),
    [3],
    (slice(None), [0, -5]),
    (Ellipsis, Ellipsis),
    1.5,
    [0.5],
    "a",
    slice(None, None, 0),
    np.ones((2, 4), bool),
    ([0, 1], [0, 1, 2]),
    slice(0.5),
]
names = pytest.mark.parametrize("key", KEYS, ids=repr)


@names
def test_reading(key):
    found = bt.asarray(X)[key]
    assert found.shape == X[key].shape and found.dtype == X.dtype
    np.testing.assert_array_equal(found.numpy(), X[key])


@names
def test_writing(key):
    values = (7.0, np.full(X[key].shape, 8.0), np.full((1, *X[key].shape), 9.0))
    for value in values:
        array, found = X.copy(), bt.asarray(X)
        found[key] = value
        array[key] = value.reshape(X[key].shape) if value is not values[0] else value
        np.testing.assert_array_equal(found.numpy(), array)
    np.testing.assert_array_equal(X.ravel(), np.arange(60.0))  # an array that was shared is as it was


@names
def test_gradients(key):
    """Of reading and writing, along a random direction; both are linear."""
    rng = np.random.default_rng(5)
    weights = bt.asarray(rng.normal(size=X[key].shape))
    (found,) = bt.grad(lambda x: (x[key] * weights).sum(), (0,))(X)
    direction = rng.normal(size=X.shape)
    np.testing.assert_allclose((found.numpy() * direction).sum(), (direction[key] * weights.numpy()).sum())
    value, after = rng.normal(size=X[key].shape), rng.normal(size=X.shape)

    def written(x, v):
        y = x * 1.0
        y[key] = v
        return (y * after).sum()

    gx, gv = bt.grad(written, (0, 1))(X, value)
    step, by = X.copy(), direction.copy()
    step[key] = value
    by[key] = 0.0
    np.testing.assert_allclose((gx.numpy() * direction).sum(), (by * after).sum(), atol=1e-12)
    by[...] = 0.0
    by[key] = value
    np.testing.assert_allclose((gv.numpy() * value).sum(), (by * after).sum(), atol=1e-12)


@pytest.mark.parametrize("key", BAD, ids=repr)
def test_keys_that_do_not_fit(key):
    t = bt.asarray(X)
    with pytest.raises(BrickworkError, match=r"^[\w.]+: .+; .+"):
        t[key]
    with pytest.raises(BrickworkError, match=r"^[\w.]+: .+; .+"):
        t[key] = 1.0


def test_values_that_do_not_fit():
    t, whole = bt.asarray(X), bt.asarray([1, 2, 3])
    for value in (np.ones(3), np.ones((2, 1, 1, 1))):
        with pytest.raises(ShapeError, match="index: "):
            t[0] = value
    with pytest.raises(bt.DTypeError, match="no wider kind than int64; got float32"):
        whole[0] = 1.5
    whole[0] = True
    assert whole.tolist() == [1, 2, 3]


def test_of_several_values_for_a_place_one_stays_and_has_the_gradient():
    def fn(v):
        x = bt.zeros(2, "float64")
        x[[0, 1, 0]] = v
        return (x * np.array([1.0, 10.0])).sum()

    assert bt.grad(fn)(np.array([5.0, 6.0, 7.0])).tolist() == [0.0, 10.0, 1.0]


def test_a_tape_keeps_what_was_before():
    def fn(x):
        y = x * x
        x[0] = 100.0
        return y.sum() + x.sum()

    assert bt.grad(fn)(np.array([1.0, 2.0])).tolist() == [2.0, 5.0]


def test_assignment_to_a_variable():
    v = Variable(X, name="w")
    v[0] = 0.0
    v[MASK] = -1.0
    wanted = X.copy()
    wanted[0] = 0.0
    wanted[MASK] = -1.0
    np.testing.assert_array_equal(v.numpy(), wanted)
    assert isinstance(v, Variable) and v.name == "w"


def test_handles_do_not_share_an_assignment():
    t = bt.asarray(X)
    other = bt.asarray(t.numpy())
    t[0] = 5.0
    assert other.numpy()[0, 0, 1] == 1.0


@pytest.mark.skipif(bt.find_compiler() is None, reason="no compiler is installed")
def test_in_a_compiled_function():
    state = Variable(np.zeros(5), name="state")

    def fn(x, places, mask):
        y = x + 0.0
        y[1] = y[0] * 2.0
        y[:, places] = -1.0
        y[mask] = 3.0
        state[places] = 1.0
        return y[:, 1:], y[places, places], bt.grad(lambda z: (z[places] ** 2).sum())(x)

    x, places, mask = X[0], np.array([0, 2]), X[1] % 2 == 0
    eager = [t.numpy() for t in fn(*map(bt.asarray, (x, places, mask)))]
    assert state.numpy().tolist() == [1.0, 0.0, 1.0, 0.0, 0.0]
    state.assign(np.zeros(5))
    compiled = bt.jit(fn)(*map(bt.asarray, (x, places, mask)))
    for a, b in zip(eager, compiled, strict=True):
        np.testing.assert_array_equal(a, b.numpy())
    assert state.numpy().tolist() == [1.0, 0.0, 1.0, 0.0, 0.0]
    with pytest.raises(TraceError, match="index: a mask must be known"):
        bt.jit(lambda x, m: x[m])(bt.asarray(x), bt.asarray(mask))
    outside = bt.zeros(3)
    with pytest.raises(TraceError, match="outside a traced function"):
        bt.jit(lambda x: outside.__setitem__(0, x[0, 0]) or x)(bt.asarray(x.astype("float32")))


def test_take_along_axis():
    places = np.array([[[0, 2, -1, 0, 0]]])
    for axis, index in ((1, places), (-1, np.argsort(-X, -1)), (0, np.zeros((2, 4, 1), int))):
        wide = np.broadcast_to(index, [n if a != axis % 3 else index.shape[a] for a, n in enumerate(X.shape)])
        np.testing.assert_array_equal(
            bt.take_along_axis(X, index, axis=axis).numpy(), np.take_along_axis(X, wide, axis)
        )
    for bad in (np.zeros((3, 4), int), np.full((3, 4, 1), 9), np.zeros((3, 4, 1))):
        with pytest.raises(BrickworkError):
            bt.take_along_axis(X, bad)


def test_iteration_and_integers_as_tensors():
    assert [row.tolist() for row in bt.asarray(X[0])] == X[0].tolist()
    assert bt.asarray(X)[bt.asarray(1), bt.asarray([0, 1])].tolist() == X[1, [0, 1]].tolist()


INTS = st.integers(-5, 5)
ARRAYS = st.builds(
    lambda shape, values: np.resize(np.array(values), shape),
    st.lists(st.integers(0, 3), max_size=2).map(tuple),
    st.lists(INTS, min_size=1, max_size=4),
)
MASKS = st.builds(
    lambda shape, values: np.resize(np.array(values), shape),
    st.lists(st.integers(0, 3), max_size=3).map(tuple),
    st.lists(st.booleans(), min_size=1, max_size=4),
)
ONE = st.one_of(INTS, st.slices(4), st.just(Ellipsis), st.none(), ARRAYS, MASKS, st.lists(INTS, max_size=3))


@settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    shape=st.lists(st.integers(0, 4), max_size=4).map(tuple),
    key=st.one_of(ONE, st.lists(ONE, max_size=5).map(tuple)),
    value=st.booleans(),
)
def test_any_key_as_numpy(shape, key, value):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    try:
        wanted = array[key]
    except IndexError:
        with pytest.raises(BrickworkError, match=r"^[\w.]+: .+; .+"):
            bt.asarray(array)[key]
        return
    found = bt.asarray(array)[key]
    assert found.shape == wanted.shape
    np.testing.assert_array_equal(found.numpy(), wanted)
    written, again = array.copy(), bt.asarray(array)
    again[key] = np.arange(wanted.size).reshape(wanted.shape) if value else 9
    written[key] = np.arange(wanted.size).reshape(wanted.shape) if value else 9
    np.testing.assert_array_equal(again.numpy(), written)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0), (0, 0)])
def test_a_mask_of_size_0_picks_nothing(shape):
    x, mask = bt.asarray(np.arange(6).reshape(2, 3)), bt.zeros(shape, "bool")
    assert x[mask].shape == (0, *x.shape[len(shape) :])
    x[mask] = 7
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    "key", [2, -3, (0, 0, 0), (..., 0, ...), "a", np.array([True]), np.zeros((0, 2), bool), np.zeros((2, 3, 0), bool)]
)
def test_keys_that_do_not_fit_are_index_errors(key):
    x = bt.asarray(np.arange(6).reshape(2, 3))
    for apply in (lambda: x[key], lambda: bt.set_items(x, key, 1)):
        with pytest.raises(IndexError, match=r"^index: ") as caught:
            apply()
        assert isinstance(caught.value, bt.IndexingError) and isinstance(caught.value, bt.ShapeError)
