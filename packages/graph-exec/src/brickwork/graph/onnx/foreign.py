"""Values that no tensor holds: strings, numbers of other widths, and sizes that are open while a function is traced."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from brickwork.tensor import Dim, asarray
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.errors import TraceError

__all__ = ["HELD", "Sizes", "by_places", "is_foreign", "settled", "sized", "text_of", "value_of"]

HELD = frozenset(NAMES.values())
"""The types of elements that tensors hold."""


@dataclass(frozen=True, slots=True, eq=False)
class Sizes:
    """Integers some of which are open: what follows from the shape of a tensor whose first axis is. ``array``: of
    objects, ints and `Dim`."""

    array: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape


def settled(array: Any) -> Any:
    """A tensor of int64 where no size is open, else `Sizes`."""
    values = np.asarray(array, object)
    if any(isinstance(v, Dim) for v in values.flat):
        return Sizes(values)
    return asarray(values.astype(np.int64))


def value_of(array: Any) -> Any:
    """A tensor of an array; the array itself where no tensor holds such numbers."""
    return array if is_foreign(array) else asarray(array)


def is_foreign(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype not in HELD


def text_of(value: Any) -> str:
    """An element of an array of strings, which may be bytes, or a number, as text."""
    return value.decode() if isinstance(value, bytes) else str(value)


def by_places(
    function: Callable[..., Any], values: Sequence[Any], keywords: dict[str, Any], where: Sequence[bool]
) -> list[np.ndarray]:
    """What moves tensors, done to arrays that none holds (those ``where``): to the places of their values, and back."""
    pool = np.concatenate([v.reshape(-1) for v, foreign in zip(values, where, strict=True) if foreign])
    count, args = 0, []
    for v, foreign in zip(values, where, strict=True):
        args.append(asarray(np.arange(count, count + v.size).reshape(v.shape)) if foreign else v)
        count += v.size if foreign else 0
    found = function(*args, **keywords)
    return [pool[f.numpy()] for f in (found if isinstance(found, tuple) else (found,))]


def _quotient(a: Any, b: Any) -> Any:
    """Exact where a size is open; of numbers without the fraction, as C has it."""
    if isinstance(a, Dim) or isinstance(b, Dim):
        return a // b
    return int(abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1)


def _equals(a: Any, b: Any) -> bool:
    """Whether sizes are one: an open one, of at least 1, is none of the numbers below, and of no other can one tell."""
    if a == b:
        return True
    gap = a - b
    if isinstance(gap, Dim) and not (all(c > 0 for m, c in gap.terms) or all(c < 0 for m, c in gap.terms)):
        raise TraceError(f"onnx: whether open sizes are equal must be known; got {a} and {b}. Compile for each size")
    return False


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add, "Sub": operator.sub, "Mul": operator.mul, "Div": _quotient, "Equal": _equals,
}  # fmt: skip


def sized(op: str, values: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """An op on values of which some are `Sizes`. Raises `TraceError` for one that takes numbers only."""
    arrays = [v.array if isinstance(v, Sizes) else v.numpy().astype(object) for v in values if v is not None]
    if op in _ARITHMETIC and len(arrays) == 2:
        found = np.frompyfunc(_ARITHMETIC[op], 2, 1)(*arrays)
        return asarray(np.asarray(found, bool)) if op == "Equal" else settled(found)
    if op == "Where" and len(arrays) == 3:
        return settled(np.where(arrays[0].astype(bool), arrays[1], arrays[2]))
    if op == "Cast" and keywords.get("to") in (6, 7):  # int32, int64
        return values[0]
    if op == "ReduceProd" and not keywords.get("keepdims", 1):
        return settled(np.array(reduce(operator.mul, arrays[0].flat, 1), object))
    raise TraceError(f"onnx: numbers must be known; got sizes that are open for {op}. Compile for each size")
