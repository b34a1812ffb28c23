"""The arithmetic of fitted transformers as data: written once, read by NumPy, by plain Python and by any array library.

A `Formula` is an expression over one or more inputs of a row: numbers (NaN where missing) or whole-number codes.
Two folds read it: `evaluate` with any namespace of the Array API standard - NumPy, or one whose arrays are being traced
into a compiled function - and `scalar`, which gives a Python function for a single row.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .lookups import bucketed, piecewise, taken

Scalar = Callable[[Sequence[float]], Any]

__all__ = ["Formula", "bucket", "call", "compiled", "constant", "evaluate", "interpolate", "is_missing", "number",
           "one_hot", "scalar", "scalars", "take", "where"]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """A node of an expression: `op` of `inputs`, with `value` for what is no input (a constant, a table, a place).

    The ops: input, constant, add, subtract, multiply, divide, pow, less, greater, equal, maximum, minimum; the
    functions of `FUNCTIONS`; where, take (an entry of a table), bucket (how many edges are at or below), interpolate
    (piecewise linear), one_hot (the one op that is `width` numbers wide).
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
    """One of `FUNCTIONS` of x."""
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


def evaluate(formulas: Sequence[Formula], inputs: Sequence[Any], xp: Any = np) -> list[Any]:
    """Each formula's value: arrays (n,), or (n, width) where it is wider than one; of constants alone, a number.

    `inputs` are float64 arrays (n,), of codes too; `xp` is the namespace they belong to. What two formulas share is
    computed once.
    """
    return compiled(formulas, xp)(inputs)


def compiled(formulas: Sequence[Formula], xp: Any = np) -> Callable[[Sequence[Any]], list[Any]]:
    """`evaluate` as a function of the inputs alone, for whoever has many of them."""
    start: list[Any] = []  # values by place: of constants at once, of all else once they are computed
    steps: list[tuple[int, Callable[[list[Any]], Any]]] = []
    given: list[tuple[int, int]] = []
    places: dict[int, int] = {}
    numbers: dict[int, int] = {}  # of a truth, where it stands as 0 or 1

    def put(step: Callable[[list[Any]], Any]) -> int:
        steps.append((len(start), step))
        start.append(None)
        return len(start) - 1

    def as_number(part: Formula) -> int:
        place = places[id(part)]
        if part.op in TRUTHS and start[place] is None:
            if place not in numbers:
                numbers[place] = put(lambda values: xp.astype(values[place], xp.float64))
            return numbers[place]
        return place

    for formula in _in_order(formulas):
        if formula.op == "input":
            given.append((len(start), formula.value))
            start.append(None)
            place = len(start) - 1
        elif formula.op == "constant" or (
            formula.inputs and all(start[places[id(p)]] is not None for p in formula.inputs)
        ):
            start.append(scalar(formula)(()))
            place = len(start) - 1
        else:
            read = [as_number(part) for part in formula.inputs]
            if formula.op == "where":
                read[0] = places[id(formula.inputs[0])]
            plain = [start[i] for i in read]
            place = put(_step(formula, read, plain, xp))
        places[id(formula)] = place
    outs = [as_number(formula) for formula in formulas]

    def give(inputs: Sequence[Any]) -> list[Any]:
        values = start.copy()
        for place, which in given:
            values[place] = inputs[which]
        for place, step in steps:
            values[place] = step(values)
        return [values[place] for place in outs]

    return give


def _in_order(formulas: Sequence[Formula]) -> list[Formula]:
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


def scalar(formula: Formula) -> Scalar:
    """A Python function of the inputs of one row: a float, or a list of `width` floats."""
    parts = [scalar(part) for part in formula.inputs]
    match formula.op:
        case "input":
            place = formula.value
            return lambda row: row[place]
        case "constant":
            value = formula.value
            return lambda row: value
        case "where":
            test, yes, no = parts
            return lambda row: yes(row) if test(row) else no(row)
        case "take":
            table, (code,) = formula.value, parts
            return lambda row: table[int(code(row))]
        case "bucket":
            edges, (x,) = formula.value, parts
            return lambda row: float(_place(edges, x(row)))
        case "interpolate":
            (xs, ys), (x,) = formula.value, parts
            return lambda row: _between(xs, ys, x(row))
        case "one_hot":
            width, (code,) = formula.width, parts
            return lambda row: _unit(width, code(row))
    if formula.op in TWO:
        return _of_two(formula, *parts)
    one, (only,) = FUNCTIONS[formula.op], parts
    return lambda row: one(only(row))


def _of_two(formula: Formula, left: Scalar, right: Scalar) -> Scalar:
    """A function of two numbers; with a constant at its right, which most have, one call fewer."""
    second = formula.inputs[1]
    if second.op == "constant":
        b = second.value
        match formula.op:
            case "add":
                return lambda row: left(row) + b
            case "subtract":
                return lambda row: left(row) - b
            case "multiply":
                return lambda row: left(row) * b
            case "divide" if b:
                return lambda row: left(row) / b
    two = TWO[formula.op]
    return lambda row: two(left(row), right(row))


def scalars(formulas: Sequence[Formula]) -> Callable[[Sequence[float]], list[Any]]:
    """One Python function of the inputs of a row for several formulas; what they share is computed once."""
    order = _in_order(formulas)
    uses = Counter(id(part) for formula in order for part in formula.inputs) + Counter(map(id, formulas))
    places = 1 + max((f.value for f in order if f.op == "input"), default=-1)
    shared = [f for f in order if uses[id(f)] > 1 and f.inputs]
    known: dict[int, Formula] = {}
    steps = []
    for place, formula in enumerate(shared, places):
        steps.append(scalar(_known(formula, known)))
        known[id(formula)] = number(place)
    functions = [scalar(_known(formula, known)) for formula in formulas]

    def give(row: Sequence[float]) -> list[Any]:
        values = list(row)
        for step in steps:
            values.append(step(values))
        return [function(values) for function in functions]

    return give


def _known(formula: Formula, known: dict[int, Formula]) -> Formula:
    """The formula, with what is known read from its place in the row."""
    found = known.get(id(formula))
    if found is not None or not formula.inputs:
        return found or formula
    parts = tuple(_known(part, known) for part in formula.inputs)
    return Formula(formula.op, parts, formula.value, formula.width)


def _step(formula: Formula, read: list[int], plain: list[Any], xp: Any) -> Callable[[list[Any]], Any]:
    """What gives a node's value from those at the places `read`; `plain` has the numbers among them."""
    first = read[0]
    match formula.op:
        case "where":
            return _choosing(formula, read, plain, xp)
        case "take":
            table = _table(formula.value, xp)
            return lambda values: taken(table, values[first], xp)
        case "bucket":
            edges = _table(formula.value, xp)
            return lambda values: bucketed(edges, values[first], xp)
        case "interpolate":
            xs, ys = (_table(points, xp) for points in formula.value)
            return lambda values: piecewise(xs, ys, values[first], xp)
        case "one_hot":
            units = xp.arange(formula.width, dtype=xp.float64)
            return lambda values: xp.astype(xp.expand_dims(values[first], axis=1) == units, xp.float64)
    function = getattr(xp, formula.op)
    if formula.op in TWO:
        second = read[1]
        return lambda values: function(values[first], values[second])
    return lambda values: function(values[first])


def _table(numbers: tuple[float, ...], xp: Any) -> Any:
    """As NumPy takes it many times over."""
    return np.asarray(numbers, dtype=np.float64) if xp is np else numbers


def _choosing(formula: Formula, read: list[int], plain: list[Any], xp: Any) -> Callable[[list[Any]], Any]:
    test, yes, no = read
    truth = formula.inputs[0].op in TRUTHS
    both = plain[1] is not None and plain[2] is not None

    def step(values: list[Any]) -> Any:
        condition = values[test] if truth else values[test] != 0
        # The standard takes a number for one of both.
        a = xp.full(condition.shape, values[yes], dtype=xp.float64) if both else values[yes]
        return xp.where(condition, a, values[no])

    return step


def _place(edges: tuple[float, ...], x: float) -> int:
    return len(edges) if x != x else bisect_right(edges, x)


def _between(xs: tuple[float, ...], ys: tuple[float, ...], x: float) -> float:
    if x != x:
        return x
    if x >= xs[-1]:
        return ys[-1]
    if x < xs[0]:
        return ys[0]
    left = bisect_right(xs, x) - 1
    return ys[left] + (x - xs[left]) / (xs[left + 1] - xs[left]) * (ys[left + 1] - ys[left])


def _unit(width: int, code: float) -> list[float]:
    row = [0.0] * width
    if 0 <= code < width:
        row[int(code)] = 1.0
    return row


def _over_zero(a: float, b: float) -> float:
    return math.nan if a != a or a == 0 else math.copysign(math.inf, a) * math.copysign(1, b)


def _power(a: float, b: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.power(a, b))


def _two(op: str, left: Any, right: Any) -> Formula:
    return Formula(op, (_formula(left), _formula(right)))


def _formula(value: Any) -> Formula:
    return value if isinstance(value, Formula) else constant(value)


def _unknown(function: str) -> Formula:
    raise ValueError(f"call: a function is one of {', '.join(FUNCTIONS)}; got {function!r}")
