"""Rows as 64-bit hashes, so that equal rows are found in one pass over the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .columns import Column
from .frame import open_table

BLOCK = 1 << 14  # rows whose hashes and one column fit a second-level cache
_FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)  # odd, so that each step can be undone
_SHIFT = np.uint64(32)
_NAN = np.float64(np.nan).view(np.uint64)


def hash_rows(X: Any, who: str) -> np.ndarray:
    """Uint64 (n,): equal for equal rows, and for others almost never: in one of 37 million tables of a million rows.

    Takes what `open_table` takes, arrays of any number of axes, and one column of values. Missing values are equal to
    one another, and 0.0 to -0.0. Texts are hashed by Python's own salt, so hashes hold for this process alone. A row
    whose column holds objects that prep cannot read equals no other. Raises PrepError where X is no table.
    """
    if isinstance(X, np.ndarray) and X.dtype.kind in "biufmM" and X.ndim:
        hashes = np.zeros(len(X), dtype=np.uint64)
        _absorb_array(hashes, X.reshape(len(X), -1))
        return hashes
    table = open_table(X if _is_table(X) else {"value": X}, who)
    return hash_columns([table.column(i) for i in range(len(table.names))])


def hash_columns(columns: Sequence[Column]) -> np.ndarray:
    """Uint64 (n,): `hash_rows` of the table of these columns."""
    hashes = np.zeros(len(columns[0].values), dtype=np.uint64)
    for column in columns:
        _absorb(hashes, column_bits(column))
    return hashes


def repeated(hashes: np.ndarray) -> np.ndarray:
    """Bool (n,): the rows that equal an earlier one."""
    order = np.argsort(hashes, kind="stable")
    again = np.zeros(len(hashes), dtype=bool)
    again[order[1:]] = hashes[order[1:]] == hashes[order[:-1]]
    return again


def column_bits(column: Column) -> np.ndarray:
    """Uint64 (n,): equal where the values of a column are, whichever table it came from."""
    match column.form:
        case "text":
            words = np.array([hash(text) for text in column.vocabulary], dtype=np.int64).view(np.uint64)
            return np.append(words, _NAN)[column.values]
        case "other":
            return np.arange(1, len(column.values) + 1, dtype=np.uint64)
        case "datetime":  # a part of a table may have a column of gaps alone, whose form is not that of the whole
            return np.where(column.missing, _NAN, _bits(column.values))
    return _bits(column.values)


def _is_table(X: Any) -> bool:
    if isinstance(X, (list, tuple)):
        return bool(X) and isinstance(X[0], (Mapping, list, tuple, np.ndarray))
    return isinstance(X, Mapping) or len(getattr(X, "shape", (0, 0))) != 1


def _absorb_array(hashes: np.ndarray, X: np.ndarray) -> None:
    for start in range(0, len(X), BLOCK):
        rows = slice(start, start + BLOCK)
        for column in np.ascontiguousarray(X[rows].T):  # one copy, since columns of a wide array lie far apart
            _absorb(hashes[rows], _bits(column))


def _absorb(hashes: np.ndarray, bits: np.ndarray) -> None:
    """Mixes one column into the hashes, in place: a multiply-and-shift round that can be undone, so none is lost."""
    for start in range(0, len(hashes), BLOCK):
        part = hashes[start : start + BLOCK]
        part ^= bits[start : start + BLOCK]
        part *= _FIRST
        part ^= part >> _SHIFT
        part *= _SECOND
        part ^= part >> _SHIFT
        part += _FIRST  # without it rows of zeros would stay 0, whatever their number of columns


def _bits(values: np.ndarray) -> np.ndarray:
    """The bit patterns of a column (n,) as uint64, one for all NaN and one for both zeros."""
    if values.dtype.kind == "f":
        wide = values.astype(np.float64) + 0.0
        bits = wide.view(np.uint64)
        missing = np.isnan(wide)
        if missing.any():
            bits[missing] = _NAN
        return bits
    return np.ascontiguousarray(values).astype(np.int64).view(np.uint64)
