"""The bodies that stand in for instructions: error in ulp against wider arithmetic, and the special cases of C's math.h."""

import math
from zlib import crc32

import ml_dtypes
import numpy as np
import pytest

import brickwork.tensor.atoms  # noqa: F401  fills the table
from brickwork.tensor.expr import ATOMS, arg, fold

INF, NAN = math.inf, math.nan
WIDEST = np.longdouble if np.finfo(np.longdouble).nmant > 52 else np.float64
FUNCTIONS = ("exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "erf", "pow")
# name: largest error in ulp (float32 fused, float32 unfused, float64 fused)
BOUNDS = {}


def fused_multiply_add(x, y, z):
    """x * y + z rounded once, or as good as: float32 through float64, float64 by Dekker's exact product and Knuth's exact sum."""
    if np.result_type(x) == np.float32:
        return (np.float64(x) * y + z).astype(np.float32)
    product = x * y
    (xh, xl), (yh, yl) = ((h := v * 134217729.0 - (v * 134217729.0 - v), v - h) for v in (x, y))
    product_low = ((xh * yh - product) + xh * yl + xl * yh) + xl * yl
    total = product + z
    back = total - product
    exact = total + ((product - (total - back)) + (z - back) + product_low)
    return np.where(np.isfinite(exact), exact, total)


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
    atom = ATOMS[name]
    return atom.body(*(arg(k, np.dtype(dtype)) for k in range(atom.arity)))


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
        x = np.abs(np.concatenate([wide, rng.uniform(0.5, 2, count), rng.uniform(1 - 1e-3, 1 + 1e-3, count)]).astype(dtype))
        with np.errstate(all="ignore"):
            y = rng.uniform(-1.04, 1.04, x.size) * top / np.log(x.astype(np.float64))
        return x, np.where(np.isfinite(y), y, 1.0).astype(dtype)
    if name in ("sin", "cos"):
        zeros = np.arange(2 * (count // 100)) * (math.pi / 2) * (6366 / (2 * (count // 100)))
        zeros = np.rint(zeros / (math.pi / 2)) * (math.pi / 2)
        x = np.concatenate([rng.uniform(-4, 4, count), rng.uniform(-1e4, 1e4, count), zeros, wide])
        return (x[np.abs(x) <= 1e4].astype(dtype),)
    spans = {"exp": (-1.05 * top, top), "expm1": (-40, top), "log": (0, 3), "log1p": (-1, 3), "tanh": (-20, 20), "erf": (-6.5, 6.5)}
    x = np.concatenate([rng.uniform(*spans[name], count), rng.normal(0, 1, count), wide])
    if name in ("log", "log1p"):
        x = np.where(x > (-1.0 if name == "log1p" else 0.0), x, np.abs(x))
        x = x[x != 0]
    return (x.astype(dtype),)


def reference(name, *operands):
    """The same by a library, in the widest float at hand."""
    if name == "erf":
        return ATOMS["erf"].numpy(operands[0].astype(np.float64)).astype(WIDEST)
    wide = np.float64 if operands[0].dtype == np.float32 else WIDEST
    with np.errstate(all="ignore"):
        return ATOMS[name].numpy(*(x.astype(wide) for x in operands))


def worst(name, dtype, count=20_000, fused=True):
    """The largest error over the samples in ulp of the true result, and where."""
    operands = samples(name, dtype, count)
    got, want = evaluate(body(name, dtype), *operands, fused=fused), reference(name, *operands)
    with np.errstate(all="ignore"):
        rounded = want.astype(dtype)
        ulp = np.spacing(np.abs(np.where(np.isfinite(rounded), rounded, 1))).astype(want.dtype)
        error = np.where(got == rounded, 0, np.abs(got - want) / ulp)
        error = np.where(np.isfinite(rounded) & np.isfinite(got), np.abs(got - want) / ulp, error)
    k = int(np.argmax(np.where(np.isnan(error), INF, error)))
    return float(error[k]), tuple(x[k] for x in operands)
