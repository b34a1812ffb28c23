"""Bodies of atoms in other atoms, for machines (LLVM vectors) that have no instruction for them.

Each is straight-line: no branch, table or call, so that a loop over one vectorises. float32 and float64 are computed as
they are, float16 and bfloat16 in float32. NaN, infinities, signed zeros and subnormals are as in C's ``math.h``.

The coefficients are minimax in relative error: a Remez exchange in 200-bit arithmetic (Muller, *Elementary Functions*,
ch. 3), then rounded to the dtype. The errors stated are the largest seen, in ulp, with fused multiply-add, over random,
dense and all-exponent samples; `benchmarks/ulp.py` prints them and the tests hold them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps

import numpy as np

from .dtypes import NAMES, class_of
from .expr import Expr, apply, const

__all__ = [
    "absolute", "cos", "erf", "exp", "expm1", "isfinite", "log", "log1p",
    "maximum", "minimum", "power", "sign", "sin", "tanh",
]  # fmt: skip

F32, F64, I32 = NAMES["float32"], NAMES["float64"], NAMES["int32"]
LN2, LOG2_E = math.log(2.0), 1.0 / math.log(2.0)
INF, NAN = math.inf, math.nan

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

# (sin(r) / r - 1) / r**2 in r**2, for |r| <= pi / 2
SIN = {
    F32: (-0.1666666, 0.008333066, -0.00019809577, 2.6057212e-06),
    F64: (
        -0.16666666666666666, 0.008333333333333194, -0.00019841269841209145, 2.755731921112437e-06,
        -2.505210687158842e-08, 1.6058939643345052e-10, -7.642989823409692e-13, 2.7211370388374794e-15,
    ),
}

# where erf rounds to 1; then log(erfc(x)) / x + 1 up to there
ERF = {
    F32: (
        3.93, -0.12837917, -0.6366194, -0.10277783, 0.019153064, 0.00016039444, -0.0016670238, 0.00063283375,
        -0.00011764011, 9.256106e-06,
    ),
    F64: (
        5.93, -0.12837916709551256, -0.6366197723675909, -0.10277260330131517, 0.01912844699308875,
        0.0002091948539934118, -0.0016962076703738278, 0.000590132432562001, -2.5904507745726504e-05,
        -6.4420452759762e-05, 2.957563247745018e-05, -3.1696217900515442e-06, -3.133018688394609e-06,
        2.037239487218278e-06, -5.706692396927069e-07, 1.172931713389701e-08, 6.572392802385536e-08,
        -3.458138323876712e-08, 1.077236829502469e-08, -2.3602989511272374e-09, 3.760351447155204e-10,
        -4.301345844652079e-11, 3.3639787032264766e-12, -1.614678245000278e-13, 3.5917309448058545e-15,
    ),
}

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


@dataclass(frozen=True, slots=True)
class Layout:
    """A binary floating format.

    ``ln2`` and ``pi`` are in parts, the first so short that an integer times it is exact; ``root2`` is the bits of
    sqrt(2). Outside ``exp_range`` exp is 0 or infinite.
    """

    signed: np.dtype
    unsigned: np.dtype
    mantissa: int
    bias: int
    root2: int
    ln2: tuple[float, float]
    pi: tuple[float, float, float]
    exp_range: tuple[float, float]

    @property
    def shifter(self) -> float:
        """Adding it rounds to an integer, which then stands in the low bits."""
        return 1.5 * 2.0**self.mantissa

    @property
    def sign_bit(self) -> int:
        return 1 << (self.unsigned.itemsize * 8 - 1)


LAYOUTS = {
    F32: Layout(
        I32, NAMES["uint32"], 23, 127, 0x3FB504F3,
        ln2=(0.693359375, -2.12194440e-4),
        pi=(3.140625, 0.0009676535846665502, 5.126688136514179e-12),
        exp_range=(-104.0, 89.0),
    ),
    F64: Layout(
        NAMES["int64"], NAMES["uint64"], 52, 1023, 0x3FF6A09E667F3BCC,
        ln2=(0.6931471803691238, 1.9082149292705877e-10),
        pi=(3.1415926534682512, 1.2154201013012384e-10, 7.0431197303664e-27),
        exp_range=(-746.0, 710.0),
    ),
}  # fmt: skip


def native(body: Callable[..., Expr]) -> Callable[..., Expr]:
    """The body as it is in float32 and float64; narrower floats pass through float32."""

    @wraps(body)
    def widened(*args: Expr) -> Expr:
        dtype = args[0].dtype
        return body(*args) if dtype in LAYOUTS else body(*(a.cast(F32) for a in args)).cast(dtype)

    return widened


def where(c: Expr, x: Expr | float, y: Expr | float) -> Expr:
    if not isinstance(x, Expr) and isinstance(y, Expr):
        x = const(x, y.dtype)
    return apply("where", c, x, y)


def fma(x: Expr, y: Expr | float, z: Expr | float) -> Expr:
    return apply("fma", x, y, z)


def clamp(x: Expr, low: float, high: float) -> Expr:
    """``x`` held to a range; NaN stays. Each comparison with its select is one min or max instruction."""
    x = where(x < low, low, x)
    return where(x > high, high, x)


def polynomial(x: Expr, coefficients: Sequence[float]) -> Expr:
    """Horner's rule, constant term first. In a loop many elements are in flight: operations count, not latency."""
    out: Expr | float = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        out = fma(x, out, c)
    return out  # type: ignore[return-value]


def maximum(x: Expr, y: Expr) -> Expr:
    """The larger; NaN where either is. Float, any width."""
    return where(apply("isnan", x), x, where(x > y, x, y))


def minimum(x: Expr, y: Expr) -> Expr:
    """The smaller; NaN where either is. Float, any width."""
    return where(apply("isnan", x), x, where(x < y, x, y))


def absolute(x: Expr) -> Expr:
    """|x| of an integer; the lowest signed one stays itself, as in NumPy."""
    return x if class_of(x.dtype) == "u" else where(x < 0, -x, x)


def sign(x: Expr) -> Expr:
    """-1, 0 or 1; NaN of NaN. Any real dtype."""
    zero = x + 0.0 if class_of(x.dtype) == "f" else x  # -0 + 0 is +0
    below = zero if class_of(x.dtype) == "u" else where(x < 0, -1, zero)
    return where(x > 0, 1, below)


def isfinite(x: Expr) -> Expr:
    """Neither infinite nor NaN."""
    return apply("abs", x) < INF


def split_exponent(x: Expr, layout: Layout, offset: int, ln2: Sequence[float]) -> tuple[Expr, Expr]:
    """``r`` and ``n + offset`` (in low bits), x = n ln 2 + r, |r| <= ln(2) / 2 (Cody and Waite, 1980)."""
    shifter = layout.shifter + offset
    shifted = fma(x, LOG2_E, shifter)
    n = shifted - shifter
    for part in ln2:
        x = fma(n, -part, x)
    return x, shifted.bitcast(layout.unsigned)


def power_of_two(biased: Expr, layout: Layout, dtype: np.dtype) -> Expr:
    """The float whose exponent field is the low bits of an integer."""
    return (biased << layout.mantissa).bitcast(dtype)


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


def centring(x: Expr, layout: Layout) -> Expr:
    """-e in the exponent field, where x = 2**e m and sqrt(1/2) < m <= sqrt(2): adding it to bits divides by 2**e."""
    return (layout.root2 - x.bitcast(layout.signed)) & -(1 << layout.mantissa)


def exponent_value(field: Expr, layout: Layout) -> tuple[Expr, float]:
    """A signed exponent field as a float, and what that is in units of the exponent.

    In float64 only the upper half is converted: few vector units turn int64 into float64.
    """
    if layout.signed == I32:
        return field.cast(F32), 2.0**-23
    return (field >> 32).cast(I32).cast(F64), 2.0**-20


def log_of(f: Expr, field: Expr, tiny: Expr | None = None) -> Expr:
    """log(1 + f) - field * ln 2. With the exponent negated, the log of 1 and log1p of -0 keep their sign of zero."""
    layout = LAYOUTS[f.dtype]
    minus_e, unit = exponent_value(field, layout)
    if tiny is not None:
        minus_e = minus_e + where(tiny, const(layout.mantissa / unit, f.dtype), 0.0)
    return fma(minus_e, -LN2 * unit, fma(f * f, polynomial(f, LOG[f.dtype]), f))


def with_pole(y: Expr, x: Expr, pole: float) -> Expr:
    """``y``, but minus infinity at the pole, NaN below it, and infinity or NaN where x is."""
    edge = where(x.equal(pole), const(-INF, x.dtype), NAN)
    return where(x > pole, where(x < INF, y, x), edge)


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


def expm1_of(x: Expr) -> Expr:
    """exp(x) - 1 where 2**n is in range and no sign of zero matters: |x| < 80."""
    layout = LAYOUTS[x.dtype]
    r, biased = split_exponent(x, layout, layout.bias, (LN2,))
    scale = power_of_two(biased, layout, x.dtype)
    return fma(scale, fma(r * r, polynomial(r, EXP[x.dtype]), r), scale - 1.0)


def with_sign_of(x: Expr, y: Expr) -> Expr:
    """``y`` >= 0 with the sign of ``x``."""
    layout = LAYOUTS[x.dtype]
    return (y.bitcast(layout.unsigned) | (x.bitcast(layout.unsigned) & layout.sign_bit)).bitcast(x.dtype)


@native
def tanh(x: Expr) -> Expr:
    """Hyperbolic tangent: t / (t + 2), t = exp(2 |x|) - 1.

    Error: float32 2.6, float64 2.7 ulp.
    """
    size = apply("abs", x)
    limit = (LAYOUTS[x.dtype].mantissa + 3) * LN2 / 2  # rounds to 1 from here
    t = expm1_of(where(size > limit, limit, size) * 2.0)
    return with_sign_of(x, t / (t + 2.0))


@native
def erf(x: Expr) -> Expr:
    """Error function, 2 / sqrt(pi) * integral of exp(-t**2) from 0 to x.

    It is 1 - exp(log(erfc(|x|))), where the logarithm is a polynomial: no division, and exact near 0 and near 1.

    Error: float32 1.9, float64 2.2 ulp.
    """
    limit, *coefficients = ERF[x.dtype]
    size = apply("abs", x)
    size = where(size > limit, limit, size)
    return with_sign_of(x, 0.0 - expm1_of(fma(size, polynomial(size, coefficients), -size)))


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
