"""Every elementwise op and reduction of the hub's registry compiles, for every dtype it takes, and agrees with
eager."""

import zlib

import numpy as np
import pytest

import brickwork.tensor as bt
import brickwork.tensor.nn  # noqa: F401 - registers its ops
from brickwork.graph import function
from brickwork.tensor.dtypes import class_of
from brickwork.tensor.errors import DTypeError
from brickwork.tensor.expr import ATOMS
from brickwork.tensor.op import OPS
from brickwork.tensor.trace import bind

ELEMENTWISE = sorted(n for n, op in OPS.items() if op.kind == "elementwise" and n not in ("map", "iota"))
REDUCTIONS = sorted(n for n, op in OPS.items() if op.kind == "reduce")
DTYPES = ["bool", "int8", "int32", "int64", "uint8", "uint32", "float16", "bfloat16", "float32", "float64"]
ULPS = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-6, "float64": 2e-14}


def sample(op, dtype, k, shape=(3, 37)):
    """Values in the domain of the op's atom, and in range for the dtype."""
    rng = np.random.default_rng(zlib.crc32(f"{op.name}{k}".encode()))
    low, high = ATOMS[op.name].domain if op.name in ATOMS else _DOMAINS.get(op.name, (-3.0, 3.0))
    if class_of(dtype) == "b":
        return rng.random(shape) < 0.5
    if class_of(dtype) == "u":
        low = max(0.0, low)
    values = rng.uniform(low, high, shape)
    return np.rint(values).astype(dtype) if class_of(dtype) in "iu" else values.astype(dtype)


_DOMAINS = {
    "bitwise_left_shift": (0.0, 6.0),
    "bitwise_right_shift": (0.0, 6.0),
    "divide": (0.5, 3.0),
    "floor_divide": (1.0, 9.0),
    "log": (0.1, 9.0),
    "log1p": (-0.5, 9.0),
    "logit": (0.05, 0.95),
    "power": (0.5, 3.0),
    "reciprocal": (0.5, 3.0),
    "remainder": (1.0, 9.0),
    "rsqrt": (0.1, 9.0),
    "sqrt": (0.1, 9.0),
    "xlogy": (0.1, 9.0),
}


def close(got, want):
    assert got.shape == want.shape and got.dtype == want.dtype
    if class_of(want.dtype) in "biu":
        np.testing.assert_array_equal(got, want)
    else:
        bound = ULPS[want.dtype.name]
        np.testing.assert_allclose(got.astype("d"), want.astype("d"), rtol=bound * 4, atol=bound)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name):
    op = OPS[name]
    cases = []
    for dtype in map(bt.as_dtype, DTYPES):
        arrays = [sample(op, dtype, k) for k in range(op.arity)]
        if op.rule == "where":
            arrays[0] = arrays[0] > 0
        try:
            want = bind(op, tuple(map(bt.asarray, arrays)))
        except (DTypeError, TypeError):
            continue  # the op does not take this dtype, and says so
        cases.append((arrays, want.numpy()))
    assert cases
    run = function(lambda *groups: [bind(op, tuple(g)) for g in groups])
    for got, (_, want) in zip(run(*[a for a, _ in cases]), cases, strict=True):
        close(got.numpy(), want)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [(0,), (1,), (0, 1), ()])
def test_reduction(name, axis):
    op = OPS[name]
    for dtype in map(bt.as_dtype, ["bool", "int32", "uint8", "float32", "float64"]):
        x = sample(op, dtype, 0)
        params = {"axis": axis, "keepdims": len(axis) == 1}
        want = bind(op, (bt.asarray(x),), params).numpy()
        got = function(lambda a, p=params: bind(op, (a,), p))(x).numpy()
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got.astype("d"), want.astype("d"), rtol=1e-5, atol=1e-5)
