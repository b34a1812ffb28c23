"""Arrays of what people have: other libraries' arrays, numbers and nested lists."""

from __future__ import annotations

from typing import Any

import numpy as np

from .backend import array_types
from .dtypes import DEFAULT_FLOAT, as_dtype, class_of, default_of
from .errors import DTypeError, ShapeError
from .memory import ledger

__all__ = ["from_array", "from_python", "offers_memory"]


def from_array(value: Any) -> Any:
    """An array of a backend in use: the value itself, what it offers by DLPack, or what NumPy makes of it."""
    if not isinstance(value, array_types()):
        foreign = hasattr(value, "__dlpack__") and not isinstance(value, np.generic)
        value = np.from_dlpack(value) if foreign else np.asarray(value)
    exact = as_dtype(value.dtype)
    if value.dtype == exact and value.dtype.isnative:
        return value
    ledger.ask("asarray", value.size * exact.itemsize)
    return ledger.made(value.astype(exact))


def offers_memory(value: Any) -> bool:
    """Whether a value is memory by Python's buffer protocol, as array.array and memoryview are. Text is not."""
    if isinstance(value, (int, float, complex, list, tuple, str, bytes)):
        return False
    try:
        memoryview(value).release()
    except (TypeError, BufferError):
        return False
    return True


def from_python(value: Any, wanted: np.dtype | None) -> Any:
    """An array of a number or a nested list, in the dtype wanted or the default of its kind.

    Raises `DTypeError` for what is not numeric or does not fit the dtype, `ShapeError` for ragged lists.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise ShapeError(
            f"asarray: nested lists must be rectangular; got {type(value).__name__} with rows of several lengths. "
            "Pad them"
        ) from None
    if array.dtype.kind not in "biufcV" or array.dtype.names is not None:
        raise DTypeError(
            f"asarray: values must be numbers or booleans; got {type(value).__name__} of {array.dtype}. "
            "Encode text first, and cast integers beyond 64 bits to float"
        )
    if array.dtype.kind == "c" and wanted is not None and wanted.kind != "c":
        raise DTypeError(f"asarray: complex numbers need a complex dtype; got {wanted}. Use complex64 or complex128")
    whole = array.dtype.kind in "iu" or _holds_long_integers(value, array)
    if wanted is None:
        wanted = default_of("i" if whole else class_of(array.dtype)) if array.size else DEFAULT_FLOAT
    ledger.ask("asarray", array.size * wanted.itemsize)
    try:
        with np.errstate(all="ignore"):
            made = np.asarray(value, dtype=wanted) if whole else array.astype(wanted, copy=False)
    except OverflowError as error:
        raise DTypeError(f"asarray: values must fit {wanted}; {error}. Choose a wider dtype") from None
    return ledger.made(made)


def _holds_long_integers(value: Any, array: np.ndarray) -> bool:
    """Whether a list is of integers alone, which NumPy read as floats since no one type holds them all."""
    if array.dtype != np.float64 or not isinstance(value, (list, tuple)) or not np.abs(array).max(initial=0) >= 2.0**63:
        return False
    return all(isinstance(v, int) for v in np.asarray(value, dtype=object).flat)
