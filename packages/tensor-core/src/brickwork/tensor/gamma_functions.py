"""Bodies of the logarithm of the gamma function and of its derivatives, as `brickwork.tensor.formats` says.

All are computed in float64 and rounded once, so of narrower floats the result is nearly always the nearest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps

import numpy as np

from .expr import Expr, apply, const
from .formats import F64, INF, NAN, fma, polynomial, where

__all__ = ["digamma", "lgamma", "polygamma", "trigamma"]

# lgamma(2 + t) / t for -3/4 <= t <= 1/4; then (lgamma(x) - (x - 1/2) log(x) + x - log(2 pi) / 2) x in 1 / x**2, for
# x >= 25/4
LGAMMA = (
    0.42278433509846713, 0.3224670334241132, -0.06735230105319828, 0.020580808427786347, -0.007385551028635514,
    0.0028905103306244456, -0.0011927539147468568, 0.0005096695238122259, -0.00022315464795443358,
    9.945779616305693e-05, -4.492793558851686e-05, 2.0498439623885346e-05, -9.438130330788395e-06,
    4.4695422009468066e-06, -1.8213507102882296e-06, 8.682399024891834e-07, -1.7678130674786303e-06,
    -2.668479940582675e-06, -3.317189247101586e-06, -1.9074915613624976e-06, -5.622332999836766e-07,
)  # fmt: skip
STIRLING = (
    0.08333333333333333, -0.0027777777777776604, 0.0007936507935255922, -0.0005952380437333678,
    0.000841740170116288, -0.001916272361072719, 0.006321974677258337, -0.0257858426229589, 0.08427991455733971,
)  # fmt: skip
HALF_LOG_TAU = 0.9189385332046728
LOG_PI = 1.1447298858494002
# the root of digamma in two parts; digamma(root + t) / t for 1 <= root + t <= 9/4; then
# (log(x) - 1 / (2 x) - digamma(x)) x**2 in 1 / x**2, x >= 6.25
ROOT = 1.4616321449683622, 9.549995429965697e-17
DIGAMMA = (
    0.9676722454476212, -0.4427631689835921, 0.25849976095566346, -0.16394270544242942, 0.10782405068964629,
    -0.07219956125333284, 0.048804288244484774, -0.0331611266564046, 0.0225976462575645, -0.015424760516324123,
    0.010538817794034986, -0.007204624521550005, 0.004926602006014474, -0.0033689141070477615,
    0.0023054942099753352, -0.0015820314292247484, 0.0010819255687149693, -0.0007227090472283049,
    0.00048141409569854956, -0.00035907955794074286, 0.0002937234560176741, -0.00019866436148250453,
    8.37218110106892e-05, -1.5674012641553853e-05,
)  # fmt: skip
LOG_LESS_DIGAMMA = (
    0.08333333333333333, -0.008333333333331297, 0.003968253966080035, -0.004166665770284819,
    0.007575571309465693, -0.021070812152854904, 0.08177716837158064, -0.376230256804765, 1.3224583816822157,
)  # fmt: skip
FAR = 6.25  # from here on by Stirling's series; down to 9/4 it takes STEPS steps
STEPS = 4
BERNOULLI = ((1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798))
"""B2, B4, ..., B18, as numerators and denominators."""


def in_float64(body: Callable[[Expr], Expr]) -> Callable[[Expr], Expr]:
    """The body computed in float64, rounded to the dtype of its operand."""

    @wraps(body)
    def widened(x: Expr) -> Expr:
        return body(x.cast(F64)).cast(x.dtype)

    return widened


def past_integer(x: Expr) -> Expr:
    """How far x is past the nearest integer, exact; with it sin(pi x) and cot(pi x) lose nothing."""
    return x - apply("rint", x)


@in_float64
def lgamma(x: Expr) -> Expr:
    """log |gamma(x)|; infinite at 0, -1, -2, ... and at both infinities.

    From 25/4 by the series of Stirling; below by ``gamma(x + 1) = x gamma(x)`` from a polynomial about 2, exact near
    that root; below -3/4 by ``gamma(x) gamma(-x) = -pi / (x sin(pi x))`` (NIST DLMF 5.5, 5.11).

    Error: float32 0.51, float64 3.5 ulp for x > 0; below, an absolute error of 3.5 ulp of the greater of 1 and
    lgamma(-x), near whose roots fewer figures are left.
    """
    mirrored = x < -0.75
    a = where(mirrored, -x, x)
    near, far = where(a > FAR, 3.0, a), where(a > FAR, a, FAR)
    product, y = const(1.0, F64), near
    for _ in range(STEPS):
        above = y >= 2.25
        y = where(above, y - 1.0, y)
        product = where(above, product * y, product)
    low, lower = near < 1.25, near < 0.25
    t = where(lower, near, where(low, near - 1.0, y - 2.0))
    product = where(lower, apply("abs", near * (near + 1.0)), where(low, near, product))
    log = apply("log", where(a > FAR, far, product))
    by_recurrence = fma(t, polynomial(t, LGAMMA), where(low, -log, log))
    inverse = 1.0 / far
    series = fma(inverse, polynomial(inverse * inverse, STIRLING), HALF_LOG_TAU - 0.5)
    size = where(a > FAR, fma(far - 0.5, log - 1.0, series), by_recurrence)
    r = past_integer(x)
    below = LOG_PI - apply("log", apply("abs", x * apply("sin", r * math.pi))) - size
    out = where(mirrored, where(r.equal(0.0), INF, below), size)
    return where(apply("abs", x).equal(INF), INF, where(apply("isnan", x), x, out))


@in_float64
def digamma(x: Expr) -> Expr:
    """The derivative of lgamma; NaN at -1, -2, ... and minus infinity, infinite at 0 with the sign that 0 has not.

    As `lgamma`: Stirling's series, ``digamma(x + 1) = digamma(x) + 1 / x`` from a polynomial about the root 1.46, and
    ``digamma(1 - x) = digamma(x) + pi / tan(pi x)`` (NIST DLMF 5.5, 5.11).

    Error: float32 0.51, float64 2.7 ulp for x > 0; below, an absolute error of 4 ulp of the greatest term.
    """
    mirrored = x < 0.0
    a = where(mirrored, 1.0 - x, x)
    near, far = where(a > FAR, 3.0, a), where(a > FAR, a, FAR)
    above, below, y = const(0.0, F64), const(1.0, F64), near  # their quotient is the sum of 1 / y over the steps
    for _ in range(STEPS):
        down = y >= 2.25
        y = where(down, y - 1.0, y)
        above, below = where(down, fma(above, y, below), above), where(down, below * y, below)
    low = near < 1.0
    t = (where(low, near + 1.0, y) - ROOT[0]) - ROOT[1]
    sum_of_inverses = where(low, const(-1.0, F64), above) / where(low, near, below)
    by_recurrence = fma(t, polynomial(t, DIGAMMA), sum_of_inverses)
    inverse = 1.0 / far
    square = inverse * inverse
    series = apply("log", far) - fma(square, polynomial(square, LOG_LESS_DIGAMMA), inverse * 0.5)
    size = where(a > FAR, series, by_recurrence)
    angle = past_integer(x) * math.pi
    cotangent = apply("cos", angle) / apply("sin", angle)
    other = where(angle.equal(0.0) | x.equal(-INF), NAN, fma(cotangent, -math.pi, size))
    return where(mirrored, other, where(apply("isnan", x), x, size))


def power_of(x: Expr, n: int) -> Expr:
    """x ** n for n of 1 or more, by repeated squaring."""
    half = power_of(x, n // 2) if n > 1 else None
    if half is None:
        return x
    return half * half * x if n % 2 else half * half


def reflected(n: int, x: Expr) -> Expr:
    """The n-th derivative of ``-pi / tan(pi x)``, which is ``polygamma(n, x) - (-1)**n polygamma(n, 1 - x)``.

    A polynomial of the cotangent c, since ``c' = -pi (1 + c**2)``.
    """
    powers = [0, 1]
    for _ in range(n):
        slope = [k * p for k, p in enumerate(powers)][1:]
        powers = [-(low + high) for low, high in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    angle = past_integer(x) * math.pi
    cotangent = apply("cos", angle) / apply("sin", angle)
    return -(math.pi ** (n + 1)) * polynomial(cotangent, [float(p) for p in powers])


def hurwitz(n: int, x: Expr) -> Expr:
    """|polygamma(n, x)| for n >= 1, x > 0: n! times the sum of (x + k)**-(n + 1), the tail by Euler and Maclaurin."""
    s, first = n + 1, 8 + n
    terms = power_of(1.0 / x, s)
    for k in range(1, first):
        terms = terms + power_of(1.0 / (x + float(k)), s)
    inverse = 1.0 / (x + float(first))
    square = inverse * inverse
    tail = [
        p * math.factorial(2 * j + n - 1) / (q * math.factorial(2 * j) * math.factorial(n))
        for j, (p, q) in enumerate(BERNOULLI, 1)
    ]
    rest = fma(square, polynomial(square, tail), fma(inverse, 0.5, 1.0 / n))
    return float(math.factorial(n)) * fma(power_of(inverse, n), rest, terms)


def polygamma(n: int, x: Expr) -> Expr:
    """The n-th derivative of digamma, n >= 1, in float64: Hurwitz's zeta function (NIST DLMF 5.15, 25.11), mirrored
    below 0. Infinite at 0, -1, -2, ... where n is odd, and NaN where it is even, but infinite at 0.

    Its own derivatives are those of the expression.
    """
    wide = x.cast(F64)
    mirrored = wide < 0.0
    sign = 1.0 if n % 2 else -1.0
    size = hurwitz(n, where(mirrored, 1.0 - wide, where(wide < INF, wide, const(np.finfo(F64).max, F64))))
    at_pole = past_integer(wide).equal(0.0) | wide.equal(-INF)
    other = where(at_pole, INF if n % 2 else NAN, reflected(n, wide) - size)
    return where(mirrored, other, where(apply("isnan", wide), wide, sign * size)).cast(x.dtype)


def trigamma(x: Expr) -> Expr:
    """The derivative of digamma, sum over k >= 0 of 1 / (x + k)**2.

    Error: float32 0.51, float64 4.4 ulp for x > 0; below, an absolute error of 4 ulp of the greatest term.
    """
    return polygamma(1, x)
