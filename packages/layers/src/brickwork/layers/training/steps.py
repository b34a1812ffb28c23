"""Steps over batches: one by one, or as many as fit in a moment in one native call.

A compiler may offer, of a function that it compiled, ``in_batches(*arrays, rows=, order=)``: an object with ``count``,
``done`` and ``run(n)``, which makes the next n calls without Python in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import numpy as np

from brickwork.tensor.tree import leaves

from .arrays import GATHER_BYTES, Rows

__all__ = ["CHUNK_SECONDS", "run_steps"]

CHUNK_SECONDS = 0.05
"""How long a native call may take: an interrupt and the progress bar wait that long."""


def run_steps(
    step: Callable[..., Any],
    rows: Rows,
    size: int,
    order: np.ndarray | None = None,
    limit: int | None = None,
    begin: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, Any]]:
    """(steps done, what the last of them returned), over all batches or ``limit`` of them; the last may be shorter.

    After each step where somebody hears of each: ``begin`` is called with its number before it. Else after as many as
    run in one call.
    """
    total = rows.steps(size) if limit is None else min(limit, rows.steps(size))
    done, whole = 0, min(total, rows.count // size)
    if begin is None and whole > 1 and hasattr(step, "in_batches") and _lie_in_rows(rows):
        for done, returned in _chunks(step.in_batches(rows.x, rows.y, rows.weight, rows=size, order=order), whole):
            yield done, returned
        if done == total:
            return
        if order is None:
            rows = rows.slice(done * size, rows.count)
        else:
            order = order[done * size :]
    for k, batch in enumerate(rows.batches(size, order), done):
        if k == total:
            break
        if begin is not None:
            begin(k)
        yield k + 1, step(*batch)


def _lie_in_rows(rows: Rows) -> bool:
    """Whether native code can read rows where they are, or a copy for it is small."""
    scattered = [a for a in leaves((rows.x, rows.y, rows.weight)) if not a[:1].flags.c_contiguous]
    return sum(a.nbytes for a in scattered) <= GATHER_BYTES


def _chunks(batches: Any, count: int) -> Iterator[tuple[int, Any]]:
    """``count`` steps in native calls of about `CHUNK_SECONDS` each; the first call is one step, and tells how long
    one takes."""
    chunk = 1
    while batches.done < count:
        some = min(chunk, count - batches.done)
        start = perf_counter()
        returned = batches.run(some)
        chunk = max(1, int(CHUNK_SECONDS * some / max(perf_counter() - start, 1e-6)))
        yield batches.done, returned
