"""Attention of long sequences, compiled: no call back, little memory, the same bits at any number of threads."""

import os
import subprocess
import sys

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.graph import function
from brickwork.graph.passes import run_pipeline
from brickwork.graph.plan import Call
from brickwork.graph.planning import make_plan
from brickwork.graph.tracing import GraphTrace
from brickwork.tensor import nn
from brickwork.tensor.nn import attention_tiles
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.trace import use

R = np.random.default_rng(4)
KEY = bt.random.key(5).numpy()
attention = nn.scaled_dot_product_attention


def normal(*shape):
    return R.normal(size=shape).astype(np.float32)


SEEN = R.random((2, 1, 37, 53)) > 0.3
Q, K, V, B = normal(2, 4, 37, 8), normal(2, 4, 53, 8), normal(2, 4, 53, 5), normal(4, 37, 53)
CASES = {
    "odd lengths": (attention, [Q, K, V]),
    "causal": (lambda q, k, v: attention(q, k, v, is_causal=True), [Q, K, V]),
    "masks": (lambda q, k, v, m, b: attention(q, k, v, m, b), [Q, K, V, SEEN, B]),
    "all together": (
        lambda q, k, v, m, b, r: attention(q, k, v, m, b, True, dropout=0.2, dropout_key=r),
        [Q, K[:, :2], V[:, :2], SEEN, B, KEY],
    ),
    "one key head": (attention, [Q, K[:, :1], V[:, :1]]),
}


@pytest.fixture(params=[1 << 30, 0], ids=["at once", "by example"])
def blocks(request, monkeypatch):
    """Blocks small enough for small arrays."""
    monkeypatch.setattr(attention_tiles, "QUERIES", 8)
    monkeypatch.setattr(attention_tiles, "KEYS", 16)
    monkeypatch.setattr(attention_tiles, "SMALL", request.param)
    monkeypatch.setattr("brickwork.tensor.nn.attention.worthwhile", lambda setting, device: True)


def with_gradients(fn):
    def both(*args):
        moving = [n for n, a in enumerate(args) if a.dtype == np.float32]

        def of(*xs):
            given = dict(zip(moving, xs, strict=True))
            return fn(*(given.get(n, a) for n, a in enumerate(args)))

        out, pull = bt.vjp(of, *(args[n] for n in moving))
        return [out, *pull(bt.sin(out))]

    return both


@pytest.mark.parametrize("name", CASES)
def test_compiled_agrees_with_eager(name, blocks):
    fn, args = CASES[name]
    both = with_gradients(fn)
    for got, want in zip(function(both)(*args), both(*map(bt.asarray, args)), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), 1e-5, 2e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_floats(dtype, blocks):
    args = [bt.asarray(x).astype(dtype) for x in (Q, K, V)]
    got, want = function(attention)(*args), attention(*args)
    assert got.dtype == dtype
    np.testing.assert_allclose(got.numpy().astype("float32"), want.numpy().astype("float32"), 1e-2, 1e-3)


def test_any_batch(blocks):
    f = function(lambda *a: with_gradients(lambda q, k, v: attention(q, k, v, is_causal=True))(*a))
    for n in (2, 5, 3):
        args = normal(n, 2, 19, 8), normal(n, 2, 19, 8), normal(n, 2, 19, 8)
        want = with_gradients(lambda q, k, v: attention(q, k, v, is_causal=True))(*map(bt.asarray, args))
        for x, y in zip(f(*args), want, strict=True):
            np.testing.assert_allclose(x.numpy(), y.numpy(), 1e-5, 2e-6)
    assert len(f.explain()) == 2


def plan_of(fn, *shapes):
    trace = GraphTrace()
    symbols = [trace.argument(TensorSpec(s, np.dtype("float32"))) for s in shapes]
    with use(trace):
        out = fn(*symbols)
    return make_plan(run_pipeline(trace.finish(out if isinstance(out, list) else [out]).graph, check=True))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_the_scores_are_never_there(causal, training):
    """Of 4096 tokens and 8 heads they are 537 MB; query, key, value, result and their gradients 8.4 MB each."""
    shape = (1, 8, 4096, 64)

    def fn(q, k, v):
        return attention(q, k, v, is_causal=causal)

    plan = plan_of(with_gradients(fn) if training else fn, shape, shape, shape)
    assert not any(isinstance(s, Call) for s in plan.steps)
    assert plan.arena < (6 if training else 3) * 4 * np.prod(shape)


SAME_BITS = """
import hashlib, numpy as np, brickwork.tensor as bt
from brickwork.graph import function

r = np.random.default_rng(0)
args = [r.normal(size=(1, 4, 800, 32)).astype("f") for _ in range(4)]

def both(q, k, v, g):
    out, pull = bt.vjp(lambda *a: bt.nn.scaled_dot_product_attention(*a, is_causal=True), q, k, v)
    return (out, *pull(g))

found = function(both)(*args)
print(hashlib.sha256(b"".join(x.numpy().tobytes() for x in found)).hexdigest())
"""


def test_same_bits_at_any_number_of_threads():
    found = {
        subprocess.run(
            [sys.executable, "-c", SAME_BITS],
            env={**os.environ, "BRICKWORK_NUM_THREADS": n},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in "123"
    }
    assert len(found) == 1
