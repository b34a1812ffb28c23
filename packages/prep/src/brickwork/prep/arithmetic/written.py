"""Formulas and readings as plain data, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from ..errors import StateError
from ..formula import Formula
from ..functions import FUNCTIONS, TWO
from ..readings import Reading
from ..state import FIX, demand, read_fields

__all__ = ["read_formulas", "read_reading", "write_formulas", "write_reading"]

DEEPEST = 200  # ops one in another; transformers write a few dozen at most
WIDEST = 1 << 20
PACKAGE = f"{__package__.rpartition('.')[0]}."
ARITY = {"input": 0, "constant": 0, "where": 3, "take": 1, "bucket": 1, "interpolate": 1, "one_hot": 1}
ARITY |= dict.fromkeys(TWO, 2) | dict.fromkeys(FUNCTIONS, 1)


def write_formulas(formulas: Sequence[Formula]) -> tuple[list[list[Any]], list[int]]:
    """Nodes `[op, [earlier nodes], value, width]`, each once, and the node of each formula."""
    nodes: list[list[Any]] = []
    known: dict[int, int] = {}

    def place(one: Formula) -> int:
        if id(one) not in known:
            parts = [place(part) for part in one.inputs]
            nodes.append([one.op, parts, _plain(one.value), one.width])
            known[id(one)] = len(nodes) - 1
        return known[id(one)]

    return nodes, [place(formula) for formula in formulas]


def read_formulas(nodes: Sequence[Any], outputs: Sequence[int], n_inputs: int, where: str) -> list[Formula]:
    """The formulas of nodes; StateError where one is not of the known ops, or reads what is not before it."""
    made: list[Formula] = []
    depths: list[int] = []
    for index, node in enumerate(nodes):
        at = f"{where}.nodes[{index}]"
        fits = isinstance(node, (list, tuple)) and len(node) == 4 and isinstance(node[0], str) and node[0] in ARITY
        demand(fits, at, "a node is a known op, its inputs, a value and a width", node)
        op, parts, value, width = node
        fits = isinstance(parts, (list, tuple)) and len(parts) == ARITY[op]
        fits = fits and all(type(part) is int and 0 <= part < index and made[part].width == 1 for part in parts)
        demand(fits, at, "inputs are as many earlier nodes as the op takes", parts)
        fits = type(width) is int and (0 < width <= WIDEST if op == "one_hot" else width == 1)
        demand(fits, at, "width must be that of the op", width)
        depths.append(1 + max((depths[part] for part in parts), default=0))
        demand(depths[-1] <= DEEPEST, at, f"ops are not nested deeper than {DEEPEST}", depths[-1])
        made.append(Formula(op, tuple(made[part] for part in parts), _value(op, value, n_inputs, at), width))
    demand(all(place < len(made) for place in outputs), where, "outputs must be nodes", outputs)
    return [made[place] for place in outputs]


def write_reading(reading: Reading) -> dict[str, Any]:
    """A reading by its name and fields."""
    return {"reading": type(reading).__name__} | _fields(reading)


def read_reading(state: Any, where: str) -> Reading:
    """The reading of a state."""
    name = state.get("reading") if isinstance(state, dict) else None
    known = _readings(Reading)
    demand(isinstance(name, str) and name in known, where, "reading must be a known one", name)
    made: Reading = _record(known[str(name)], {key: state[key] for key in state if key != "reading"}, where)
    made.check(where)
    return made


def _readings(kind: type[Reading]) -> dict[str, type[Reading]]:
    """This package's own readings, which other rooms may have added to."""
    found = {kind.__name__: kind} if kind is not Reading and kind.__module__.startswith(PACKAGE) else {}
    for narrower in kind.__subclasses__():
        found |= _readings(narrower)
    return found


def _fields(record: Any) -> dict[str, Any]:
    return {one.name: _plain(getattr(record, one.name)) for one in fields(record)}


def _record(kind: Any, state: Any, where: str) -> Any:
    """A dataclass of a state that has its fields, each of the type that it is declared as."""
    values = read_fields(state, {one.name: "any" for one in fields(kind)}, where)
    hints = get_type_hints(kind)
    return kind(**{name: _typed(value, hints[name], f"{where}.{name}") for name, value in values.items()})


def _typed(value: Any, hint: Any, where: str) -> Any:
    """A value as `_plain` wrote it, of a declared type."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Union or origin is UnionType:
        return None if value is None and NoneType in inner else _typed(value, inner[0], where)
    if origin is Literal:
        demand(isinstance(value, str) and value in inner, where, f"must be one of {', '.join(inner)}", value)
        return value
    if origin is tuple:
        demand(isinstance(value, (list, tuple)), where, "must be a list", value)
        kinds = inner[:1] * len(value) if inner[-1] is ... else inner
        demand(len(kinds) == len(value), where, "must be as many as declared", len(value))
        return tuple(_typed(one, kind, where) for one, kind in zip(value, kinds, strict=True))
    if origin is Mapping:
        fits = isinstance(value, (list, tuple)) and all(isinstance(p, (list, tuple)) and len(p) == 2 for p in value)
        demand(fits, where, "must be pairs", value)
        found = {_typed(key, inner[0], where): _typed(one, inner[1], where) for key, one in value}
        demand(len(found) == len(value), where, "keys must differ", len(value))
        return found
    if hint is Reading:
        demand(
            not isinstance(value, dict) or value.get("reading") != "Filled", where, "no filling inside another", value
        )
        return read_reading(value, where)
    if is_dataclass(hint):
        return _record(hint, value, where)
    if hint is float:
        return _number(value, where)
    demand(hint in (str, int, bool) and type(value) is hint, where, "must be of the declared type", value)
    return value


def _value(op: str, value: Any, n_inputs: int, where: str) -> Any:
    match op:
        case "input":
            demand(type(value) is int and 0 <= value < n_inputs, where, "an input must be one there is", value)
            return value
        case "constant":
            return _number(value, where)
        case "take":
            return _numbers(value, where)
        case "bucket":
            edges = _numbers(value, where)
            demand(_rise(edges), where, "edges must rise", value)
            return edges
        case "interpolate":
            demand(isinstance(value, (list, tuple)) and len(value) == 2, where, "points are xs and ys", value)
            xs, ys = _numbers(value[0], where), _numbers(value[1], where)
            demand(len(xs) == len(ys) and _rise(xs), where, "xs must rise, as many as ys", value)
            return xs, ys
    demand(value is None, where, f"{op} has no value", value)
    return None


def _plain(value: Any) -> Any:
    """Plain data; a number that is not finite as its text, since JSON has none, and a mapping as pairs."""
    if isinstance(value, Mapping):
        return [[_plain(key), _plain(one)] for key, one in value.items()]
    if isinstance(value, Reading):
        return write_reading(value)
    if is_dataclass(value):
        return _fields(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def _number(value: Any, where: str) -> float:
    if isinstance(value, str) and value in ("nan", "inf", "-inf"):
        return float(value)
    if type(value) not in (int, float) or not abs(value) < 2**1023:
        raise StateError.of(where, "must be a number", repr(value)[:60], FIX)
    return float(value)


def _numbers(values: Any, where: str) -> tuple[float, ...]:
    demand(isinstance(values, (list, tuple)) and len(values) > 0, where, "must be numbers", values)
    return tuple(_number(value, where) for value in values)


def _rise(values: Sequence[float]) -> bool:
    return all(a <= b for a, b in pairwise(values))
