"""Bodies of division with remainder, integer powers and other logarithms, in atoms."""

from __future__ import annotations

import numpy as np

from .dtypes import class_of
from .exponentials import LOG
from .expr import Expr, apply, const
from .formats import F64, LAYOUTS, LN2, NAN, centring, exponent_value, fma, native, polynomial, where, with_pole

__all__ = ["floor_divide", "fmod", "integer_power", "log2", "log10", "logaddexp", "remainder"]

STEP = 52  # bits of quotient that one division of float64 gives exactly
STEPS = 6


def fmod(x: Expr, y: Expr) -> Expr:
    """The remainder of x / y with the sign of x, exact: long division in float64, 52 bits of quotient a step.

    All of float16, bfloat16 and float32; float64 where |x / y| < 2**312, and NaN, not a wrong number, beyond.
    """
    rest, divisor = apply("abs", x.cast(F64)), apply("abs", y.cast(F64))
    past = rest > divisor * 2.0 ** (STEP * STEPS)
    for k in reversed(range(STEPS)):
        part = divisor * 2.0 ** (STEP * k)
        left = fma(apply("trunc", rest / part), -part, rest)
        rest = where(rest < part, rest, where(left < 0.0, left + part, left))  # the quotient may be rounded up
    return apply("copysign", where(past, NAN, rest) if x.dtype == F64 else rest, x.cast(F64)).cast(x.dtype)


def remainder(x: Expr, y: Expr) -> Expr:
    """``x - floor(x / y) * y``: of floats exact, with the sign of y also where it is zero; of integers 0 where y is."""
    if class_of(x.dtype) != "f":
        return where(y.equal(0), const(0, x.dtype), x - apply("idiv", x, y) * y)
    rest = apply("fmod", x, y)
    other = apply("ne", rest, 0.0) & apply("ne", rest < 0.0, y < 0.0)
    return where(rest.equal(0.0), apply("copysign", const(0.0, x.dtype), y), where(other, rest + y, rest))


@native
def _floor_divide(x: Expr, y: Expr) -> Expr:
    rest, ratio = apply("fmod", x, y), x / y
    whole = apply("rint", (x - rest) / y)
    down = apply("ne", rest, 0.0) & apply("ne", rest < 0.0, y < 0.0)
    found = where(down, whole - 1.0, whole)
    signed = where(found.equal(0.0), apply("copysign", const(0.0, x.dtype), ratio), found)
    finite = apply("isfinite", ratio) & apply("isfinite", rest) & apply("isfinite", y)
    return where(finite, signed, apply("floor", ratio))


def floor_divide(x: Expr, y: Expr) -> Expr:
    """``floor(x / y)`` of the exact quotient; infinite where x / y is, a zero of its sign where y is infinite (Array
    API standard, ``floor_divide``)."""
    return _floor_divide(x, y) if class_of(x.dtype) == "f" else apply("idiv", x, y)


def integer_power(x: Expr, y: Expr) -> Expr:
    """``x ** y`` of integers by repeated squaring, wrapping as products do; below 0 without its fraction."""
    bits = 8 * x.dtype.itemsize - (class_of(x.dtype) == "i")
    out, square = const(1, x.dtype), x
    for k in range(bits):
        out = where(apply("ne", y & (1 << k), 0), out * square, out)
        square = square * square
    if class_of(x.dtype) == "u":
        return out
    inverse = where(x.equal(1) | (x.equal(-1) & (y & 1).equal(0)), const(1, x.dtype), where(x.equal(-1), x, 0))
    return where(y < 0, inverse, out)


def _log_in(base: float, x: Expr) -> Expr:
    """The logarithm to a base whose natural logarithm is given; exact at the powers of two where that is 2."""
    layout = LAYOUTS[x.dtype]
    tiny = x < float(np.finfo(x.dtype).tiny)
    normal = where(tiny, x * 2.0**layout.mantissa, x)
    field = centring(normal, layout)
    f = (normal.bitcast(layout.signed) + field).bitcast(x.dtype) - 1.0
    minus_e, unit = exponent_value(field, layout)
    minus_e = minus_e + where(tiny, const(layout.mantissa / unit, x.dtype), 0.0)
    natural = fma(f * f, polynomial(f, LOG[x.dtype]), f)
    return with_pole(fma(minus_e, -unit * (LN2 / base), natural * (1.0 / base)), x, 0.0)


@native
def log2(x: Expr) -> Expr:
    """The logarithm to base 2, exact at powers of two.

    Error: float32 1.7, float64 1.8 ulp.
    """
    return _log_in(LN2, x)


@native
def log10(x: Expr) -> Expr:
    """The logarithm to base 10.

    Error: float32 2.2, float64 2.9 ulp.
    """
    return _log_in(float(np.log(10.0)), x)


def logaddexp(x: Expr, y: Expr) -> Expr:
    """``log(exp(x) + exp(y))`` without overflow: the greater, and log1p of the rest."""
    apart = where(x.equal(y), 0.0, apply("abs", x - y))
    return apply("maximum", x, y) + apply("log1p", apply("exp", -apart))
