"""Bodies of the trigonometric and hyperbolic atoms in other atoms, as `brickwork.tensor.formats` says."""

from __future__ import annotations

import math

from .expr import Expr, apply
from .formats import F32, F64, INF, LAYOUTS, LN2, NAN, clamp, fma, native, polynomial, where, with_sign_of

__all__ = ["acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "hypot", "sin", "sinh", "tan"]

# (sin(r) / r - 1) / r**2 in r**2, for |r| <= pi / 2
SIN = {
    F32: (-0.1666666, 0.008333066, -0.00019809577, 2.6057212e-06),
    F64: (
        -0.16666666666666666, 0.008333333333333194, -0.00019841269841209145, 2.755731921112437e-06,
        -2.505210687158842e-08, 1.6058939643345052e-10, -7.642989823409692e-13, 2.7211370388374794e-15,
    ),
}  # fmt: skip
# (atan(r) / r - 1) / r**2 in r**2, for |r| <= tan(pi / 8)
ATAN = {
    F32: (-0.3333333, 0.19999559, -0.1426448, 0.10748547, -0.06465796),
    F64: (
        -0.3333333333333333, 0.19999999999999815, -0.14285714285662232, 0.11111111105371943,
        -0.09090908763499361, 0.07692296644397079, -0.06666429409597878, 0.05878977788653419,
        -0.05230792295807243, 0.045530473289160794, -0.034605910252347855, 0.01632286228094149,
    ),
}  # fmt: skip
# what pi / 4 as rounded to the dtype leaves out of it
QUARTER = {F32: (0.78539818525314331, -2.185569414e-8), F64: (0.78539816339744828, 3.0616169978683829e-17)}
EXP_LIMIT = {F32: 88.0, F64: 709.0}  # exp and expm1 are finite up to here


def sine_near_multiple(x: Expr, multiple: Expr, parity: Expr) -> Expr:
    """(-1)**parity sin(x - multiple * pi), parity in the lowest bit, for remainders up to a little over pi / 2."""
    layout = LAYOUTS[x.dtype]
    r = x
    for part in layout.pi:
        r = fma(multiple, -part, r)
    r = clamp(r, -2.0, 2.0)  # of use only where x is too large to reduce
    square = r * r
    y = fma(r, fma(square, polynomial(square, SIN[x.dtype]), 0.0), r)  # + 0 so that the sine of -0 is -0
    flip = parity.bitcast(layout.unsigned) << (layout.unsigned.itemsize * 8 - 1)
    return (y.bitcast(layout.unsigned) ^ flip).bitcast(x.dtype)


@native
def sin(x: Expr) -> Expr:
    """Sine in radians: x less a multiple of pi in three parts (Cody and Waite, 1980), and an odd polynomial.

    Error: float32 2.0 ulp for |x| <= 1000, 2.6 for |x| <= 1e5; float64 2.5 ulp for |x| <= 1e10. Bits are lost beyond,
    and none are left past 1e7 and 1e16; the value stays in [-1, 1]. Unfused, float32 has an absolute error up to 1.6e-7
    for |x| <= 1e4.
    """
    shifter = LAYOUTS[x.dtype].shifter
    shifted = fma(x, 1.0 / math.pi, shifter)
    return sine_near_multiple(x, shifted - shifter, shifted)


@native
def cos(x: Expr) -> Expr:
    """Cosine in radians, as the sine about odd multiples of pi / 2.

    Error: as of `sin`.
    """
    shifter = LAYOUTS[x.dtype].shifter + 1.0  # cos(x) = -(-1)**n sin(x - (n + 1/2) pi): one more turns the sign
    shifted = fma(x, 1.0 / math.pi, -0.5) + shifter
    return sine_near_multiple(x, shifted - shifter + 0.5, shifted)


def first_octants(ratio: Expr) -> Expr:
    """atan of 0 <= ratio <= 1, turned by pi / 4 where that leaves a smaller argument."""
    quarter, quarter_low = QUARTER[ratio.dtype]
    turned = ratio > math.tan(math.pi / 8)
    r = where(turned, (ratio - 1.0) / (ratio + 1.0), ratio)
    square = r * r
    angle = fma(r * square, polynomial(square, ATAN[r.dtype]), r)
    return where(turned, (angle + quarter_low) + quarter, angle)


def turn_from(quarters: float, angle: Expr) -> Expr:
    """``quarters * pi / 4 - angle``, the constant in two parts."""
    quarter, quarter_low = QUARTER[angle.dtype]
    return (quarters * quarter_low - angle) + quarters * quarter


@native
def atan2(y: Expr, x: Expr) -> Expr:
    """The angle of the point (x, y) in radians: the lesser size over the greater, then its octant.

    Error: float32 2.5, float64 2.5 ulp.
    """
    across, up = apply("abs", x), apply("abs", y)
    high, low = apply("maximum", across, up), apply("minimum", across, up)
    angle = first_octants(where(high.equal(0.0), 0.0, where(low.equal(INF), 1.0, low / high)))
    angle = where(up > across, turn_from(2.0, angle), angle)
    return with_sign_of(y, where(apply("signbit", x), turn_from(4.0, angle), angle))


@native
def atan(x: Expr) -> Expr:
    """The inverse tangent.

    Error: float32 2.2, float64 2.3 ulp.
    """
    size = apply("abs", x)
    angle = first_octants(where(size > 1.0, 1.0 / size, size))
    return with_sign_of(x, where(size > 1.0, turn_from(2.0, angle), angle))


@native
def asin(x: Expr) -> Expr:
    """The inverse sine, the angle of the point (sqrt(1 - x**2), x); NaN outside [-1, 1].

    Error: float32 2.9, float64 2.9 ulp.
    """
    return apply("atan2", x, apply("sqrt", (1.0 - x) * (1.0 + x)))


@native
def acos(x: Expr) -> Expr:
    """The inverse cosine, 2 atan2(sqrt(1 - x), sqrt(1 + x)) (Kahan, 1987); NaN outside [-1, 1].

    Error: float32 3.5, float64 3.5 ulp.
    """
    return apply("atan2", apply("sqrt", 1.0 - x), apply("sqrt", 1.0 + x)) * 2.0


@native
def tan(x: Expr) -> Expr:
    """The tangent of x radians, sine over cosine.

    Error: float32 3.7, float64 4.0 ulp where those of `sin` hold.
    """
    return apply("sin", x) / apply("cos", x)


def half_exp(x: Expr) -> Expr:
    """exp(x) / 2, finite as long as that is."""
    root = apply("exp", x * 0.5)
    return (root * 0.5) * root


@native
def sinh(x: Expr) -> Expr:
    """The hyperbolic sine, (t + t / (t + 1)) / 2 with t = exp(|x|) - 1.

    Error: float32 2.1, float64 2.3 ulp.
    """
    size, limit = apply("abs", x), EXP_LIMIT[x.dtype]
    t = apply("expm1", where(size > limit, limit, size))
    return with_sign_of(x, where(size > limit, half_exp(size), (t + t / (t + 1.0)) * 0.5))


@native
def cosh(x: Expr) -> Expr:
    """The hyperbolic cosine, (e + 1 / e) / 2 with e = exp(|x|).

    Error: float32 1.8, float64 1.8 ulp.
    """
    size, limit = apply("abs", x), EXP_LIMIT[x.dtype]
    e = apply("exp", where(size > limit, limit, size))
    return where(size > limit, half_exp(size), e * 0.5 + 0.5 / e)


@native
def asinh(x: Expr) -> Expr:
    """The inverse hyperbolic sine, log1p(|x| + x**2 / (1 + sqrt(x**2 + 1))); log(2 |x|) where 1 is lost beside x**2.

    Error: float32 1.8, float64 2.1 ulp.
    """
    size, limit = apply("abs", x), 2.0 ** (LAYOUTS[x.dtype].mantissa // 2 + 2)
    held = where(size > limit, limit, size)
    square = held * held
    near = apply("log1p", held + square / (apply("sqrt", square + 1.0) + 1.0))
    return with_sign_of(x, where(size > limit, apply("log", size) + LN2, near))


@native
def acosh(x: Expr) -> Expr:
    """The inverse hyperbolic cosine, log1p(t + sqrt(2 t + t**2)) with t = x - 1; NaN below 1.

    Error: float32 2.6, float64 2.3 ulp.
    """
    limit = 2.0 ** (LAYOUTS[x.dtype].mantissa // 2 + 2)
    t = where(x > limit, limit, x) - 1.0
    near = apply("log1p", t + apply("sqrt", t * (t + 2.0)))
    return where(x < 1.0, NAN, where(x > limit, apply("log", x) + LN2, near))


@native
def atanh(x: Expr) -> Expr:
    """The inverse hyperbolic tangent, log1p(2 |x| / (1 - |x|)) / 2; NaN outside [-1, 1].

    Error: float32 2.1, float64 2.3 ulp.
    """
    size = apply("abs", x)
    return with_sign_of(x, apply("log1p", (size + size) / (1.0 - size)) * 0.5)


@native
def hypot(x: Expr, y: Expr) -> Expr:
    """sqrt(x**2 + y**2), scaled by the greater size so that nothing overflows; infinite where either is.

    Error: float32 2.0, float64 2.0 ulp.
    """
    across, up = apply("abs", x), apply("abs", y)
    high, low = apply("maximum", across, up), apply("minimum", across, up)
    ratio = where(high.equal(0.0), 0.0, low / high)
    infinite = across.equal(INF) | up.equal(INF)
    return where(infinite, INF, high * apply("sqrt", fma(ratio, ratio, 1.0)))
