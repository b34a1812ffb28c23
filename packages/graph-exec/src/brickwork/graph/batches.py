"""Many calls in one: a compiled function over successive batches of the rows of its arguments.

A small model's step takes less time than Python needs to cut a batch and to make the call, so native code does both,
for as many batches at a time as it is told. The plan is the same, and so are the bits.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from brickwork.tensor import tree

from .addresses import address_of, in_host
from .cache import cached_object
from .llvm.library import Library, native_text

if TYPE_CHECKING:
    from .compiled import Compiled

__all__ = ["BatchTable", "Batches", "checked_rows"]

_WORDS = 4  # per argument in the table of steps.ll
_STEPS = ctypes.CFUNCTYPE(
    ctypes.c_int64, *[ctypes.c_void_p] * 8, ctypes.c_int64, ctypes.c_void_p, *[ctypes.c_int64] * 3
)


@lru_cache(maxsize=1)
def _steps() -> tuple[Library, Callable[..., int]]:
    text = native_text("steps.ll")
    library = Library(cached_object("steps", text, lambda: text)[0])
    return library, _STEPS(library.address("brickwork_steps"))


class BatchTable:
    """What native code has to know of the arguments. ``buffers``: its own table of addresses, of which it changes those
    of the arguments from batch to batch."""

    def __init__(self, arrays: Sequence[np.ndarray], size: int, order: np.ndarray | None, buffers: int):
        self.run = _steps()[1]
        self.size, self.order, self.next = size, order, 0
        self.held: list[np.ndarray] = []
        self.buffers = (ctypes.c_void_p * buffers)()
        self.address = ctypes.addressof(self.buffers)
        self._table = (ctypes.c_int64 * max(1, _WORDS * len(arrays)))()
        for k, a in enumerate(arrays):
            self._table[_WORDS * k : _WORDS * (k + 1)] = self._entry(a)
        self._tail = ctypes.addressof(self._table), len(arrays), None if order is None else order.ctypes.data, size

    def _entry(self, array: np.ndarray) -> tuple[int, int, int, int]:
        """Address, stride and size of a row, and where rows are copied to."""
        whole = array if array[:1].flags.c_contiguous else in_host(array)
        self.held.append(whole)
        stride, count = whole.strides[0], whole[0].nbytes
        if self.order is None and stride == count:
            return address_of(whole), stride, count, 0
        place = np.empty((self.size, *whole.shape[1:]), whole.dtype)
        self.held.append(place)
        return address_of(whole), stride, count, address_of(place)

    def take(self, count: int) -> tuple[Any, ...]:
        """The arguments of ``brickwork_steps`` for the next so many batches."""
        first, self.next = self.next, self.next + count
        return (*self._tail, first * self.size, count)


class Batches:
    """A compiled function over batches; see `Function.in_batches`. ``count``: how many there are."""

    def __init__(
        self,
        compiled: Compiled,
        arrays: Sequence[np.ndarray],
        size: int,
        order: np.ndarray | None,
        values: dict[str, int] | None,
    ):
        self._compiled, self._values = compiled, values
        self.count = (len(arrays[0]) if order is None else len(order)) // size
        self._table = BatchTable(arrays, size, order, compiled.run.places)

    @property
    def done(self) -> int:
        """How many batches have been through."""
        return self._table.next

    def run(self, count: int = 1) -> Any:
        """Call the function on the next ``count`` batches, in one native call, and give what it returned for the last
        of them. Raises `ValueError` where that is none, or more than there are."""
        if not 1 <= count <= self.count - self.done:
            raise ValueError(
                f"in_batches: a run must have at least one batch and at most those that are left; got {count} of "
                f"{self.count - self.done}. Ask for as many as count - done"
            )
        results = self._compiled.run.many(self._table, count, self._values)
        return results[0] if self._compiled.single else tree.unflatten(self._compiled.out, results)


def checked_rows(name: str, arrays: Sequence[np.ndarray], size: int, order: Any) -> np.ndarray | None:
    """The order of rows as native code reads it. Raises `ValueError` for what would be read out of bounds."""
    counts = {a.shape[:1] for a in arrays}
    if len(counts) != 1 or counts == {()}:
        found = ", ".join(str(a.shape) for a in arrays) or "no array"
        raise ValueError(
            f"{name}: in_batches takes arrays with one number of rows; got {found}. Cut them to one length"
        )
    (count,) = counts.pop()
    if order is not None:
        order = np.ascontiguousarray(order)
        if order.ndim != 1 or order.dtype.kind not in "iu":
            raise ValueError(
                f"{name}: order must be row numbers in one axis; got {order.dtype} of shape {order.shape}. Pass a "
                "permutation of the rows"
            )
        order = order.astype(np.int64, copy=False)
        if order.size and not 0 <= order.min() <= order.max() < count:
            raise ValueError(
                f"{name}: order must be of rows from 0 below {count}; got {order.min()} to {order.max()}. Pass a "
                "permutation of the rows"
            )
    rows = count if order is None else len(order)
    if not 1 <= size <= rows:
        raise ValueError(
            f"{name}: a batch must have at least one row and at most all {rows}; got {size}. Call the function itself "
            "on fewer"
        )
    return order  # type: ignore[no-any-return]
