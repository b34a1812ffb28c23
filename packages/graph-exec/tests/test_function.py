"""`function`: signatures, open batches, variables in place, and what `explain` tells."""

from itertools import pairwise

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.graph import RetraceError, function
from brickwork.graph.llvm.engine import host
from brickwork.tensor.errors import DeviceError, ShapeError, TraceError


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def mlp(sizes, seed=1):
    rng = np.random.default_rng(seed)
    out = []
    for a, b in pairwise(sizes):
        out += [
            bt.Variable((rng.normal(size=(a, b)) / np.sqrt(a)).astype("f"), name="kernel"),
            bt.Variable(np.zeros(b, "f"), name="bias"),
        ]
    return out


def adam_step(weights, rate=1e-2):
    """A whole training step over variables: forward, mean squared error, gradients, Adam."""
    first = [bt.Variable(np.zeros(w.shape, "f"), trainable=False) for w in weights]
    second = [bt.Variable(np.zeros(w.shape, "f"), trainable=False) for w in weights]
    count = bt.Variable(0, dtype="int64", trainable=False)

    def step(x, y):
        def loss():
            h = x
            for k in range(0, len(weights), 2):
                h = h @ weights[k] + weights[k + 1]
                h = bt.nn.relu(h) if k < len(weights) - 2 else h
            return bt.mean((h - y) * (h - y))

        value, gradients = bt.value_and_grad(loss, variables=weights)()
        count.assign_add(1)
        t = count.value.astype("float32")
        alpha = rate * bt.sqrt(1.0 - bt.power(0.999, t)) / (1.0 - bt.power(0.9, t))
        for w, m, v, g in zip(weights, first, second, gradients):
            new_m, new_v = m.value + (g - m.value) * 0.1, v.value + (g * g - v.value) * 0.001
            m.assign(new_m)
            v.assign(new_v)
            w.assign(w.value - alpha * new_m / (bt.sqrt(new_v) + 1e-7))
        return value

    return step


def test_training_step_is_one_plan_that_updates_weights_in_place():
    x, y = normal(32, 13), normal(32, 1, seed=2)
    eager_weights, weights = mlp([13, 64, 64, 1]), mlp([13, 64, 64, 1])
    eager, compiled = adam_step(eager_weights), function(adam_step(weights))
    arrays = [w.data for w in weights]
    want = [eager(bt.asarray(x), bt.asarray(y)).item() for _ in range(5)]
    got = [compiled(x, y).item() for _ in range(5)]
    np.testing.assert_allclose(got, want, rtol=1e-5)
    for a, b in zip(weights, eager_weights):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
    assert all(w.data is a for w, a in zip(weights, arrays)), "weights must be written where they are"
    (variant,) = compiled.explain()
    assert variant.calls == 0, "every op of the step must be native"
    assert len(compiled.llvm()) < 350_000, "LLVM's time is proportional to its text: see `LONG` and `Stages.share`"


def test_open_batch_is_compiled_once():
    f = function(lambda x, w: bt.nn.softmax(x @ w))
    w = normal(7, 5)
    for n in (4, 9, 3, 1, 100, 4):
        x = normal(n, 7, seed=n)
        np.testing.assert_allclose(
            f(x, w).numpy(), bt.nn.softmax(bt.asarray(x) @ bt.asarray(w)).numpy(), rtol=1e-5, atol=1e-7
        )
    assert [v.symbolic for v in f.explain()] == [False, True]
    assert "axis 0 of size 9 where it was 4" in f.explain()[1].cause


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 40])
def test_open_batch_in_a_training_step(n):
    weights, twin = mlp([6, 20, 3]), mlp([6, 20, 3])
    f, eager = function(adam_step(weights)), adam_step(twin)
    for size in (32, n):
        x, y = normal(size, 6, seed=size), normal(size, 3, seed=size + 1)
        np.testing.assert_allclose(f(x, y).item(), eager(bt.asarray(x), bt.asarray(y)).item(), rtol=2e-5)
    for a, b in zip(weights, twin):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=2e-6)


def test_open_batch_of_a_convolution():
    w, v = normal(3, 3, 2, 4), normal(36 * 4, 3)

    def fn(x):
        h = bt.nn.max_pool(bt.nn.relu(bt.conv(x, bt.asarray(w), 1, "same")), (2, 2))
        return bt.reshape(h, (x.shape[0], -1)) @ bt.asarray(v)

    f = function(fn)
    for n in (2, 5, 1):
        x = normal(n, 12, 12, 2, seed=n)
        np.testing.assert_allclose(f(x).numpy(), fn(bt.asarray(x)).numpy(), rtol=1e-4, atol=1e-4)
    assert len(f.explain()) == 2


def test_a_function_that_needs_its_batch_size_gets_a_variant_each():
    f = function(lambda x: bt.reshape(x, (2, -1)) * 1.0)
    for n in (2, 4, 6):
        assert f(normal(n, 3)).shape == (2, n * 3 // 2)
    assert [v.symbolic for v in f.explain()] == [False, False, False]


def test_explain_names_argument_and_axis():
    f = function(lambda x: x * 2.0, dynamic_batch=False)
    f(normal(3, 4))
    f(normal(3, 5))
    f(normal(3, 5).astype("float64"))
    causes = [v.cause for v in f.explain()]
    assert causes == [
        "first call",
        "argument x: axis 1 of size 5 where it was 4",
        "argument x: dtype float64 where it was float32",
    ]
    assert all(v.trace_ms > 0 and v.kernels == 1 for v in f.explain())


def test_max_variants_raises_with_the_cause():
    f = function(lambda x: x + 1.0, max_variants=1)
    f(normal(3, 4))
    f(normal(3, 4))
    with pytest.raises(RetraceError, match=r"at most 1 variants; got one more: argument x: axis 1"):
        f(normal(3, 5))


def test_static_arguments_and_trees():
    @function(static_argnames=("scale",))
    def f(batch, *, scale, flag=None):
        return {"sum": batch["a"] + batch["b"][0] * scale, "flag": batch["a"] * 0.0 if flag else batch["a"]}

    a, b = normal(3), normal(3, seed=1)
    out = f({"a": a, "b": [b]}, scale=3)
    np.testing.assert_allclose(out["sum"].numpy(), a + b * 3, rtol=1e-6)
    np.testing.assert_allclose(f({"a": a, "b": [b]}, scale=2, flag=True)["flag"].numpy(), 0 * a)
    assert len(f.explain()) == 2
    with pytest.raises(TraceError, match="hashable"):
        f({"a": a, "b": [b]}, scale=[1])


def test_numbers_are_values_not_variants():
    f = function(lambda x, rate: x * rate)
    assert [f(normal(2), r).numpy().tolist() == (normal(2) * np.float32(r)).tolist() for r in (0.5, 2.0, 3.0)] == [
        True
    ] * 3
    assert len(f.explain()) == 1


def test_inside_another_trace_it_is_inlined():
    f = function(lambda x: bt.tanh(x).sum())
    x = normal(4)
    np.testing.assert_allclose(bt.grad(f)(bt.asarray(x)).numpy(), 1 - np.tanh(x) ** 2, rtol=1e-5)
    assert function(lambda y: f(y) * 2.0)(x).item() == pytest.approx(2 * np.tanh(x).sum(), rel=1e-5)
    assert f.explain() == []


def test_a_value_read_before_a_step_keeps_its_numbers():
    w = bt.Variable(np.ones(5, "f"))
    f = function(lambda: w.assign(w.value * 2.0))
    before = w.value
    f()
    f()
    assert before.numpy().tolist() == [1.0] * 5 and w.numpy().tolist() == [4.0] * 5


def test_two_variables_that_change_places():
    a, b = bt.Variable(normal(4)), bt.Variable(normal(4, seed=1))
    was_a, was_b = a.numpy(), b.numpy()

    @function
    def swap():
        old = a.value
        a.assign(b.value)
        b.assign(old)

    swap()
    assert (a.numpy() == was_b).all() and (b.numpy() == was_a).all()


def test_old_value_is_read_by_all_before_it_is_overwritten():
    w = bt.Variable(normal(3, 3))
    was = w.numpy()

    @function
    def step(x):
        y = x @ w.value
        w.assign(bt.transpose(w.value) + 1.0)
        return y + (x @ bt.transpose(w.value)).sum()

    x = normal(2, 3, seed=5)
    got = step(x).numpy()
    new = was.T + 1.0
    np.testing.assert_allclose(got, x @ was + (x @ new.T).sum(), rtol=1e-5)
    np.testing.assert_allclose(w.numpy(), new, rtol=1e-6)


def test_results_do_not_share_memory_with_the_next_call():
    f = function(lambda x: (x * 2.0, x))
    first = f(normal(3))[0]
    f(normal(3, seed=9))
    np.testing.assert_allclose(first.numpy(), normal(3) * 2)


def test_errors_while_tracing_are_the_ops_own():
    with pytest.raises(ShapeError, match=r"matmul: inner sizes must match; got a \(2, 3\), b \(4, 5\)"):
        function(lambda a, b: a @ b)(normal(2, 3), normal(4, 5))
    with pytest.raises(TraceError, match="a value must be there"):
        function(lambda a: a * float(a.sum()))(normal(2))


def test_an_error_in_an_op_called_back_reaches_the_caller():
    f = function(lambda x, i: bt.take(x, i, 0))
    assert f(normal(3, 2), np.array([0, 2])).shape == (2, 2)
    with pytest.raises(Exception, match="out of bounds"):
        f(normal(3, 2), np.array([0, 7]))


def test_captured_arrays_and_non_contiguous_arguments():
    table = normal(6, 4)
    f = function(lambda x: x + bt.asarray(table))
    x = normal(4, 6, seed=3).T
    np.testing.assert_allclose(f(x).numpy(), x + table, rtol=1e-6)
    np.testing.assert_allclose(f(x[::-1]).numpy(), x[::-1] + table, rtol=1e-6)


def test_results_and_new_values_that_depend_on_no_argument():
    w = bt.Variable(normal(3))
    f = function(lambda x: (bt.ones(3), w.assign(bt.zeros(3)), bt.asarray(2.5))[::2])
    for _ in range(2):
        ones, number = f(normal(4))
        assert ones.tolist() == [1.0] * 3 and number.item() == 2.5 and w.numpy().tolist() == [0.0] * 3
        ones.data[:] = 7.0


def test_what_was_compiled_can_be_read():
    f = function(lambda x: bt.tanh(x) + 1.0)
    f(normal(3))
    assert "define i64 @brickwork_run(" in f.llvm() and "f32[3]" in str(f.graph()) and "tanh" in str(f.lower(normal(3)))


def test_an_array_of_another_device_is_refused():
    class Elsewhere:
        """As CuPy's arrays are: with a shape and a dtype, but not to be read by NumPy."""

        shape, dtype, ndim = (3,), np.dtype("float32"), 1

        def __array__(self, *_, **__):
            raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    f = function(lambda x: x + 1.0)
    with pytest.raises(DeviceError, match=r"compiled code runs on the CPU; got an array of .*\.to\('cpu'\)"):
        f(bt.Tensor(Elsewhere()))


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint16"])
@pytest.mark.parametrize("divisor", [1, 2, 7, -1, -3, 0])
def test_floor_division_by_a_constant(dtype, divisor):
    """By a positive one it takes fewer instructions; by others it takes those that any divisor does."""
    if dtype == "uint16" and divisor < 0:
        pytest.skip("no such divisor")
    kind = np.iinfo(dtype)
    x = np.array([kind.min, kind.min + 1, *range(-10 if kind.min else 0, 11), kind.max - 1, kind.max], dtype)
    by = np.array(divisor, dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(function(lambda t: t // by)(x).numpy(), x // by)


def test_bits_of_bfloat16_are_spread_as_they_lie():
    a, b = (normal(20, 20, seed=k).astype(bt.bfloat16) for k in range(2))
    f = function(lambda p, q: p @ q)
    np.testing.assert_allclose(f(a, b).numpy().astype("f"), a.astype("f") @ b.astype("f"), rtol=1e-2, atol=1e-2)
    lanes = host().vector_bytes // 4
    assert f"bitcast <{2 * lanes} x i16>" in f.llvm()
