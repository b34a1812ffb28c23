"""Fewer loops for the same kernel: neighbouring axes that every access walks as one become one.

A GPU finds its axes' indices from a flat number by division; most elementwise kernels need none of that once collapsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from brickwork.tensor.dim import Size
from brickwork.tensor.expr import Expr, index, leaves, substitute
from brickwork.tensor.kernel import Guard, Kernel, Read, Stage, Write

__all__ = ["collapse"]


def collapse(kernel: Kernel) -> Kernel:
    """The same kernel with neighbouring axes merged wherever strides, guards, index leaves and stages allow it."""
    a = 0
    while a + 1 < len(kernel.axes):
        if _mergeable(kernel, a):
            kernel = _merge(kernel, a)
        else:
            a += 1
    return kernel


def _accesses(kernel: Kernel) -> Iterator[Read | Write]:
    yield from kernel.reads
    yield from kernel.writes


def _mergeable(kernel: Kernel, a: int) -> bool:
    """Whether axes a and a + 1 are one loop in all but name."""
    if a + 1 == kernel.outer:
        return False
    together = all((a in s.axes) == (a + 1 in s.axes) and _follow(s.axes, a) for s in kernel.stages)
    named = any(axis in (a, a + 1) for s in kernel.stages for axis in leaves(s.body, "index"))
    guarded = any(g.coeffs[a] or g.coeffs[a + 1] for r in kernel.reads for g in r.guards)
    if not together or named or guarded:
        return False
    if 1 in kernel.axes[a : a + 2]:
        return True
    return all(x.strides[a] == x.strides[a + 1] * kernel.axes[a + 1] for x in _accesses(kernel))


def _follow(axes: tuple[int, ...], a: int) -> bool:
    """Whether a stage that loops over both runs a + 1 directly inside a."""
    return a not in axes or axes.index(a + 1) == axes.index(a) + 1


def _merge(kernel: Kernel, a: int) -> Kernel:
    inner_is_one = kernel.axes[a + 1] == 1

    def drop(strides: tuple[Size, ...]) -> tuple[Size, ...]:
        kept = strides[a] if inner_is_one else strides[a + 1]
        return (*strides[:a], kept, *strides[a + 2 :])

    def guard(g: Guard) -> Guard:
        return Guard((*g.coeffs[:a], 0, *g.coeffs[a + 2 :]), g.const, g.extent)

    def renumber(node: Expr) -> Expr | None:
        return index(node.value - 1) if node.head == "index" and node.value > a else None

    def stage(s: Stage) -> Stage:
        axes = tuple(x - (x > a) for x in s.axes if x != a + 1)
        write = s.write and replace(s.write, strides=drop(s.write.strides))
        return Stage(axes, substitute(s.body, renumber), s.combine, write)

    reads = tuple(replace(r, strides=drop(r.strides), guards=tuple(map(guard, r.guards))) for r in kernel.reads)
    axes = (*kernel.axes[:a], kernel.axes[a] * kernel.axes[a + 1], *kernel.axes[a + 2 :])
    return Kernel(axes, kernel.outer - (a + 1 < kernel.outer), reads, tuple(map(stage, kernel.stages)))
