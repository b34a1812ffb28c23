"""Bodies of the exponential, the natural logarithms and tanh, as `brickwork.tensor.formats` says."""

from __future__ import annotations

import numpy as np

from .expr import Expr, apply, const
from .formats import (
    F32,
    F64,
    LAYOUTS,
    LN2,
    centring,
    clamp,
    exponent_value,
    fma,
    native,
    polynomial,
    power_of_two,
    split_exponent,
    where,
    with_pole,
    with_sign_of,
)

__all__ = ["exp", "expm1", "log", "log1p", "tanh"]

# fmt: off
# (exp(r) - 1 - r) / r**2 for |r| <= ln(2) / 2
EXP = {
    F32: (0.49999997, 0.16666542, 0.041667115, 0.008366731, 0.0013890732),
    F64: (
        0.5, 0.16666666666666677, 0.04166666666666654, 0.008333333333321393, 0.0013888888888945153,
        0.0001984126988682282, 2.4801587212297327e-05, 2.7557243420579575e-06, 2.7557363941088773e-07,
        2.510933994681651e-08, 2.088869760158776e-09,
    ),
}

# (log(1 + f) - f) / f**2 for 1 + f between the square roots of 1/2 and 2
LOG = {
    F32: (
        -0.49999988, 0.33333325, -0.25001583, 0.20001973, -0.16609083, 0.14181826, -0.1324299, 0.12904431,
        -0.07621772,
    ),
    F64: (
        -0.5000000000000003, 0.33333333333333026, -0.24999999999974926, 0.20000000000085202,
        -0.16666666671354932, 0.14285714279620812, -0.12499999604543283, 0.11111111098968053,
        -0.1000001793741719, 0.09090927443366933, -0.08332864108274222, 0.07691433180798872,
        -0.07149937388351944, 0.06685933630214283, -0.06194364344608016, 0.056589789892778776,
        -0.05678124154265579, 0.06529513341453476, -0.06006057858488724, 0.026173757633904945,
    ),
}

# fmt: on


@native
def exp(x: Expr) -> Expr:
    """Exponential: 2**n times a polynomial, scaled in two halves, so that subnormal and infinite results come right.

    Error: float32 1.0, float64 0.9 ulp.
    """
    layout = LAYOUTS[x.dtype]
    r, biased = split_exponent(clamp(x, *layout.exp_range), layout, 2 * layout.bias, layout.ln2)
    half = biased >> 1
    scaled = polynomial(r, (1.0, 1.0, *EXP[x.dtype])) * power_of_two(half, layout, x.dtype)
    return scaled * power_of_two(biased - half, layout, x.dtype)


@native
def expm1(x: Expr) -> Expr:
    """exp(x) - 1 without cancellation: 2**n (exp(r) - 1) + (2**n - 1), halved since 2**n may be past the largest float.

    Error: float32 1.7, float64 1.9 ulp.
    """
    layout = LAYOUTS[x.dtype]
    held = clamp(x, -(layout.mantissa + 3) * LN2, layout.exp_range[1])
    r, biased = split_exponent(held, layout, layout.bias - 1, layout.ln2)
    half = power_of_two(biased, layout, x.dtype)
    y = fma(half, fma(r * r, polynomial(r, EXP[x.dtype]), r), half - 0.5)
    # below this expm1(x) is x, -0 included
    return where(apply("abs", x) < 2.0 ** -(layout.mantissa + 1), x, y + y)


def log_of(f: Expr, field: Expr, tiny: Expr | None = None) -> Expr:
    """log(1 + f) - field * ln 2. With the exponent negated, the log of 1 and log1p of -0 keep their sign of zero."""
    layout = LAYOUTS[f.dtype]
    minus_e, unit = exponent_value(field, layout)
    if tiny is not None:
        minus_e = minus_e + where(tiny, const(layout.mantissa / unit, f.dtype), 0.0)
    return fma(minus_e, -LN2 * unit, fma(f * f, polynomial(f, LOG[f.dtype]), f))


@native
def log(x: Expr) -> Expr:
    """Natural logarithm: exponent times ln 2, plus a polynomial of the fraction.

    Error: float32 1.0, float64 1.4 ulp.
    """
    layout = LAYOUTS[x.dtype]
    tiny = x < float(np.finfo(x.dtype).tiny)
    normal = where(tiny, x * 2.0**layout.mantissa, x)
    field = centring(normal, layout)
    fraction = (normal.bitcast(layout.signed) + field).bitcast(x.dtype)
    return with_pole(log_of(fraction - 1.0, field, tiny), x, 0.0)


@native
def log1p(x: Expr) -> Expr:
    """log(1 + x): the exponent of 1 + x, and a fraction f = x / 2**e - (1 - 1 / 2**e), which loses nothing of x.

    Error: float32 1.5, float64 1.9 ulp.
    """
    layout = LAYOUTS[x.dtype]
    field = centring(x + 1.0, layout)
    scaled = (x.bitcast(layout.signed) + field).bitcast(x.dtype)
    four = ((layout.bias + 2) << layout.mantissa) + field  # 4 / 2**e, since 1 / 2**e may be subnormal
    return with_pole(log_of(scaled - fma(four.bitcast(x.dtype), -0.25, 1.0), field), x, -1.0)


def expm1_of(x: Expr) -> Expr:
    """exp(x) - 1 where 2**n is in range and no sign of zero matters: |x| < 80."""
    layout = LAYOUTS[x.dtype]
    r, biased = split_exponent(x, layout, layout.bias, (LN2,))
    scale = power_of_two(biased, layout, x.dtype)
    return fma(scale, fma(r * r, polynomial(r, EXP[x.dtype]), r), scale - 1.0)


@native
def tanh(x: Expr) -> Expr:
    """Hyperbolic tangent: t / (t + 2), t = exp(2 |x|) - 1.

    Error: float32 2.6, float64 2.7 ulp.
    """
    size = apply("abs", x)
    limit = (LAYOUTS[x.dtype].mantissa + 3) * LN2 / 2  # rounds to 1 from here
    t = expm1_of(where(size > limit, limit, size) * 2.0)
    return with_sign_of(x, t / (t + 2.0))
