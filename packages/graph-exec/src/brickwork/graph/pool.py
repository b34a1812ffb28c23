"""The threads of compiled code.

Workers are Python threads that spend their time inside native code, looking for chunks to claim; after a while without
work they come back and sleep on an event. The thread that runs a plan never waits for a worker to wake: it claims
chunks too, so a plan finishes with any number of workers, none included, and the partition into chunks does not depend
on it. Started on first use; made anew after a fork.
"""

from __future__ import annotations

import ctypes
import os
import threading

import numpy as np

from .cache import cached_object
from .config import thread_count
from .llvm.library import Library, native_text

__all__ = ["Pool", "pool"]

STATE_WORDS = 32
KEEP_WORD = 25
PATIENCE = 200_000
"""Rounds that a worker looks for work before it sleeps, about a millisecond."""


class Pool:
    """``threads``: how many run a plan, the caller among them."""

    def __init__(self, threads: int):
        self.threads = threads
        text = native_text("pool.ll")
        self._library = Library(cached_object("pool", text, lambda: text)[0])
        self.parallel = self._library.address("brickwork_parallel")
        self._state = np.zeros(STATE_WORDS + 8, np.int64)
        base = self._state.ctypes.data
        self.address = base + (-base % 64)
        work = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
        self._work = work(self._library.address("brickwork_worker"))
        self._awake = [False] * (threads - 1)
        self._events = [threading.Event() for _ in range(threads - 1)]
        self._started = False
        self._keep = ctypes.c_int64.from_address(self.address + 8 * KEEP_WORD)
        self.busy = threading.Lock()

    def wake(self, keep: bool = False) -> None:
        """See that the workers are looking for work, or about to; and that they ``keep`` looking, however long, until
        `rest`: nobody wakes them between calls that are made in one."""
        self._keep.value = keep
        if not self._started:
            self._started = True
            for k in range(self.threads - 1):
                threading.Thread(target=self._serve, args=(k,), name=f"brickwork-{k}", daemon=True).start()
        for k, awake in enumerate(self._awake):
            if keep or not awake:
                self._events[k].set()

    def rest(self) -> None:
        """Let workers sleep when they have found no work for a while."""
        self._keep.value = 0

    def _serve(self, k: int) -> None:
        while True:
            self._events[k].wait()
            self._events[k].clear()
            self._awake[k] = True
            self._work(self.address, PATIENCE)
            self._awake[k] = False


_pool: Pool | None = None
_lock = threading.Lock()


def pool() -> Pool | None:
    """The pool of this process; None where one thread is all there is."""
    global _pool
    if _pool is None:
        with _lock:
            if _pool is None and thread_count() > 1:
                _pool = Pool(thread_count())
    return _pool


def _forget() -> None:
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
