"""Regions compiled: native loops and branches against the recordings run eagerly, and against loops of Python."""

import os
import subprocess
import sys

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.graph import function
from brickwork.graph.check import check_graph
from brickwork.graph.interpret import evaluate_graph
from brickwork.graph.passes import run_pipeline
from brickwork.graph.plan import Nest
from brickwork.graph.planning import make_plan
from brickwork.graph.text import parse_graph
from brickwork.tensor import cond, fori_loop, scan, switch, while_loop

R = np.random.default_rng(0)
X, W, H = R.normal(size=(6, 4, 3)), R.normal(size=(3, 3)) * 0.4, R.normal(size=(4, 3))
KEY = bt.random.key(5)


def rnn(w, h, x):
    def step(h, row):
        h = bt.tanh(h @ w + row)
        return h, (h * row).sum(1)

    h, ys = scan(step, h, x)
    return (h * h).sum() + bt.exp(ys * 0.1).sum()


def lstm(w, h, x):
    def step(state, row):
        h, c = state["h"], state["c"]
        z = h @ w + row
        i, f = bt.nn.sigmoid(z[:, :1]), bt.nn.sigmoid(z[:, 1:2])
        c = f * c + i * bt.tanh(z[:, 2:])
        return {"h": bt.tanh(c) * h, "c": c}, c

    state, cs = scan(step, {"h": h, "c": h}, x, reverse=True)
    return state["h"].sum() + (cs * cs).sum()


def nested(w, h, x):
    def outer(h, rows):
        def inner(c, row):
            return cond(row.sum() > 0, lambda c: bt.sin(c @ w + row), lambda c: c * 0.9, c), c.sum()

        h, sums = scan(inner, h, rows)
        return h, sums

    h, sums = scan(outer, h[0], x)
    return (h * h).sum() + (sums**2).mean()


def bounded(w, h, x):
    def step(state):
        return state[0] * 0.5 + 0.1, state[1] @ w

    return while_loop(lambda s: (s[0] ** 2).sum() > 0.3, step, (h, h), max_iterations=9)[1].sum() + (x * x).sum()


def sorts(w, h, x):
    """An op that is called back, in a loop and in a branch of it."""

    def step(h, row):
        return cond(row.sum() > 0, lambda r: h + bt.sort(r, axis=0) @ w, lambda r: h * 0.5, row), h[0]

    h, ys = scan(step, h, x)
    return (h * ys.sum()).sum()


def noisy(w, h, x):
    def step(carry, row):
        i, h = carry
        keep = bt.random.uniform(bt.random.fold_in(KEY, i), h.shape) < 0.7
        return (i + 1, bt.where(keep, h @ w + row, 0.0)), None

    return (scan(step, (0, h), x)[0][1] ** 2).sum()


def kept_less(w, h, x):
    block = bt.checkpoint(lambda h, w, row: bt.tanh(bt.tanh(h @ w) @ w + row))
    return (scan(lambda h, row: (block(h, w, row), None), h, x)[0] ** 2).sum()


PROGRAMS = {f.__name__: f for f in (rnn, lstm, nested, bounded, sorts, noisy, kept_less)}


def close(got, want, tolerance=1e-9):
    for a, b in zip(bt.tree.leaves(got), bt.tree.leaves(want), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), tolerance, tolerance)


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients_compiled_as_eager(name):
    fn = PROGRAMS[name]
    args = tuple(map(bt.asarray, (W, H, X)))
    both = bt.value_and_grad(fn, (0, 1, 2))
    compiled = function(both)
    close(compiled(*args), both(*args))
    close(compiled(*args), both(*args))  # the second call uses buffers that the first one wrote
    if name not in ("sorts",):
        second = bt.grad(lambda w, h, x: sum((g * g).sum() for g in bt.grad(fn, (0, 1, 2))(w, h, x)), (0, 1, 2))
        close(function(second)(*args), second(*args), 1e-7)


@pytest.mark.parametrize("name", PROGRAMS)
def test_graphs_of_regions_are_sound_print_and_mean_the_same_after_every_pass(name):
    graph = function(bt.value_and_grad(PROGRAMS[name], (0, 1, 2))).lower(W, H, X).graph
    check_graph(graph)
    assert parse_graph(str(graph)) == graph
    captured = [np.asarray(KEY)] * (len(graph.inputs) - 3)
    want = evaluate_graph(graph, [W, H, X, *captured])

    def on_step(step, before, after):
        assert parse_graph(str(after)) == after
        close(evaluate_graph(after, [W, H, X, *captured]), want)

    final = run_pipeline(graph, check=True, on_step=on_step)
    assert any(isinstance(step, Nest) for step in make_plan(final).steps)


def test_the_gradient_of_a_weight_is_one_product_after_the_loop():
    compiled = function(bt.grad(rnn))
    compiled(*map(bt.asarray, (W, H, X)))
    graph = compiled.graph()
    scans = [n for n in graph.nodes if n.op == "scan"]
    assert [n.settings["carries"] for n in scans] == [1, 1]
    assert any(n.kind == "contraction" and n.out.spec.shape == (3, 3) for n in graph.nodes)


def test_a_checkpointed_body_keeps_its_carry_only():
    def kept(fn):
        graph = function(bt.grad(fn, (0, 1, 2))).lower(W, H, X).graph
        return next(len(n.outputs) for n in graph.nodes if n.op == "scan") - 1

    assert kept(kept_less) == 1  # the carry, of every step
    assert (
        kept(lambda w, h, x: (scan(lambda h, row: (bt.tanh(bt.tanh(h @ w) @ w + row), None), h, x)[0] ** 2).sum()) == 3
    )


def test_a_loop_writes_its_carries_in_place_where_it_can():
    compiled = function(lambda x, w: scan(lambda c, row: (c + row, None), w, x)[0])
    x = bt.asarray(R.normal(size=(5, 700)))
    close(compiled(x, x[0]), x.sum(0) + x[0])
    (nest,) = [s for s in compiled._variants[0].run.plan.steps if isinstance(s, Nest)]
    assert not nest.buffers
    assert nest.room == 0


def test_symbolic_batch_and_symbolic_length():
    along = function(lambda x: scan(lambda c, row: (c + row, c * row), x[0], x))
    across = function(lambda x: scan(lambda c, row: (bt.tanh(c + row), c), x[:, 0], bt.moveaxis(x, 1, 0)))
    for n in (4, 3, 7, 1, 30):
        x = bt.asarray(R.normal(size=(n, 3)))
        close(along(x), scan(lambda c, row: (c + row, c * row), x[0], x))
        close(across(x), scan(lambda c, row: (bt.tanh(c + row), c), x[:, 0], bt.moveaxis(x, 1, 0)))
    assert len(along.explain()) == len(across.explain()) == 2


def test_a_symbolic_length_that_comes_to_nothing():
    shorter = function(lambda x: scan(lambda c, row: (bt.sin(c) @ bt.eye(3) + row, c), x[0], x[1:]))
    for n in (4, 3, 1):
        x = bt.asarray(R.normal(size=(n, 3)).astype("float32"))
        close(shorter(x), scan(lambda c, row: (bt.sin(c) @ bt.eye(3) + row, c), x[0], x[1:]), 1e-5)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_steps(n):
    def run(c, x):
        return scan(lambda c, row: ((c[1], c[0] @ row), c[0].sum()), c, x)

    start, x = (bt.asarray(W), bt.asarray(W.T)), bt.asarray(R.normal(size=(n, 3, 3)))
    close(function(run)(start, x), run(start, x))


def test_while_loops_and_branches():
    def shrink(x):
        return while_loop(lambda s: (s[1] ** 2).sum() > 1e-3, lambda s: (s[0] + 1, s[1] @ bt.asarray(W)), (0, x))

    close(function(shrink)(bt.asarray(H)), shrink(bt.asarray(H)))
    never = function(lambda x: while_loop(lambda s: s.sum() > 1e9, lambda s: s * 2, x))
    close(never(bt.asarray(H)), bt.asarray(H))
    pick = function(lambda i, x: switch(i, [bt.sin, bt.cos, lambda x: x @ bt.asarray(W)], x))
    for i, want in ((-3, np.sin(H)), (0, np.sin(H)), (1, np.cos(H)), (2, H @ W), (9, H @ W)):
        close(pick(bt.asarray(i), bt.asarray(H)), want)
    total = function(lambda n, x: fori_loop(0, n, lambda i, s: s + x * i, x * 0))
    close(total(bt.asarray(5), bt.asarray(H)), H * 10)


def test_mapped_loops_and_maps_in_loops():
    lengths = bt.asarray([0, 3, 7])
    count = bt.vmap(lambda n: while_loop(lambda s: s[0] < n, lambda s: (s[0] + 1, s[1] * 2), (0, 1.0)))
    close(function(count)(lengths), count(lengths))
    mapped = bt.vmap(bt.grad(rnn), in_axes=(None, 0, 1))
    args = bt.asarray(W), bt.asarray(H[:, None]), bt.asarray(X[:, :, None])
    close(function(mapped)(*args), mapped(*args))


def test_variables_inside_are_read_and_their_new_values_used():
    w = bt.Variable(bt.asarray(W), name="w")

    def train(x):
        last = lambda: scan(lambda h, row: (bt.tanh(h @ w + row), None), x[0], x)[0]  # noqa: E731
        loss, (g,) = bt.value_and_grad(lambda: (last() ** 2).sum(), variables=[w])()
        w.assign(w - 0.01 * g)
        return loss

    x, step = bt.asarray(X), function(train)
    eager = [train(x).item() for _ in range(3)]
    w.assign(bt.asarray(W))
    np.testing.assert_allclose([step(x).item() for _ in range(3)], eager, 1e-12)


def test_an_error_in_a_call_inside_a_loop_reaches_the_caller():
    take = function(lambda x, at: scan(lambda c, i: (c + bt.linalg.inv(x * i)[0, 0], None), 0.0, at)[0])
    x = bt.asarray(np.eye(2, dtype="float32"))
    assert take(x, bt.asarray(np.ones(3, "float32"))).item() == 3
    with pytest.raises(bt.BrickworkError, match="inv"):
        take(x, bt.asarray(np.array([1, 0, 1], "float32")))


SAME_BITS = """
import numpy as np, brickwork.tensor as bt
from brickwork.graph import function
r = np.random.default_rng(0)
x, w, h = (bt.asarray(r.normal(size=s).astype("float32")) for s in ((9, 64, 96), (96, 96), (64, 96)))
loss = lambda w, h: (bt.scan(lambda h, row: (bt.tanh(h @ w * 0.1 + row), None), h, x)[0] ** 2).sum()
f = function(bt.value_and_grad(loss, (0, 1)))
print(b"".join(np.asarray(v).tobytes() for v in bt.tree.leaves([f(w, h), f(w, h)])).hex())
"""


def test_the_same_bits_at_any_number_of_threads():
    def bits(threads):
        env = {**os.environ, "BRICKWORK_NUM_THREADS": str(threads)}
        run = subprocess.run([sys.executable, "-c", SAME_BITS], env=env, capture_output=True, text=True, check=True)
        return run.stdout

    assert bits(1) == bits(2) == bits(3)


def test_one_body_is_compiled_however_many_the_steps():
    texts = []
    for steps in (10, 80):
        compiled = function(rnn)
        compiled(*map(bt.asarray, (W, H, R.normal(size=(steps, 4, 3)))))
        texts.append(compiled.llvm())
    assert abs(len(texts[0]) - len(texts[1])) < 100
