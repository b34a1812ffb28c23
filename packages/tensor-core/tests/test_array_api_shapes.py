"""Creation, manipulation, searching, sorting and sets: against NumPy, gradients against differences, and every name."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import BrickworkError, DTypeError, ShapeError, TraceError

RNG = np.random.default_rng(6)
X, Y = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(3, 1))
NAMES = {
    "creation": "arange asarray empty empty_like eye from_dlpack full full_like linspace meshgrid ones ones_like tril "
    "triu zeros zeros_like",
    "indexing": "take take_along_axis",
    "linear algebra": "matmul matrix_transpose tensordot vecdot",
    "manipulation": "broadcast_arrays broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape roll "
    "squeeze stack tile unstack",
    "searching": "argmax argmin count_nonzero nonzero searchsorted where",
    "sets": "isin unique_all unique_counts unique_inverse unique_values",
    "sorting": "argsort sort",
}
"""(ours, NumPy's) of arrays that both get."""
CASES = {
    "broadcast_arrays": (lambda x, y: bt.broadcast_arrays(x, y)[1], lambda x, y: np.broadcast_arrays(x, y)[1]),
    "concat": (lambda x, y: bt.concat([x, x], axis=1), lambda x, y: np.concat([x, x], axis=1)),
    "concat flat": (lambda x, y: bt.concat([x, y], axis=None), lambda x, y: np.concat([x, y], axis=None)),
    "expand_dims": (lambda x, y: bt.expand_dims(x, axis=-2), lambda x, y: np.expand_dims(x, -2)),
    "expand_dims both": (lambda x, y: bt.expand_dims(x, axis=(0, -1)), lambda x, y: np.expand_dims(x, (0, -1))),
    "flip": (lambda x, y: bt.flip(x, axis=(0, -1)), lambda x, y: np.flip(x, (0, -1))),
    "matrix_transpose": (lambda x, y: bt.matrix_transpose(x), lambda x, y: np.matrix_transpose(x)),
    "moveaxis": (lambda x, y: bt.moveaxis(x, 0, -1), lambda x, y: np.moveaxis(x, 0, -1)),
    "moveaxis both": (lambda x, y: bt.moveaxis(x, (0, 2), (1, 0)), lambda x, y: np.moveaxis(x, (0, 2), (1, 0))),
    "permute_dims": (lambda x, y: bt.permute_dims(x, (2, 0, 1)), lambda x, y: np.permute_dims(x, (2, 0, 1))),
    "repeat": (lambda x, y: bt.repeat(x, 3, axis=1), lambda x, y: np.repeat(x, 3, 1)),
    "repeat none": (lambda x, y: bt.repeat(x, 0), lambda x, y: np.repeat(x, 0)),
    "repeat each": (lambda x, y: bt.repeat(x, np.array([0, 2, 1]), axis=1), lambda x, y: np.repeat(x, [0, 2, 1], 1)),
    "repeat flat": (lambda x, y: bt.repeat(x, bt.asarray([2])), lambda x, y: np.repeat(x, 2)),
    "roll": (lambda x, y: bt.roll(x, -5), lambda x, y: np.roll(x, -5)),
    "roll axes": (lambda x, y: bt.roll(x, (1, 2), (0, -1)), lambda x, y: np.roll(x, (1, 2), (0, -1))),
    "roll twice": (lambda x, y: bt.roll(x, 1, (0, 1)), lambda x, y: np.roll(x, 1, (0, 1))),
    "squeeze": (lambda x, y: bt.squeeze(y, -1), lambda x, y: np.squeeze(y, -1)),
    "stack": (lambda x, y: bt.stack([x, x], axis=-1), lambda x, y: np.stack([x, x], -1)),
    "tile": (lambda x, y: bt.tile(x, (2, 1)), lambda x, y: np.tile(x, (2, 1))),
    "tile wider": (lambda x, y: bt.tile(y, (2, 1, 3)), lambda x, y: np.tile(y, (2, 1, 3))),
    "unstack": (lambda x, y: bt.unstack(x, axis=1)[2], lambda x, y: np.unstack(x, axis=1)[2]),
    **{
        f"{name} {k}": (
            lambda x, y, name=name, k=k: getattr(bt, name)(x, k=k),
            lambda x, y, name=name, k=k: getattr(np, name)(x, k),
        )
        for name in ("tril", "triu")
        for k in (-9, -2, 0, 1, 9)
    },
    "meshgrid": (lambda x, y: bt.meshgrid(x[0, 0], y[:, 0])[0], lambda x, y: np.meshgrid(x[0, 0], y[:, 0])[0]),
    "meshgrid ij": (
        lambda x, y: bt.meshgrid(x[0, 0], y[:, 0], y[:, 0], indexing="ij")[2],
        lambda x, y: np.meshgrid(x[0, 0], y[:, 0], y[:, 0], indexing="ij")[2],
    ),
    "sort": (lambda x, y: bt.sort(x), lambda x, y: np.sort(x)),
    "sort down": (lambda x, y: bt.sort(x, axis=0, descending=True), lambda x, y: np.flip(np.sort(x, 0), 0)),
    "take": (lambda x, y: bt.take(x, np.array([2, 0, 0]), axis=1), lambda x, y: np.take(x, [2, 0, 0], 1)),
    "top_k": (lambda x, y: bt.top_k(x, 2)[0], lambda x, y: -np.sort(-x)[..., :2]),
    "top_k least": (lambda x, y: bt.top_k(x, 1, axis=0, mode="smallest").values, lambda x, y: np.sort(x, 0)[:1]),
    "unique_values": (lambda x, y: bt.unique_values(x), lambda x, y: np.unique(x)),
    "reshape": (lambda x, y: bt.reshape(x, (4, -1), copy=True), lambda x, y: np.reshape(x, (4, -1))),
}
each = pytest.mark.parametrize("name", CASES)


@pytest.mark.parametrize("area", NAMES)
def test_every_name_of_the_standard(area):
    for name in NAMES[area].split():
        assert name in bt.__all__ and callable(getattr(bt, name))


@each
def test_as_numpy(name):
    ours, theirs = CASES[name]
    for dtype in ("float64", "float32", "int64", "bool", "complex64"):
        if dtype == "complex64" and ("sort" in name or "top_k" in name):
            continue
        x, y = X.astype(dtype), Y.astype(dtype)
        if dtype == "bool" and "top_k" in name:
            continue
        found, wanted = ours(x, y), theirs(x, y)
        assert found.shape == wanted.shape and found.dtype == wanted.dtype
        np.testing.assert_array_equal(found.numpy(), wanted)


@each
def test_gradient(name):
    """All of them move elements: along a direction, of a random weighting."""
    ours, _ = CASES[name]
    weights = RNG.normal(size=ours(X, Y).shape)
    dx, dy = RNG.normal(size=X.shape), RNG.normal(size=Y.shape)

    def number(x, y):
        return (ours(x, y) * weights).sum()

    gx, gy = bt.grad(number, (0, 1))(X, Y)
    step = 1e-6
    slope = (number(X + step * dx, Y + step * dy) - number(X - step * dx, Y - step * dy)).item() / (2 * step)
    np.testing.assert_allclose((gx.numpy() * dx).sum() + (gy.numpy() * dy).sum(), slope, 1e-6, 1e-7)


@each
@pytest.mark.skipif(bt.find_compiler() is None, reason="no compiler is installed")
def test_compiled(name):
    ours, theirs = CASES[name]
    if name == "unique_values":
        with pytest.raises(TraceError, match="unique_values: the size of the result depends on the values"):
            bt.jit(ours)(X, Y)
    else:
        np.testing.assert_array_equal(bt.jit(ours)(bt.asarray(X), bt.asarray(Y)).numpy(), theirs(X, Y))


def test_joining_promotes():
    assert bt.concat([np.ones(2, "int8"), np.ones(1, "uint8")]).dtype == np.int16
    assert bt.stack([np.ones(2, "float32"), np.ones(2, "float64")]).dtype == np.float64
    assert bt.broadcast_arrays(np.ones(3), np.ones((2, 1)))[0].shape == (2, 3)
    assert [t.shape for t in bt.unstack(X)] == [(3, 4), (3, 4)]


def test_creation():
    for ours, theirs in (
        (bt.arange(3), np.arange(3)),
        (bt.arange(5, 0, -2, "int32"), np.arange(5, 0, -2, "int32")),
        (bt.arange(0.5, 2), np.arange(0.5, 2, dtype="float32")),
        (bt.arange(np.float32(1.5)), np.arange(1.5, dtype="float32")),
        (bt.linspace(0, 1, 4, "float64", endpoint=False), np.linspace(0, 1, 4, endpoint=False)),
        (bt.linspace(0, 1j, 3), np.linspace(0, 1j, 3).astype("complex64")),
        (bt.eye(2, 3, k=1), np.eye(2, 3, 1, "float32")),
        (bt.eye(3, k=-5, dtype="int8"), np.eye(3, k=-5, dtype="int8")),
        (bt.full((2,), True), np.full(2, True)),
        (bt.zeros(3, device="cpu"), np.zeros(3, "float32")),
        (bt.ones((2, 1), dtype=None), np.ones((2, 1), "float32")),
        (bt.full_like(np.ones(2, "int8"), 3, device="cpu"), np.full(2, 3, "int8")),
    ):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours.numpy(), theirs)
    assert bt.empty((2, 0)).shape == (2, 0) and bt.empty_like(X, dtype="int8").dtype == np.int8
    with pytest.raises(bt.DeviceError, match="device: no package provides 'tpu'"):
        bt.zeros(3, device="tpu")


def test_copies_as_asked():
    def shares(a, b):
        return np.shares_memory(a.numpy(), b)

    wide = X.transpose(2, 0, 1)
    assert shares(bt.asarray(X), X) and shares(bt.asarray(X, copy=False), X) and not shares(bt.asarray(X, copy=True), X)
    assert not shares(bt.asarray(bt.asarray(X), copy=True), X) and shares(bt.asarray(bt.asarray(X), device="cpu"), X)
    assert shares(bt.from_dlpack(X), X) and not shares(bt.from_dlpack(X, copy=True), X)
    assert shares(bt.from_dlpack(bt.asarray(X), device="cpu", copy=False), X)
    assert shares(bt.reshape(X, (6, 4), copy=False), X) and not shares(bt.reshape(X, X.shape, copy=True), X)
    for call in (
        lambda: bt.asarray([1.0], copy=False),
        lambda: bt.asarray(X, "float32", copy=False),
        lambda: bt.reshape(wide, (24,), copy=False),
    ):
        with pytest.raises(ValueError, match="copy"):
            call()
    with pytest.raises(DTypeError, match="from_dlpack: takes arrays with __dlpack__; got list"):
        bt.from_dlpack([1.0])
    with pytest.raises(BufferError, match="from_dlpack: the array must be one to share; got ndarray") as caught:
        bt.from_dlpack(np.array(["text"]))
    assert isinstance(caught.value, bt.ExchangeError) and isinstance(caught.value, bt.DeviceError)


def test_repeats_may_be_of_any_integers():
    for dtype in ("int8", "uint8", "int32", "uint32", "int64", "uint64"):
        assert bt.repeat(X[0, 0, :2], bt.asarray([2, 1], dtype)).tolist() == [X[0, 0, 0]] * 2 + [X[0, 0, 1]]
    with pytest.raises(ShapeError, match="repeat: repeats must be one for each of 1, from 0 below"):
        bt.repeat(X[0, 0, :1], bt.asarray([2**64 - 1], "uint64"))


@pytest.mark.parametrize("ends", [(2**63, 2**63 + 10, 3), (2**63 + 10, 2**63, -3)])
def test_arange_beyond_int64(ends):
    assert bt.arange(*ends, dtype="uint64").tolist() == list(range(*ends))
    with pytest.raises(DTypeError, match="values must fit int64"):
        bt.arange(*ends)


def test_several_results_are_tuples():
    for found in (bt.broadcast_arrays(X[0], X[0]), bt.meshgrid(X[0, 0], X[0, 0]), bt.meshgrid(), bt.unstack(X)):
        assert type(found) is tuple and all(type(t) is bt.Tensor for t in found)


@pytest.mark.parametrize("axis", [4, -5, (0, 5), (-6, 0)])
def test_axes_that_are_not_there_are_index_errors(axis):
    with pytest.raises(IndexError, match="expand_dims: axis must be in"):
        bt.expand_dims(X, axis=axis)


def test_extremes():
    for ours, theirs in ((bt.argmax, np.argmax), (bt.argmin, np.argmin)):
        for axis in (None, 0, -1):
            for keepdims in (False, True):
                found = ours(X, axis=axis, keepdims=keepdims)
                np.testing.assert_array_equal(found.numpy(), theirs(X, axis=axis, keepdims=keepdims))
                assert found.dtype == np.int64 and found.shape == theirs(X, axis=axis, keepdims=keepdims).shape


def test_searching():
    x = np.array([[0.0, 2.0], [np.nan, 0.0]])
    assert [t.tolist() for t in bt.nonzero(x)] == [t.tolist() for t in np.nonzero(x)]
    assert bt.count_nonzero(x).item() == 2 and bt.count_nonzero(x, axis=0, keepdims=True).tolist() == [[1, 1]]
    line, order = np.array([3.0, 1.0, 2.0]), np.array([1, 2, 0])
    for side in ("left", "right"):
        found = bt.searchsorted(line, X, side=side, sorter=order)
        np.testing.assert_array_equal(found.numpy(), np.searchsorted(line, X, side=side, sorter=order))
    assert bt.searchsorted([1, 2], 2).item() == 1


def test_orders_are_stable_both_ways():
    x = np.array([2, 1, 2, 1, 2])
    assert bt.argsort(x).tolist() == [1, 3, 0, 2, 4] and bt.argsort(x, descending=True).tolist() == [0, 2, 4, 1, 3]
    for dtype in ("uint8", "float16", "bfloat16"):
        assert bt.sort(bt.asarray(x).astype(dtype), descending=True).tolist() == [2, 2, 2, 1, 1]
    values, places = bt.top_k(np.array([1.0, 5.0, 3.0]), 2)
    assert values.tolist() == [5.0, 3.0] and places.tolist() == [1, 2]
    least = bt.top_k(np.array([[4, 1], [1, 3]]), 3, axis=None, mode="smallest")
    assert least._fields == ("values", "indices") and [t.tolist() for t in least] == [[1, 1, 3], [1, 2, 3]]


def test_numbers_are_searched_for_as_they_are():
    """A Python number takes the dtype of the floating values, and is never rounded to look among integers."""
    assert bt.searchsorted(bt.asarray([0.1, 1.0], "float64"), 0.1).item() == 0
    assert bt.searchsorted(bt.asarray([0.1, 1.0], "float32"), 0.1, side="right").item() == 1
    assert bt.searchsorted(bt.asarray([0, 1, 2], "int8"), 0.5).item() == 1
    assert bt.searchsorted(bt.asarray([0, 1], "int8"), 300).item() == 2
    assert bt.searchsorted(bt.asarray([2**63, 2**63 + 1], "uint64"), 2**63 + 1).item() == 1


def test_membership_of_integers_is_exact():
    wide = bt.asarray([1, 2**64 - 1, 2**53], "uint64")
    assert bt.isin(wide, 2**64 - 1).tolist() == [False, True, False]
    assert bt.isin(2**53 + 1, wide).item() is False and bt.isin(1, wide).item() is True
    assert bt.isin(bt.asarray([-1, 2**53 + 1, 2**53]), wide).tolist() == [False, False, True]
    assert bt.isin(wide, bt.asarray([-1, 1])).tolist() == [True, False, False]
    assert bt.isin(bt.asarray([44], "uint8"), 300).item() is False
    assert bt.isin([0.1, 1.0], bt.asarray(0.1, "float32")).tolist() == [True, False]


def test_sets():
    x = np.array([[3, 1], [1, 2]])
    found = bt.unique_all(x)
    assert found._fields == ("values", "indices", "inverse_indices", "counts")
    assert [t.tolist() for t in found] == [[1, 2, 3], [1, 3, 0], [[2, 0], [0, 1]], [2, 1, 1]]
    assert [t.tolist() for t in bt.unique_counts(x)] == [[1, 2, 3], [2, 1, 1]]
    assert [t.tolist() for t in bt.unique_inverse(x)] == [[1, 2, 3], [[2, 0], [0, 1]]]
    assert bt.unique_values([np.nan, np.nan, 1.0]).shape == (3,)
    assert bt.isin(x, [1, 7]).tolist() == [[False, True], [True, False]]
    assert bt.isin(x, 3, invert=True).tolist() == [[False, True], [True, True]]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: bt.stack([X, Y]), "stack: shapes must agree"),
        (lambda: bt.moveaxis(X, (0, 1), 0), "moveaxis: as many distinct axes"),
        (lambda: bt.roll(X, (1, 2), 0), "roll: shift must be one for each of 1 axes"),
        (lambda: bt.repeat(X, -1), "repeat: repeats must be at least 0"),
        (lambda: bt.repeat(X, [1, 2], axis=1), "repeat: repeats must be one for each of 3"),
        (lambda: bt.tril(X[0, 0]), "tril: needs at least two axes"),
        (lambda: bt.meshgrid(X), "meshgrid: takes tensors of one axis"),
        (lambda: bt.meshgrid(Y[0], indexing="xx"), "meshgrid: indexing must be"),
        (lambda: bt.top_k(X, 5), "top_k: k must be at most the size of axis -1; got 5"),
        (lambda: bt.top_k(X, 1, mode="best"), "top_k: mode must be 'largest' or 'smallest'; got 'best'"),
        (lambda: bt.sort(X.astype(complex)), "sort: needs numbers that have an order; got complex128"),
        (lambda: bt.searchsorted(X, 1.0), "searchsorted: the sorted values must have one axis"),
        (lambda: bt.searchsorted(Y[0], 1.0, side="mid"), "searchsorted: side must be"),
        (lambda: bt.nonzero(1.0), "nonzero: needs at least one axis"),
        (lambda: bt.argmax(np.ones((2, 0)), axis=1), "argmax: axis 1 must not be empty"),
        (lambda: bt.matrix_transpose(Y[0]), "matrix_transpose: needs at least two axes"),
    ],
)
def test_errors(call, says):
    with pytest.raises(BrickworkError, match=says) as caught:
        call()
    assert isinstance(caught.value, (ShapeError, DTypeError))


@pytest.mark.parametrize(
    "call",
    [
        bt.sort,
        lambda x: bt.argsort(x, axis=0, descending=True),
        lambda x: bt.top_k(x, 2)[0],
        lambda x: bt.take_along_axis(x, bt.argsort(x, axis=0), axis=0),
        lambda x: bt.grad(lambda y: (bt.sort(y) * np.arange(4.0)).sum())(x),
        lambda x: bt.linalg.svdvals(x),
        lambda x: bt.linalg.qr(x).R,
        lambda x: bt.linalg.det(x[:, :3]),
        lambda x: bt.linalg.solve(x[:, :3], x[:, 3]),
        lambda x: bt.linalg.pinv(x),
        lambda x: bt.linalg.eigvals(x[:, :3]),
        lambda x: bt.fft.irfft(bt.fft.rfft(x, axis=0), axis=0, n=4),
        lambda x: x[[0, 1], [1, 2]],
        lambda x: bt.set_items(x, (slice(None), [0, 0]), x[:, :2]),
        lambda x: bt.set_items(x, 1, x[0]),
    ],
)
def test_mapped_over_a_batch(call):
    wanted = np.stack([call(bt.asarray(x)).numpy() for x in X])
    np.testing.assert_allclose(bt.vmap(call)(X).numpy(), wanted, 1e-12, 1e-12)


def test_shapes_and_names_of_arguments():
    assert bt.broadcast_shapes((2, 1), (3,), ()) == (2, 3)
    assert bt.full((2,), fill_value=1).tolist() == [1, 1]
    assert bt.take(X[0, 0], [1]).item() == X[0, 0, 1]
    with pytest.raises(ShapeError, match="take: axis must be named"):
        bt.take(X, [1])
