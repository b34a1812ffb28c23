"""Bodies of the error functions, as `brickwork.tensor.formats` says."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .exponentials import expm1_of
from .expr import Expr, apply
from .formats import F32, F64, INF, LAYOUTS, NAN, fma, native, polynomial, where, with_sign_of

__all__ = ["erf", "erf_in_numpy", "erfc", "erfinv", "normal_quantile"]

# fmt: off
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

# (1 + 2 x) exp(x**2) erfc(x) for 0 <= x <= LIMIT, in (x - CENTRE) / (x + CENTRE) (Shepherd and Laframboise, 1981)
CENTRE = {F32: 2.0, F64: 3.75}
LIMIT = {F32: 10.5, F64: 28.0}  # erfc is 0 from a little below
ERFC = {
    F32: (
        1.2769784, -0.09276388, -0.16603157, 0.1640526, -0.05420287, -0.008039216, 0.0086316315, 0.0012545349,
        -0.0012518014, -0.00034308444, 3.7183267e-05,
    ),
    F64: (
        1.2375126308378275, -0.1402405985855467, 0.0035854154854627323, 0.08227673849011108, -0.10880393014165701,
        0.09230432116157804, -0.058693398591441445, 0.028362277399445864, -0.009746579541721449,
        0.0017556260286435764, 0.0002937135972750644, -0.0002901550409306341, 5.164915726939254e-05,
        2.23875626649769e-05, -1.1443505202268876e-05, -9.809157415297344e-07, 1.7487169013315436e-06,
        -4.704371551552471e-08, -2.52878609426282e-07, 1.5081377352995464e-08, 3.273082902163349e-08,
        -5.600667563042405e-10, -2.2891137561240756e-09,
    ),
}
LOW_HALF = {F32: 12, F64: 27}  # bits without which the square of a number is exact
# fmt: on


def one_minus_erfc(x: Expr, expm1: Callable[[Expr], Expr]) -> Expr:
    """1 - exp(log(erfc(|x|))) with the sign of x, by a function that gives exp(t) - 1 for |t| < 80."""
    limit, *coefficients = ERF[x.dtype]
    size = apply("abs", x)
    size = where(size > limit, limit, size)
    return with_sign_of(x, 0.0 - expm1(fma(size, polynomial(size, coefficients), -size)))


@native
def erf(x: Expr) -> Expr:
    """Error function, 2 / sqrt(pi) * integral of exp(-t**2) from 0 to x.

    It is 1 - exp(log(erfc(|x|))), where the logarithm is a polynomial: no division, and exact near 0 and near 1.

    Error: float32 1.9, float64 2.2 ulp.
    """
    return one_minus_erfc(x, expm1_of)


@native
def erf_in_numpy(x: Expr) -> Expr:
    """The same for NumPy, which has an expm1 of its own, done in one step."""
    return one_minus_erfc(x, lambda t: apply("expm1", t))


@native
def erfc(x: Expr) -> Expr:
    """1 - erf(x), also where that is close to 0: exp(-x**2), the square in two parts, times a polynomial over 1 + 2 x.

    Error: float32 4.6, float64 5.4 ulp.
    """
    layout, centre, limit = LAYOUTS[x.dtype], CENTRE[x.dtype], LIMIT[x.dtype]
    size = apply("abs", x)
    size = where(size > limit, limit, size)
    high = (size.bitcast(layout.unsigned) >> LOW_HALF[x.dtype] << LOW_HALF[x.dtype]).bitcast(x.dtype)
    rest = (size - high) * (size + high)
    ratio = polynomial((size - centre) / (size + centre), ERFC[x.dtype]) / fma(size, 2.0, 1.0)
    y = apply("exp", -(high * high)) * (apply("exp", -rest) * ratio)
    return where(x < 0.0, 2.0 - y, y)


# Numerators and denominators of Wichura, "Algorithm AS 241: the percentage points of the normal distribution", 1988:
# PPND7 (7 figures, for float32) and PPND16. First the middle, |p - 1/2| <= 0.425,
# then up to e^-25 from the ends; in float64 also beyond.
SINGLE = (
    ((3.3871327179, 50.434271938, 159.29113202, 59.109374720), (1.0, 17.895169469, 78.757757664, 67.187563600)),
    ((1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103), (1.0, 0.73700164250, 0.12021132975)),
)
DOUBLE = (
    (
        (3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
         45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727),
        (1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
         21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610),
    ),
    (
        (1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
         1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4),
        (1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550, 0.148103976427480074590,
         0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
    ),
    (
        (6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
         0.0265321895265761230930, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
        (1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525, 7.86869131145613259100e-4,
         1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
    ),
)  # fmt: skip


def ratio(x: Expr, terms: tuple[tuple[float, ...], tuple[float, ...]]) -> Expr:
    """A quotient of polynomials, lowest coefficient first."""

    def horner(coefficients: tuple[float, ...]) -> Expr:
        out: Any = coefficients[-1]
        for c in coefficients[-2::-1]:
            out = out * x + c
        return out  # type: ignore[no-any-return]

    return horner(terms[0]) / horner(terms[1])


def normal_quantile(q: Expr) -> Expr:
    """The normal deviate with probability ``q + 1/2`` below it, for |q| < 1/2; in float32 for |q| < 1/2 - e^-25."""
    middle, outer, *ends = DOUBLE if q.dtype == F64 else SINGLE
    size = apply("abs", q)
    near = q * ratio(0.180625 - q * q, middle)
    r = apply("sqrt", -apply("log", apply("minimum", 0.5 - size, 0.075)))
    far = ratio(r - 1.6, outer)
    for end in ends:
        far = where(r > 5.0, ratio(r - 5.0, end), far)
    return where(size <= 0.425, near, where(q < 0.0, -far, far))


def erfinv(x: Expr) -> Expr:
    """The inverse of erf: the normal quantile of (1 + x) / 2, over sqrt(2); infinite at -1 and 1, NaN beyond.

    Error: float32 0.51, float64 6.0 ulp.
    """
    wide = x.cast(F64)
    size = apply("abs", wide)
    inside = normal_quantile(where(size < 1.0, wide * 0.5, 0.0)) * math.sqrt(0.5)
    edge = where(size.equal(1.0), wide * INF, NAN)
    return where(size < 1.0, inside, edge).cast(x.dtype)
