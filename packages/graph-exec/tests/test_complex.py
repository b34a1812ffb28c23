"""Complex numbers in compiled functions: each op on them is called back, so all that is eager is there."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.graph import function

Z = np.array([[1 + 2j, 0.5 - 1j], [3j, -1.0]], "complex64")
W = np.array([0.5, 2.0], "float32")
PROGRAMS = {
    "arithmetic": lambda z: z + z * z - 1.0,
    "constants": lambda z: z * (1 + 2j) + bt.full((2, 2), 1j),
    "beside reals": lambda z: bt.abs(z * W) + W,
    "functions": lambda z: bt.exp(z) * bt.sin(z),
    "matmul": lambda z: z @ z,
    "movement": lambda z: bt.transpose(z)[0] + bt.reshape(z, (4,))[:2],
    "sum": lambda z: bt.sum(z, axis=0),
    "mean": lambda z: bt.mean(z),
    "prod": lambda z: bt.prod(z, axis=1),
    "parts": lambda z: bt.real(z) + bt.imag(z) * 2.0 + bt.abs(bt.conj(z)),
    "gradient": lambda z: bt.grad(lambda t: bt.sum(bt.abs(t * t)))(z),
    "where": lambda z: bt.where(bt.abs(z) > 1.0, z, 0.0),
    "casts": lambda z: bt.astype(bt.real(z), "complex128"),
    "comparison": lambda z: z == z,
    "only a constant": lambda z: bt.zeros((3,), dtype="complex64"),
    "concat": lambda z: bt.concat([z, bt.ones((1, 2), dtype="complex64")]),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_compiled_is_eager(name, dtype):
    z = Z.astype(dtype)
    got, want = function(PROGRAMS[name])(z).numpy(), PROGRAMS[name](bt.asarray(z)).numpy()
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, 1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["remainder", "floor_divide"])
def test_large_quotients_are_exact(name, dtype):
    """As NumPy's, which are C's fmod: to 2**312 in float64, everywhere in the narrower."""
    rng = np.random.default_rng(0)
    x, y = (rng.normal(0, 1, 500) * 2.0 ** rng.uniform(-span, span, 500) for span in
            [{"float16": 12, "float32": 120, "float64": 150}[dtype]] * 2)  # fmt: skip
    with np.errstate(all="ignore"):
        x, y = x.astype(dtype), y.astype(dtype)
    y[y == 0] = 1
    op = getattr(bt, name)
    got, want = function(op)(x, y).numpy(), op(x, y).numpy()
    np.testing.assert_array_equal(got, want)
    with np.errstate(all="ignore"):
        numpy = getattr(np, name)(x, y)
    if name == "remainder":
        np.testing.assert_array_equal(want, numpy)
    else:
        known = np.isfinite(numpy) & np.isfinite(want)
        np.testing.assert_allclose(want[known], numpy[known], np.finfo(dtype).eps * 1.01)


def test_past_the_reach_of_the_reduction_is_nan_and_no_wrong_number():
    x, y = np.array([1e300, -1e300]), np.array([1e-3, 7.0])
    got = function(bt.remainder)(x, y).numpy()
    assert np.isnan(got[0]) and np.isnan(got[1])
