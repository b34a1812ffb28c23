"""Formulas as functions of arrays, of NumPy or of any library of the Array API standard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .formula import Formula, in_order
from .functions import TRUTHS, TWO
from .lookups import bucketed, piecewise, taken
from .scalar import scalar

__all__ = ["compiled", "evaluate"]


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

    for formula in in_order(formulas):
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
