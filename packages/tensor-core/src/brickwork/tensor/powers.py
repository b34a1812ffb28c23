"""Bodies of powers of floats, as `brickwork.tensor.formats` says."""

from __future__ import annotations

import numpy as np

from .expr import Expr, apply, const
from .formats import (
    F32,
    F64,
    INF,
    LAYOUTS,
    NAN,
    centring,
    clamp,
    exponent_value,
    fma,
    native,
    polynomial,
    power_of_two,
    where,
)

__all__ = ["power"]

# fmt: off
# for power in float32, evaluated in float64: log2(1 + f) / f to 36 bits, and 2**f for |f| <= 1/2 to 29
LOG2_32 = (
    1.442695040868707, -0.7213475208688321, 0.48089836139484976, -0.3606736748179553, 0.28853729350244883,
    -0.24045316609154457, 0.20617535926617636, -0.18030059105838916, 0.1587697935632063, -0.143156551260637,
    0.14474857321597273, -0.1428390427768287, 0.07736988519765771,
)
EXP2_32 = (
    1.0000000005627394, 0.6931472060393699, 0.24022646846245593, 0.05550328120431563, 0.009618491727900389,
    0.0013400196537007177, 0.00015345606028299138,
)

# for power in float64: (2**f - 1) / f; and log2((1 + s) / (1 - s)) / s as
# L0 + s**2 (L1 + s**2 tail), with L0 and L1 in two parts
EXP2 = (
    0.6931471805599457, 0.240226506959101, 0.055504108664787936, 0.009618129107605568, 0.001333355815393394,
    0.00015403530443970179, 1.5252726986584216e-05, 1.3215441220147216e-06, 1.0180785762289217e-07,
    7.0728601080091274e-09, 4.0610928687653504e-10,
)
LOG2_HEAD = (2.8853900817779268, 4.0710547481862066e-17), (0.9617966939259756, 5.0577616648125907e-17)
LOG2_TAIL = (
    0.577078016355618, 0.41219858309194246, 0.32059890227323806, 0.2623077011428663, 0.2219839974607494,
    0.19125515659633152, 0.19038556812295906,
)
# fmt: on


@native
def power(x: Expr, y: Expr) -> Expr:
    """x ** y with the special cases of C's ``pow``.

    2 ** (y log2 |x|): float32 through float64; float64 with the logarithm in two parts, which needs a true fused
    multiply-add (without it the error is about |y log2 x| ulp). Error: float32 0.6, float64 1.1 ulp.
    """
    layout = LAYOUTS[x.dtype]
    whole = apply("rint", y)
    half = y * 0.5
    size = power_float32(apply("abs", x), y) if x.dtype == F32 else power_float64(apply("abs", x), y)
    odd = whole.equal(y) & apply("ne", apply("rint", half), half)
    flip = x.bitcast(layout.unsigned) & where(odd, const(layout.sign_bit, layout.unsigned), 0)
    signed = (size.bitcast(layout.unsigned) ^ flip).bitcast(x.dtype)
    root_of_negative = (x < 0.0) & (x > -INF) & apply("ne", whole, y)
    return where(y.equal(0.0) | x.equal(1.0), 1.0, where(root_of_negative, NAN, signed))


def at_edges(log2: Expr, x: Expr) -> Expr:
    """The logarithm of x >= 0 made right at 0, infinity and NaN."""
    return where(x.equal(0.0), -INF, where(x < INF, log2, x))


def power_float32(x: Expr, y: Expr) -> Expr:
    """x ** y for x >= 0 in float64 arithmetic to about 28 bits, rounded once."""
    layout = LAYOUTS[F64]
    x, y = x.cast(F64), clamp(y.cast(F64), -1e30, 1e30)  # so that infinity times log 1 is 0
    field = centring(x, layout)
    minus_e, unit = exponent_value(field, layout)
    f = (x.bitcast(layout.signed) + field).bitcast(F64) - 1.0
    log2 = at_edges(fma(minus_e, -unit, f * polynomial(f, LOG2_32)), x)
    t = clamp(y * log2, -200.0, 200.0)
    shifter = layout.shifter + layout.bias
    shifted = t + shifter
    scale = power_of_two(shifted.bitcast(layout.unsigned), layout, F64)
    return (polynomial(t - (shifted - shifter), EXP2_32) * scale).cast(F32)


def power_float64(x: Expr, y: Expr) -> Expr:
    """x ** y for x >= 0: y log2(x) as an unevaluated sum, split at the nearest integer."""
    layout = LAYOUTS[F64]
    y = clamp(y, -(2.0**65), 2.0**65)  # so that infinity times log 1 is 0, and no product overflows
    high, low = log2_in_two(x)
    t = y * at_edges(high, x)
    rest = fma(y, high, -t) + y * low
    near = clamp(t, -1100.0, 1100.0)
    shifter = layout.shifter + 2 * layout.bias
    shifted = near + shifter
    biased = shifted.bitcast(layout.unsigned)
    f = (near - (shifted - shifter)) + where(near.equal(t), rest, 0.0)
    half = biased >> 1
    scaled = polynomial(f, (1.0, *EXP2)) * power_of_two(half, layout, F64)
    return scaled * power_of_two(biased - half, layout, F64)


def log2_in_two(x: Expr) -> tuple[Expr, Expr]:
    """log2 of a float64 > 0 as high + low, to about 64 bits: e + s (L0 + s**2 (L1 + s**2 tail)), s = (m - 1) / (m + 1).

    Each ``_low`` is the rounding error of the line above, which a fused multiply-add gives exactly (Dekker, 1971).
    """
    layout = LAYOUTS[F64]
    tiny = x < float(np.finfo(F64).tiny)
    x = where(tiny, x * 2.0**52, x)
    field = centring(x, layout)
    m = (x.bitcast(layout.signed) + field).bitcast(F64)
    minus_e, unit = exponent_value(field, layout)
    e = fma(minus_e, -unit, where(tiny, const(-52.0, F64), 0.0))
    below = m + 1.0
    below_low = m - (below - 1.0)
    inverse = 1.0 / below
    s = (m - 1.0) * inverse
    s_low = fma(-s, below_low, fma(-s, below, m - 1.0)) * inverse
    z = s * s
    z_low = fma(s + s, s_low, fma(s, s, -z))
    (l0, l0_low), (l1, l1_low) = LOG2_HEAD
    tail = polynomial(z, LOG2_TAIL)
    inner = fma(z, tail, l1)
    inner_low = fma(z, tail, l1 - inner) + l1_low
    outer = z * inner
    outer_low = fma(z_low, inner, fma(z, inner_low, fma(z, inner, -outer)))
    total = outer + l0
    total_low = (l0 - total) + outer + (outer_low + l0_low)
    fraction = s * total
    fraction_low = fma(s_low, total, fma(s, total_low, fma(s, total, -fraction)))
    high = e + fraction
    return high, (e - high) + fraction + fraction_low
