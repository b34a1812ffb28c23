"""vmap: every op against a loop over the examples, nesting, axes, and what goes wrong."""

import itertools
from dataclasses import dataclass

import numpy as np
import op_samples
import pytest

import brickwork.tensor as bt
from brickwork.tensor import OPS, BrickworkError, DTypeError, ShapeError, Tensor, TraceError, Variable, vmap
from brickwork.tensor.trace import bind

RNG = np.random.default_rng(11)
X, W = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))
SIZE = 3
ORDERLY = ("searchsorted", "cholesky")  # operands are sorted, or positive definite
each = pytest.mark.parametrize("sample", [s for s in op_samples.samples() if s.shapes], ids=str)


def rows(fn, *columns):
    """The loop that vmap stands for."""
    return np.stack([np.asarray(fn(*row)) for row in zip(*columns, strict=True)])


def several(sample):
    """SIZE examples of each operand: the sample's own, and others with its elements shuffled, or, where that would
    not do, multiplied."""
    rng = np.random.default_rng(5)

    def other(a, n):
        return a * (1 - n / 10) if sample.op in ORDERLY else rng.permutation(a.ravel()).reshape(a.shape)

    return [np.stack([a] + [other(a, n) for n in range(1, SIZE)]) for a in sample.arrays()]


def each_of(out):
    return out if isinstance(out, tuple) else (out,)


@each
def test_every_op_is_a_loop_over_the_examples(sample):
    columns, op = several(sample), OPS[sample.op]
    masks = [m for m in itertools.product((True, False), repeat=len(columns)) if any(m)][:7]
    for mask in masks:
        operands = [c if m else c[0] for c, m in zip(columns, mask, strict=True)]
        examples = [[o[n] if m else o for o, m in zip(operands, mask, strict=True)] for n in range(SIZE)]
        mapped = vmap(lambda *xs: bind(op, xs, sample.params), tuple(0 if m else None for m in mask))
        try:
            want = [bind(op, tuple(map(Tensor, e)), sample.params) for e in examples]
        except DTypeError:
            with pytest.raises(DTypeError):
                mapped(*operands)
            continue
        for out, parts in zip(each_of(mapped(*operands)), zip(*map(each_of, want), strict=True), strict=True):
            assert out.dtype == parts[0].dtype and out.shape == (SIZE, *parts[0].shape)
            np.testing.assert_allclose(out.numpy(), np.stack([p.numpy() for p in parts]), 1e-11, 1e-11)


@each
def test_gradients_of_every_op_map(sample):
    arrays = sample.arrays()
    floating = [k for k, a in enumerate(arrays) if a.dtype.kind == "f"]
    op = OPS[sample.op]

    def number(*xs):
        return sum(bt.sum(t * t) for t in each_of(bind(op, xs, sample.params)) if t.dtype.kind == "f")

    try:
        plain = number(*map(Tensor, arrays))
    except DTypeError:
        return
    if not isinstance(plain, Tensor) or not floating or sample.op == "searchsorted":
        return

    columns = several(sample)
    found = vmap(bt.grad(number, floating))(*columns)
    for place, part in enumerate(found):
        one = lambda *xs, place=place: bt.grad(number, floating)(*map(Tensor, xs))[place].numpy()  # noqa: E731
        np.testing.assert_allclose(part.numpy(), rows(one, *columns), 1e-9, 1e-9)


def test_operators_indexing_and_statistics():
    def fn(x):
        top = bt.nn.softmax(x)
        return (x[1:] * top[:-1] - x[-1] ** 2.0 + bt.mean(x) / bt.std(x))[::-1] + bt.argmax(x)

    np.testing.assert_allclose(vmap(fn)(X).numpy(), rows(lambda r: fn(Tensor(r)).numpy(), X), 1e-13)


def test_axes_in_and_out_and_trees():
    out = vmap(
        lambda p, y: {"a": p["w"] @ p["x"], "b": y}, in_axes=({"w": None, "x": 0}, 1), out_axes={"a": -1, "b": 0}
    )({"x": X, "w": W.T}, X.T)
    np.testing.assert_allclose(out["a"].numpy(), (X @ W).T)
    np.testing.assert_array_equal(out["b"].numpy(), X)
    assert vmap(lambda x: (x, 2.0, None), out_axes=(1, 0, 0))(X)[1].tolist() == [2.0] * 3
    assert vmap(lambda x, s: bt.sum(s), (0, None), None)(X, X).item() == pytest.approx(X.sum())
    assert vmap(lambda x, *, scale: x * scale)(X, scale=2.0).shape == (3, 4)


def test_dataclasses_are_trees_of_axes_too():
    @dataclass
    class Pair:
        left: object
        right: object

    out = vmap(lambda p: p.left * p.right, in_axes=(Pair(0, None),))(Pair(X, 2.0))
    np.testing.assert_allclose(out.numpy(), 2 * X)


def test_maps_nest():
    both = vmap(vmap(lambda x, y: x @ y, (None, 1)), (0, None))
    np.testing.assert_allclose(both(X, W).numpy(), X @ W)
    outer = vmap(lambda x: vmap(lambda y: x * y)(bt.asarray(X[0])))(X[:, 0])
    np.testing.assert_allclose(outer.numpy(), np.outer(X[:, 0], X[0]))


def test_gradients_through_maps_and_maps_of_gradients():
    def loss(w, x):
        return bt.sum(bt.tanh(x @ w) ** 2.0)

    per_example = vmap(bt.grad(loss), (None, 0))(W, X)
    whole = bt.grad(lambda w: bt.sum(vmap(loss, (None, 0))(w, X)))(W)
    np.testing.assert_allclose(per_example.numpy().sum(0), whole.numpy(), 1e-12)
    np.testing.assert_allclose(bt.grad(loss)(W, X).numpy(), whole.numpy(), 1e-12)
    twice = vmap(bt.hessian(lambda x: loss(bt.asarray(W), x)))(X)
    np.testing.assert_allclose(
        twice.numpy(), rows(lambda r: bt.hessian(lambda x: loss(bt.asarray(W), x))(r).numpy(), X), 1e-11, 1e-13
    )


def test_variables_are_shared():
    w = Variable(W, name="w")
    _, (found,) = bt.value_and_grad(lambda: bt.sum(vmap(lambda x: x @ w)(X)), variables=[w])()
    np.testing.assert_allclose(found.numpy(), np.repeat(X.sum(0)[:, None], 2, 1))
    count = Variable(0.0, name="count")
    vmap(lambda x: (count.assign_add(1.0), x)[1])(X)
    assert count.numpy() == 1.0
    with pytest.raises(TraceError, match="one value for all examples; got a value per example for count"):
        vmap(lambda x: count.assign(bt.sum(x).astype("float32")))(X)


def test_random_numbers_go_by_the_key():
    keys = bt.random.split(bt.random.key(1), 3)
    out = vmap(lambda k: bt.random.normal(k, (5,)))(keys)
    np.testing.assert_array_equal(out.numpy(), np.stack([bt.random.normal(k, (5,)).numpy() for k in keys]))
    shared = vmap(lambda x: x * 0.0 + bt.random.normal(keys[0], (4,)))(X).numpy()
    assert (shared == shared[0]).all()


def test_one_example_and_none():
    assert vmap(lambda x: bt.sum(x))(X[:1]).shape == (1,)
    assert vmap(lambda x: bt.tanh(x) @ W)(X[:0]).shape == (0, 2)


def test_positions_out_of_range_stay_errors():
    with pytest.raises(ShapeError, match="take"):
        vmap(bt.take)(X, np.array([[0], [1], [4]]))
    assert vmap(bt.take)(X, np.array([[0], [-1], [3]])).numpy().ravel().tolist() == [X[0, 0], X[1, 3], X[2, 3]]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: vmap(bt.add)(X, X[:2]), r"got argument 0 with 3 \(axis 0 of f64\[3, 4\]\) and argument 1 with 2"),
        (lambda: vmap(lambda p: p["a"])({"a": X, "b": X.T}), r"argument 0\['a'\] with 3 .* argument 0\['b'\] with 4"),
        (lambda: vmap(bt.sum, None)(X), "at least one argument must be mapped"),
        (lambda: vmap(bt.sum)(1.0), r"argument 0: axis must be in \[0, 0\)"),
        (lambda: vmap(bt.sum, (0, 0))(X), "one entry per argument; got 2 for 1"),
        (lambda: vmap(bt.sum, ("x",))(X), "an integer or None for each tensor; got 'x'"),
        (lambda: vmap(lambda p: p["a"], ({"b": 0},))({"a": X}), "follow the tree"),
        (lambda: vmap(lambda x: x, out_axes=None)(X), "must be the same for all; got f64\\[4\\] per example"),
        (lambda: vmap(lambda x: x, out_axes=3)(X), "out_axes: axis must be in"),
        (lambda: vmap(lambda x: x.numpy())(X), "a value must be there"),
        (lambda: vmap(lambda x: 1.0 if x[0] > 0 else 0.0)(X), "a value must be there"),
        (lambda: vmap(lambda x: bt.matmul(x, X))(X), "inner sizes must match; got a \\(4,\\), b \\(3, 4\\)"),
    ],
)
def test_errors_name_what_is_wrong(call, says):
    with pytest.raises(BrickworkError, match=says):
        call()


def test_a_value_of_one_example_does_not_leave():
    kept = []
    vmap(lambda x: (kept.append(x), x)[1])(X)
    for use in (lambda x: x + 1.0, lambda x: bt.sum(x), lambda x: x.reshape((2, 2)), lambda x: np.add(x.data, 1)):
        with pytest.raises(BrickworkError, match=r"must stay inside|must fit"):
            use(kept[0])
