"""Normal form of a kernel: no axes of size 1, and neighbouring axes that are one run through memory made one.

Compilers call it first: a CPU gets longer vectors and fewer loops, a GPU fewer divisions to find its place.
"""

from __future__ import annotations

from collections.abc import Callable

from .dim import Size
from .expr import INDEX, Expr, const, index, leaves, substitute
from .kernel import Guard, Kernel, Read, Stage, Write

__all__ = ["coalesce"]


def coalesce(kernel: Kernel) -> Kernel:
    """The same kernel with fewer axes."""
    kernel = _drop_ones(kernel)
    a = 0
    while a + 1 < len(kernel.axes):
        if _mergeable(kernel, a):
            kernel = _merge(kernel, a)
        else:
            a += 1
    return kernel


def _drop_ones(kernel: Kernel) -> Kernel:
    keep = [a for a, n in enumerate(kernel.axes) if n != 1]
    return (
        kernel
        if len(keep) == len(kernel.axes)
        else _select(kernel, keep, [kernel.axes[a] for a in keep], sum(a < kernel.outer for a in keep))
    )


def _select(kernel: Kernel, keep: list[int], extents: list[Size], outer: int) -> Kernel:
    """The kernel on some of its axes; the index of any other is 0."""
    place = {a: k for k, a in enumerate(keep)}

    def pick(values: tuple[Size, ...]) -> tuple[Size, ...]:
        return tuple(values[a] for a in keep)

    def body(expr: Expr) -> Expr:
        return substitute(
            expr,
            lambda n: (index(place[n.value]) if n.value in place else const(0, INDEX)) if n.head == "index" else None,
        )

    reads = tuple(
        Read(
            r.source,
            r.dtype,
            r.offset,
            pick(r.strides),
            tuple(Guard(tuple(g.coeffs[a] for a in keep), g.const, g.extent) for g in r.guards),
            r.fill,
        )
        for r in kernel.reads
    )
    return Kernel(
        tuple(extents),
        outer,
        reads,
        _stages(kernel, lambda axes: tuple(place[a] for a in axes if a in place), pick, body),
    )


def _stages(
    kernel: Kernel,
    axes: Callable[[tuple[int, ...]], tuple[int, ...]],
    pick: Callable[..., tuple[Size, ...]],
    body: Callable[[Expr], Expr],
) -> tuple[Stage, ...]:
    out = []
    for s in kernel.stages:
        write = None if s.write is None else Write(s.write.target, s.write.dtype, s.write.offset, pick(s.write.strides))
        out.append(Stage(axes(s.axes), body(s.body), s.combine, write))
    return tuple(out)


def _mergeable(kernel: Kernel, a: int) -> bool:
    """Whether axes a and a + 1 are walked together by everything, as one."""
    b = a + 1
    if (a < kernel.outer) != (b < kernel.outer) or any((a in s.axes) != (b in s.axes) for s in kernel.stages):
        return False
    if any(set(leaves(s.body, "index")) & {a, b} for s in kernel.stages):
        return False
    if any(a in s.axes and s.axes.index(b) != s.axes.index(a) + 1 for s in kernel.stages):
        return False
    accesses = [r.strides for r in kernel.reads] + [w.strides for w in kernel.writes]
    if any(g.coeffs[a] or g.coeffs[b] for r in kernel.reads for g in r.guards):
        return False
    return all(strides[a] == strides[b] * kernel.axes[b] for strides in accesses)


def _merge(kernel: Kernel, a: int) -> Kernel:
    keep = [x for x in range(len(kernel.axes)) if x != a]
    extents = [kernel.axes[x] for x in keep]
    extents[a] = kernel.axes[a] * kernel.axes[a + 1]
    return _select(kernel, keep, extents, kernel.outer - (a < kernel.outer))
