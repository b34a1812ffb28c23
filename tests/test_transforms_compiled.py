"""Transforms of functions and draws, compiled: the same numbers as eagerly, and recomputation that stays."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.graph import function
from brickwork.tensor import Variable, checkpoint, custom_gradient, hessian, jacobian, jvp, random, vmap

RNG = np.random.default_rng(7)
X, V, W = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))


def loss(x):
    return bt.sum(bt.nn.softmax(bt.tanh(x @ W))[..., 0] ** 2.0)


def deep(x):
    for _ in range(3):
        x = bt.sin(x * 2.0) + bt.tanh(x)
    return x


@custom_gradient
def clipped(x):
    return x * x, lambda g: bt.clip(g, -1.0, 1.0) * x


CASES = {
    "jvp": lambda x: jvp(loss, (x,), (V,))[1],
    "hessian": hessian(lambda x: loss(x)),
    "jacobian": jacobian(lambda x: bt.tanh(x @ W)),
    "vmap": vmap(lambda x: bt.nn.layer_norm(x @ W, bt.ones((2,), "float64"), bt.zeros((2,), "float64"))),
    "vmap of grad": vmap(bt.grad(loss)),
    "grad of vmap": bt.grad(lambda x: bt.sum(vmap(loss)(x) ** 2.0)),
    "vmap of take": lambda x: vmap(bt.take)(x, np.array([[0, 1], [3, -1], [2, 2]])),
    "vmap of sort": vmap(bt.sort),
    "nested": vmap(lambda x: vmap(lambda y: bt.sum(x * y))(bt.asarray(V))),
    "custom": bt.grad(lambda x: bt.sum(clipped(x) * 3.0)),
    "vmap of custom": vmap(bt.grad(lambda x: bt.sum(clipped(x) * 3.0))),
    "checkpoint": bt.grad(lambda x: bt.sum(checkpoint(deep)(x))),
    "hessian of checkpoint": lambda x: hessian(lambda r: bt.sum(checkpoint(deep)(r)))(x[0]),
}


@pytest.mark.parametrize("name", CASES)
def test_compiled_is_eager(name):
    fn = CASES[name]
    compiled = function(lambda x: fn(x))
    np.testing.assert_allclose(compiled(X).numpy(), fn(X).numpy(), 1e-10, 1e-12)


def test_a_compiled_function_maps():
    inner = function(lambda x: bt.tanh(x @ W))
    np.testing.assert_allclose(vmap(inner)(X).numpy(), np.tanh(X @ W), 1e-12)


def test_maps_take_an_open_batch():
    fn = function(vmap(lambda x: bt.nn.softmax(x @ W)))
    for rows in (3, 5, 6, 7):
        x = RNG.normal(size=(rows, 4))
        np.testing.assert_allclose(fn(x).numpy(), vmap(lambda r: bt.nn.softmax(r @ W))(x).numpy(), 1e-12)
    assert any(v.symbolic for v in fn.explain()) and len(fn.explain()) == 2


def test_forward_mode_drops_what_carries_zeros():
    """The derivative of a product of two is two products and their sum, not a backward pass of zeros."""
    fn = function(lambda x, v: jvp(lambda y: y * bt.sin(y), (x,), (v,))[1])
    fn(X, V)
    sines = [n for n in fn.graph().nodes if n.op in ("sin", "map", "cos", "multiply")]
    assert len(sines) <= 6, str(fn.graph())


def count(fn, op):
    fn(X)
    return sum(n.op == op or "sin(" in str(dict(n.params).get("body", "")) for n in fn.graph().nodes)


def test_checkpoint_computes_again_when_compiled():
    plain = function(bt.grad(lambda x: bt.sum(deep(x))))
    again = function(bt.grad(lambda x: bt.sum(checkpoint(deep)(x) * checkpoint(deep)(x))))
    assert count(again, "sin") > count(plain, "sin")
    assert any(n.op == "after" for n in again.graph().nodes)


def test_checkpointed_training_step_is_the_plain_one():
    w = Variable(W, name="w")

    def step(x, keep):
        block = (lambda y: bt.tanh(y @ w)) if keep else checkpoint(lambda y: bt.tanh(y @ w))
        value, (g,) = bt.value_and_grad(lambda: bt.sum(block(x) ** 2.0), variables=[w])()
        w.assign_sub(0.1 * g)
        return value

    out = []
    for keep in (True, False):
        w.assign(W)
        fn = function(lambda x, keep=keep: step(x, keep))
        out.append(([fn(X).item() for _ in range(3)], w.numpy()))
    np.testing.assert_allclose(out[0][0], out[1][0], 1e-12)
    np.testing.assert_allclose(out[0][1], out[1][1], 1e-12)


LOGITS, MEANS = RNG.normal(size=(5, 3)), np.array([0.5, 9.0, 20.0, 1000.0])
EXACT = {
    "categorical": lambda k: random.categorical(k, LOGITS, shape=(40, 5)),
    "choice": lambda k: random.choice(k, 10, (30,)),
    "choice by weight": lambda k: random.choice(k, 10, (30,), p=np.arange(10.0)),
    "choice without": lambda k: random.choice(k, np.arange(10.0), (4,), replace=False),
    "permutation": lambda k: random.permutation(k, 100),
    "permuted": lambda k: random.permuted(k, X),
    "poisson": lambda k: random.poisson(k, MEANS, (50, 4)),
}
CLOSE = {
    "truncated_normal": lambda k: random.truncated_normal(k, (200,)),
    "exponential": lambda k: random.exponential(k, (200,), "float64"),
    "gumbel": lambda k: random.gumbel(k, (200,)),
    "gamma": lambda k: random.gamma(k, np.array([0.3, 1.0, 7.0]), (50, 3)),
    "beta": lambda k: random.beta(k, 0.4, 2.5, (100,)),
}


@pytest.mark.parametrize("name", EXACT)
def test_compiled_draws_are_the_same(name):
    key = random.key(4)
    np.testing.assert_array_equal(function(EXACT[name])(key).numpy(), EXACT[name](key).numpy())


@pytest.mark.parametrize("name", CLOSE)
def test_compiled_draws_are_close(name):
    key, out = random.key(4), CLOSE[name](random.key(4))
    tolerance = 1e-5 if out.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(function(CLOSE[name])(key).numpy(), out.numpy(), tolerance, tolerance)
