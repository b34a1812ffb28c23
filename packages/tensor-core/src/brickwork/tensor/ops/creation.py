"""Tensors from nothing: constants, ranges, and `iota`, the index itself as a tensor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np

from ..backend import module_of
from ..dim import Dim, Size
from ..dtypes import DEFAULT_FLOAT, as_dtype
from ..errors import BrickworkError, DTypeError, MemoryLimitError, ShapeError
from ..expr import INDEX, const, index, size_value
from ..op import Elementwise, Op, Spec, map_op, register
from ..spec import Shape, as_float, as_shape
from ..tensor import Tensor, asarray
from ..trace import bind
from .movement import broadcast_to

__all__ = [
    "arange",
    "eye",
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


def full(shape: Any, value: Any, dtype: Any = None) -> Tensor:
    """A tensor of one value. ``dtype``: of the value by default. Raises `ShapeError` for what is no shape."""
    sizes, scalar = as_shape("full", shape), _one("full", value, dtype)
    if scalar.symbolic or any(isinstance(n, Dim) for n in sizes):
        return broadcast_to(scalar, sizes)
    with _saying("full"):
        return Tensor(np.full(sizes, scalar.item(), scalar.dtype))


def _one(who: str, value: Any, dtype: Any) -> Tensor:
    scalar = asarray(value, dtype)
    if scalar.shape != ():
        raise ShapeError(f"{who}: the value must be one number; got {scalar.spec}. Use broadcast_to")
    return scalar


def zeros(shape: Any, dtype: Any = DEFAULT_FLOAT) -> Tensor:
    """Zeros of a shape, float32 by default."""
    return full(shape, 0, as_dtype(dtype))


def ones(shape: Any, dtype: Any = DEFAULT_FLOAT) -> Tensor:
    """Ones of a shape, float32 by default."""
    return full(shape, 1, as_dtype(dtype))


def full_like(x: Any, value: Any, dtype: Any = None) -> Tensor:
    """One value in the shape (and dtype, unless given) of ``x``."""
    like = asarray(x)
    scalar = _one("full_like", value, like.dtype if dtype is None else dtype)
    if like.symbolic or scalar.symbolic:
        return broadcast_to(scalar, like.shape)
    return Tensor(module_of((like.data,)).full(like.shape, scalar.item(), scalar.dtype))


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Zeros in the shape and dtype of ``x``."""
    return full_like(x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Ones in the shape and dtype of ``x``."""
    return full_like(x, 1, dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """``start, start + step, ...`` below ``stop``; integers give int64, floats float32."""
    low, high = (0, start) if stop is None else (start, stop)
    kind = dtype if dtype is not None else (float if any(isinstance(v, float) for v in (low, high, step)) else int)
    with _saying("arange"):
        return Tensor(np.arange(low, high, step).astype(as_dtype(kind)))


def linspace(start: float, stop: float, num: int, dtype: Any = DEFAULT_FLOAT) -> Tensor:
    """``num`` evenly spaced values, both ends among them."""
    with _saying("linspace"):
        return Tensor(np.linspace(start, stop, num).astype(as_dtype(dtype)))


def eye(rows: int, columns: int | None = None, dtype: Any = DEFAULT_FLOAT) -> Tensor:
    """Ones on the diagonal."""
    with _saying("eye"):
        return Tensor(np.eye(rows, columns, dtype=as_dtype(dtype)))


@contextmanager
def _saying(who: str) -> Iterator[None]:
    """NumPy's complaints as ours, and none of its warnings."""
    try:
        with np.errstate(all="ignore"):
            yield
    except BrickworkError:
        raise
    except MemoryError as error:
        raise MemoryLimitError(f"{who}: the result must fit in memory; {error}. Use smaller parts") from None
    except TypeError as error:
        raise DTypeError(f"{who}: arguments must be numbers; {error}") from None
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise ShapeError(f"{who}: arguments must describe a range or shape; {error}") from None


def size_of(size: Size, dtype: Any = DEFAULT_FLOAT) -> Tensor | float:
    """A size as a scalar to compute with: a number, or a tensor where it is symbolic."""
    if not isinstance(size, Dim):
        return as_float("size_of", "size", size)
    return bind(map_op, (), {"body": size_value(size).cast(as_dtype(dtype))})
