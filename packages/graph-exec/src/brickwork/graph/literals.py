"""Parameters of nodes as text, and back.

The forms of a value:

    none  true  -3  1.5  inf  "text"  (1, 2)  dtype(f32)       Python's values and dtypes
    1.5:f32  true:b1  complex(1.0, -0.0):c64                   NumPy scalars, exact to the bit;
    bits(0xffc00000):f32                                       so are NaNs that no decimal names
    1+4*N  affine(...)  form(...)                              sizes and index maps (room `index_text`)
    {mul(a0:f32, 2.0:f32)}                                     scalar expressions (room `expr_text`)
    graph(...) {...}                                           bodies of regions (room `text`)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from brickwork.tensor.dim import Dim
from brickwork.tensor.dtypes import FROM_SHORT, class_of, short_name
from brickwork.tensor.expr import Expr
from brickwork.tensor.view import Affine, Form

from .index_text import affine_text, form_text, read_affine, read_form, read_size, size_text
from .ir import Graph
from .reader import GraphTextError, Reader

__all__ = [
    "dtype_text",
    "read_dtype",
    "read_scalar",
    "read_value",
    "scalar_text",
    "value_text",
]

_WORDS: dict[str, Any] = {"none": None, "true": True, "false": False, "inf": math.inf, "nan": math.nan}


def value_text(value: Any, other: Callable[[Any], str]) -> str:
    """The text of a parameter; ``other`` prints an `Expr` or a `Graph`. Raises `GraphTextError` where there is none."""
    match value:
        case np.generic():
            return scalar_text(value)
        case None | bool():
            return str(value).lower()
        case int() | float() if type(value) in (int, float):
            return repr(value)
        case str():
            import json  # noqa: PLC0415 - few graphs have texts in them

            return json.dumps(value)
        case tuple():
            inner = ", ".join(value_text(v, other) for v in value)
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        case np.dtype():
            return f"dtype({dtype_text(value)})"
        case Dim():
            return size_text(value)
        case Affine():
            return affine_text(value)
        case Form():
            return form_text(value)
        case Expr() | Graph():
            return other(value)
    raise GraphTextError(
        f"graph text: parameters must be of a kind that has a text; got {type(value).__name__}. "
        "Use numbers, strings or tuples"
    )


def dtype_text(dtype: np.dtype[Any]) -> str:
    """The short name: ``f32``, ``bf16``. Raises `GraphTextError` for what no tensor holds."""
    try:
        return short_name(dtype)
    except KeyError:
        raise GraphTextError(
            f"graph text: dtypes must be those of tensors; got {dtype}. Use one of {', '.join(FROM_SHORT)}"
        ) from None


def scalar_text(value: np.generic) -> str:
    """A NumPy scalar: the shortest decimal that gives the same bits, or the bits where no decimal does (odd NaNs).

    Whole numbers stand in full: 32768.0, where 32770.0 would name the same float16.
    """
    dtype = dtype_text(value.dtype)
    kind = class_of(value.dtype)
    if kind == "b":
        return f"{str(bool(value)).lower()}:{dtype}"
    if kind in "iu":
        return f"{int(value)}:{dtype}"
    if kind == "c":
        parts = value.real, value.imag
        words = [_decimal(p) for p in parts]
        return f"complex({words[0]}, {words[1]}):{dtype}" if None not in words else _bits_text(value)
    word = _decimal(value)
    return f"{word}:{dtype}" if word is not None else _bits_text(value)


def _decimal(value: np.generic) -> str | None:
    number = float(value)
    if not math.isfinite(number):
        # The plain NaN: a float64 carries the payload of a float32 along.
        number = math.nan if math.isnan(number) else number
        return repr(number) if _convert(number, value.dtype).tobytes() == value.tobytes() else None
    if value.dtype.itemsize == 8 or (number.is_integer() and abs(number) < 2**53):
        return repr(number)
    for digits in range(1, 18):
        rounded = float(f"{number:.{digits}g}")
        if _convert(rounded, value.dtype).tobytes() == value.tobytes():
            return repr(rounded)
    return None


def _bits_text(value: np.generic) -> str:
    return f"bits(0x{int.from_bytes(value.tobytes(), 'little'):0{2 * value.dtype.itemsize}x}):{dtype_text(value.dtype)}"


def _convert(number: Any, dtype: np.dtype[Any]) -> Any:
    with np.errstate(all="ignore"):
        return np.asarray(number).astype(dtype)[()]


# ---- reading ---------------------------------------------------------------------------------------------------------


def read_value(reader: Reader, other: Callable[[Reader], Any]) -> Any:
    """A parameter. ``other`` reads an `Expr` or a `Graph`, whose text starts with ``{`` or ``graph``."""
    with reader.nested():
        token = reader.token
        if (token.kind == "mark" and token.text == "{") or reader.at("graph"):
            return other(reader)
        if token.kind == "string":
            return _read_string(reader)
        if reader.accept("("):
            return reader.several(lambda: read_value(reader, other), ")")
        if reader.accept("dtype"):
            reader.expect("(")
            dtype = read_dtype(reader)
            reader.expect(")")
            return dtype
        if reader.at("affine"):
            return read_affine(reader)
        if reader.accept("form"):
            return read_form(reader)
        if token.kind == "quoted" or (
            token.kind == "name" and token.text not in _WORDS and token.text not in ("complex", "bits")
        ):
            return read_size(reader)
        return _read_number(reader)


def _read_string(reader: Reader) -> str:
    import json  # noqa: PLC0415 - as above

    at = reader.token.at
    try:
        return str(json.loads(reader.next().text))
    except ValueError:
        reader.fail("a string with JSON's escapes", "another escape", at)


def read_dtype(reader: Reader) -> np.dtype[Any]:
    """A dtype by its short name."""
    if reader.token.text not in FROM_SHORT:
        reader.fail(f"a dtype ({', '.join(FROM_SHORT)})")
    return FROM_SHORT[reader.next().text]


def _read_number(reader: Reader) -> Any:
    """A Python number, word or size; or, before a colon, a NumPy scalar."""
    at = reader.token.at
    if reader.at("complex") or reader.at("bits"):
        return read_scalar(reader)
    value = _read_plain(reader)
    if reader.at(":"):
        return _typed(reader, value, at)
    if type(value) is int and (reader.at("+") or reader.at("-") or reader.at("*")):
        return read_size(reader, value)
    return value


def _read_plain(reader: Reader) -> Any:
    """A number with its sign, or one of the words."""
    at, negative = reader.token.at, reader.accept("-")
    token = reader.token
    if token.kind == "int":
        value: Any = int(reader.next().text)
    elif token.kind == "float":
        value = float(reader.next().text)
        if math.isinf(value):
            reader.fail("a number that a float64 holds", "a greater one", token.at)
    elif token.kind == "name" and token.text in _WORDS:
        value = _WORDS[reader.next().text]
    else:
        reader.fail("a value")
    if negative and type(value) not in (int, float):
        reader.fail("a number after the sign", repr(token.text), at)
    return -value if negative else value


def read_scalar(reader: Reader) -> np.generic:
    """A NumPy scalar: a value, a colon, a dtype."""
    at = reader.token.at
    if reader.accept("complex"):
        reader.expect("(")
        parts = reader.several(lambda: _read_plain(reader), ")")
        if len(parts) != 2 or not all(type(p) is float for p in parts):
            reader.fail("complex(real, imaginary) with two floats", f"{len(parts)} values", at)
        return _typed(reader, parts, at)
    if reader.accept("bits"):
        reader.expect("(")
        bits = int(reader.take("hex", "the bits, as 0x..."), 16)
        reader.expect(")")
        return _typed(reader, bits, at, bits=True)
    return _typed(reader, _read_plain(reader), at)


def _typed(reader: Reader, value: Any, at: int, bits: bool = False) -> np.generic:
    """The scalar of the dtype after the colon; it must hold the value."""
    reader.expect(":")
    dtype = read_dtype(reader)
    kind = class_of(dtype)
    if bits:
        if value >> (8 * dtype.itemsize) or kind not in "fc":
            reader.fail(f"the bits of a {dtype.name}", "others", at)
        return np.frombuffer(value.to_bytes(dtype.itemsize, "little"), dtype)[0]  # type: ignore[no-any-return]
    takes: Any = {"b": bool, "i": int, "u": int, "f": float, "c": tuple}[kind]
    if type(value) is not takes:
        reader.fail(f"a value that a {dtype.name} holds", f"a {type(value).__name__}", at)
    if takes is int:
        info = np.iinfo(dtype)
        if not info.min <= value <= info.max:
            reader.fail(f"an integer that {dtype.name} holds", "one out of range", at)
    scalar = _convert(complex(*value) if takes is tuple else value, dtype)
    if takes is float and math.isfinite(value) and not np.isfinite(scalar.astype(np.float64)):
        reader.fail(f"a number that {dtype.name} holds", "a greater one", at)
    return scalar  # type: ignore[no-any-return]
