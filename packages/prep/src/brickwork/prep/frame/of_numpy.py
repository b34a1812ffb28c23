"""A NumPy array as a column; what other libraries hold as NumPy arrays ends here too."""

from __future__ import annotations

import numpy as np

from ..cells import column_of, microseconds
from ..columns import Column


def array_column(name: str, values: np.ndarray) -> Column:
    """The column of an array (n,) of any dtype; what is masked is missing. Contiguous float64 is not copied."""
    if isinstance(values, np.ma.MaskedArray):
        return column_of(name, values.tolist())
    match values.dtype.kind:
        case "b":
            return Column(name, "boolean", floats(values))
        case "i" | "u" | "f":
            return Column(name, "number", floats(values))
        case "m":
            return Column(name, "number", _seconds(name, values))
        case "M":
            return Column(name, "datetime", np.ascontiguousarray(microseconds(name, values)))
    return column_of(name, values.tolist())


def floats(values: np.ndarray) -> np.ndarray:
    """Float64 (n,), contiguous: a column of a matrix would be read with a cache line per value, again and again."""
    with np.errstate(over="ignore"):  # a long double beyond 1e308 is infinite, and refused where numbers are used
        return np.ascontiguousarray(values, dtype=np.float64)


def _seconds(name: str, values: np.ndarray) -> np.ndarray:
    # Through microseconds, as dates: so one duration is one number, whatever the unit it came in.
    ticks = microseconds(name, values)
    found = ticks.view(np.int64) / 1e6
    found[np.isnat(ticks)] = np.nan
    return found
