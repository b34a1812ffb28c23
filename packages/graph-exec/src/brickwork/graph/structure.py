"""How the arguments and results of a program nest, as plain data that a file can hold.

    {"array": 0}   {"value": "same"}   {"dict": {"a": ...}}   {"list": [...]}   {"tuple": [...]}

Arrays are numbered in the order of `brickwork.tensor.tree`. Named tuples are tuples and dataclasses dicts here, for a
file names no types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from itertools import count
from typing import Any, NoReturn

from brickwork.tensor.errors import BrickworkError, TraceError

from .arguments import is_array

__all__ = ["StructureError", "described", "matched", "template"]

MAX_DEPTH = 48
_PLAIN = (bool, str, type(None))


class StructureError(BrickworkError, TypeError):
    """Arguments that do not nest as those a program was made for."""


def described(tree: Any, leaf: Callable[[Any], bool] = is_array) -> Any:
    """The structure of a tree. ``leaf``: what is an array. Raises `TraceError` for other leaves than plain values."""
    numbers = count()

    def visit(value: Any) -> Any:
        if leaf(value):
            return {"array": next(numbers)}
        if isinstance(value, _PLAIN):
            return {"value": value}
        if is_dataclass(value) and not isinstance(value, type):
            return {"dict": {f.name: visit(getattr(value, f.name)) for f in fields(value)}}
        if isinstance(value, dict) and all(isinstance(k, str) for k in value):
            return {"dict": {k: visit(value[k]) for k in sorted(value)}}
        if isinstance(value, (list, tuple)):
            kind = "list" if isinstance(value, list) else "tuple"
            return {kind: [visit(v) for v in value]}
        raise TraceError(
            "lower: arguments must be arrays, text, True, False, None, or lists, tuples and dicts (with text as keys) "
            f"of them; got {type(value).__name__}. Name it in static_argnames, or close over it"
        )

    return visit(tree)


def template(node: Any) -> Any:
    """A tree of a structure with its arrays' numbers as leaves."""
    ((kind, inner),) = node.items()
    match kind:
        case "dict":
            return {k: template(v) for k, v in inner.items()}
        case "list":
            return [template(v) for v in inner]
        case "tuple":
            return tuple(template(v) for v in inner)
    return inner


def matched(who: str, node: Any, value: Any, place: str = "arguments") -> Iterator[Any]:
    """The arrays of a tree in order. Raises `StructureError`, naming the place, where it nests in another way."""
    ((kind, inner),) = node.items()
    match kind:
        case "array":
            yield value
        case "value":
            if type(value) is not type(inner) or value != inner:
                _refuse(who, place, f"{inner!r}, which is compiled in", repr(value)[:40])
        case "dict":
            if is_dataclass(value) and not isinstance(value, type):
                value = {f.name: getattr(value, f.name) for f in fields(value)}
            if not isinstance(value, dict) or set(value) != set(inner):
                got = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
                _refuse(who, place, f"a dict of {', '.join(inner) or 'nothing'}", str(got)[:200])
            for k, child in inner.items():
                yield from matched(who, child, value[k], f"{place}[{k!r}]")
        case _:
            if not isinstance(value, (list, tuple)) or len(value) != len(inner):
                got = f"{len(value)}" if isinstance(value, (list, tuple)) else type(value).__name__
                _refuse(who, place, f"{len(inner)} parts", got)
            for k, child in enumerate(inner):
                yield from matched(who, child, value[k], f"{place}[{k}]")


def _refuse(who: str, place: str, rule: str, got: str) -> NoReturn:
    raise StructureError(f"{who}: {place} must be {rule}; got {got}. Call it as it was lowered")


def checked(node: Any, arrays: int, what: str) -> None:
    """Raises `StructureError` unless this, which came from a file, is a structure of so many arrays."""
    seen: list[int] = []

    def visit(part: Any, depth: int) -> None:
        if not isinstance(part, dict) or len(part) != 1 or depth > MAX_DEPTH:
            raise StructureError(f"load: {what} must be one structure in each place; got {str(part)[:60]}")
        ((kind, inner),) = part.items()
        if kind == "array" and type(inner) is int:
            seen.append(inner)
        elif kind == "dict" and isinstance(inner, dict) and list(inner) == sorted(inner):
            for child in inner.values():
                visit(child, depth + 1)
        elif kind in ("list", "tuple") and isinstance(inner, list):
            for child in inner:
                visit(child, depth + 1)
        elif not (kind == "value" and isinstance(inner, _PLAIN)):
            raise StructureError(f"load: {what} must hold arrays, plain values, lists, tuples and dicts; got {kind!r}")

    visit(node, 0)
    if seen != list(range(arrays)):
        raise StructureError(f"load: {what} must number {arrays} arrays in order; got {str(seen)[:60]}")
