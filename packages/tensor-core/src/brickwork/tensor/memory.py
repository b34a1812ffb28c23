"""`memory_limit`: a ceiling for the memory of tensors, asked before each allocation.

While a limit is set, the `ledger` knows every array that ops, creation and compiled functions made since, by the array
that owns the memory, so that a view costs nothing and what is freed is given back. Without a limit it is one
``is None`` per op. Who allocates asks first (`Ledger.ask`) and then hands the array over (`Ledger.hold`).
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any
from weakref import ref

from .errors import MemoryLimitError
from .spec import as_int

__all__ = ["Ledger", "ledger", "memory_limit"]


class Ledger:
    """The bytes that arrays hold which were made while a limit was set. ``limit``: in bytes; None for no limit."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self.in_use = 0
        self._lock = threading.RLock()  # a collection amid `hold` may free another array in the same thread
        self._held: dict[int, tuple[Any, int]] = {}

    def ask(self, who: str, nbytes: int) -> None:
        """Raises `MemoryLimitError` where ``nbytes`` more would pass the limit."""
        if self.limit is not None and self.in_use + nbytes > self.limit:
            raise MemoryLimitError(
                f"{who}: memory must stay within the limit; got {nbytes} bytes more on {self.in_use} in use, of "
                f"{self.limit}. Free tensors, work in smaller parts, or raise the limit with memory_limit(bytes)"
            )

    def hold(self, array: Any) -> None:
        """Count the memory of an array until it is freed: once, however many views there are. Memory of others, which
        an array only borrows, is not counted."""
        owner = array
        while getattr(owner, "base", None) is not None:
            if type(owner.base) is not type(owner):
                return
            owner = owner.base
        size = getattr(owner, "nbytes", 0)
        key = id(owner)
        if not size:
            return
        with self._lock:
            if key not in self._held:
                try:
                    self._held[key] = ref(owner, lambda _: self._free(key)), size
                except TypeError:  # a NumPy scalar
                    return
                self.in_use += size

    def made(self, array: Any) -> Any:
        """The array, counted where a limit is set."""
        if self.limit is not None:
            self.hold(array)
        return array

    def _free(self, key: int) -> None:
        with self._lock:
            self.in_use -= self._held.pop(key)[1]


ledger = Ledger()
"""The one ledger of the process: host and device memory together."""


class memory_limit:
    """At most ``nbytes`` bytes for tensors made from now on; None for no limit.

    A plain call sets it for the process; as a context manager it puts the limit before it back::

        with memory_limit(2**30):
            ...

    Counted is what lives of the results of ops (random numbers among them), of creation and of compiled functions, with
    their working memory. Not counted: what was made before, arrays of others that a tensor shares, and what an op needs
    only while it runs. An allocation that would pass the limit raises `MemoryLimitError` before it is made, which says
    who asked, for how much, how much is in use, and the limit.
    """

    def __init__(self, nbytes: int | None):
        self._before = ledger.limit
        ledger.limit = None if nbytes is None else as_int("memory_limit", "the number of bytes", nbytes, 0)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        ledger.limit = self._before
