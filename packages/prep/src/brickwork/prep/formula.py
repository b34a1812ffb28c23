"""The arithmetic of fitted transformers as data: written once, read by NumPy, by plain Python and by any array library.

A `Formula` is an expression over one or more inputs of a row: numbers (NaN where missing) or whole-number codes.
Two folds read it: `evaluation.evaluate` with any namespace of the Array API standard - NumPy, or one whose arrays are
being traced into a compiled function - and `scalar.scalar`, which gives a Python function for a single row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .functions import FUNCTIONS

__all__ = ["Formula", "bucket", "call", "constant", "in_order", "interpolate", "is_missing", "number", "one_hot",
           "take", "where"]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """A node of an expression: `op` of `inputs`, with `value` for what is no input (a constant, a table, a place).

    The ops: input, constant; those of `functions.TWO` and `functions.FUNCTIONS`; where, take (an entry of a table),
    bucket (how many edges are at or below), interpolate (piecewise linear), one_hot (the only one that is `width`
    numbers wide).
    """

    op: str
    inputs: tuple[Formula, ...] = ()
    value: Any = None
    width: int = 1

    def __add__(self, other: Any) -> Formula:
        return _two("add", self, other)

    def __radd__(self, other: Any) -> Formula:
        return _two("add", other, self)

    def __sub__(self, other: Any) -> Formula:
        return _two("subtract", self, other)

    def __rsub__(self, other: Any) -> Formula:
        return _two("subtract", other, self)

    def __mul__(self, other: Any) -> Formula:
        return _two("multiply", self, other)

    def __rmul__(self, other: Any) -> Formula:
        return _two("multiply", other, self)

    def __truediv__(self, other: Any) -> Formula:
        return _two("divide", self, other)

    def __rtruediv__(self, other: Any) -> Formula:
        return _two("divide", other, self)

    def __pow__(self, other: Any) -> Formula:
        return _two("pow", self, other)

    def __neg__(self) -> Formula:
        return _two("subtract", 0.0, self)

    def __lt__(self, other: Any) -> Formula:
        return _two("less", self, other)

    def __gt__(self, other: Any) -> Formula:
        return _two("greater", self, other)

    def equals(self, other: Any) -> Formula:
        """1 where both are equal, else 0 (`==` is identity, as of any object)."""
        return _two("equal", self, other)

    def clip(self, low: float | None, high: float | None) -> Formula:
        """Between low and high; None is no bound."""
        out = self if low is None else _two("maximum", self, low)
        return out if high is None else _two("minimum", out, high)


def number(place: int = 0) -> Formula:
    """The input at this place of a row."""
    return Formula("input", value=place)


def constant(value: float) -> Formula:
    """One number."""
    return Formula("constant", value=float(value))


def call(function: str, x: Formula) -> Formula:
    """One of `functions.FUNCTIONS` of x."""
    return Formula(function, (x,)) if function in FUNCTIONS else _unknown(function)


def is_missing(x: Formula) -> Formula:
    """1 where x is NaN, else 0."""
    return Formula("isnan", (x,))


def where(condition: Formula, a: Any, b: Any) -> Formula:
    """a where the condition is not 0, b elsewhere."""
    return Formula("where", (condition, _formula(a), _formula(b)))


def take(table: Sequence[float], code: Formula) -> Formula:
    """The entry of a table (k,) at a whole number in [0, k)."""
    return Formula("take", (code,), tuple(map(float, table)))


def bucket(x: Formula, edges: Sequence[float]) -> Formula:
    """How many of the edges, in increasing order, are at or below x: a whole number in [0, k]; of NaN it is k."""
    return Formula("bucket", (x,), tuple(map(float, edges)))


def interpolate(x: Formula, xs: Sequence[float], ys: Sequence[float]) -> Formula:
    """Piecewise linear through the points (xs, ys), xs not decreasing; constant beyond the ends; NaN stays NaN.

    At an x that several points share it is the last of their ys.
    """
    return Formula("interpolate", (x,), (tuple(map(float, xs)), tuple(map(float, ys))))


def one_hot(code: Formula, width: int) -> Formula:
    """`width` numbers: 1 at the whole number `code`, 0 elsewhere; all 0 where code is outside [0, width)."""
    return Formula("one_hot", (code,), width=width)


def in_order(formulas: Sequence[Formula]) -> list[Formula]:
    """All nodes, each once, and what one is made of before it."""
    order: dict[int, Formula] = {}

    def walk(formula: Formula) -> None:
        if id(formula) not in order:
            for part in formula.inputs:
                walk(part)
            order[id(formula)] = formula

    for formula in formulas:
        walk(formula)
    return list(order.values())


def _two(op: str, left: Any, right: Any) -> Formula:
    return Formula(op, (_formula(left), _formula(right)))


def _formula(value: Any) -> Formula:
    return value if isinstance(value, Formula) else constant(value)


def _unknown(function: str) -> Formula:
    raise ValueError(f"call: a function is one of {', '.join(FUNCTIONS)}; got {function!r}")
