"""The same bodies on every device: the hub's ops on NumPy's arrays and on CuPy's, against NumPy written out."""

import math
from statistics import NormalDist

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor.nn.activations import ACTIVATIONS
from brickwork.tensor.ops.elementwise import FUNCTIONS, ROWS
from brickwork.tensor.trace import bind

RNG = np.random.default_rng(5)
A, B = (RNG.uniform(0.2, 0.9, (4, 6)).astype(np.float32) for _ in range(2))
IMAGE, FILTER = RNG.normal(size=(2, 7, 8, 3)).astype(np.float32), RNG.normal(size=(3, 2, 3, 5)).astype(np.float32)
INTEGERS = {"bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "bitwise_invert"}
FLOATING = [name for name, _, arity, _, _ in ROWS if name not in INTEGERS]
ARITY = {name: arity for name, _, arity, _, _ in ROWS}
NUMPY = {
    "divide": np.divide,
    "clip": np.clip,
    "where": np.where,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "round": np.rint,
    "erf": np.vectorize(math.erf),
    "erfc": np.vectorize(math.erfc),
    "erfinv": np.vectorize(lambda x: NormalDist().inv_cdf((float(x) + 1) / 2) / math.sqrt(2)),
    "lgamma": np.vectorize(math.lgamma),
    "digamma": lambda x: np.log(x + 50) - 1 / (2 * (x + 50)) - 1 / (12 * (x + 50) ** 2) - far(x, 1),
    "trigamma": lambda x: 1 / (x + 50) + 1 / (2 * (x + 50) ** 2) + 1 / (6 * (x + 50) ** 3) + far(x, 2),
    "logit": lambda x: np.log(x / (1 - x)),
    "xlogy": lambda x, y: x * np.log(y),
}


def far(x, power):
    """What fifty steps of the recurrence of a polygamma add, to where its asymptotic series is exact enough."""
    return sum((x.astype(np.float64) + k) ** -power for k in range(50))


def on(device, *arrays):
    """Tensors of a device, and a check that they are there."""
    tensors = [bt.asarray(a).to(device) for a in arrays]
    assert all(t.device == device for t in tensors)
    return tensors


def same(tensor, wanted, device, rtol=1e-5):
    """The tensor lives where its operands did and holds what NumPy says."""
    assert tensor.device == device
    np.testing.assert_allclose(tensor.numpy(), wanted, rtol=rtol, atol=rtol)


def numerical(fn, x, step=1e-5):
    """Central differences in float64."""
    out = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        up, down = x.astype(np.float64), x.astype(np.float64)
        up[i] += step
        down[i] -= step
        out[i] = (fn(up) - fn(down)) / (2 * step)
    return out


@pytest.mark.parametrize("name", FLOATING)
def test_elementwise(device, name):
    arrays = [A, B, A * 0.5 + B][: ARITY[name]]
    if name == "where":
        arrays[0] = A > 0.5
    reference = NUMPY.get(name) or getattr(np, name)
    function = FUNCTIONS.get(name) or (lambda *xs: bind(bt.OPS[name], xs))
    same(function(*on(device, *arrays)), reference(*arrays), device)


@pytest.mark.parametrize("name", sorted(INTEGERS))
def test_bits(device, name):
    arrays = [np.arange(12, dtype=np.int32), np.full(12, 3, np.int32)][: ARITY[name]]
    same(FUNCTIONS[name](*on(device, *arrays)), getattr(np, name)(*arrays), device)


def test_operators_broadcasting_and_numbers(device):
    x, row = on(device, A, B[0])
    same((x - row) * 2.0 + 1 / x, (A - B[0]) * 2 + 1 / A, device)
    same(x > 0.5, A > 0.5, device)
    same(x.astype("float16").astype("float32"), A.astype(np.float16), device)
    assert (x + 1).dtype == np.float32


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_reductions(device, name, axis):
    same(getattr(bt, name)(*on(device, A), axis=axis), getattr(np, name)(A, axis=axis), device)


def test_logical_reductions_and_places(device):
    (x,) = on(device, A)
    same(bt.any(x > 0.85, axis=1), (A > 0.85).any(1), device)
    same(bt.all(x > 0.25, axis=0), (A > 0.25).all(0), device)
    same(bt.argmax(x, axis=1), A.argmax(1), device)
    same(bt.mean(x, axis=0), A.mean(0), device)
    same(bt.var(x, axis=1), A.var(1), device)


def test_movement(device):
    x, y = on(device, A, B)
    same(bt.transpose(x), A.T, device)
    same(x.reshape(2, 12), A.reshape(2, 12), device)
    same(x[1:3, ::-2], A[1:3, ::-2], device)
    same(bt.concat([x, y], axis=1), np.concatenate([A, B], 1), device)
    same(bt.pad(x, ((1, 0), (2, 1))), np.pad(A, ((1, 0), (2, 1))), device)
    same(bt.broadcast_to(x[0], (3, 6)), np.broadcast_to(A[0], (3, 6)), device)
    same(bt.take(x, on(device, np.array([2, 0]))[0], axis=0), A[[2, 0]], device)


def test_indices_from_the_host(device):
    """Positions are data of the program: lists and NumPy's arrays go to where the tensor is."""
    (x,) = on(device, A)
    same(x[[2, 0]], A[[2, 0]], device)
    same(bt.take(x, np.array([2, 0]), axis=1), A[:, [2, 0]], device)
    same(x[x[:, 0] > 0.5], A[A[:, 0] > 0.5], device)
    same(bt.nn.one_hot(*on(device, np.array([1, 0])), 3), np.eye(3)[[1, 0]], device)


def test_scalars_of_numpy(device):
    (x,) = on(device, A)
    same(x * np.float32(2), A * 2, device)


def test_contractions(device):
    x, y, image, kernel = on(device, A, B, IMAGE, FILTER)
    same(bt.matmul(x, bt.transpose(y)), A @ B.T, device)
    same(bt.einsum("ij,kj->ki", x, y), np.einsum("ij,kj->ki", A, B), device)
    windows = np.lib.stride_tricks.sliding_window_view(IMAGE, (3, 2), axis=(1, 2))
    same(bt.nn.conv(image, kernel), np.einsum("bhwcij,ijco->bhwo", windows, FILTER), device, 1e-4)
    same(
        bt.nn.conv(image, kernel, strides=2), np.einsum("bhwcij,ijco->bhwo", windows[:, ::2, ::2], FILTER), device, 1e-4
    )


def test_networks(device):
    (x,) = on(device, A)
    e = np.exp(A - A.max(1, keepdims=True))
    same(bt.nn.softmax(x, axis=-1), e / e.sum(1, keepdims=True), device)
    same(bt.nn.log_softmax(x, axis=-1), np.log(e / e.sum(1, keepdims=True)), device)
    same(bt.nn.relu(x - 0.5), np.maximum(A - 0.5, 0), device)


WINDOW, HEADS = RNG.normal(size=(3, 2, 5, 3)).astype(np.float32), RNG.normal(size=(2, 4, 5, 6)).astype(np.float32)
NETWORKS = {
    "conv_transpose": (lambda x, w: bt.nn.conv_transpose(x, w, 2, "same"), [IMAGE, WINDOW]),
    "max_pool": (lambda x: bt.nn.max_pool(x, 3, 2, "same"), [IMAGE]),
    "average_pool": (lambda x: bt.nn.average_pool(x, 3, 2, "same"), [IMAGE]),
    "adaptive_average_pool": (lambda x: bt.nn.adaptive_average_pool(x, 3), [IMAGE]),
    "adaptive_max_pool": (lambda x: bt.nn.adaptive_max_pool(x, 3), [IMAGE]),
    "resize": (lambda x: bt.nn.resize(x, (4, 11), "cubic", antialias=True), [IMAGE]),
    "resize nearest": (lambda x: bt.nn.resize(x, (5, 16), "nearest"), [IMAGE]),
    "fold": (lambda x: bt.nn.fold(bt.nn.unfold(x, 2), (7, 8), 2), [IMAGE]),
    "group_norm": (lambda x: bt.nn.group_norm(x, 3), [IMAGE]),
    "batch_norm": (lambda x: bt.nn.batch_norm(x, *bt.nn.moments(x, (0, 1, 2))), [IMAGE]),
    "sparsemax": (bt.nn.sparsemax, [A]),
    "softmax_cross_entropy": (bt.nn.softmax_cross_entropy, [A, np.array([1, 0, 5, 2])]),
    "attention": (lambda q, k: bt.nn.scaled_dot_product_attention(q, k, k, is_causal=True), [HEADS, HEADS[:, :2]]),
    "dropout": (lambda x, k: bt.nn.dropout(x, 0.5, k), [A, np.array([3, 7], np.uint32)]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_functions_of_networks(device, name):
    """As on the CPU, and nothing they make themselves stays there."""
    fn, arrays = NETWORKS[name]
    same(fn(*on(device, *arrays)), fn(*map(bt.asarray, arrays)).numpy(), device)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients_of_activations(device, name):
    fn = getattr(bt.nn, name)
    x = (A * 4 - 2).astype(np.float32)
    same(
        bt.grad(lambda t: bt.sum(fn(t)))(*on(device, x)),
        numerical(lambda a: float(bt.sum(fn(bt.asarray(a))).numpy()), x),
        device,
        1e-3,
    )


def test_gradients_through_a_network(device):
    weights = RNG.normal(size=(6, 3)).astype(np.float32)

    def loss(w, x):
        return -bt.sum(bt.nn.log_softmax(bt.tanh(bt.matmul(x, w)), axis=-1) * bt.matmul(x, w))

    w, x = on(device, weights, A)
    wide = A.astype(np.float64)
    same(
        bt.grad(loss)(w, x),
        numerical(lambda a: float(loss(bt.asarray(a), bt.asarray(wide)).numpy()), weights),
        device,
        1e-3,
    )


def test_gradients_with_numbers(device):
    (x,) = on(device, A)
    same(bt.grad(lambda t: bt.sum(t**2.0 + 3.0 / t))(x), 2 * A - 3 / A**2, device)


def test_a_training_step_updates_variables_where_they_are(device):
    x, y, start = on(device, A, B[:, :3], RNG.normal(size=(6, 3)).astype(np.float32))
    weights = bt.Variable(start)
    losses = []
    for _ in range(20):
        with bt.GradientTape() as tape:
            loss = bt.mean(bt.square(bt.matmul(x, weights.value) - y))
        weights.assign_sub(0.1 * tape.gradient(loss, weights))
        losses.append(float(loss))
    assert weights.value.device == device
    assert losses[-1] < 0.5 * losses[0]
    assert not np.array_equal(weights.numpy(), start.numpy())


def test_gradients_of_convolution(device):
    image, kernel = on(device, IMAGE, FILTER)

    def loss(k, x):
        return bt.sum(bt.nn.conv(x, k, strides=2, padding="same") ** 2.0)

    wide = bt.asarray(IMAGE.astype(np.float64))
    same(
        bt.grad(loss)(kernel, image),
        numerical(lambda a: float(loss(bt.asarray(a), wide).numpy()), FILTER),
        device,
        2e-3,
    )


@pytest.mark.parametrize("shape", [(), (0,), (1000,), (3, 5)])
def test_random_bits_are_the_same_everywhere(device, shape):
    key = bt.random.key(42)
    wanted = bt.random.uniform(key, shape).numpy()
    np.testing.assert_array_equal(bt.random.uniform(*on(device, key), shape).numpy(), wanted)


@pytest.mark.parametrize("draw", ["normal", "truncated_normal", "bits"])
def test_other_draws_are_the_same_everywhere(device, draw):
    key = bt.random.key(3)
    wanted = getattr(bt.random, draw)(key, (5, 2)).numpy()
    same(getattr(bt.random, draw)(*on(device, key), (5, 2)), wanted, device)


def test_keys_are_the_same_everywhere(device):
    key = bt.random.key(3)
    (moved,) = on(device, key)
    same(bt.random.split(moved, 3), bt.random.split(key, 3).numpy(), device)
    same(bt.random.fold_in(moved, 7), bt.random.fold_in(key, 7).numpy(), device)


@pytest.mark.parametrize(
    "dtype",
    ["bool", "int8", "int32", "int64", "uint8", "uint32", "float16", "bfloat16", "float32", "float64", "complex64"],
)
def test_there_and_back(device, dtype):
    x = bt.asarray(np.arange(6).reshape(2, 3)).astype(dtype)
    (moved,) = on(device, x)
    assert moved.dtype == x.dtype
    np.testing.assert_array_equal(moved.to("cpu").numpy(), x.numpy())
    assert moved.to(device) is moved


def test_mixed_devices_are_refused(cuda):
    x, y = on("cpu", A)[0], on("cuda", A)[0]
    with pytest.raises(bt.DeviceError, match=r"operands must be on one device.*Move one with \.to\(device\)"):
        x + y


def test_control_flow(device):
    """Bodies are recorded on no device, and run where their operands are, constants and counters too."""
    x, w = on(device, A, A[:, :4] @ A[:4])

    def loss(run):
        def step(carry, row):
            n, h = carry
            h = bt.cond(row.sum() > 3, lambda h: bt.nn.softmax(h + row), lambda h: h * 0.5 + bt.iota((6,)) * 0.1, h)
            return (n + 1, h), (h * n).sum()

        def of(w):
            (n, h), ys = run(step, (n0, w[0]), x)
            return (h**2).sum() + ys.sum() + n

        return of

    def looped(f, carry, xs):
        ys = []
        for t in range(xs.shape[0]):
            carry, y = f(carry, xs[t])
            ys.append(y)
        return carry, bt.stack(ys)

    (n0,) = on(device, np.float32(0))
    for kind in (lambda f: f, bt.grad):
        same(kind(loss(bt.scan))(w), kind(loss(looped))(w).numpy(), device)
    found = bt.while_loop(lambda s: (s**2).sum() > 1.0, lambda s: s * 0.5, w)
    same(found, w.numpy() * 0.5 ** np.ceil(np.log2((w.numpy() ** 2).sum()) / 2), device)
