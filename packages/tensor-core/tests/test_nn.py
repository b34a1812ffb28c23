"""What functions of networks promise beyond their values, which `nn_cases.py` has: precision, limits, errors."""

import subprocess
import sys

import nn_references as ref
import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import nn

R = np.random.default_rng(2)
NARROW = {"float16": 2e-3, "bfloat16": 2e-2}


def normal(*shape):
    return R.normal(size=shape)


@pytest.mark.parametrize("dtype", NARROW)
def test_attention_of_narrow_floats_is_rounded_once(dtype):
    """Scores near 400, of which float16 has quarters only, and a long sum."""
    q, k, v = (bt.asarray(a).astype(dtype) for a in (20 * normal(2, 3, 16), 20 * normal(2, 400, 16), normal(2, 400, 5)))
    want = ref.attention(*(t.numpy().astype("float64") for t in (q, k, v)))
    found = nn.scaled_dot_product_attention(q, k, v)
    assert found.dtype.name == dtype
    np.testing.assert_allclose(found.numpy().astype("float64"), want, NARROW[dtype], NARROW[dtype])


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize(
    "norm",
    [
        nn.standardize,
        nn.layer_norm,
        nn.rms_norm,
        nn.normalize,
        lambda x: nn.group_norm(x, 2),
        lambda x: nn.layer_norm(x, np.float16([1] * 8), np.float16([0] * 8)),
    ],
)
def test_norms_of_narrow_floats_do_not_overflow(norm, dtype):
    x = bt.asarray(3000 * normal(4, 8)).astype(dtype)
    found = norm(x).numpy().astype("float64")
    want = norm(bt.asarray(x.numpy().astype("float64"))).numpy()
    np.testing.assert_allclose(found, want, NARROW[dtype], NARROW[dtype])


@pytest.mark.parametrize("mask", [np.zeros((3, 5), bool), np.full((3, 5), -np.inf)], ids=["booleans", "numbers"])
def test_a_query_that_sees_nothing_gives_nothing(mask):
    q, k, v = normal(3, 2), normal(5, 2), normal(5, 4)
    out, pullback = bt.vjp(lambda *a: nn.scaled_dot_product_attention(*a, mask), q, k, v)
    np.testing.assert_array_equal(out.numpy(), np.zeros((3, 4)))
    for g in pullback(bt.ones((3, 4), "float64")):
        np.testing.assert_array_equal(g.numpy(), np.zeros(g.shape))


def test_softmax_of_nothing():
    masked = nn.softmax(np.ones((2, 3)), where=[[True, False, True], [False] * 3]).numpy()
    np.testing.assert_array_equal(masked, [[0.5, 0, 0.5], [0, 0, 0]])
    assert np.isnan(nn.softmax(np.full((1, 3), -np.inf)).numpy()).all()


@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize(("dilations", "groups"), [(1, 1), (2, 1), (1, 2)])
def test_conv_transpose_is_the_gradient_of_conv(strides, dilations, groups):
    x, w = normal(2, 9, 8, 4), normal(3, 2, 4 // groups, 6)
    out, pullback = bt.vjp(lambda a: nn.conv(a, w, strides, "valid", dilations, groups), x)
    g = normal(*out.shape)
    back = pullback(bt.asarray(g))[0].numpy()
    found = nn.conv_transpose(g, w, strides, [(0, 0), (0, 0)], 0, dilations, groups).numpy()
    assert back.shape[1] - found.shape[1] < strides and back.shape[2] - found.shape[2] < strides
    np.testing.assert_allclose(found, back[:, : found.shape[1], : found.shape[2]], 1e-12, 1e-12)


@pytest.mark.parametrize("method", ["nearest", "linear", "cubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("edge", ["renormalize", "repeat"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "align_corners", "asymmetric"])
def test_what_is_even_stays_even(method, edge, coordinates):
    for size in (1, 3, 7, 20):
        for antialias in (False, True):
            options = {"antialias": antialias, "coordinates": coordinates, "edge": edge}
            out = nn.resize(np.full((1, 7, 1), 3.5), size, method, **options)
            np.testing.assert_allclose(out.numpy(), np.full((1, size, 1), 3.5), 1e-12)


def test_resize_to_the_same_size_changes_nothing():
    x = normal(1, 5, 4, 2)
    for method in ("nearest", "linear", "cubic"):
        np.testing.assert_allclose(nn.resize(x, (5, 4), method, edge="repeat").numpy(), x, 1e-14)
        np.testing.assert_array_equal(nn.resize(x, (5, 4), method).numpy(), x)


def test_dtypes_of_pictures():
    x = (100 * R.random((1, 6, 6, 1))).astype("uint8")
    assert nn.resize(x, 3, "nearest").dtype == "uint8" and nn.max_pool(x, 2, 1, "same").dtype == "uint8"
    assert nn.resize(x, 4).dtype == "float32" and nn.average_pool(x, 2).dtype == "float32"
    assert nn.resize(x.astype("float16"), 4).dtype == "float16"
    np.testing.assert_array_equal(nn.max_pool(np.zeros((1, 3, 1), bool), 2, 1, "same").numpy(), np.zeros((1, 3, 1)))


def test_a_class_may_be_ruled_out():
    loss, slope = bt.value_and_grad(lambda z: bt.sum(nn.softmax_cross_entropy(z, [0, 2])))(
        np.array([[1.0, -np.inf, 1.0], [0.0, -np.inf, 0.0]])
    )
    np.testing.assert_allclose(loss.numpy(), 2 * np.log(2))
    np.testing.assert_allclose(slope.numpy(), [[-0.5, 0, 0.5], [0.5, 0, -0.5]])


def test_sparsemax_has_zeros_and_sums_to_one():
    found = nn.sparsemax(3 * normal(50, 9)).numpy()
    np.testing.assert_allclose(found.sum(1), 1)
    assert 0.3 < (found == 0).mean() < 0.99


def test_dropout_keeps_the_mean_and_repeats():
    x, key = np.ones((200, 300)), bt.random.key(3)
    out = nn.dropout(x, 0.3, key).numpy()
    assert abs((out == 0).mean() - 0.3) < 0.01 and abs(out.mean() - 1) < 0.01
    np.testing.assert_array_equal(out, nn.dropout(x, 0.3, key).numpy())
    rows = nn.dropout(x, 0.3, key, (None, 1)).numpy()
    assert (np.ptp(rows, axis=1) == 0).all()


def test_gelu_by_two_formulas():
    x = normal(50)
    assert 1e-5 < abs(nn.gelu(x) - nn.gelu(x, approximate=True)).max().item() < 1e-3


def test_settings_that_are_the_defaults_are_the_op():
    """So that a graph has one name for them, which a device may claim."""
    x = normal(5)
    for name in ("leaky_relu", "elu", "celu", "hard_shrink", "soft_shrink", "squareplus"):
        out = bt.trace.bind(bt.OPS[name], (bt.asarray(x),))
        np.testing.assert_array_equal(getattr(nn, name)(x).numpy(), out.numpy())


@pytest.mark.parametrize(
    "call",
    [
        lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, is_causal=True),
        lambda q, k, v: nn.conv_transpose(q, k[:3, :, :4], 2, "same"),
        lambda q, k, v: nn.sparsemax(q),
        lambda q, k, v: nn.resize(q, 3),
        lambda q, k, v: nn.adaptive_max_pool(q, 2),
        lambda q, k, v: nn.group_norm(q, 2),
        lambda q, k, v: nn.softmax_cross_entropy(q, nn.softmax(q)),
    ],
)
def test_vmap(call):
    arrays = normal(3, 2, 5, 4), normal(3, 2, 5, 4), normal(3, 2, 5, 6)
    one_by_one = np.stack([call(*a).numpy() for a in zip(*map(bt.asarray, arrays), strict=True)])
    np.testing.assert_allclose(bt.vmap(call)(*arrays).numpy(), one_by_one, 1e-12, 1e-12)


SIGNAL, PICTURE = np.ones((1, 5, 2)), np.ones((1, 4, 4, 2))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: nn.conv(PICTURE, np.ones((3, 3, 2, 1)), padding="causal"), '"causal" .of one axis'),
        (lambda: nn.conv_transpose(SIGNAL, np.ones((3, 2, 3))), "channels of x must be the last size of w"),
        (lambda: nn.conv_transpose(SIGNAL, np.ones((3, 1, 2)), 1, [(4, 4)]), "a place must be left"),
        (lambda: nn.conv_transpose(SIGNAL, np.ones((3, 1, 2)), padding="full"), "'full'"),
        (lambda: nn.depthwise_conv(SIGNAL, np.ones((3, 3, 1))), "channels, multiplier"),
        (lambda: nn.max_pool(SIGNAL, 6), "the window must fit"),
        (lambda: nn.max_pool(np.ones((2, 3)), 1), r"must be \(batch, \*space, channels\)"),
        (lambda: nn.adaptive_average_pool(SIGNAL, 0), "at least 1; got 0"),
        (lambda: nn.resize(SIGNAL, 3, "area"), "method must be one of"),
        (lambda: nn.resize(SIGNAL, 2**40), "at most 67108864"),
        (lambda: nn.resize(SIGNAL + 1j, 3), "takes real numbers"),
        (lambda: nn.depth_to_space(PICTURE, 2), "a multiple of block"),
        (lambda: nn.unfold(SIGNAL, 6), "the window must fit"),
        (lambda: nn.fold(np.ones((1, 5, 3)), 6, 2), r"rows must be \(batch, \*\(5,\), 2 \* channels"),
        (lambda: nn.fold(SIGNAL, 5, 2), "for space"),
        (lambda: nn.group_norm(PICTURE, 3), "a multiple of groups"),
        (lambda: nn.layer_norm(PICTURE, np.ones(3)), "gamma must have a value for each element"),
        (lambda: nn.layer_norm(PICTURE, np.ones(3), np.ones(3)), "gamma and beta must have the shape"),
        (lambda: nn.batch_norm(PICTURE, np.ones(2), None), "mean and variance must be given"),
        (lambda: nn.batch_norm(PICTURE, np.ones(2), np.ones(3)), "variance must have a value per channel"),
        (lambda: nn.normalize(PICTURE, order=0), "order must be above 0"),
        (lambda: nn.celu(PICTURE, 0), "alpha must be above 0"),
        (lambda: nn.squareplus(PICTURE, 0), "b must be above 0"),
        (lambda: nn.sparsemax(np.ones((2, 0))), "must have an element"),
        (lambda: nn.dropout(SIGNAL, 1.5, bt.random.key(0)), "between 0 and 1; got 1.5"),
        (lambda: nn.dropout(SIGNAL, 0.5, bt.random.key(0), (2, 1, 1)), "must broadcast to x"),
        (lambda: nn.embedding([0], np.ones(3)), r"the table must be \(words, width\)"),
        (lambda: nn.embedding([3], np.ones((3, 2))), "out of bounds"),
        (lambda: nn.softmax_cross_entropy(np.ones((2, 3)), [0, 1, 2]), "or that without classes"),
        (lambda: nn.softmax_cross_entropy(np.ones((2, 3)), [0.5, 1.0]), "must be integers"),
        (lambda: nn.softmax_cross_entropy(np.ones((2, 3)), 1), "labels must have the shape of the logits"),
        (lambda: nn.huber(1.0, 2.0, 0), "delta must be above 0"),
        (lambda: nn.scaled_dot_product_attention(*[np.ones((2, 3))] * 2, np.ones((4, 3))), "one length"),
        (lambda: nn.scaled_dot_product_attention(*[np.ones((2, 3))] * 3, dropout=0.5), "needs dropout_key"),
        (lambda: nn.scaled_dot_product_attention(*[np.ones((2, 3))] * 3, np.ones((3, 2))), "broadcast"),
        (lambda: nn.scaled_dot_product_attention(np.ones((3, 2, 4)), *[np.ones((2, 2, 4))] * 2), "multiple of those"),
        (lambda: nn.dot_product_attention(*[np.ones((2, 3))] * 3), r"takes \(batch, length, heads, width\)"),
    ],
)
def test_errors(call, says):
    with pytest.raises(bt.BrickworkError, match=says):
        call()


def test_rare_rooms_load_when_asked_for():
    rooms = ["attention", "regularization", "losses", "resizing", "lookup", "patches", "sparse"]
    code = (
        "import sys, brickwork.tensor as bt\n"
        f"rooms = ['brickwork.tensor.nn.' + r for r in {rooms}]\n"
        "print([r for r in rooms if r in sys.modules])\n"
        "print(all(callable(getattr(bt.nn, n)) for n in bt.nn.__all__), all(r in sys.modules for r in rooms))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True True"]
