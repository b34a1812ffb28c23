"""Floating-point formats, and the steps that the bodies of atoms are made of.

Bodies are for machines (LLVM vectors) that have no instruction for an atom. Each is straight-line: no branch, table or
call, so that a loop over one vectorises. float32 and float64 are computed as they are, float16 and bfloat16 in float32.
NaN, infinities, signed zeros and subnormals are as in C's ``math.h``.

Coefficients are minimax in relative error: a Remez exchange in 200-bit arithmetic (Muller, *Elementary Functions*,
ch. 3), then rounded to the dtype. The errors stated are the largest seen, in ulp, with fused multiply-add, over random,
dense and all-exponent samples; `benchmarks/ulp.py` prints them and the tests hold them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps

import numpy as np

from .dtypes import NAMES
from .expr import Expr, apply, const

__all__ = [
    "F32", "F64", "I32", "INF", "LAYOUTS", "LN2", "NAN", "Layout", "centring", "clamp", "exponent_value", "fma",
    "native", "polynomial", "power_of_two", "split_exponent", "where", "with_pole", "with_sign_of",
]  # fmt: skip


F32, F64, I32 = NAMES["float32"], NAMES["float64"], NAMES["int32"]
LN2, LOG2_E = math.log(2.0), 1.0 / math.log(2.0)
INF, NAN = math.inf, math.nan


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


def with_pole(y: Expr, x: Expr, pole: float) -> Expr:
    """``y``, but minus infinity at the pole, NaN below it, and infinity or NaN where x is."""
    edge = where(x.equal(pole), const(-INF, x.dtype), NAN)
    return where(x > pole, where(x < INF, y, x), edge)


def with_sign_of(x: Expr, y: Expr) -> Expr:
    """``y`` >= 0 with the sign of ``x``."""
    layout = LAYOUTS[x.dtype]
    return (y.bitcast(layout.unsigned) | (x.bitcast(layout.unsigned) & layout.sign_bit)).bitcast(x.dtype)
