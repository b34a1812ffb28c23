"""What the ops of formulas are for numbers of Python: functions by name, and looking up in tables."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable

import numpy as np

__all__ = ["FUNCTIONS", "TRUTHS", "TWO", "between", "place_of", "unit"]


FUNCTIONS: dict[str, Callable[[float], float]] = {
    "isnan": lambda x: float(x != x),
    "abs": abs,
    # NumPy's own of one number, since its last bit is not always that of Python's.
    "exp": lambda x: math.inf if x > 709.78 else float(np.exp(x)),
    "expm1": lambda x: math.inf if x > 709.78 else float(np.expm1(x)),
    "log": lambda x: float(np.log(x)) if x > 0 else (-math.inf if x == 0 else math.nan),
    "log1p": lambda x: float(np.log1p(x)) if x > -1 else (-math.inf if x == -1 else math.nan),
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "sign": lambda x: x if x != x else float((x > 0) - (x < 0)),
    "floor": lambda x: x // 1 if -1e300 < x < 1e300 else x,
    "sin": lambda x: float(np.sin(x)) if math.isfinite(x) else math.nan,
    "cos": lambda x: float(np.cos(x)) if math.isfinite(x) else math.nan,
}
"""Functions of one number by their name in the Array API standard, as Python computes them."""

TWO: dict[str, Callable[[float, float], float]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b if b else _over_zero(a, b),
    "pow": lambda a, b: _power(a, b),
    "less": lambda a, b: float(a < b),
    "greater": lambda a, b: float(a > b),
    "equal": lambda a, b: float(a == b),
    "maximum": lambda a, b: a if a != a or a > b else b,
    "minimum": lambda a, b: a if a != a or a < b else b,
}  # fmt: skip
"""The same of functions of two numbers."""

TRUTHS = frozenset(("isnan", "less", "greater", "equal"))
"""Whose answer is a boolean in an array library, and a number here."""


def place_of(edges: tuple[float, ...], x: float) -> int:
    """`formula.bucket`."""
    return len(edges) if x != x else bisect_right(edges, x)


def between(xs: tuple[float, ...], ys: tuple[float, ...], x: float) -> float:
    """`formula.interpolate`."""
    if x != x:
        return x
    if x >= xs[-1]:
        return ys[-1]
    if x < xs[0]:
        return ys[0]
    left = bisect_right(xs, x) - 1
    return ys[left] + (x - xs[left]) / (xs[left + 1] - xs[left]) * (ys[left + 1] - ys[left])


def unit(width: int, code: float) -> list[float]:
    """`formula.one_hot`."""
    row = [0.0] * width
    if 0 <= code < width:
        row[int(code)] = 1.0
    return row


def _over_zero(a: float, b: float) -> float:
    return math.nan if a != a or a == 0 else math.copysign(math.inf, a) * math.copysign(1, b)


def _power(a: float, b: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.power(a, b))
