"""Data types and the one promotion rule.

Within a kind the Array API standard decides; across kinds the wider *kind* wins and the narrower operand does not
widen it (``int32 + float32 -> float32``, ``int64 + float16 -> float16``), as in the JAX lattice. Python scalars are
weak: they only raise the kind, never the width.
"""

from functools import cache, lru_cache
from typing import Any

import ml_dtypes
import numpy as np

from .errors import DTypeError

__all__ = [
    "DEFAULT_COMPLEX",
    "DEFAULT_FLOAT",
    "DEFAULT_INT",
    "NAMES",
    "as_dtype",
    "class_of",
    "complex_of",
    "is_floating",
    "kind_rank",
    "promote",
    "real_of",
    "short_name",
    "to_inexact",
    "wide_of",
]

BOOL = np.dtype("bool")
int8, int16, int32, int64 = (np.dtype(f"int{n}") for n in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (np.dtype(f"uint{n}") for n in (8, 16, 32, 64))
float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
complex64, complex128 = np.dtype("complex64"), np.dtype("complex128")
bfloat16 = np.dtype(ml_dtypes.bfloat16)
float8_e4m3fn, float8_e5m2 = np.dtype(ml_dtypes.float8_e4m3fn), np.dtype(ml_dtypes.float8_e5m2)

NAMES: dict[str, np.dtype] = {
    d.name: d
    for d in [
        *(BOOL, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, bfloat16, float32, float64),
        *(complex64, complex128, float8_e4m3fn, float8_e5m2),
    ]
}
_SHORT = {
    "bool": "b1", **{f"int{n}": f"i{n}" for n in (8, 16, 32, 64)}, **{f"uint{n}": f"u{n}" for n in (8, 16, 32, 64)},
    "float16": "f16", "bfloat16": "bf16", "float32": "f32", "float64": "f64", "complex64": "c64", "complex128": "c128",
    "float8_e4m3fn": "f8e4m3fn", "float8_e5m2": "f8e5m2",
}  # fmt: skip
FROM_SHORT = {short: NAMES[name] for name, short in _SHORT.items()}
DEFAULT_FLOAT = NAMES["float32"]
DEFAULT_INT = NAMES["int64"]
DEFAULT_COMPLEX = NAMES["complex64"]
_NATIVE = {d: d for d in NAMES.values()}
_CLASS = {NAMES[name]: "f" if name == "bfloat16" else short[0] for name, short in _SHORT.items()}
_PYTHON = {bool: "b", int: "i", float: "f", complex: "c"}
_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def as_dtype(dtype: object) -> np.dtype:
    """``np.dtype`` of a name, NumPy or ml_dtypes type, or Python type (``float`` is float32, ``int`` is int64).

    Raises `DTypeError` for what no tensor can hold (objects, strings, dates).
    """
    if dtype is None:
        raise DTypeError("dtype: must name a tensor type; got None. Leave the argument out for the default")
    if isinstance(dtype, np.dtype):
        found = _NATIVE.get(dtype, dtype)
        if found in _CLASS:
            return found
    elif isinstance(dtype, (type, str)) and dtype in _NAMED:
        return _NAMED[dtype]
    else:
        try:
            found = np.dtype(dtype)  # type: ignore[call-overload]
        except (TypeError, ValueError, SyntaxError):
            raise DTypeError(f"dtype: must name a tensor type; got {dtype!r}. Use one of {', '.join(NAMES)}") from None
    if found.name not in _SHORT:
        raise DTypeError(f"dtype: tensors hold numbers and booleans; got {found.name!r}. Use one of {', '.join(NAMES)}")
    return found.newbyteorder("=") if found.byteorder == ">" else found


@cache
def short_name(dtype: np.dtype) -> str:
    """``f32``, ``i64``, ``b1``, ...: the names that the graph text uses."""
    return _SHORT[dtype.name]


def class_of(dtype: np.dtype) -> str:
    """``b`` boolean, ``i`` signed, ``u`` unsigned, ``f`` floating, ``c`` complex."""
    try:
        return _CLASS[dtype]
    except KeyError:
        return _CLASS[as_dtype(dtype)]  # raises, or is the native order of the same type


def is_floating(dtype: np.dtype) -> bool:
    """Whether gradients flow through values of this type (real or complex floating)."""
    return class_of(dtype) in "fc"


def kind_rank(dtype: np.dtype) -> int:
    return _RANK[class_of(dtype)]


def default_of(cls: str) -> np.dtype:
    """The dtype that a Python scalar of a class gets when nothing else decides."""
    return {"b": NAMES["bool"], "i": DEFAULT_INT, "u": DEFAULT_INT, "f": DEFAULT_FLOAT, "c": DEFAULT_COMPLEX}[cls]


_NAMED: dict[Any, np.dtype] = {
    **NAMES,
    **{d.type: d for d in NAMES.values()},
    **{kind: default_of(cls) for kind, cls in _PYTHON.items()},
}
"""What `as_dtype` knows at once: names, NumPy's and ml_dtypes' scalar types, Python's types."""


def to_inexact(dtype: np.dtype) -> np.dtype:
    """The floating type in which a function such as `exp` works on this type."""
    return dtype if is_floating(dtype) else DEFAULT_FLOAT


def real_of(dtype: np.dtype) -> np.dtype:
    """The dtype of the parts of a complex one; of any other, itself."""
    return NAMES[f"float{4 * dtype.itemsize}"] if class_of(dtype) == "c" else dtype


def complex_of(dtype: np.dtype) -> np.dtype:
    """The complex dtype whose parts hold a floating one; of a complex one, itself."""
    return promote(dtype, complex)


def wide_of(dtype: np.dtype) -> np.dtype:
    """The dtype in which sums and products of many are worked: float32 of float16 and bfloat16, else the same."""
    return DEFAULT_FLOAT if dtype.itemsize == 2 and class_of(dtype) == "f" else dtype


@cache
def _promote_two(a: np.dtype, b: np.dtype) -> np.dtype:
    if a == b:
        return a
    ca, cb = class_of(a), class_of(b)
    if _RANK[ca] != _RANK[cb]:
        low, high = (a, b) if _RANK[ca] < _RANK[cb] else (b, a)
        if class_of(high) == "c" and low == NAMES["float64"]:
            return NAMES["complex128"]
        return high
    if ca == "f":
        if a.itemsize == 1 or b.itemsize == 1:
            raise DTypeError(f"promote: float8 is for storage; got {a.name} with {b.name}. Cast with astype first")
        return NAMES["float32"] if a.itemsize == b.itemsize else max(a, b, key=lambda d: d.itemsize)
    if ca != cb and ca in "iu":
        signed, unsigned = (a, b) if ca == "i" else (b, a)
        if unsigned.itemsize == 8:
            return DEFAULT_FLOAT
        return signed if signed.itemsize > unsigned.itemsize else NAMES[f"int{unsigned.itemsize * 16}"]
    return max(a, b, key=lambda d: d.itemsize)


def _weak_class(kind: object) -> str:
    for base, cls in _PYTHON.items():
        if isinstance(kind, type) and issubclass(kind, base):
            return cls
    raise DTypeError(f"promote: takes dtypes and Python number types; got {kind!r}. Make a tensor with asarray first")


@lru_cache(maxsize=4096)
def promote(*kinds: object) -> np.dtype:
    """The common type of dtypes and of Python's numbers (``float``, ``int``, ``bool``, ``complex``; these are weak).

    Raises `DTypeError` where there is none: between a float8 and another type of its kind, or for another Python type.
    """
    kinds = tuple(np.dtype(k) if isinstance(k, type) and issubclass(k, np.generic) else k for k in kinds)
    strong = [k for k in kinds if isinstance(k, np.dtype)]
    weak = [_weak_class(k) for k in kinds if not isinstance(k, np.dtype)]
    if not strong:
        return default_of(max(weak, key=lambda c: _RANK[c]))
    inexact = sorted(filter(is_floating, strong), key=kind_rank)  # beside one of these no integer counts, nor a pair
    out, *others = inexact or strong
    for other in others:
        out = _promote_two(out, other)
    for cls in weak:
        if _RANK[cls] > kind_rank(out):
            out = NAMES["complex128"] if cls == "c" and out == NAMES["float64"] else default_of(cls)
    return out
