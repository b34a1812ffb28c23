"""Bodies of the atoms that choose: the greater, the lesser, the size, the sign; whether a number is finite. Exact."""

from __future__ import annotations

from .dtypes import class_of
from .expr import Expr, apply
from .formats import INF, where

__all__ = ["absolute", "isfinite", "maximum", "minimum", "sign"]


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
