"""Columns of a table by what they are: `numeric() - by_name("id")`, for scikit-learn's ColumnTransformer and for prep.

A selector is called with a table and gives the names of columns (positions, where the table has none), in the table's
order. Selectors, names and lists of names combine by `|` (either), `&` (both), `-` (but not), `^` (one of both) and `~`
(none of these).

>>> from brickwork.prep import selectors as s
>>> table = {"id": [1, 2, 3], "size": [1.5, None, 2.0], "island": ["Dream", "Biscoe", "Dream"]}
>>> (s.numeric() - "id")(table), (s.has_missing() | s.text())(table)
(['size'], ['size', 'island'])
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Self

import numpy as np

from .columns import Column
from .errors import PrepError, SchemaError, StateError, nearest, quote
from .frame import Table, open_table
from .state import FIX, demand, read_fields

__all__ = [
    "Selector", "all", "boolean", "by_name", "by_position", "cardinality", "categorical", "datetime", "glob",
    "has_missing", "matches", "numeric", "objects", "text", "where",
]  # fmt: skip

DEEPEST = 50  # selectors inside selectors, of a state that is read

Test = Callable[[Column], bool]


@dataclass(frozen=True, slots=True, repr=False)
class Selector:
    """A rule for columns: the name of one of `RULES` and its arguments, which are plain values or selectors."""

    rule: str
    arguments: tuple[Any, ...] = ()

    def __call__(self, X: Any) -> list[str] | list[int]:
        """The names of the columns of a table; positions where it has no names, or names that are not all text."""
        table = open_table(X, "Selector")
        chosen = self.positions(table, "Selector")
        return [table.names[i] for i in chosen] if table.named and table.text_names else chosen

    def positions(self, table: Table, who: str) -> list[int]:
        """The positions of the columns, in the table's order. SchemaError where a column asked for is not there."""
        return sorted(_pick(self, View(table), who))

    def to_state(self) -> dict[str, Any]:
        """The selector as plain data; StateError where it holds a function (`where`)."""
        if self.rule == "where":
            fix = "Use the other selectors, or list the names."
            raise StateError.of("Selector.to_state", "a selector that is saved holds no function", repr(self), fix)
        arguments = [one.to_state() if isinstance(one, Selector) else one for one in self.arguments]
        return {"select": self.rule, "arguments": arguments}

    @classmethod
    def from_state(cls, state: Any, where: str = "Selector.from_state", depth: int = 0) -> Self:
        """The selector of a state; StateError where the state is damaged."""
        demand(depth < DEEPEST, where, f"selectors are not nested deeper than {DEEPEST}", depth)
        values = read_fields(state, {"select": "str", "arguments": "tuple[any, ...]"}, where)
        rule, arguments = values["select"], values["arguments"]
        demand(rule in MAKERS or rule in SIGNS, where, "select must be a known rule", rule)
        made = [cls.from_state(one, where, depth + 1) if isinstance(one, Mapping) else one for one in arguments]
        try:
            if rule in SIGNS:
                return cls(rule, _combined(made, SIGNS[rule][1]))
            return MAKERS[rule](*made)  # type: ignore[return-value]
        except (PrepError, TypeError) as cause:
            raise StateError.of(where, f"the arguments of {rule} must fit", str(cause), FIX) from None

    def __or__(self, other: Any) -> Selector:
        return Selector("or", (self, as_selector(other)))

    def __ror__(self, other: Any) -> Selector:
        return as_selector(other) | self

    def __and__(self, other: Any) -> Selector:
        return Selector("and", (self, as_selector(other)))

    def __rand__(self, other: Any) -> Selector:
        return as_selector(other) & self

    def __sub__(self, other: Any) -> Selector:
        return Selector("minus", (self, as_selector(other)))

    def __rsub__(self, other: Any) -> Selector:
        return as_selector(other) - self

    def __xor__(self, other: Any) -> Selector:
        return Selector("xor", (self, as_selector(other)))

    def __rxor__(self, other: Any) -> Selector:
        return as_selector(other) ^ self

    def __invert__(self) -> Selector:
        return Selector("not", (self,))

    def __bool__(self) -> bool:
        fix = "Combine selectors by |, &, - and ~, not by or, and, not."
        raise PrepError.of("Selector", "a selector is neither true nor false", repr(self), fix)

    def __repr__(self) -> str:
        if self.rule == "not":
            return f"~{self.arguments[0]!r}"
        if self.rule in SIGNS:
            return "(" + f" {SIGNS[self.rule][0]} ".join(map(repr, self.arguments)) + ")"
        given = [f"{name}={one!r}" for name, one in zip(KEYWORDS.get(self.rule, ()), self.arguments, strict=False)]
        return f"{self.rule}({', '.join(given or map(repr, self.arguments))})"


class View:
    """A table whose columns are read once, when a rule first asks."""

    def __init__(self, table: Table) -> None:
        self.names = table.names
        self.column = lru_cache(maxsize=None)(table.column)

    def where(self, test: Test) -> set[int]:
        """The positions of the columns that pass."""
        return {i for i in range(len(self.names)) if test(self.column(i))}

    def called(self, test: Callable[[str], bool]) -> set[int]:
        """The positions of the columns whose names pass."""
        return {i for i, name in enumerate(self.names) if test(name)}


def numeric() -> Selector:
    """Numbers and durations. Text that reads as numbers is `text`."""
    return Selector("numeric")


def boolean() -> Selector:
    """True and false."""
    return Selector("boolean")


def datetime() -> Selector:
    """Dates and times. Text that reads as dates is `text`."""
    return Selector("datetime")


def text() -> Selector:
    """Text that is not declared to be categories."""
    return Selector("text")


def categorical() -> Selector:
    """Categories by declaration: pandas categoricals, polars Categorical and Enum, Arrow dictionaries."""
    return Selector("categorical")


def objects() -> Selector:
    """Lists, dicts and other values that prep cannot read."""
    return Selector("objects")


def all() -> Selector:
    """Every column."""
    return Selector("all")


def by_name(*names: str) -> Selector:
    """The columns of these names; SchemaError, when called with a table, where one is not there."""
    _demand(len(names) > 0 and {type(name) for name in names} == {str}, "by_name", "names are text", names)
    return Selector("by_name", names)


def by_position(*positions: int) -> Selector:
    """The columns at these positions, from the end where negative; SchemaError where one is not there."""
    whole = [isinstance(i, (int, np.integer)) and not isinstance(i, bool) for i in positions]
    _demand(len(whole) > 0 and False not in whole, "by_position", "positions are integers", positions)
    return Selector("by_position", tuple(int(i) for i in positions))


def matches(pattern: str) -> Selector:
    """Names in which the regular expression is found, anywhere (`re.search`)."""
    _demand(isinstance(pattern, str), "matches", "a pattern is text", pattern)
    try:
        re.compile(pattern)
    except re.error as cause:
        raise PrepError.of("matches", "a pattern is a regular expression", f"{pattern!r}: {cause}") from None
    return Selector("matches", (pattern,))


def glob(pattern: str) -> Selector:
    """Names that fit a pattern of `*`, `?` and `[...]`, upper and lower case apart (`fnmatch.fnmatchcase`)."""
    _demand(isinstance(pattern, str), "glob", "a pattern is text", pattern)
    return Selector("glob", (pattern,))


def has_missing(above: float = 0.0) -> Selector:
    """A share of missing values greater than `above`, in [0, 1)."""
    _demand(_is_real(above) and 0 <= above < 1, "has_missing", "above is at least 0 and below 1", above)
    return Selector("has_missing", (float(above),))


def cardinality(least: int | None = None, most: int | None = None) -> Selector:
    """At least `least` and at most `most` different values, missing ones not counted; `objects` are never chosen."""
    bounds = [bound for bound in (least, most) if bound is not None]
    whole = [isinstance(bound, (int, np.integer)) and not isinstance(bound, bool) and bound >= 0 for bound in bounds]
    _demand(
        len(whole) > 0 and False not in whole,
        "cardinality",
        "least= or most= is an integer of 0 or more",
        (least, most),
    )
    return Selector("cardinality", (None if least is None else int(least), None if most is None else int(most)))


def where(predicate: Test) -> Selector:
    """The columns for which a function of a `Column` (name, form, values, missing, ...) is true. It is not saved."""
    _demand(callable(predicate), "where", "a predicate is a function of a Column", predicate)
    return Selector("where", (predicate,))


def as_selector(columns: Any) -> Selector:
    """A selector, a name, a position, or a list of names or positions, as a selector."""
    if isinstance(columns, Selector):
        return columns
    listed = list(columns) if isinstance(columns, (list, tuple, np.ndarray)) else [columns]
    kinds = {isinstance(one, str) for one in listed}
    if kinds == {True}:
        return by_name(*map(str, listed))
    if kinds == {False}:
        return by_position(*listed)
    rule = "columns are a selector, a name, a position, or a list of names or of positions"
    raise PrepError.of("Selector", rule, quote(listed) or "an empty list")


def n_distinct(column: Column) -> int:
    """How many different values a column holds, missing ones not counted."""
    present = column.values[~column.missing]
    if column.form == "text":
        return int(np.count_nonzero(np.bincount(present, minlength=1)))
    return len(np.unique(present))


def _pick(selector: Selector, view: View, who: str) -> set[int]:
    if selector.rule in SIGNS:
        sets = [_pick(one, view, who) for one in selector.arguments]
        return set(range(len(view.names))) - sets[0] if selector.rule == "not" else JOINS[selector.rule](*sets)
    return RULES[selector.rule](view, who, *selector.arguments)


def _by_name(view: View, who: str, *names: str) -> set[int]:
    place = {name: i for i, name in enumerate(view.names)}
    if lost := [name for name in names if name not in place]:
        got = f"{lost[0]!r}{nearest(lost[0], view.names)}"
        raise SchemaError.of(
            who, "the table must have the column", got, f"Columns: {quote(view.names)}.", column=lost[0]
        )
    return {place[name] for name in names}


def _by_position(view: View, who: str, *positions: int) -> set[int]:
    n = len(view.names)
    if lost := [i for i in positions if not -n <= i < n]:
        raise SchemaError.of(who, f"the table must have the column; it has {n}", f"position {lost[0]}")
    return {i % n for i in positions}


def _cardinality(view: View, who: str, least: int | None, most: int | None) -> set[int]:
    low, high = least or 0, float("inf") if most is None else most
    return view.where(lambda column: column.form != "other" and low <= n_distinct(column) <= high)


def _of_form(form: str, declared: bool = False) -> Callable[[View, str], set[int]]:
    return lambda view, who: view.where(lambda column: column.form == form and column.declared == declared)


def _combined(made: list[Any], n: int) -> tuple[Selector, ...]:
    fits = len(made) == n and {type(one) for one in made} == {Selector}
    _demand(fits, "Selector", f"{n} selectors are needed", made)
    return tuple(made)


def _is_real(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _demand(holds: bool, who: str, rule: str, got: Any) -> None:
    if not holds:
        raise PrepError.of(who, rule, repr(got))


SIGNS = {"or": ("|", 2), "and": ("&", 2), "minus": ("-", 2), "xor": ("^", 2), "not": ("~", 1)}
JOINS: dict[str, Callable[[set[int], set[int]], set[int]]] = {
    "or": set.union, "and": set.intersection, "minus": set.difference, "xor": set.symmetric_difference,
}  # fmt: skip
KEYWORDS = {"has_missing": ("above",), "cardinality": ("least", "most")}
RULES: dict[str, Callable[..., set[int]]] = {
    "numeric": _of_form("number"),
    "boolean": _of_form("boolean"),
    "datetime": _of_form("datetime"),
    "text": _of_form("text"),
    "categorical": _of_form("text", declared=True),
    "objects": _of_form("other"),
    "all": lambda view, who: set(range(len(view.names))),
    "by_name": _by_name,
    "by_position": _by_position,
    "matches": lambda view, who, pattern: view.called(lambda name: re.search(pattern, name) is not None),
    "glob": lambda view, who, pattern: view.called(lambda name: fnmatchcase(name, pattern)),
    "has_missing": lambda view, who, above: view.where(lambda column: column.missing.mean() > above),
    "cardinality": _cardinality,
    "where": lambda view, who, predicate: view.where(lambda column: bool(predicate(column))),
}
MAKERS: dict[str, Callable[..., Selector]] = {
    made.__name__: made
    for made in (numeric, boolean, datetime, text, categorical, objects, all, by_name, by_position, matches, glob,
                 has_missing, cardinality)
}  # fmt: skip
