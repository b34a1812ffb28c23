"""What the Array API standard (2025.12) lets a person ask: of the library, of dtypes, of promotion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from .backend import backend_names, get_backend
from .dtypes import DEFAULT_COMPLEX, DEFAULT_FLOAT, DEFAULT_INT, NAMES, as_dtype, class_of, promote, real_of
from .errors import DeviceError, DTypeError
from .tensor import Tensor

__all__ = ["FloatInfo", "Info", "IntegerInfo", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}
"""The kinds of the standard, as the classes of `class_of`."""
STANDARD = [n for n in NAMES if "float16" not in n and "float8" not in n]


@dataclass(frozen=True, slots=True)
class FloatInfo:
    """Limits of a floating dtype: its width, distance from 1 to the next number, range, least normal number."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype


@dataclass(frozen=True, slots=True)
class IntegerInfo:
    """Limits of an integer dtype: its width and range."""

    bits: int
    max: int
    min: int
    dtype: np.dtype


def _dtype_of(x: Any) -> np.dtype:
    """Of a tensor or array its own, of anything else the dtype that it names."""
    return x.dtype if isinstance(x, (Tensor, np.ndarray, np.generic)) else as_dtype(x)


def finfo(type: Any, /) -> FloatInfo:
    """Limits of a floating dtype or of that of a tensor; of a complex one, those of its parts.

    Raises `DTypeError` for any other.
    """
    dtype = _dtype_of(type)
    if class_of(dtype) not in "fc":
        raise DTypeError(f"finfo: takes floating dtypes; got {dtype}. Use iinfo for integers")
    part = real_of(dtype)
    limits_of: Any = np.finfo if part.isbuiltin == 1 else ml_dtypes.finfo
    found = limits_of(part)
    eps, top, least, normal = (float(v) for v in (found.eps, found.max, found.min, found.smallest_normal))
    return FloatInfo(8 * part.itemsize, eps, top, least, normal, part)


def iinfo(type: Any, /) -> IntegerInfo:
    """Limits of an integer dtype or of that of a tensor. Raises `DTypeError` for any other."""
    dtype = _dtype_of(type)
    if class_of(dtype) not in "iu":
        raise DTypeError(f"iinfo: takes integer dtypes; got {dtype}. Use finfo for floats")
    found = np.iinfo(dtype)
    return IntegerInfo(found.bits, int(found.max), int(found.min), dtype)


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is another, or of a kind (``"bool"``, ``"signed integer"``, ``"unsigned integer"``,
    ``"integral"``, ``"real floating"``, ``"complex floating"``, ``"numeric"``), or any of a tuple of these.

    Raises `DTypeError` for what is neither.
    """
    mine = as_dtype(dtype)
    if isinstance(kind, tuple):
        return bool(sum(isdtype(mine, k) for k in kind))  # all are looked at, so that a wrong name is an error
    if isinstance(kind, str):
        if kind not in KINDS:
            raise DTypeError(f"isdtype: kinds are {', '.join(KINDS)}; got {kind!r}. Use one of these, or a dtype")
        return class_of(mine) in KINDS[kind]
    return mine == as_dtype(kind)


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether promotion of a dtype (or of that of a tensor) with ``to`` gives ``to``: it then keeps what it can."""
    try:
        return promote(_dtype_of(from_), as_dtype(to)) == as_dtype(to)
    except DTypeError:
        if {_dtype_of(from_).itemsize, as_dtype(to).itemsize} & {1}:  # float8 is promoted with nothing
            return False
        raise


def result_type(*arrays_and_dtypes: Any) -> np.dtype:
    """The dtype that an op on these works in: tensors, dtypes and Python numbers, which are weak.

    Raises `DTypeError` where there is none, or nothing to promote.
    """
    if not arrays_and_dtypes:
        raise DTypeError(
            "result_type: takes at least one tensor, dtype or number; got none. Pass what is to be promoted"
        )
    weak = (bool, int, float, complex)
    kinds: list[Any] = [type(x) if type(x) in weak else _dtype_of(x) for x in arrays_and_dtypes]
    return promote(*kinds)


class Info:
    """What `__array_namespace_info__` gives: what the library can do, and on which devices."""

    def capabilities(self) -> dict[str, Any]:
        """Boolean indexing and shapes that depend on values are there; ``max dimensions`` is NumPy's."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        return "cpu"

    def default_dtypes(self, *, device: str | None = None) -> dict[str, np.dtype]:
        """Of numbers where nothing else decides, the same on every device."""
        _known(device)
        return {
            "real floating": DEFAULT_FLOAT,
            "complex floating": DEFAULT_COMPLEX,
            "integral": DEFAULT_INT,
            "indexing": DEFAULT_INT,
        }

    def dtypes(self, *, device: str | None = None, kind: Any = None) -> dict[str, np.dtype]:
        """The dtypes of the standard by name, of one kind or a tuple of kinds (see `isdtype`) where given."""
        _known(device)
        return {n: NAMES[n] for n in STANDARD if kind is None or isdtype(NAMES[n], kind)}

    def devices(self) -> tuple[str, ...]:
        """The devices that can be used here."""
        return tuple(name for name in backend_names() if _usable(name))


def _usable(name: str) -> bool:
    try:
        get_backend(name)
    except DeviceError:
        return False
    return True


def _known(device: str | None) -> None:
    if device is not None:
        get_backend(device)


def __array_namespace_info__() -> Info:
    """What the library can do (Array API standard, inspection)."""
    return Info()
