"""Which columns a part of a `ColumnTransformer` takes: a name, a position, a list, a mask, a slice, a selector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.compose import make_column_selector

from ..errors import StateError
from ..selectors import Selector
from ..state import FIX, demand, read_fields

__all__ = ["empty", "positions", "read", "write"]

TYPES = {np.number: "number", np.integer: "integer", np.floating: "floating", object: "object", bool: "bool",
         int: "int", float: "float", str: "str"}  # fmt: skip
"""Types by the names that a frame's `select_dtypes` knows them by."""

SELECTOR = {"pattern": "any", "dtype_include": "any", "dtype_exclude": "any"}


def write(columns: Any, where: str) -> dict[str, Any]:
    """The columns as plain data: a dict of one field, which says what they are."""
    columns = columns.item() if isinstance(columns, np.generic) else columns
    if isinstance(columns, (str, int)) and not isinstance(columns, bool):
        return {"one": columns}
    if isinstance(columns, slice):
        return {"slice": [_plain(edge) for edge in (columns.start, columns.stop, columns.step)]}
    if isinstance(columns, Selector):
        return {"selector": columns.to_state()}
    if type(columns) is make_column_selector:
        return {"make_column_selector": {name: _dtypes(getattr(columns, name), where) for name in SELECTOR}}
    listed = [_plain(item) for item in columns] if hasattr(columns, "__iter__") else None
    if listed is None or not _alike(listed):
        rule = "columns that are saved are names, positions, a mask, a slice or a selector of prep's"
        fix = "Use brickwork.prep.selectors, or list the names."
        raise StateError.of(where, rule, repr(columns), fix)
    return {"list": listed}


def read(state: Any, where: str) -> Any:
    """The columns of a state, as scikit-learn takes them."""
    demand(isinstance(state, Mapping) and len(state) == 1, where, "columns are a dict of one field", state)
    ((kind, value),) = state.items()
    match kind:
        case "one":
            demand(_alike([value]) and not isinstance(value, bool), where, "one column is a name or a position", value)
            return value
        case "list":
            demand(isinstance(value, (list, tuple)) and _alike(value), where, "columns are of one type", value)
            return list(value)
        case "slice":
            fits = isinstance(value, (list, tuple)) and len(value) == 3
            demand(fits and _alike([e for e in value if e is not None]), where, "a slice has three edges", value)
            demand(value[2] != 0 and not any(isinstance(e, bool) for e in value), where, "a slice has edges", value)
            return slice(*value)
        case "selector":
            return Selector.from_state(value, where)
        case "make_column_selector":
            values = read_fields(value, SELECTOR, where)
            pattern = values.pop("pattern")
            demand(pattern is None or isinstance(pattern, str), where, "pattern must be text", pattern)
            return make_column_selector(pattern, **{n: _read_dtypes(v, where) for n, v in values.items()})
    raise StateError.of(where, "columns must be of a known kind", repr(kind), FIX)


def positions(columns: Any, n: int, names: Sequence[str] | None, where: str) -> list[int]:
    """Where in a table of n columns they stand, in the order asked for."""
    if isinstance(columns, slice):
        edges = (columns.start, columns.stop)
        if any(isinstance(edge, str) for edge in edges):
            first, last = (None if edge is None else _position(edge, n, names, where) for edge in edges)
            return list(range(n))[slice(first, None if last is None else last + 1)]
        return list(range(n))[columns]
    if not isinstance(columns, list):
        return [_position(columns, n, names, where)]
    if columns and isinstance(columns[0], bool):
        demand(len(columns) == n, where, f"a mask must be as long as there are columns ({n})", len(columns))
        return [place for place, taken in enumerate(columns) if taken]
    return [_position(one, n, names, where) for one in columns]


def empty(columns: Any) -> bool:
    """Whether nothing is asked for."""
    if isinstance(columns, slice) or callable(columns) or np.isscalar(columns):
        return False
    listed = list(columns)
    return not listed or (isinstance(listed[0], (bool, np.bool_)) and not any(listed))


def _position(one: Any, n: int, names: Sequence[str] | None, where: str) -> int:
    if isinstance(one, str):
        demand(names is not None and one in names, where, "a column must be one of those of fit", one)
        return list(names or ()).index(one)
    demand(-n <= one < n, where, f"a position must be of one of {n} columns", one)
    return one % n


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _alike(values: Sequence[Any]) -> bool:
    """Whether all are text, or all whole numbers, or all truth."""
    return {type(value) for value in values} in (set(), {str}, {int}, {bool})


def _dtypes(asked: Any, where: str) -> Any:
    if asked is None or isinstance(asked, str):
        return asked
    if isinstance(asked, (list, tuple)):
        return [_dtypes(one, where) for one in asked]
    if isinstance(asked, type) and asked in TYPES:
        return TYPES[asked]
    raise StateError.of(where, "a dtype of make_column_selector that is saved is a name", repr(asked), "Give its name.")


def _read_dtypes(asked: Any, where: str) -> Any:
    listed = asked if isinstance(asked, (list, tuple)) else [asked]
    demand(asked is None or all(isinstance(one, str) for one in listed), where, "dtypes must be names", asked)
    return list(asked) if isinstance(asked, (list, tuple)) else asked
