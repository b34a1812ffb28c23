"""Fitted state as plain data: strict readers that trust nothing, and only compare and copy what a state holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .errors import StateError, nearest, quote

VERSION = 2
FIX = "The file is damaged or was edited: take another copy, or fit again."


def read_fields(state: Any, fields: Mapping[str, str], where: str) -> dict[str, Any]:
    """The values of a state dict that has exactly these fields, each of the type named as a Python annotation."""
    if not isinstance(state, Mapping):
        raise StateError.of(where, "a state is a dict", type(state).__name__, FIX)
    if odd := [name for name in fields if name not in state]:
        raise StateError.of(where, f"field {odd[0]!r} must be there", f"fields {quote(state)}", FIX)
    if odd := [name for name in state if name not in fields]:
        raise StateError.of(where, "no field beyond the known ones", f"{odd[0]!r}{nearest(odd[0], fields)}", FIX)
    return {name: read(state[name], kind, f"{where}.{name}") for name, kind in fields.items()}


def read(value: Any, kind: str, where: str) -> Any:
    """One value of a state as `kind`, one of `KINDS_OF_VALUE`; a list of numbers may be a numeric NumPy array."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.ndim <= 1:
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if kind.startswith("tuple["):
        if not isinstance(value, (list, tuple)):
            raise StateError.of(where, "must be a list", type(value).__name__, FIX)
        inner = kind.removeprefix("tuple[").removesuffix(", ...]")
        return tuple(read(item, inner, f"{where}[{i}]") for i, item in enumerate(value))
    accepts = KINDS_OF_VALUE[kind]
    if not accepts(value):
        raise StateError.of(where, f"must be {kind}", f"{type(value).__name__} {quote([value])}", FIX)
    return float(value) if kind == "float" else value


def read_version(state: Any, name: str, where: str) -> None:
    """Refuses a state that is not `name` of the version this code writes."""
    if not isinstance(state, Mapping):
        raise StateError.of(where, "a state is a dict", type(state).__name__, FIX)
    if state.get("type") != name:
        raise StateError.of(where, f"type must be {name!r}", quote([state.get("type")]), FIX)
    if type(state.get("version")) is not int or state["version"] != VERSION:
        fix = "Update brickwork-prep, or save again with this version."
        raise StateError.of(where, f"version must be {VERSION}", quote([state.get("version")]), fix)


def demand(holds: bool, where: str, rule: str, got: object) -> None:
    """Refuses a state whose values do not fit together."""
    if not holds:
        raise StateError.of(where, rule, quote([got]), FIX)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_float(value: Any) -> bool:
    return (_is_int(value) or isinstance(value, float)) and math.isfinite(value)


KINDS_OF_VALUE: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": _is_int,
    "count": lambda value: _is_int(value) and value >= 0,
    "float": _is_float,
    "bool": lambda value: isinstance(value, bool),
    "label": lambda value: isinstance(value, (str, bool)) or _is_float(value),
    "optional float": lambda value: value is None or _is_float(value),
    "dict": lambda value: isinstance(value, dict) and all(isinstance(key, str) for key in value),
    "optional str": lambda value: value is None or isinstance(value, str),
    "any": lambda value: True,
}
