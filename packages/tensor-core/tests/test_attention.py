"""Attention in blocks: what the formula gives, with its gradients, for shapes and masks that do not fit the blocks."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import nn
from brickwork.tensor.nn import attention_blocks, attention_tiles

R = np.random.default_rng(4)
KEY = bt.random.key(5)
attention = nn.scaled_dot_product_attention


def normal(*shape):
    return R.normal(size=shape)


SEEN = R.random((4, 37, 53)) > 0.3
Q, K, V = normal(2, 4, 37, 8), normal(2, 4, 53, 8), normal(2, 4, 53, 5)
CASES = {
    "whole blocks": (attention, [normal(2, 32, 8), normal(2, 48, 8), normal(2, 48, 5)]),
    "odd lengths": (attention, [Q, K, V]),
    "causal": (lambda q, k, v: attention(q, k, v, is_causal=True), [Q, K, V]),
    "causal, more queries than keys": (lambda q, k, v: attention(k, q, v, is_causal=True), [Q[0, 0], K[0, 0], Q[0, 1]]),
    "booleans": (lambda q, k, v: attention(q, k, v, SEEN), [Q, K, V]),
    "booleans of keys": (lambda q, k, v: attention(q, k, v, SEEN[0, 0]), [Q, K, V]),
    "rows that see nothing": (lambda q, k, v: attention(q, k, v, np.arange(37)[:, None] > 9), [Q, K, V]),
    "bias": (lambda q, k, v, b: attention(q, k, v, SEEN, b), [Q, K, V, normal(4, 37, 53)]),
    "bias of keys": (lambda q, k, v, b: attention(q, k, v, b, is_causal=True), [Q, K, V, normal(2, 1, 1, 53)]),
    "bias of queries": (lambda q, k, v, b, c: attention(q, k, v, b, c), [Q, K, V, normal(37, 1), normal(4, 1, 1)]),
    "dropout": (lambda q, k, v: attention(q, k, v, dropout=0.3, dropout_key=KEY), [Q, K, V]),
    "dropout of all": (lambda q, k, v: attention(q, k, v, dropout=1, dropout_key=KEY), [Q, K, V]),
    "grouped heads": (
        lambda q, k, v, b: attention(q, k, v, SEEN, b, is_causal=True, dropout=0.2, dropout_key=KEY),
        [Q, K[:, :2], V[:, :2], normal(2, 4, 37, 53)],
    ),
    "one key head": (attention, [Q, K[:, :1], V[:, :1]]),
    "one query for all examples": (attention, [Q[:1], K, V]),
    "one query": (attention, [Q[:, :, :1], K, V]),
    "one key": (attention, [Q, K[:, :, :1], V[:, :, :1]]),
}


@pytest.fixture(params=[1 << 30, 0], ids=["at once", "by example"])
def blocks(request, monkeypatch):
    """Blocks small enough for small arrays; called with False, none."""

    def use(on=True):
        monkeypatch.setattr("brickwork.tensor.nn.attention.worthwhile", lambda setting, device: on)

    monkeypatch.setattr(attention_tiles, "QUERIES", 8)
    monkeypatch.setattr(attention_tiles, "KEYS", 16)
    monkeypatch.setattr(attention_tiles, "SMALL", request.param)
    use()
    return use


def with_gradients(fn, args):
    out, pull = bt.vjp(fn, *args)
    g = bt.cos(bt.reshape(bt.iota(out.shape), out.shape) * 1.0).astype(out.dtype)
    return [x.numpy() for x in (out, *pull(g))]


@pytest.mark.parametrize("name", CASES)
def test_the_formula(name, blocks):
    fn, args = CASES[name]
    found = with_gradients(fn, args)
    blocks(False)
    for got, want in zip(found, with_gradients(fn, args), strict=True):
        assert got.shape == want.shape and got.dtype == want.dtype
        np.testing.assert_allclose(got, want, 1e-12, 1e-13)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 2e-3), ("bfloat16", 2e-2), ("float32", 1e-4)])
def test_narrow_floats_are_worked_in_float32(dtype, tolerance, blocks):
    """Scores reach 1000, of which float32 has parts of 1e-4."""
    args = [bt.asarray(x).astype(dtype) for x in (20 * Q, 20 * K, V)]
    found = with_gradients(attention, args)
    blocks(False)
    for got, want in zip(found, with_gradients(attention, [x.astype("float64") for x in args]), strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got.astype("float64"), want, tolerance, tolerance * np.abs(want).max())


def second(q, k, v, b):
    def loss(*args):
        return bt.sum(bt.sin(attention(*args[:3], None, args[3], is_causal=True)))

    return bt.sum(bt.stack([bt.sum(g * g) for g in bt.grad(loss, (0, 1, 2, 3))(q, k, v, b)]))


@pytest.mark.parametrize(
    "call",
    [
        lambda *a: bt.grad(second, (0, 1, 2, 3))(*a),
        lambda *a: bt.jvp(lambda *b: attention(*b[:3], None, b[3]), a, tuple(map(bt.cos, a))),
        lambda q, k, v, b: bt.vmap(lambda q, b: attention(q, k[0], v[0], None, b), (0, None))(q, b),
        lambda *a: bt.vmap(bt.grad(lambda *b: bt.sum(bt.sin(attention(*b[:3], None, b[3], True)))), (0, 0, 0, None))(
            *a
        ),
        lambda q, k, v, b: bt.grad(lambda k: bt.sum(bt.vmap(lambda q: attention(q, k[0], v[0], b))(q) ** 2))(k),
        lambda q, k, v, b: bt.grad(lambda q: bt.sum(bt.checkpoint(lambda q: attention(q, k, v) ** 2)(q)))(q),
        lambda q, k, v, b: bt.grad(
            lambda b: bt.sum(
                bt.scan(lambda c, x: (attention(c, x[0], x[1], b, True)[..., :5] + c, None), q[0], (k, v))[0]
            )
        )(b),
    ],
    ids=["second order", "forward", "vmap", "vmap of grad", "grad of vmap", "checkpoint", "in a scan"],
)
def test_transformations(call, blocks):
    args = [bt.asarray(x) for x in (normal(2, 3, 19, 5), normal(2, 3, 23, 5), normal(2, 3, 23, 5), normal(3, 19, 23))]
    found = [x.numpy() for x in bt.tree.leaves(call(*args))]
    blocks(False)
    for got, want in zip(found, bt.tree.leaves(call(*args)), strict=True):
        np.testing.assert_allclose(got, want.numpy(), 1e-11, 1e-11)


def test_when_blocks_are_used():
    def large(lead, length, keys, device="cpu"):
        setting = attention_tiles.Setting(lead, length, keys, False, 0.0, 0)
        return attention_blocks.worthwhile(setting, device)

    assert large((1, 8), 512, 512) and large((), 2048, 2048) and not large((64,), 256, 512)
    assert not large((10_000,), 128, 256) and large((64,), 1, 100_000) and not large((8,), 1, 100_000)
    assert not large((1, 8), 4096, 4096, "cuda:0") and large((8, 8), 8192, 8192, "cuda:0")


def test_examples_one_by_one_where_each_fills_the_blocks():
    def by_example(*lead, length=512):
        return attention_tiles.Setting(lead, length, 512, False, 0.0, 0).by_example

    assert by_example(4, 8) and by_example(1, 8) and by_example(8) and not by_example()
    assert not by_example(8, length=1) and by_example(8, 256, length=1)
