"""What a person set, parameters of constructors and the output asked for, as plain data in a state."""

from __future__ import annotations

import math
from datetime import date, timedelta
from inspect import signature
from typing import Any

import numpy as np

from .errors import StateError, nearest
from .selectors import Selector
from .state import FIX, demand

__all__ = ["OURS", "known_params", "output_of", "plain", "read_output"]

OURS: dict[str, type] = {}
"""This package's transformers of columns, by name: what may be a parameter of another and stand in its state."""


def plain(value: Any, where: str) -> Any:
    """A parameter as `json` writes it; StateError for what is no data (a function, an estimator)."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(float(value))}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (date, np.datetime64)):
        return str(value)  # which dates are read from
    if isinstance(value, timedelta):
        return {"seconds": value.total_seconds()}
    if isinstance(value, np.generic):
        return plain(value.item(), where)
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, (np.generic, float, int))):
        return np.dtype(value).name
    if isinstance(value, np.ndarray):
        return plain(value.tolist(), where)
    if isinstance(value, (list, tuple)):
        return [plain(item, where) for item in value]
    if isinstance(value, Selector):
        return {"selector": value.to_state()}
    if OURS.get(type(value).__name__) is type(value):
        params = value.get_params(deep=False).items()
        return {"transformer": type(value).__name__, "params": {k: plain(v, f"{where}.{k}") for k, v in params}}
    if isinstance(value, dict):
        return {"pairs": [[plain(k, where), plain(v, where)] for k, v in value.items()]}
    raise StateError.of(
        where, "a parameter that is saved is plain data", type(value).__name__, "Fit with plain values."
    )


def output_of(estimator: Any) -> str | None:
    """What `set_output` was asked for: "default", "pandas", "polars", or None where nothing was."""
    # scikit-learn keeps it in this attribute alone; where a release renames it, states fall back to the default.
    asked: str | None = getattr(estimator, "_sklearn_output_config", {}).get("transform")
    return asked


def read_output(output: Any, made: Any, where: str) -> None:
    """Asks a transformer for the output that a state names."""
    demand(output in (None, "default", "pandas", "polars"), where, "output must be a known one", output)
    if output is not None:
        made.set_output(transform=output)


def known_params(cls: Any, params: dict[str, Any], where: str, depth: int = 0) -> dict[str, Any]:
    """The constructor's parameters of a state; StateError for one that the class has not."""
    known = cls._get_param_names()
    if odd := [name for name in params if name not in known]:
        raise StateError.of(where, "params must be known ones", f"{odd[0]!r}{nearest(odd[0], known)}", FIX)
    found = {name: _value(value, f"{where}.params[{name!r}]", depth) for name, value in params.items()}
    for name, parameter in signature(cls).parameters.items():  # a list in place of a tuple would show as a change
        if isinstance(parameter.default, tuple) and isinstance(found.get(name), list):
            found[name] = tuple(found[name])
    return found


def _value(value: Any, where: str, depth: int = 0) -> Any:
    """A parameter from what `plain` wrote."""
    demand(depth < 8, where, "parameters are not nested so deep", depth)
    if isinstance(value, dict):
        if value.get("float") in ("nan", "inf", "-inf") and len(value) == 1:
            return float(value["float"])
        if set(value) == {"seconds"}:
            seconds = value["seconds"]
            fits = type(seconds) in (int, float) and abs(seconds) < 1e12
            demand(fits, where, "seconds must be a number", seconds)
            return timedelta(seconds=seconds)
        if set(value) == {"selector"}:
            return Selector.from_state(value["selector"], where)
        if set(value) == {"transformer", "params"}:
            return _unfitted(value, where, depth + 1)
        pairs = value.get("pairs")
        fits = (
            set(value) == {"pairs"}
            and isinstance(pairs, list)
            and all(isinstance(p, list) and len(p) == 2 for p in pairs)
        )
        demand(fits, where, "a dict is written as pairs", value)
        return {_key(k, where): _value(v, where, depth + 1) for k, v in pairs}
    return [_value(item, where, depth + 1) for item in value] if isinstance(value, list) else value


def _unfitted(value: dict[str, Any], where: str, depth: int) -> Any:
    """A transformer that is a parameter of another."""
    kind = OURS.get(value["transformer"]) if isinstance(value["transformer"], str) else None
    demand(kind is not None and isinstance(value["params"], dict), where, "a transformer must be a known one", value)
    return kind(**known_params(kind, value["params"], where, depth)) if kind else None


def _key(key: Any, where: str) -> Any:
    demand(isinstance(key, (str, int, float, bool)) or key is None, where, "a key is plain", key)
    return key
