"""Every op that is registered, and every atom: add one, and it is tested here."""

import inspect
import pkgutil
import warnings
from importlib import import_module

import numpy as np
import op_samples
import pytest
from op_references import reference

import brickwork.tensor as bt
from brickwork.tensor import OPS, BrickworkError, Composite, DTypeError, Elementwise, Reduce, Tensor, TensorSpec, ops
from brickwork.tensor.expr import ATOMS, apply, arg
from brickwork.tensor.op import map_op
from brickwork.tensor.trace import bind

SAMPLES = op_samples.samples()
DTYPES = ["bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 3e-6, "float64": 1e-13}
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 5e-324, 0.5, -2.5]
# Where x / y is infinite NumPy gives NaN; ours are as the Array API standard says and as the formula rounds.
OWN_LIMITS = {"floor_divide", "remainder"}
each = pytest.mark.parametrize("sample", SAMPLES, ids=str)
FLOATING = [op for op in OPS.values() if isinstance(op, Elementwise) and op.name not in ("map", "iota")]


def run(sample, arrays):
    """The op on arrays, eagerly; any warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return bind(OPS[sample.op], tuple(map(Tensor, arrays)), sample.params)


def several(out):
    """The results of an op, which may be one."""
    return out if isinstance(out, tuple) else (out,)


def test_every_op_has_a_sample():
    assert set(OPS) == {s.op for s in SAMPLES}, "add arguments for the op to TABLE in op_samples.py"


ROOMS = sorted({m.name for m in pkgutil.iter_modules(ops.__path__)} - {"index_maps"})  # which computes no values
INNER = {"place", "setitem", "concrete", "copied", "sought"}
"""Functions that rooms of ops have for one another."""


@pytest.mark.parametrize("name", ROOMS)
def test_every_function_is_exported(name):
    room = import_module(f"brickwork.tensor.ops.{name}")
    own = {
        name
        for name, value in vars(room).items()
        if inspect.isfunction(value) and value.__module__.startswith("brickwork.tensor.ops") and name[0] != "_"
    }
    assert own <= {*bt.__all__, *INNER}, f"export {own - {*bt.__all__, *INNER}}"


def test_every_export_is_there():
    assert all(hasattr(bt, name) for name in bt.__all__)
    assert all(hasattr(bt.nn, name) for name in bt.nn.__all__)


@each
def test_result_is_numpys_and_as_inferred(sample):
    arrays = sample.arrays()
    op = OPS[sample.op]
    try:
        if not isinstance(op, Composite):
            want = op.infer(*(TensorSpec(a.shape, a.dtype) for a in arrays), **sample.params)
    except DTypeError:  # an op of integers or booleans
        with pytest.raises(DTypeError):
            run(sample, arrays)
        return
    out = run(sample, arrays)
    if not isinstance(op, Composite):
        assert [t.spec for t in several(out)] == list(several(want))
    with np.errstate(all="ignore"):
        expected = reference(sample.op)(*arrays, **sample.params)
    for found, right in zip(several(out), several(expected), strict=True):
        assert found.shape == np.shape(right)
        np.testing.assert_allclose(found.numpy(), right, 1e-12, 1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if len(set(s.dtypes)) == 0 and s.op not in ("map", "iota")], ids=str
)
def test_every_dtype(sample, dtype):
    """infer and eval agree: both raise DTypeError, or both give the same dtype and shape."""
    arrays, op = sample.arrays(bt.as_dtype(dtype)), OPS[sample.op]
    if isinstance(op, Composite):
        return
    try:
        want = op.infer(*(TensorSpec(a.shape, a.dtype) for a in arrays), **sample.params)
    except DTypeError:
        with pytest.raises(DTypeError, match=sample.op):
            run(sample, arrays)
        return
    out = run(sample, arrays)
    assert [t.spec for t in several(out)] == list(several(want))
    if isinstance(op, (Elementwise, Reduce)):
        main = op.weak_dtype(*(a.dtype for a in arrays)) if isinstance(op, Elementwise) else arrays[0].dtype
        wide = [a.astype(np.float64 if main.kind not in "biu" else main) for a in arrays]
        wide[0] = arrays[0] if sample.op == "where" else wide[0]
        with np.errstate(all="ignore"):
            expected = np.asarray(reference(sample.op)(*wide, **sample.params))
        rtol = TOLERANCE.get(out.dtype.name, 0)
        np.testing.assert_allclose(out.numpy().astype(expected.dtype), expected, 4 * rtol, 4 * rtol)


@pytest.mark.parametrize("op", FLOATING, ids=lambda op: op.name)
def test_nan_and_infinity_are_as_in_numpy(op):
    for dtype in ("float32", "float64"):
        with np.errstate(all="ignore"):
            values = np.array(SPECIAL).astype(dtype)
        grid = np.meshgrid(*[values] * min(op.arity, 2), indexing="ij")
        arrays = [*grid, grid[0][::-1]][: op.arity]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                out = bind(op, tuple(map(Tensor, arrays))).numpy()
        except DTypeError:
            return
        if op.name in OWN_LIMITS:
            continue
        with np.errstate(all="ignore"):
            expected = np.asarray(reference(op.name)(*arrays))
        tiny = np.finfo(dtype).tiny
        np.testing.assert_allclose(out, expected.astype(out.dtype), 4e-6, tiny, err_msg=f"{op.name} {arrays}")


def joined(out):
    """Several results as one."""
    return bt.concat([t.reshape((t.size,)) for t in out]) if isinstance(out, tuple) else out


def weighted(fn, arrays, places, seed):
    """x -> sum(weights * fn(x)), where x replaces the operands at ``places``; so the gradient is not that of a sum."""

    def number(*xs):
        full = list(arrays)
        for k, x in zip(places, xs, strict=True):
            full[k] = x
        out = fn(*full)
        return bt.sum(out * np.random.default_rng(seed).uniform(0.5, 1.5, out.shape))

    return number


def against_differences(number, xs, seed):
    """The gradient along a random direction against central differences; gives the gradient's own weighted sum."""
    rng = np.random.default_rng(seed)
    direction = [rng.uniform(-1, 1, x.shape) for x in xs]
    step = 1e-5
    plus, minus = (number(*(x + s * step * d for x, d in zip(xs, direction))).item() for s in (1, -1))
    found = bt.grad(number, range(len(xs)))(*xs)
    assert all(g.shape == x.shape and g.dtype == x.dtype for g, x in zip(found, xs, strict=True))
    along = sum(float((g.numpy() * d).sum()) for g, d in zip(found, direction, strict=True))
    np.testing.assert_allclose(along, (plus - minus) / (2 * step), 2e-6, 2e-7)

    def slope(*ys):
        return bt.sum(bt.stack([bt.sum(g * d) for g, d in zip(bt.grad(number, range(len(ys)))(*ys), direction)]))

    return slope


def check_gradient(fn, arrays, seed):
    """First and second order."""
    if not bt.as_dtype(fn(*arrays).dtype).kind == "f":
        return
    places = [k for k, a in enumerate(arrays) if a.dtype == np.float64]
    if not places:
        return
    xs = [arrays[k] for k in places]
    slope = against_differences(weighted(fn, arrays, places, seed), xs, seed + 1)
    against_differences(slope, xs, seed + 2)


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.shapes and s.op != "stop_gradient"], ids=str)
def test_gradient_against_differences(sample):
    arrays = sample.arrays()
    if sample.op == "where":
        arrays[0] = arrays[0] > 0
    op = OPS[sample.op]
    try:
        check_gradient(lambda *xs: joined(bind(op, tuple(map(bt.asarray, xs)), sample.params)), arrays, 7)
    except DTypeError:
        assert isinstance(op, Elementwise)
        assert not any(c in "f" for c in ATOMS[op_samples.BODIES.get(sample.op, "and")].classes)


@pytest.mark.parametrize("atom", [a for a in ATOMS.values() if a.vjp and "f" in a.classes], ids=lambda a: a.name)
def test_gradient_of_every_atom(atom):
    rng = np.random.default_rng(3)
    arrays = [rng.uniform(*atom.domain, (5,)) for _ in range(atom.arity)]
    operands = [arg(k, np.dtype("float64")) for k in range(atom.arity)]
    if atom.name == "where":
        arrays[0], operands[0] = arrays[0] > 0, arg(0, np.dtype("bool"))
    body = apply(atom.name, *operands)
    check_gradient(lambda *xs: bind(map_op, tuple(map(bt.asarray, xs)), {"body": body}), arrays, 11)


def test_errors_speak():
    """Who, the rule, and what came instead."""
    for call in (
        lambda: bt.add(np.ones(2), np.ones(3)),
        lambda: bt.exp("text"),
        lambda: bt.bitwise_and(1.5, 2.5),
        lambda: bt.sum(np.ones(2), axis=2),
        lambda: bt.matmul(np.ones((2, 3)), np.ones((2, 3))),
        lambda: bt.reshape(np.ones(4), (3,)),
        lambda: bt.max(np.ones((2, 0)), axis=1),
        lambda: bt.take(np.ones(3), [3]),
        lambda: bt.nn.conv(np.ones((1, 2, 1)), np.ones((3, 1, 1))),
    ):
        with pytest.raises(BrickworkError, match=r"^\w+: .+; .+"):
            call()
