"""Bodies of the atoms that read or write the bits of a float: sign and neighbour. Exact, for every float dtype."""

from __future__ import annotations

from .dtypes import NAMES
from .expr import Expr, apply, const
from .formats import F32, LAYOUTS, native, where

__all__ = ["copysign", "nextafter", "signbit"]


def signbit(x: Expr) -> Expr:
    """Whether the sign bit is set: true of -0, and of a NaN that has it."""
    wide = x if x.dtype in LAYOUTS else x.cast(F32)
    return wide.bitcast(LAYOUTS[wide.dtype].signed) < 0


@native
def copysign(x: Expr, y: Expr) -> Expr:
    """``|x|`` with the sign bit of ``y``."""
    layout = LAYOUTS[x.dtype]
    size, sign = x.bitcast(layout.unsigned) & (layout.sign_bit - 1), y.bitcast(layout.unsigned) & layout.sign_bit
    return (size | sign).bitcast(x.dtype)


def nextafter(x: Expr, y: Expr) -> Expr:
    """The float next to ``x`` in the direction of ``y`` (IEEE 754): its bits, sign and size, one up or one down."""
    signed = NAMES[f"int{8 * x.dtype.itemsize}"]
    sign_bit = -(1 << (8 * x.dtype.itemsize - 1))
    outward = (x < y).equal(x > 0.0)
    moved = (x.bitcast(signed) + where(outward, const(1, signed), -1)).bitcast(x.dtype)
    smallest = ((y.bitcast(signed) & sign_bit) | 1).bitcast(x.dtype)
    found = where(x.equal(y), y, where(x.equal(0.0), smallest, moved))
    return where(apply("isnan", x) | apply("isnan", y), x + y, found)
