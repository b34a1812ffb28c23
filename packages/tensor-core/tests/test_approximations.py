"""The bodies that stand in for instructions: error in ulp against wider arithmetic, and special cases as in math.h."""

import math
from functools import cache
from zlib import crc32

import ml_dtypes
import mpmath
import numpy as np
import pytest

import brickwork.tensor as bt
import brickwork.tensor.atoms  # noqa: F401  fills the table
from brickwork.tensor.dtypes import class_of
from brickwork.tensor.expr import ATOMS, arg, expand, fold

INF, NAN = math.inf, math.nan
WIDEST = np.longdouble if np.finfo(np.longdouble).nmant > 52 else np.float64
FUNCTIONS = ("exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "erf", "pow")
FUNCTIONS += ("tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "asinh", "acosh", "atanh", "hypot")
FUNCTIONS += ("log2", "log10")
GAMMA = {
    "lgamma": lambda x: mpmath.log(abs(mpmath.gamma(x))) if x < 0 else mpmath.loggamma(x),
    "digamma": mpmath.digamma,
    "trigamma": lambda x: mpmath.psi(1, x),
}


def inverse_erf(x):
    """A step of Newton's from what the body gives: what is left of its error is about the square of it."""
    y = mpmath.mpf(float(ATOMS["erfinv"].numpy(np.float64(x))))
    return y - (mpmath.erf(y) - x) * mpmath.exp(y * y) * mpmath.sqrt(mpmath.pi) / 2


# by arithmetic in 40 digits, since no library has them to the last one
IN_DIGITS = {**GAMMA, "erfc": lambda x: mpmath.erfc(min(x, 100)), "erfinv": inverse_erf}
FUNCTIONS += tuple(IN_DIGITS)
REACH = {"float32": 1e5, "float64": 1e10}  # where sin and cos are held to their bounds


def fused_multiply_add(x, y, z):
    """x * y + z rounded once, or as good as: float32 in float64, float64 by exact sums (Dekker, Knuth)."""
    if np.result_type(x) == np.float32:
        return (np.float64(x) * y + z).astype(np.float32)
    product = x * y
    (xh, xl), (yh, yl) = ((h := v * 134217729.0 - (v * 134217729.0 - v), v - h) for v in (x, y))
    product_low = ((xh * yh - product) + xh * yl + xl * yh) + xl * yl
    total = product + z
    back = total - product
    exact = total + ((product - (total - back)) + (z - back) + product_low)
    return np.where(np.isfinite(exact) & (exact != 0), exact, total)


def evaluate(expr, *arrays, fused=True):
    """The expression over arrays, node by node with NumPy."""

    def visit(node, *args):
        match node.head:
            case "arg":
                return arrays[node.value]
            case "const":
                return node.value
            case "cast":
                return args[0].astype(node.dtype)
            case "bitcast":
                return args[0].view(node.dtype)
            case "fma" if fused:
                return fused_multiply_add(*args)
        return ATOMS[node.head].numpy(*args)

    with np.errstate(all="ignore"):
        return fold(expr, visit)


def body(name, dtype):
    """The body with the bodies of the atoms in it, down to those that LLVM has instructions for."""
    atom = ATOMS[name]
    outer = atom.body(*(arg(k, np.dtype(dtype)) for k in range(atom.arity)))
    return expand(outer, lambda inner, kind: class_of(kind) in inner.llvm)


def every_exponent(rng, dtype, count):
    """Random bit patterns, so that each exponent is as likely as any other; finite."""
    bits = rng.integers(0, 2 ** (8 * dtype.itemsize), count, dtype=f"u{dtype.itemsize}", endpoint=False)
    x = bits.view(dtype)
    return x[np.isfinite(x)]


def samples(name, dtype, count):
    """Operands that reach all of the function: its working range densely, every exponent, and its hard cases."""
    dtype = np.dtype(dtype)
    rng = np.random.default_rng(crc32(name.encode()))
    wide = every_exponent(rng, dtype, count)
    top = 710.0 if dtype == np.float64 else 89.0
    if name == "pow":
        near_one = rng.uniform(0.5, 2, count), rng.uniform(1 - 1e-3, 1 + 1e-3, count)
        x = np.abs(np.concatenate([wide, *near_one]).astype(dtype))
        with np.errstate(all="ignore"):
            y = rng.uniform(-1.04, 1.04, x.size) * top / np.log(x.astype(np.float64))
        return x, np.where(np.isfinite(y), y, 1.0).astype(dtype)
    if name in ("atan2", "hypot"):
        return tuple(np.concatenate([rng.normal(0, 1, count), every_exponent(rng, dtype, count)[: count // 2]]
                                    ).astype(dtype)[: count + count // 3] for _ in range(2))  # fmt: skip
    if name in ("sin", "cos", "tan"):
        reach = REACH[dtype.name]
        zeros = rng.integers(-int(reach / 1.6), int(reach / 1.6), count) * WIDEST(math.pi / 2)
        x = np.concatenate([rng.uniform(-4, 4, count), rng.uniform(-reach, reach, count), zeros, wide])
        return (x[np.abs(x) <= reach].astype(dtype),)
    if name in ("erfc", "erfinv"):
        top = 26.5 if dtype == np.float64 else 9.1
        ends = (-6, top) if name == "erfc" else (-1, 1)
        near = rng.normal(0, 0.3, count // 10), 1 - np.exp(rng.uniform(-36, 0, count // 10))
        x = np.concatenate([rng.uniform(*ends, count // 5), *near]).astype(dtype)
        return (x if name == "erfc" else x[np.abs(x) < 1],)
    if name in GAMMA:
        count //= 40
        near = rng.normal(0, 1e-3, (4, count)) + np.array([[1.0], [2.0], [1.4616321449683622], [6.25]])
        x = np.concatenate([rng.uniform(0, 8, 4 * count), np.exp(rng.uniform(-80, 80, count)), *near])
        return (np.abs(x).astype(dtype),)
    low, high = {
        "exp": (-1.05 * top, top), "expm1": (-40, top), "log": (0, 3), "log1p": (-1, 3),
        "tanh": (-20, 20), "erf": (-6.5, 6.5), "asin": (-1, 1), "acos": (-1, 1), "atan": (-5, 5), "atanh": (-1, 1),
        "sinh": (-top, top), "cosh": (-top, top), "asinh": (-5, 5), "acosh": (1, 3), "log2": (0, 3), "log10": (0, 3),
    }[name]  # fmt: skip
    x = np.concatenate([rng.uniform(low, high, count), rng.normal(0, 1, count), wide])
    if name in ("asin", "acos", "atanh"):
        x = x[np.abs(x) < 1]
    if name == "acosh":
        x = x[x.astype(dtype) >= 1]
    if name in ("log", "log1p", "log2", "log10"):
        x = np.where(x > (-1.0 if name == "log1p" else 0.0), x, np.abs(x))
        x = x[x != 0]
    return (x.astype(dtype),)


def reference(name, *operands):
    """The same by a library, in the widest float at hand."""
    if name == "erf":
        return np.vectorize(math.erf, otypes=[WIDEST])(operands[0].astype(np.float64))
    if name in IN_DIGITS:
        return in_digits(name, operands[0])
    wide = np.float64 if operands[0].dtype == np.float32 else WIDEST
    with np.errstate(all="ignore"):
        return ATOMS[name].numpy(*(x.astype(wide) for x in operands))


def in_digits(name, x):
    """A function in 40 digits, rounded to the widest float; at poles, infinities and outside as its atom says."""

    def at(value):
        pole = value <= 0 and value == np.rint(value) if name in GAMMA else name == "erfinv" and abs(value) >= 1
        if pole or not np.isfinite(value):
            return ATOMS[name].numpy(np.float64(value))
        exact = IN_DIGITS[name](mpmath.mpf(float(value)))
        high = float(exact)
        return WIDEST(high) + WIDEST(float(exact - high)) if np.isfinite(high) else WIDEST(high)

    with mpmath.workdps(40), np.errstate(all="ignore"):
        return np.array([at(value) for value in x], WIDEST)


@cache
def sampled(name, dtype, count):
    """The samples, and the true results there."""
    operands = samples(name, dtype, count)
    return operands, reference(name, *operands)


def worst(name, dtype, count=20_000, fused=True):
    """The largest error over the samples in ulp of the true result, and where."""
    operands, want = sampled(name, dtype, count)
    got = evaluate(body(name, dtype), *operands, fused=fused)
    with np.errstate(all="ignore"):
        rounded = want.astype(dtype)
        ulp = np.spacing(np.abs(np.where(np.isfinite(rounded), rounded, 1))).astype(want.dtype)
        error = np.where(np.isfinite(rounded) | (got != rounded), np.abs(got - want) / ulp, 0)
    k = int(np.argmax(np.where(np.isnan(error), INF, error)))
    return float(error[k]), tuple(x[k] for x in operands)


# the errors that the docstrings state, in ulp: float32, float32 without fusion (None: held absolutely below), float64
BOUNDS = {
    "exp": (1.0, 1.2, 0.9),
    "expm1": (1.7, 1.8, 1.9),
    "log": (1.0, 1.1, 1.4),
    "log1p": (1.5, 1.6, 1.9),
    "sin": (2.6, None, 2.5),
    "cos": (2.6, None, 2.5),
    "tanh": (2.6, 2.7, 2.7),
    "erf": (1.9, 2.2, 2.2),
    "pow": (0.6, 0.6, 1.1),
    "tan": (3.7, None, 4.0),
    "asin": (2.9, 2.9, 2.9),
    "acos": (3.5, 3.5, 3.5),
    "atan": (2.2, 2.2, 2.3),
    "atan2": (2.5, 2.5, 2.5),
    "sinh": (2.1, 2.1, 2.3),
    "cosh": (1.8, 2.4, 1.8),
    "asinh": (1.8, 1.8, 2.1),
    "acosh": (2.6, 2.6, 2.3),
    "atanh": (2.1, 2.2, 2.3),
    "hypot": (2.0, 2.0, 2.0),
    "log2": (1.7, 1.8, 1.8),
    "log10": (2.2, 2.3, 2.9),
    "erfc": (4.6, 5.0, 5.4),
    "erfinv": (0.51, 0.51, 6.0),
    "lgamma": (0.51, 0.51, 3.5),
    "digamma": (0.51, 0.51, 2.7),
    "trigamma": (0.51, 0.51, 4.4),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_error_is_within_what_is_stated(name):
    single, unfused, double = BOUNDS[name]
    blur = 1.0 if WIDEST is np.float64 or name == "erf" else 0.0  # the reference's own error
    assert worst(name, "float32")[0] <= single
    assert worst(name, "float64")[0] <= double + blur
    if unfused is not None:
        assert worst(name, "float32", fused=False)[0] <= unfused


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_sine_and_cosine_of_moderate_angles(name):
    x = np.linspace(-1000, 1000, 50_000, dtype=np.float32)
    want = reference(name, x)
    assert (
        np.max(np.abs(evaluate(body(name, "float32"), x) - want) / np.spacing(np.abs(want.astype(np.float32)))) <= 2.0
    )


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_sine_and_cosine_without_fusion(name):
    x = np.linspace(-1e4, 1e4, 50_000, dtype=np.float32)
    assert np.abs(evaluate(body(name, "float32"), x, fused=False) - reference(name, x)).max() < 1.6e-7


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["sin", "cos", "tanh", "erf"])
def test_never_outside_one(name, dtype):
    rng = np.random.default_rng(0)
    near = np.concatenate([np.linspace(-1.65, 1.65, 50_000), rng.uniform(-30, 30, 50_000)]).astype(dtype)
    y = evaluate(body(name, dtype), np.concatenate([near, every_exponent(rng, np.dtype(dtype), 50_000)]))
    assert np.all(np.abs(y) <= 1.0)  # NaN fails too


def edges(dtype):
    """Zeros, ones, infinities, NaN, subnormals, and where exp and log overflow, underflow or change form."""
    limits = np.finfo(dtype)
    one = np.dtype(dtype).type(1)
    positive = [0, 1, INF, NAN, limits.smallest_subnormal, 3 * limits.smallest_subnormal, limits.tiny, limits.max]
    positive += [limits.eps, limits.eps / 4, 0.5, 1.5, 2, 3, 17.5, 87.5, 88.72, 88.73, 103.9, 104.5]
    positive += [708.5, 709.7, 709.8, 744.0, 746.0, 1e10]
    positive += [np.nextafter(one, 0), np.nextafter(one, 2), 2.0**limits.nmant + 1, 2.0 ** (limits.nmant + 1) - 1]
    return np.array([s * v for v in positive for s in (1, -1)], dtype=dtype)


def assert_same(got, want, ulp):
    """Equal with the sign of zero, or both NaN, or finite and within ``ulp``."""
    with np.errstate(all="ignore"):
        same = (got == want) & (np.signbit(got) == np.signbit(want))
        near = np.isfinite(want) & (np.abs(got - want) <= ulp * np.spacing(np.abs(want))) & (want != 0)
    bad = ~(same | near | (np.isnan(got) & np.isnan(want)))
    assert not bad.any(), list(zip(got[bad], want[bad]))


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_cases(name, dtype, fused):
    x = edges(dtype)
    if name == "pow":
        x, y = (v.ravel() for v in np.meshgrid(x, x))
        # without fusion float64 loses the lower half of the logarithm
        with np.errstate(over="ignore"):
            want = reference(name, x, y).astype(dtype)
        assert_same(evaluate(body(name, dtype), x, y, fused=fused), want, 2 if fused else 2000)
    elif ATOMS[name].arity == 2:
        x, y = (v.ravel() for v in np.meshgrid(x, x))
        with np.errstate(all="ignore"):
            want = ATOMS[name].numpy(x, y)
        assert_same(evaluate(body(name, dtype), x, y, fused=fused), want, 4)
    else:
        x = x[~(np.isfinite(x) & (np.abs(x) > 100))] if name in ("sin", "cos", "tan") else x
        x = x[~((x < 0) & (x != np.rint(x)))] if name in GAMMA else x  # by absolute error: the next test
        with np.errstate(over="ignore"):
            assert_same(evaluate(body(name, dtype), x, fused=fused), reference(name, x).astype(dtype), 4)


@pytest.mark.parametrize("name", GAMMA)
def test_gamma_functions_below_zero(name):
    """Within 4 ulp of the greatest of the terms that the reflection adds."""
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.uniform(-30, 0, 1000), -np.exp(rng.uniform(-60, 0, 250))])
    got, want = evaluate(body(name, "float64"), x), in_digits(name, x).astype(np.float64)
    terms = [np.abs(want), np.abs(in_digits(name, 1 - x)), np.full(x.size, 1.2)]
    assert np.all(np.abs(got - want) <= 4 * np.spacing(np.max(terms, axis=0).astype(np.float64)))


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", [n for n in FUNCTIONS if ATOMS[n].arity == 1])
def test_narrow_floats_pass_through_float32(name, dtype):
    """Every value: the nearest, or where float32's error crosses a tie, its neighbour."""
    x = np.arange(2**16, dtype=np.uint16).view(dtype)
    x = x[np.abs(x.astype(np.float32)) < 1e5] if name in ("sin", "cos", "tan") else x
    expr = body(name, dtype)
    assert expr.dtype == np.dtype(dtype)
    with np.errstate(all="ignore"):
        want = ATOMS[name].numpy(x.astype(np.float64)).astype(np.float32).astype(dtype)
    got = evaluate(expr, x)
    assert np.array_equal(np.isnan(got), np.isnan(want))
    known = ~np.isnan(want)
    steps = np.abs(got.view(np.int16)[known].astype(int) - want.view(np.int16)[known])
    assert steps.max() <= 1
    assert (steps > 0).mean() < 1e-3


CHOICES = [
    (name, dtype) for name in ("maximum", "minimum", "sign", "isfinite") for dtype in ("float16", "float32", "float64")
]
CHOICES += [(name, dtype) for name in ("abs", "sign") for dtype in ("int8", "int32", "int64", "uint8")]


@pytest.mark.parametrize(("name", "dtype"), CHOICES)
def test_choices_agree_with_numpy(name, dtype):
    extra = {"f": [-1.5, -0.0, INF, -INF, NAN], "i": [-1, -128], "u": []}
    x, y = (v.ravel() for v in np.meshgrid(*[np.array([0, 1, 2, 100, *extra[dtype[0]]], dtype)] * 2))
    operands = (x, y)[: ATOMS[name].arity]
    got, want = evaluate(body(name, dtype), *operands), ATOMS[name].numpy(*operands)
    np.testing.assert_array_equal(got, want)
    assert got.dtype == want.dtype


@pytest.mark.parametrize("order", [2, 5, 12, 30, 100])
def test_high_orders_of_polygamma(order):
    x = np.array([0.3, 2.5, 7.0, -0.4, -2.7])
    want = [float(mpmath.re(mpmath.psi(order, mpmath.mpf(float(v))))) for v in x]
    np.testing.assert_allclose(bt.polygamma(order, bt.asarray(x)).numpy(), want, 1e-10)


@pytest.mark.parametrize("order", [101, 2**62])
def test_orders_of_polygamma_end(order):
    with pytest.raises(bt.ShapeError, match="polygamma: the order must be at most 100"):
        bt.polygamma(order, 1.5)
