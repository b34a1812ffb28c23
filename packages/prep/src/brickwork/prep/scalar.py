"""Formulas as Python functions of one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from .formula import Formula, in_order, number
from .functions import FUNCTIONS, TWO, between, place_of, unit

__all__ = ["scalar", "scalars"]

Scalar = Callable[[Sequence[float]], Any]


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
            return lambda row: float(place_of(edges, x(row)))
        case "interpolate":
            (xs, ys), (x,) = formula.value, parts
            return lambda row: between(xs, ys, x(row))
        case "one_hot":
            width, (code,) = formula.width, parts
            return lambda row: unit(width, code(row))
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
    order = in_order(formulas)
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
