"""What each op of the standard becomes: one function of tensors, found by domain, name and version.

The parameters of a translator are the inputs of the op; its keyword arguments are the attributes, by their names and
with their defaults. It gives a tensor, or a tuple of them. Three keywords have meanings of their own: ``outputs`` is
the number of results that the node wants, ``version`` its op set, ``key`` a function that gives a random key.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Translator", "find_translator", "translated", "translator"]

_GIVEN = frozenset(("outputs", "version", "key"))
_TABLE: dict[tuple[str, str], list[Translator]] = {}


@dataclass(frozen=True, slots=True)
class Translator:
    """``since``: the first op set with this meaning. ``static``: inputs that must be numbers, not symbols, since shapes
    follow from them; they come as NumPy arrays. ``hints``: inputs that are better numbers, though symbols will do.
    ``of_shape``: the result follows from the shapes of the inputs alone. ``fresh``: other numbers each time. ``moves``:
    values are moved and not computed with, so that strings go too. ``eager``: numbers are read, which no symbol has."""

    op: str
    domain: str
    since: int
    function: Callable[..., Any]
    static: frozenset[int]
    hints: frozenset[int]
    of_shape: bool
    fresh: bool
    moves: bool
    eager: bool
    attributes: frozenset[str]
    given: frozenset[str]
    least: int
    most: int | None


def translator(
    op: str,
    since: int = 1,
    *,
    domain: str = "",
    static: str = "",
    hints: str = "",
    of_shape: bool = False,
    fresh: bool = False,
    moves: bool = False,
    eager: bool = False,
    others: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function for an op from an op set on, until a later one is registered.

    ``static``, ``hints``: names of its inputs, separated by spaces; ``others``: those of the attributes that its ``**``
    takes; see `Translator` for the rest.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        parameters = inspect.signature(function).parameters
        plain = [p for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        names = [p.name for p in plain]
        keywords = {p.name for p in parameters.values() if p.kind is p.KEYWORD_ONLY}
        variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
        entry = Translator(
            op=op,
            domain=domain,
            since=since,
            function=function,
            static=frozenset(names.index(s) for s in static.split()),
            hints=frozenset(names.index(s) for s in hints.split()),
            of_shape=of_shape,
            fresh=fresh,
            moves=moves,
            eager=eager,
            attributes=frozenset((keywords - _GIVEN).union(others.split())),
            given=frozenset(keywords & _GIVEN),
            least=sum(p.default is p.empty for p in plain),
            most=None if variadic else len(names),
        )
        _TABLE.setdefault((domain, op), []).append(entry)
        _TABLE[domain, op].sort(key=lambda t: t.since)
        return function

    return register


def find_translator(domain: str, op: str, version: int) -> Translator | None:
    """The newest that the op set knows; None where there is none."""
    known = [t for t in _TABLE.get((domain, op), ()) if t.since <= version]
    return known[-1] if known else None


def translated() -> list[tuple[str, str, int]]:
    """(domain, op, since) of every translator, sorted."""
    return sorted((t.domain, t.op, t.since) for entries in _TABLE.values() for t in entries)
