"""Tensors from nothing: constants, ranges, and `iota`, the index itself as a tensor."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np

from ..backend import get_backend, module_of
from ..dim import Dim, Size
from ..dtypes import DEFAULT_FLOAT, as_dtype
from ..errors import BrickworkError, DTypeError, ExchangeError, MemoryLimitError, ShapeError
from ..expr import INDEX, const, index, size_value
from ..memory import ledger
from ..op import Elementwise, Op, Spec, map_op, register
from ..spec import Shape, as_bool, as_float, as_int, as_shape, is_open
from ..tensor import Tensor, asarray
from ..trace import bind
from .movement import broadcast_to

__all__ = [
    "arange",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "full",
    "full_like",
    "iota",
    "linspace",
    "ones",
    "ones_like",
    "size_of",
    "zeros",
    "zeros_like",
]

_CUDA = 2
"""DLPack's number for memory of a CUDA device."""


class Iota(Elementwise):
    """The flat position of each element, int64: an elementwise op without operands whose body reads the loop
    indices."""

    def __init__(self) -> None:
        Op.__init__(self, "iota")

    def infer(self, *specs: Any, shape: Shape) -> Spec:
        return Spec(shape, INDEX)

    def eval(self, xp: Any, *arrays: Any, shape: Any) -> Any:
        return xp.arange(prod(shape), dtype=INDEX).reshape(shape)

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        return None

    @staticmethod
    def position(shape: Shape) -> Any:
        """The flat position as an expression in the loop indices."""
        out: Any = const(0, INDEX)
        for axis in range(len(shape)):
            out = out + index(axis) * size_value(prod(shape[axis + 1 :]))
        return out


_iota = register(Iota())


def iota(shape: Any) -> Tensor:
    """The flat position of each element of a shape, int64; never stored in a compiled function."""
    return bind(_iota, (), {"shape": as_shape("iota", shape)})


def _on(x: Tensor, device: str | None) -> Tensor:
    """On the device asked for; None asks for none."""
    return x if device is None or x.symbolic else x.to(device)


def _float(dtype: Any) -> np.dtype:
    return DEFAULT_FLOAT if dtype is None else as_dtype(dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """A tensor of one value. ``dtype``: of the value by default. Raises `ShapeError` for what is no shape."""
    sizes, scalar = as_shape("full", shape), _one("full", fill_value, dtype)
    if scalar.symbolic or is_open(sizes):
        return broadcast_to(_on(scalar, device), sizes)
    return _made("full", sizes, scalar.dtype, device, lambda: np.full(sizes, scalar.item(), scalar.dtype))


def _one(who: str, value: Any, dtype: Any) -> Tensor:
    scalar = asarray(value, dtype)
    if scalar.shape != ():
        raise ShapeError(f"{who}: the value must be one number; got {scalar.spec}. Use broadcast_to")
    return scalar


def zeros(shape: Any, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """Zeros of a shape, float32 by default. Raises `ShapeError` for what is no shape."""
    sizes, kind = as_shape("zeros", shape), _float(dtype)
    if is_open(sizes):
        return full(sizes, 0, kind, device=device)
    return _made("zeros", sizes, kind, device, lambda: np.zeros(sizes, kind))


def ones(shape: Any, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """Ones of a shape, float32 by default. Raises `ShapeError` for what is no shape."""
    return full(shape, 1, _float(dtype), device=device)


def empty(shape: Any, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """A tensor of a shape whose values are whatever its memory held, float32 by default; to be written over."""
    sizes, kind = as_shape("empty", shape), _float(dtype)
    if is_open(sizes):
        return zeros(sizes, kind, device=device)
    return _made("empty", sizes, kind, device, lambda: np.empty(sizes, kind))


def _made(
    who: str, sizes: Sequence[Any], dtype: np.dtype, device: str | None, make: Callable[[], np.ndarray]
) -> Tensor:
    """What NumPy makes, on a device, within the memory limit; NumPy's complaints as ours."""
    if ledger.limit is not None:
        ledger.ask(who, prod(sizes) * dtype.itemsize)
    try:
        return _on(Tensor(ledger.made(make())), device)
    except BrickworkError:
        raise
    except Exception as error:
        raise _complaint(who, error) from None


def full_like(x: Any, fill_value: Any, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """One value in the shape (and dtype and on the device, unless given) of ``x``. Raises `ShapeError` unless the value
    is one number."""
    like = asarray(x)
    scalar = _one("full_like", fill_value, like.dtype if dtype is None else dtype)
    if like.symbolic or scalar.symbolic:
        return broadcast_to(_on(scalar, device), like.shape)
    xp = module_of((like.data,))
    return _made(
        "full_like", like.shape, scalar.dtype, device, lambda: xp.full(like.shape, scalar.item(), scalar.dtype)
    )


def zeros_like(x: Any, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """Zeros in the shape and dtype of ``x``, on its device."""
    return full_like(x, 0, dtype, device=device)


def ones_like(x: Any, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """Ones in the shape and dtype of ``x``, on its device."""
    return full_like(x, 1, dtype, device=device)


def empty_like(x: Any, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """A tensor in the shape and dtype of ``x`` whose values are whatever its memory held."""
    like = asarray(x)
    if like.symbolic:
        return zeros_like(like, dtype, device=device)
    kind = like.dtype if dtype is None else as_dtype(dtype)
    xp = module_of((like.data,))
    return _made("empty_like", like.shape, kind, device, lambda: xp.empty(like.shape, kind))


def _kind(who: str, values: tuple[Any, ...]) -> type:
    """The Python type of the widest of some numbers."""
    kinds = {asarray(v).dtype.kind for v in values}
    if not kinds <= set("biufcV"):
        raise DTypeError(f"{who}: arguments must be numbers; got {values}. Convert them first")
    return complex if "c" in kinds else float if kinds & set("fV") else int


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """``start, start + step, ...`` below ``stop``; integers give int64, floats float32. ``stop`` alone starts at 0.

    Raises `DTypeError` for what are no numbers, `ShapeError` for a step of 0.
    """
    low, high = (0, start) if stop is None else (start, stop)
    with _saying("arange"):
        kind = as_dtype(dtype if dtype is not None else _kind("arange", (low, high, step)))
        if ledger.limit is not None:
            ledger.ask("arange", max(0, math.ceil((high - low) / step)) * kind.itemsize)
        made = np.arange(low, high, step)
        if made.dtype.kind == "f" and all(isinstance(v, int) for v in (low, high, step)):
            made = np.array(range(low, high, step), kind)  # beyond int64 NumPy counts in floats
        return _on(Tensor(ledger.made(made.astype(kind))), device)


def linspace(
    start: Any, stop: Any, num: int, dtype: Any = None, *, device: str | None = None, endpoint: bool = True
) -> Tensor:
    """``num`` evenly spaced values from ``start`` to ``stop``, which is the last where ``endpoint``; float32, complex64
    where an end is complex."""
    with _saying("linspace"):
        widest = complex if _kind("linspace", (start, stop)) is complex else float
        kind = as_dtype(dtype if dtype is not None else widest)
        last = as_bool("linspace", "endpoint", endpoint)
        if ledger.limit is not None:
            ledger.ask("linspace", as_int("linspace", "num", num, 0) * kind.itemsize)
        made = np.linspace(start, stop, num, endpoint=last).astype(kind)
        return _on(Tensor(ledger.made(made)), device)


def eye(rows: int, columns: int | None = None, dtype: Any = None, *, k: int = 0, device: str | None = None) -> Tensor:
    """Ones on diagonal ``k`` (0 the main one, above it 1), zeros elsewhere: (rows, columns), square by default, float32
    by default. Raises `ShapeError` for sizes below 0."""
    n = as_int("eye", "a size", rows, 0)
    m = n if columns is None else as_int("eye", "a size", columns, 0)
    kind, diagonal = _float(dtype), as_int("eye", "k", k)
    return _made("eye", (n, m), kind, device, lambda: np.eye(n, m, k=diagonal, dtype=kind))


@contextmanager
def _saying(who: str) -> Iterator[None]:
    """NumPy's complaints as ours, and none of its warnings."""
    try:
        with np.errstate(all="ignore"):
            yield
    except BrickworkError:
        raise
    except Exception as error:
        raise _complaint(who, error) from None


def _complaint(who: str, error: Exception) -> Exception:
    """What NumPy says of arguments, as an error of ours; what is none of theirs stays."""
    if isinstance(error, MemoryError):
        return MemoryLimitError(f"{who}: the result must fit in memory; got {error}. Use smaller parts")
    if isinstance(error, TypeError):
        return DTypeError(f"{who}: arguments must be numbers; got what NumPy refuses ({error}). Convert them first")
    if isinstance(error, (ValueError, OverflowError, ZeroDivisionError)):
        return ShapeError(
            f"{who}: arguments must describe a range or shape; got what NumPy refuses ({error}). Check them"
        )
    return error


def size_of(size: Size, dtype: Any = DEFAULT_FLOAT) -> Tensor | float:
    """A size as a scalar to compute with: a number, or a tensor where it is symbolic."""
    if not isinstance(size, Dim):
        return as_float("size_of", "size", size)
    return bind(map_op, (), {"body": size_value(size).cast(as_dtype(dtype))})


def from_dlpack(x: Any, /, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """A tensor of what another library's array offers by DLPack, on its own device or on ``device``.

    ``copy``: True for memory of its own, False for an error where sharing is not possible, None to share where it is.
    Raises `DTypeError` for what has no ``__dlpack__``, `ExchangeError` (a BufferError and a ValueError too)
    where it can not be taken over as asked.
    """
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise DTypeError(f"from_dlpack: takes arrays with __dlpack__; got {type(x).__name__}. Use asarray")
    own = copy is not None and as_bool("from_dlpack", "copy", copy)
    try:
        kind = int(x.__dlpack_device__()[0])
        source = get_backend("cuda" if kind == _CUDA else "cpu")
        shared = source.xp.from_dlpack(x)
    except (BufferError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        if isinstance(error, BrickworkError):
            raise
        raise ExchangeError(f"from_dlpack: the array must be one to share; got {type(x).__name__}: {error}") from None
    out = asarray(shared)
    if device is not None and out.to(device) is not out:
        if copy is False:
            raise ExchangeError(
                f"from_dlpack: without copy it stays on its device; got {out.device} to {device}. "
                "Leave copy or device out"
            )
        return out.to(device)
    return asarray(out, copy=True) if own else out
