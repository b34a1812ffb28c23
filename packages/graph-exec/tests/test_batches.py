"""Many calls in one native call: the same bits as call by call, and nothing read out of bounds."""

import numpy as np
import pytest
from test_runtime import run

import brickwork.tensor as bt
from brickwork.graph import function
from brickwork.tensor.errors import TraceError

R = np.random.default_rng(0)
X = R.normal(size=(100, 5)).astype("f")
Y = R.normal(size=100).astype("f")


def descent(fn=lambda x: x):
    """A weight, and a step that changes it and gives the loss."""
    w = bt.Variable(np.zeros(5, "f"), name="w")

    @function
    def step(x, y):
        def loss(x, y):
            return bt.mean((bt.sum(fn(x) * w, -1) - y) ** 2.0)

        value, (gradient,) = bt.value_and_grad(loss, variables=[w])(x, y)
        w.assign_sub(0.01 * gradient)
        return {"loss": value, "largest": bt.max(x)}

    return w, step


@pytest.mark.parametrize("order", [None, R.permutation(100), R.integers(0, 100, 230).astype("int32")])
@pytest.mark.parametrize("rows", [1, 7, 100])
def test_the_same_bits_as_call_by_call(order, rows):
    (w, one), (v, many) = descent(), descent()
    batches = many.in_batches(X, Y, rows=rows, order=order)
    assert batches.count == (100 if order is None else len(order)) // rows
    numbers = np.arange(100) if order is None else order
    last = None
    for k in range(batches.count):
        at = numbers[k * rows : (k + 1) * rows]
        last = one(X[at], Y[at])
    while batches.done < batches.count:
        found = batches.run(min(3, batches.count - batches.done))
    assert w.numpy().tobytes() == v.numpy().tobytes()
    assert {k: t.item() for k, t in found.items()} == {k: t.item() for k, t in last.items()}


def test_another_batch_size_goes_by_the_variant_with_an_open_axis():
    w, step = descent()
    for rows in (10, 20, 33):
        step.in_batches(X, Y, rows=rows).run(3)
    assert [v.symbolic for v in step.explain()] == [False, True]
    v, one = descent()
    for rows in (10, 20, 33):
        for k in range(3):
            one(X[k * rows : (k + 1) * rows], Y[k * rows : (k + 1) * rows])
    assert w.numpy().tobytes() == v.numpy().tobytes()


def test_calls_between_and_arrays_that_do_not_lie_in_rows():
    """A value that was handed out keeps its numbers; columns, every other row, and no copy of the step's own place."""
    (w, one), (v, many) = descent(), descent()
    scattered = [np.asfortranarray(X), np.repeat(X, 2, 0)[::2], np.hstack([X, X])[:, :5], bt.asarray(X)]
    for x in scattered:
        before = v.value.numpy()
        kept = before.copy()
        many.in_batches(x, Y, rows=10).run(2)
        many(X[40:50], Y[40:50])
        assert (before == kept).all()
        for k in (0, 10, 40):
            one(X[k : k + 10], Y[k : k + 10])
    assert w.numpy().tobytes() == v.numpy().tobytes()


def test_an_op_that_runs_by_python_and_fails_stops_there(monkeypatch):
    _, step = descent(lambda x: bt.sort(x, axis=-1))
    batches = step.in_batches(X, Y, rows=10)
    batches.run(2)
    number, sort = [], bt.op.OPS["sort"].eval

    def failing(*args, **settings):
        number.append(0)
        if len(number) == 2:
            raise RuntimeError("second")
        return sort(*args, **settings)

    monkeypatch.setattr(type(bt.op.OPS["sort"]), "eval", staticmethod(failing))
    with pytest.raises(RuntimeError, match="second"):
        batches.run(5)
    assert len(number) == 2


@pytest.mark.parametrize(
    "arrays, options, message",
    [
        ((X, Y[:50]), {"rows": 10}, "one number of rows"),
        ((X, 3.0), {"rows": 10}, "one number of rows"),
        ((X, Y), {"rows": 0}, "at least one row"),
        ((X, Y), {"rows": 101}, "at most all 100"),
        ((X[:0], Y[:0]), {"rows": 1}, "at most all 0"),
        ((X, Y), {"rows": 10, "order": [0, 100]}, "from 0 below 100"),
        ((X, Y), {"rows": 1, "order": [0, -1]}, "from 0 below 100"),
        ((X, Y), {"rows": 1, "order": [0.5]}, "row numbers"),
        ((X, Y), {"rows": 1, "order": [[0]]}, "row numbers"),
    ],
)
def test_what_would_be_read_out_of_bounds_is_refused(arrays, options, message):
    with pytest.raises(ValueError, match=message):
        descent()[1].in_batches(*arrays, **options)


def test_no_more_batches_than_there_are():
    batches = descent()[1].in_batches(X, Y, rows=30)
    for count in (0, -1, 4):
        with pytest.raises(ValueError, match=f"got {count} of 3"):
            batches.run(count)
    batches.run(3)
    with pytest.raises(ValueError, match="got 1 of 0"):
        batches.run()


def test_in_a_trace_it_is_an_error():
    step = descent()[1]
    with pytest.raises(TraceError, match="scan"):
        bt.grad(lambda x: step.in_batches(x, x, rows=1).run())(X)


THREADS = """
import hashlib, numpy as np, brickwork.tensor as bt
from brickwork.graph import function
rng = np.random.default_rng(0)
x = rng.normal(size=(2000, 200)).astype("f")
w = bt.Variable(rng.normal(size=(200, 200)).astype("f") / 14)
@function
def step(x):
    w.assign(bt.tanh(w + x.T @ (x @ w) * 1e-4))
    return bt.sum(w)
b = step.in_batches(x, rows=100, order=rng.permutation(2000))
v = [b.run(n).item() for n in (1, 12, 7)]
print(hashlib.sha256(w.numpy().tobytes()).hexdigest(), v)
"""


def test_the_same_bits_at_any_number_of_threads():
    assert len({run(THREADS, BRICKWORK_NUM_THREADS=n) for n in ("1", "2", "5")}) == 1
