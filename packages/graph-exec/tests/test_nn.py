"""Functions of neural networks compile, with their gradients, to kernels without a call back, and agree with eager."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.graph import function
from brickwork.graph.passes import run_pipeline
from brickwork.graph.plan import Call
from brickwork.graph.planning import make_plan
from brickwork.graph.tracing import GraphTrace
from brickwork.tensor import nn
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.trace import use

R = np.random.default_rng(0)


def normal(*shape):
    return R.normal(size=shape).astype(np.float32)


SIGNAL, PICTURE, VOLUME = normal(2, 9, 4), normal(2, 6, 5, 4), normal(1, 4, 3, 5, 2)
GAMMA, BETA = normal(4) + 2, normal(4)
Q, K, V = normal(2, 4, 7, 8), normal(2, 4, 6, 8), normal(2, 4, 6, 5)
ALLOWED = R.random((2, 1, 7, 6)) < 0.6
ALLOWED[0, 0, 2] = False
LOGITS, CLASSES = normal(5, 7), np.array([3, 0, 6, 2, 2])
KEY = bt.random.key(1).numpy()

CASES = {
    "activations": (
        lambda x: nn.celu(x, 0.5) + nn.mish(x) * nn.hard_silu(x) + nn.squareplus(x, 2) - nn.elu(x, 0.3), [PICTURE]
    ),
    "glu": (nn.glu, [PICTURE]),
    "prelu": (nn.prelu, [PICTURE, GAMMA]),
    "softmax where": (lambda x, m: nn.softmax(x, where=m), [Q[..., :6], ALLOWED]),
    "rms_norm": (nn.rms_norm, [PICTURE, GAMMA]),
    "group_norm": (lambda x, g, b: nn.group_norm(x, 2, g, b), [PICTURE, GAMMA, BETA]),
    "instance_norm": (nn.instance_norm, [PICTURE, GAMMA, BETA]),
    "batch_norm": (lambda x, g, b: nn.batch_norm(x, *nn.moments(x, (0, 1, 2)), g, b), [PICTURE, GAMMA, BETA]),
    "normalize": (nn.normalize, [PICTURE]),
    "causal conv": (lambda x, w: nn.conv(x, w, 1, "causal", 2), [SIGNAL, normal(3, 4, 3)]),
    "grouped conv": (lambda x, w: nn.conv(x, w, 2, "same", 1, 2), [PICTURE, normal(3, 3, 2, 6)]),
    "depthwise conv": (lambda x, w: nn.depthwise_conv(x, w, 1, "same"), [PICTURE, normal(3, 3, 4, 2)]),
    "separable conv": (nn.separable_conv, [PICTURE, normal(3, 2, 4, 2), normal(1, 1, 8, 3)]),
    **{
        f"conv_transpose {padding} stride {s} dilation {d} groups {g}": (
            lambda x, w, p=padding, s=s, d=d, g=g: nn.conv_transpose(x, w, s, p, None, d, g),
            [PICTURE, normal(3, 2, 6 // g, 4)],
        )
        for padding in ("valid", "same")
        for s, d, g in ((1, 1, 1), (2, 1, 1), (3, 1, 2), (1, 2, 1), (2, 2, 2))
    },
    "conv_transpose 1d": (lambda x, w: nn.conv_transpose(x, w, 2, [(1, 0)], 1), [SIGNAL, normal(3, 2, 4)]),
    "conv_transpose 3d": (lambda x, w: nn.conv_transpose(x, w, 2, "same"), [VOLUME, normal(2, 3, 2, 3, 2)]),
    "unfold": (lambda x: nn.unfold(x, (2, 3), 2, "same"), [PICTURE]),
    "fold": (lambda x: nn.fold(nn.unfold(x, 3, 2) * 2.0, (6, 5), 3, 2), [PICTURE]),
    "max_pool 1d": (lambda x: nn.max_pool(x, 3, 2, "same"), [SIGNAL]),
    "max_pool 2d dilated": (lambda x: nn.max_pool(x, 2, 1, "valid", 2), [PICTURE]),
    "max_pool 3d": (lambda x: nn.max_pool(x, 2, 1), [VOLUME]),
    "average_pool": (lambda x: nn.average_pool(x, (2, 3), 2, [(1, 0), (0, 1)]), [PICTURE]),
    "average_pool with padding": (lambda x: nn.average_pool(x, 3, 1, "same", True), [VOLUME]),
    "global pools": (lambda x: nn.global_max_pool(x) + nn.global_average_pool(x), [VOLUME]),
    "adaptive_average_pool": (lambda x: nn.adaptive_average_pool(x, 4), [PICTURE]),
    "adaptive_max_pool": (lambda x: nn.adaptive_max_pool(x, (3, 1)), [PICTURE]),
    "resize linear": (lambda x: nn.resize(x, (11, 3)), [PICTURE]),
    "resize cubic antialiased": (lambda x: nn.resize(x, (4, 13), "cubic", antialias=True), [PICTURE]),
    "resize corners 3d": (lambda x: nn.resize(x, (6, 7, 3), coordinates="align_corners"), [VOLUME]),
    "resize nearest": (lambda x: nn.resize(x, (12, 1), "nearest"), [PICTURE]),
    "depth_to_space": (lambda x: nn.depth_to_space(x, 2) * 2.0, [PICTURE]),
    "attention": (nn.scaled_dot_product_attention, [Q, K, V]),
    "attention causal": (lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, is_causal=True), [Q, K, V]),
    "attention masked": (lambda q, k, v, m: nn.scaled_dot_product_attention(q, k, v, m), [Q, K, V, ALLOWED]),
    "attention grouped": (
        lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, is_causal=True), [Q, K[:, :2], V[:, :2]]
    ),
    "attention one key head": (nn.scaled_dot_product_attention, [Q, K[:, :1], V[:, :1]]),
    "attention dropped": (
        lambda q, k, v, r: nn.scaled_dot_product_attention(q, k, v, dropout=0.3, dropout_key=r), [Q, K, V, KEY]
    ),
    "dot_product_attention": (nn.dot_product_attention, [Q, Q[:, :3, :1], Q[:, :3, :1]]),
    "dropout": (lambda x, k: nn.dropout(x, 0.5, k), [PICTURE, KEY]),
    "multi_hot": (lambda i: nn.multi_hot(i, 8), [CLASSES]),
    "cross entropy of classes": (nn.softmax_cross_entropy, [LOGITS, CLASSES]),
    "cross entropy of chances": (lambda x, y: nn.softmax_cross_entropy(x, nn.softmax(y)), [LOGITS, normal(5, 7)]),
    "binary cross entropy": (nn.sigmoid_binary_cross_entropy, [LOGITS, nn.sigmoid(LOGITS).numpy()]),
    "huber": (nn.huber, [LOGITS, normal(5, 7)]),
}  # fmt: skip
CALLED_BACK = {
    "sparsemax": (nn.sparsemax, [LOGITS]),
    "embedding": (nn.embedding, [CLASSES, LOGITS.T.copy()]),
    "resize nearest, sizes that do not divide": (lambda x: nn.resize(x, 7, "nearest"), [PICTURE]),
    "adaptive_max_pool, sizes that do not divide": (lambda x: nn.adaptive_max_pool(x, 4), [PICTURE]),
}
"""Sorting, running sums and gathering are no loop nests."""


def with_gradients(fn, args):
    """The function and the gradient of the sum of its squares by every floating argument."""
    places = [k for k, a in enumerate(args) if a.dtype == np.float32]

    def both(*xs):
        out = fn(*xs)
        if not places:
            return [out]

        def squares(*ys):
            full = list(xs)
            for k, y in zip(places, ys, strict=True):
                full[k] = y
            return (fn(*full) ** 2.0).sum()

        return [out, *bt.grad(squares, tuple(range(len(places))))(*(xs[k] for k in places))]

    return both


@pytest.mark.parametrize("name", {**CASES, **CALLED_BACK})
def test_compiled_agrees_with_eager(name):
    fn, args = {**CASES, **CALLED_BACK}[name]
    both = with_gradients(fn, args)
    for got, want in zip(function(both)(*args), both(*map(bt.asarray, args)), strict=True):
        assert got.shape == want.shape and got.dtype == want.dtype
        scale = max(1.0, float(np.max(np.abs(want.numpy()))))
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-5, atol=4e-6 * scale)


@pytest.mark.parametrize("name", CASES)
def test_no_call_back(name):
    fn, args = CASES[name]
    trace = GraphTrace()
    symbols = [trace.argument(TensorSpec(a.shape, a.dtype)) for a in args]
    with use(trace):
        out = with_gradients(fn, args)(*symbols)
    plan = make_plan(run_pipeline(trace.finish(out).graph, check=True))
    assert [s.node.op for s in plan.steps if isinstance(s, Call)] == []


def test_attention_of_any_batch():
    """The batch may be symbolic: one variant for the first size, one for all others."""
    f = function(lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, is_causal=True))
    for n in (2, 5, 3, 7):
        q, k, v = normal(n, 4, 7, 8), normal(n, 2, 7, 8), normal(n, 2, 7, 8)
        want = nn.scaled_dot_product_attention(q, k, v, is_causal=True).numpy()
        np.testing.assert_allclose(f(q, k, v).numpy(), want, rtol=1e-5, atol=1e-6)
    assert len(f.explain()) == 2


@pytest.mark.parametrize("length", [1, 3, 15, 16, 17, 40, 64, 100, 127, 128, 129, 300])
def test_rows_of_any_length(length):
    """Short rows are held in registers as a whole, long ones are gone over again."""
    x = 9 * normal(33, length)
    for fn in (nn.softmax, nn.log_softmax, nn.standardize, lambda a: a * bt.sum(a * a, -1, True) + bt.max(a, -1, True)):
        np.testing.assert_allclose(function(fn)(x).numpy(), fn(bt.asarray(x)).numpy(), 2e-5, 2e-5)


@pytest.mark.parametrize("length", [5, 20, 128, 200])
@pytest.mark.parametrize("name", ["max", "min"])
def test_nan_wins_at_any_place_of_a_row(name, length):
    x = np.tile(normal(length), (length + 1, 1))
    x[np.arange(length), np.arange(length)] = np.nan
    x[0, -1] = np.nan

    def fn(a):
        best = getattr(bt, name)(a, -1, True)
        return best, a - best

    for got, want in zip(function(fn)(x), fn(bt.asarray(x)), strict=True):
        np.testing.assert_array_equal(got.numpy(), want.numpy())
    assert np.isnan(x).any(-1).sum() == length


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_gradients_by_the_output_take_no_exponential(name):
    """And do not keep the input: what is read again is the output."""
    fn = getattr(nn, name)
    f = function(lambda x: bt.vjp(fn, x * 2.0)[1](x))
    x = normal(40, 9)
    got = f(x)
    assert not any(word in str(f.graph()).split("return")[0].partition(f"= {name}(")[2] for word in ("exp", "tanh("))
    s = fn(bt.asarray(x.astype("f8") * 2)).numpy()
    np.testing.assert_allclose(
        (got[0] if isinstance(got, (tuple, list)) else got).numpy(),
        x * (s * (1 - s) if name == "sigmoid" else 1 - s * s), rtol=1e-5, atol=1e-6,
    )  # fmt: skip
