"""Columns side by side on a few threads: NumPy, Arrow and their like let others run while they compute."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from threading import Lock, Thread
from typing import TypeVar

__all__ = ["each", "number_of_threads"]

SMALL = 1 << 16  # values that are done before other threads have begun
MOST = 8  # beyond which memory, not arithmetic, is what is waited for

Item = TypeVar("Item")
Found = TypeVar("Found")


def number_of_threads() -> int:
    """BRICKWORK_NUM_THREADS, else OMP_NUM_THREADS (joblib sets it in its workers), else the CPUs this process has."""
    for name in ("BRICKWORK_NUM_THREADS", "OMP_NUM_THREADS"):
        asked = os.environ.get(name, "")
        if asked.isdecimal() and int(asked):
            return int(asked)
    ours = getattr(os, "sched_getaffinity", None)
    return min(MOST, len(ours(0)) if ours else os.cpu_count() or 1)


def each(function: Callable[[Item], Found], items: Iterable[Item], values: int) -> list[Found]:
    """`function` of each item, in their order; on threads where all of them together are of many `values`.

    What is found does not depend on the number of threads. Of several errors the first item's is raised.
    """
    items = items if isinstance(items, Sequence) else list(items)
    n = min(len(items), number_of_threads()) if values > SMALL else 1
    if n < 2:
        return [function(item) for item in items]
    found: dict[int, Found] = {}
    errors: dict[int, BaseException] = {}
    left, one_by_one = iter(range(len(items))), Lock()

    def work() -> None:
        while not errors:
            with one_by_one:
                place = next(left, None)
            if place is None:
                return
            try:
                found[place] = function(items[place])
            except BaseException as error:  # raised by the caller, once all have stopped
                errors[place] = error

    # The caller works too: every thread keeps memory of its own.
    others = [Thread(target=work, name=f"brickwork-prep-{i}", daemon=True) for i in range(1, n)]
    for other in others:
        other.start()
    work()
    for other in others:
        other.join()
    if errors:  # whoever stands before the first of them had begun, and has ended
        raise errors[min(errors)]
    return [found[place] for place in range(len(items))]
