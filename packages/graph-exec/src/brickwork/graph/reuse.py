"""Results that are written over what they are made of.

A kernel may write a value where one lies that nobody reads after it, when it reads that one only as the element it
writes at the same point. So a chain of elementwise work takes one place, and touches memory that is in cache.
"""

from __future__ import annotations

from collections.abc import Iterable

from brickwork.tensor.expr import leaves
from brickwork.tensor.kernel import Kernel, Stage, Write

__all__ = ["written_over"]


def written_over(kernel: Kernel, target: int, sources: Iterable[int]) -> int | None:
    """The first of ``sources`` (values of as many bytes) whose place the kernel may write ``target`` to."""
    stages = [k for k, s in enumerate(kernel.stages) if s.write is not None and s.write.target == target]
    if len(stages) != 1 or any(_loops(s) for s in kernel.stages[stages[0] :]):
        return None
    write = kernel.stages[stages[0]].write
    assert write is not None
    if any(n != 1 and step == 0 for n, step in zip(kernel.axes[: kernel.outer], write.strides, strict=False)):
        return None  # written more than once, so it would be read after it is written
    return next((v for v in sources if _only_here(kernel, v, write)), None)


def _only_here(kernel: Kernel, source: int, write: Write) -> bool:
    """Whether a value is read only at the element that is written, by stages without loops."""
    reads = {k: r for k, r in enumerate(kernel.reads) if r.source == source}
    same = all(
        not r.guards
        and (r.offset, r.strides) == (write.offset, write.strides)
        and r.dtype.itemsize == write.dtype.itemsize
        for r in reads.values()
    )
    return same and not any(_loops(s) and reads.keys() & set(leaves(s.body, "arg")) for s in kernel.stages)


def _loops(stage: Stage) -> bool:
    return stage.combine is not None or bool(stage.axes)
