"""Long sums to few numbers, made in parts: the same meaning, the same bits at any number of threads."""

import numpy as np
import pytest
import test_random as programs_
from hypothesis import HealthCheck, assume, given, settings
from programs import build, codes
from test_runtime import run

import brickwork.tensor as bt
from brickwork.graph import function, partition
from brickwork.tensor.kernel import interpret

R = np.random.default_rng(0)
steady = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
LOW = {"SHARED_FROM": 0, "PART": 1, "TERMS": 1}


@pytest.fixture(scope="module")
def _everything_in_parts():
    """Thresholds so low that small kernels are cut too."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LOW.items():
            patch.setattr(partition, name, value)
        yield


def kernels(fn, *args):
    f = function(fn)
    return f(*args), f.explain()[0].kernels


def data(*shape):
    return R.normal(size=shape).astype("f")


CASES = {
    "statistics of channels": (lambda x: (bt.mean(x, (0, 1, 2)), bt.mean(x * x, (0, 1, 2))), (16, 32, 32, 16), 2),
    "variance, after its mean": (lambda x: bt.var(x, (0, 1, 2)), (16, 32, 32, 16), 3),
    "everything": (lambda x: bt.mean((x - 1.0) ** 2.0), (999, 1000), 2),
    "a prime number of them": (lambda x: (bt.sum(x), bt.min(x)), (1000003,), 3),
    "along a row": (lambda x: bt.max(x, 1) * 2.0, (3, 500_000), 2),
    "a weight's gradient with few entries": (lambda x: bt.transpose(x) @ x, (200_000, 3), 2),
    "with padding": (lambda x: bt.sum(bt.pad(x, [(5, 3), (2, 2)]) + 1.0, 0), (400_001, 4), 3),
    "that read where they are": (lambda x: bt.sum(x * bt.reshape(bt.arange(300_000), (-1, 1)), 0), (300_000, 2), 2),
    "too few to share": (lambda x: bt.sum(x), (100_000,), 1),
    "of many rows": (lambda x: bt.sum(x, 1), (1000, 1000), 1),
}


@pytest.mark.parametrize("name", CASES)
def test_sums_in_parts_are_the_sums(name):
    fn, shape, count = CASES[name]
    x = data(*shape)
    got, made = kernels(fn, x)
    want = fn(bt.asarray(x.astype("f8")))
    assert made == count
    for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (got, want)), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=2e-5 * np.abs(b.numpy()).max())


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool", "float64", "float16", "bfloat16"])
def test_every_dtype_and_combination(dtype):
    x = bt.asarray(R.integers(0, 2, (600_001, 2))).astype(dtype)
    for fn in (bt.sum, bt.max, bt.min, bt.prod, bt.any, bt.all):
        if dtype == "bool" and fn in (bt.max, bt.min, bt.prod):
            continue
        got, made = kernels(lambda x, fn=fn: fn(x.astype("float32").astype(x.dtype), 0), x)
        want = fn(x, 0)
        assert made > 1 and got.dtype == want.dtype
        if dtype in ("float16", "bfloat16") and fn is bt.sum:
            np.testing.assert_allclose(*(v.numpy().astype("f4") for v in (got, want)), rtol=0.01)
        else:
            np.testing.assert_array_equal(got.numpy(), want.numpy())


def test_a_weight_is_updated_in_place_by_the_kernel_that_adds_up():
    x = data(400_000, 3)
    found = []
    for wrap in (function, lambda f: f):
        w = bt.Variable(np.ones((3, 1), "f"))

        def step(x, w=w):
            value, (g,) = bt.value_and_grad(lambda x: bt.mean((x @ w - 1.0) ** 2.0), variables=[w])(x)
            w.assign(w - 0.1 * g)
            return value

        fast = wrap(step)
        found.append([float(fast(bt.asarray(x)).item()) for _ in range(3)] + w.numpy()[:, 0].tolist())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)


@pytest.mark.usefixtures("_everything_in_parts")
@steady
@given(programs_.seeds, programs_.shapes, codes)
def test_random_programs(seed, shapes, drawn):
    program = build(seed, shapes, drawn)
    programs_.check(program, function(program)(*program.inputs), program(*map(bt.asarray, program.inputs)))


@pytest.mark.usefixtures("_everything_in_parts")
@steady
@given(programs_.seeds, programs_.shapes, codes)
def test_kernels_in_parts_mean_what_the_kernel_means(seed, shapes, drawn):
    """By the interpreter of the waist, and point by point, whatever axes were merged."""
    program = build(seed, shapes, drawn[:6])
    traced, plan = programs_.planned(program)
    assume(plan.parts)
    assume(sum(np.prod(k.axes, dtype=int) for k in plan.kernels) < 6000)
    got = programs_.interpreted(program, traced, plan)
    assume(got is not None)
    programs_.check(program, got, program(*map(bt.asarray, program.inputs)))


def test_values_in_parts_are_known_by_what_they_become():
    f = function(lambda x: bt.mean((x - 1.0) ** 2.0))
    f(data(1000, 1000))
    plan = f._variants[0].run.plan
    (part,) = plan.parts
    assert plan.parts[part] == plan.results[0].id and plan.places[part].where == "arena"
    assert plan.specs[part].shape == (plan.kernels[0].axes[0],)
    buffers = {
        plan.graph.inputs[0].id: np.ones(10**6, "f"),
        part: np.zeros(64, "f"),
        plan.results[0].id: np.ones(1, "f"),
    }
    interpret(plan.kernels[1], buffers)
    assert buffers[plan.results[0].id] == 0


THREADS = """
import hashlib, numpy as np, brickwork.tensor as bt
from brickwork.graph import function
x = np.random.default_rng(0).normal(size=(64, 32, 32, 16)).astype("f")
f = function(lambda x: (bt.var(x, (0, 1, 2)), bt.sum(x), bt.max(x * x), bt.sum(bt.reshape(x, (-1,))[:1000003])))
print(hashlib.sha256(b"".join(t.numpy().tobytes() for t in f(x))).hexdigest())
"""


def test_the_same_bits_at_any_number_of_threads():
    assert len({run(THREADS, BRICKWORK_NUM_THREADS=n) for n in ("1", "2", "5")}) == 1
