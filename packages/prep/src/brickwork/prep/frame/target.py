"""A target, of whatever type, as one plain array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from ..cells import is_missing
from ..errors import TargetError
from .libraries import known


def read_target(y: Any, who: str) -> tuple[np.ndarray, np.ndarray]:
    """A target as (values (n,) of its own dtype or object, missing bool (n,)). TargetError unless it is one column."""
    found = known(y, who)
    if isinstance(found, nw.DataFrame) and len(found.columns) == 1:
        found = found[:, 0]
    if isinstance(found, nw.Series):
        return _of_series(found)
    if isinstance(y, (list, tuple)) and not any(isinstance(value, (list, np.ndarray)) for value in y):
        values = one_dtype(y)
    else:
        values = np.asarray(y)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
    if values.ndim != 1:
        raise TargetError.of(who, "a target is one column", f"shape {values.shape}", "Choose one column.")
    return values, _missing(values)


def one_dtype(values: Sequence[Any]) -> np.ndarray:
    """An array of the one plain type that all values share, or else of objects (n,)."""
    cells = {type(value) for value in values}
    if cells and (cells <= {int} or cells <= {bool} or cells <= {float, int} or cells <= {str}):
        try:
            return np.array(values)
        except OverflowError:
            pass
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # not array[:] = values, which would take a tuple apart
        array[i] = value
    return array


def _of_series(series: Any) -> tuple[np.ndarray, np.ndarray]:
    if series.implementation.is_pandas():
        values = np.asarray(nw.to_native(series))
    elif series.dtype.is_float() or series.dtype.is_integer() or series.dtype == nw.Datetime:
        values = series.to_numpy()
    else:
        values = one_dtype(series.to_list())
    missing = np.asarray(series.is_null().to_numpy(), dtype=bool)
    if values.dtype == object:
        return (values, missing) if missing.any() else (one_dtype(values.tolist()), missing)
    return values, missing | _missing(values)


def _missing(values: np.ndarray) -> np.ndarray:
    match values.dtype.kind:
        case "O":
            return np.array([is_missing(value) for value in values.tolist()], dtype=bool)
        case "m" | "M":
            return np.isnat(values)
        case "f":
            return np.isnan(values)
    return np.zeros(len(values), dtype=bool)
