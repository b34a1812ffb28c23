"""The waist: what is compiled from kernels is what the kernels mean, and what the ops say."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.graph import function
from brickwork.graph.passes import run_pipeline
from brickwork.graph.plan import Call
from brickwork.graph.planning import make_plan
from brickwork.graph.tracing import GraphTrace
from brickwork.tensor.kernel import interpret
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.trace import use


def rng():
    return np.random.default_rng(0)


def normal(*shape):
    return rng().normal(size=shape).astype(np.float32)


def conv_gradient(which, stride, padding, dilation=1):
    return lambda x, w: bt.grad(lambda a, b: (bt.conv(a, b, stride, padding, dilation) ** 2.0).sum(), which)(x, w)


def squares_gradient(fn):
    """The gradient of the sum of the squares of what ``fn`` gives, by its first argument."""
    return lambda *args: bt.grad(lambda *a: (fn(*a) ** 2.0).sum())(*args)


def norm_gradient(which):
    return lambda x, g, b: bt.grad(lambda *p: (bt.nn.layer_norm(*p) ** 2.0).sum(), which)(x, g, b)


IMAGE, FILTER = normal(2, 5, 6, 3), normal(3, 3, 3, 4)
ROWS, GAMMA, BETA = normal(4, 37), normal(37) + 1, normal(37)
CASES = {
    "softmax": (lambda x: bt.nn.softmax(x), [ROWS]),
    "softmax axis 0": (lambda x: bt.nn.softmax(x, 0), [ROWS]),
    "softmax gradient": (lambda x: bt.grad(lambda y: (bt.nn.softmax(y) ** 2.0).sum())(x), [ROWS]),
    "log_softmax gradient": (lambda x: bt.grad(lambda y: (bt.nn.log_softmax(y) * 0.5).sum())(x), [ROWS]),
    "layer_norm": (lambda x, g, b: bt.nn.layer_norm(x, g, b), [ROWS, GAMMA, BETA]),
    "layer_norm by x": (norm_gradient(0), [ROWS, GAMMA, BETA]),
    "layer_norm by gamma": (norm_gradient(1), [ROWS, GAMMA, BETA]),
    "layer_norm by beta": (norm_gradient(2), [ROWS, GAMMA, BETA]),
    **{
        f"conv2d {name} stride {s} {p} dilation {d}": (fn, [IMAGE, FILTER])
        for s in (1, 2, 3)
        for p, d in (("same", 1), ("valid", 1), ("same", 2))
        for name, fn in (
            ("forward", lambda x, w, s=s, p=p, d=d: bt.nn.relu(bt.conv(x, w, s, p, d) + 0.5)),
            ("by x", conv_gradient(0, s, p, d)),
            ("by w", conv_gradient(1, s, p, d)),
        )
    },
    "max_pool": (lambda x: bt.nn.max_pool(x, (2, 2)), [IMAGE]),
    "max_pool gradient": (squares_gradient(lambda y: bt.nn.max_pool(y, (3, 3), (2, 2), "same")), [IMAGE]),
    "average_pool gradient": (squares_gradient(lambda y: bt.nn.average_pool(y, (2, 2), None, "same")), [IMAGE]),
    "matmul": (lambda a, b: a @ b, [normal(5, 7), normal(7, 33)]),
    "matmul turned": (lambda a, b: a @ bt.transpose(b), [normal(15, 37), normal(33, 37)]),
    "matmul by first": (squares_gradient(lambda a, b: a @ b), [normal(5, 17), normal(17, 33)]),
    "matmul stacks": (lambda a, b: a @ b, [normal(2, 1, 5, 7), normal(3, 7, 4)]),
    "matmul vector": (lambda a, b: a @ b, [normal(5, 70), normal(70)]),
    "grouped conv": (lambda x, w: bt.conv(x, w, groups=3), [IMAGE, normal(3, 3, 1, 6)]),
    "einsum": (lambda a, b: bt.einsum("bij,kj->bki", a, b), [normal(3, 4, 5), normal(6, 5)]),
    "variance over columns": (lambda x: bt.var(x, 0), [ROWS]),
    "reductions": (lambda x: bt.max(x, 1) + bt.min(x, 1) * bt.prod(x * 0.5, 1) + bt.sum(x), [ROWS]),
    "argmax": (lambda x: bt.argmax(x, 1), [ROWS]),
    "movement": (lambda x: bt.flip(bt.pad(bt.transpose(x)[1:-1:2], ((1, 2), (0, 1)), 3.0), 0) * 2.0, [ROWS]),
    "padded expression": (lambda x: bt.pad(bt.exp(x), 1, 7.0) + 1.0, [ROWS]),
    "reshapes": (lambda x: bt.reshape(bt.transpose(bt.exp(x)), (2, -1)) @ bt.reshape(x, (-1, 2)), [ROWS[:, :36]]),
    "concat": (lambda x: bt.concat([x * 2.0, bt.ones((4, 3)), x], 1), [ROWS]),
    "dropout": (lambda x: bt.where(bt.random.uniform(bt.random.key(3), (4, 37)) < 0.5, x, 0.0), [ROWS]),
    "normal numbers": (lambda x: bt.random.normal(bt.random.fold_in(bt.random.key(3), 5), (4, 37)) + x * 0.0, [ROWS]),
    "one hot": (lambda x: bt.nn.one_hot(bt.argmax(x, 1), 37) - x, [ROWS]),
    "integers": (lambda x: (x.astype("int32") // 3 % 2 << 2) ^ 1, [ROWS * 10]),
    "booleans": (lambda x: bt.logical_not(x > 0.0) | (x < -1.0), [ROWS]),
    "take": (lambda x: bt.take(x, bt.asarray([2, 0]), 0) * 2.0, [ROWS]),
    "take gradient": (lambda x: bt.grad(lambda y: (bt.take(y, bt.asarray([2, 0, 2]), 0) ** 2.0).sum())(x), [ROWS]),
    "strided slice gradient": (squares_gradient(lambda x: x[1::3, 2::5]), [ROWS]),
    "gradient of gradient": (squares_gradient(squares_gradient(bt.tanh)), [ROWS]),
}  # fmt: skip
EXACT = {"dropout", "argmax", "one hot", "integers", "booleans", "movement", "concat", "take"}


def tolerance(name, want):
    scale = max(1.0, float(np.max(np.abs(want), initial=0.0))) if want.dtype.kind == "f" else 0.0
    return 0.0 if name in EXACT else 4e-6 * scale


@pytest.mark.parametrize("name", CASES)
def test_compiled_agrees_with_eager(name):
    fn, args = CASES[name]
    want = fn(*map(bt.asarray, args)).numpy()
    got = function(fn)(*args).numpy()
    assert got.shape == want.shape and got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=tolerance(name, want))


def planned(fn, args):
    trace = GraphTrace()
    symbols = [trace.argument(TensorSpec(a.shape, a.dtype)) for a in args]
    with use(trace):
        out = fn(*symbols)
    traced = trace.finish([out])
    return traced, make_plan(run_pipeline(traced.graph, check=True))


SMALL = [
    "softmax",
    "layer_norm by x",
    "conv2d forward stride 2 same dilation 1",
    "conv2d by x stride 2 same dilation 1",
    "conv2d by w stride 3 valid dilation 1",
]


@pytest.mark.parametrize("name", SMALL)
def test_kernels_mean_what_the_ops_say(name):
    """The same plan, run by the interpreter of the waist instead of LLVM."""
    fn, args = CASES[name]
    args = [a[:1] if a.ndim == 4 and a is IMAGE else a for a in args]
    traced, plan = planned(fn, args)
    assert not any(isinstance(s, Call) for s in plan.steps)
    buffers = {v.id: a.reshape(-1).copy() for v, a in zip(plan.graph.inputs, [*args, *traced.captured], strict=True)}
    for kernel in plan.kernels:
        kernel.check()
        for write in kernel.writes:
            buffers.setdefault(write.target, np.full(plan.specs[write.target].size, np.nan, np.float32))
        interpret(kernel, buffers)
    want = fn(*map(bt.asarray, args)).numpy()
    got = buffers[plan.results[0].id].reshape(want.shape)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=tolerance(name, want))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("softmax", 1),
        ("layer_norm", 1),
        ("softmax gradient", 1),
        ("layer_norm by x", 1),
        ("conv2d forward stride 1 same dilation 1", 1),
    ],
)
def test_fused_into_so_many_kernels(name, count):
    fn, args = CASES[name]
    _, plan = planned(fn, args)
    assert len(plan.steps) == count


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_floats(dtype):
    x = ROWS.astype(bt.as_dtype(dtype))
    fn = lambda a: bt.nn.softmax(a @ bt.transpose(a)) * 2.0  # noqa: E731
    got, want = function(fn)(x).numpy(), fn(bt.asarray(x)).numpy()
    assert got.dtype == x.dtype
    bound = {"float16": 2e-3, "bfloat16": 2e-2, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(got.astype("d"), want.astype("d"), rtol=bound, atol=bound)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3), (3, 0), (1, 1), (17,), (2, 1, 3)])
def test_odd_shapes(shape):
    x = rng().normal(size=shape).astype(np.float32)
    for fn in (
        lambda a: bt.exp(a) + 1.0,
        lambda a: bt.sum(a * 2.0),
        lambda a: bt.sum(a, -1) if a.ndim else a,
        lambda a: bt.transpose(a) - 1.0,
    ):
        np.testing.assert_allclose(function(fn)(x).numpy(), fn(bt.asarray(x)).numpy(), rtol=1e-6)


def test_nan_and_infinity_pass_as_in_numpy():
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0] * 5, np.float32)
    for fn in (
        lambda a: bt.max(a),
        lambda a: bt.min(a),
        lambda a: bt.maximum(a, 0.5),
        lambda a: bt.nn.relu(a),
        lambda a: bt.sum(a),
        lambda a: bt.isnan(a),
        lambda a: bt.exp(a),
        lambda a: bt.log(a),
    ):
        np.testing.assert_array_almost_equal(function(fn)(x).numpy(), fn(bt.asarray(x)).numpy())


def test_bodies_are_simplified_once_fused():
    """The guards of a flipped pad count down, ``19 - i``: the product with -1 is there only once the two are one
    body."""
    fn, args = CASES["movement"]
    _, plan = planned(fn, args)
    (body,) = [s.body for k in plan.kernels for s in k.stages]
    assert [n.dtype.name for n, _ in body.program if n.head == "mul"] == ["float32"]


def test_an_output_may_be_an_input_a_constant_or_another_output():
    """`simplify` can leave nothing to compute; each result is memory of its own all the same."""
    f = function(lambda x: (x, x + 0.0 * bt.zeros(3), bt.transpose(bt.transpose(x)), x * 1.0, bt.ones(3), bt.ones(3)))
    x = normal(3)
    results = f(x)
    for got, want in zip(results, [x] * 4 + [np.ones(3, "f")] * 2, strict=True):
        np.testing.assert_array_equal(got.numpy(), want)
    assert not any(
        np.shares_memory(a.data, b) for k, a in enumerate(results) for b in [x, *(r.data for r in results[:k])]
    )


def outer(a, b):
    return bt.expand_dims(a, 2), bt.expand_dims(b, 0)


LONG_EPILOGUES = {
    "product": lambda a, b: a @ b,
    "maximum": lambda a, b: bt.max(bt.multiply(*outer(a, b)), axis=1),
    "any": lambda a, b: bt.where(bt.any(bt.logical_and(*outer(a > 0, b > 0)), axis=1), 1.5, -2.0).astype("float32"),
}


@pytest.mark.parametrize("columns", [5, 32, 37])
@pytest.mark.parametrize("name", LONG_EPILOGUES)
def test_long_epilogues_go_over_the_rows_of_a_tile_in_a_loop(name, columns):
    """With operands that move with the point, with the column only, with the row only, and with nothing."""

    def fn(a, b, point, column, row, number):
        s = LONG_EPILOGUES[name](a, b)
        for k in range(5):
            s = s * point * 0.3 + column * (0.1 * k + 0.7) - row * (0.2 + k) * number
        return s

    args = [normal(23, 9), normal(9, columns), normal(23, columns), normal(columns), normal(23, 1), normal(1)]
    f = function(fn)
    np.testing.assert_allclose(f(*args).numpy(), fn(*map(bt.asarray, args)).numpy(), rtol=1e-5, atol=1e-5)
    assert "%stage0 = alloca" in f.llvm()
