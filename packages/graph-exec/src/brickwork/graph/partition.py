"""Reductions to few numbers, in parts that threads can share.

A kernel is shared along its outer axes. Where those are few and the sums long (a loss, the statistics of a channel, the
gradient of a bias), a reduced axis is cut into a fixed number of parts: one kernel makes the sums of the parts, and
another adds those up and does what the first kernel did with them. The number of parts depends on sizes alone, so the
bits are the same at any number of threads. A sum that needs another one first (a variance, its mean) has parts of its
own, after those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from brickwork.tensor.coalesce import coalesce
from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.expr import INDEX, Expr, acc, arg, const, index, leaves, substitute
from brickwork.tensor.kernel import Guard, Kernel, Read, Stage, Write

__all__ = ["partitioned"]

SHARED_FROM = 250_000
"""Rough operations under which a kernel is not worth a second one."""
PART = 40_000
"""Rough operations of a part at least."""
TERMS = 64
"""Terms of a part's sum at least, so that the sums themselves weigh little."""
UNITS, ENOUGH = 32, 8
"""Parts to make, all in all; and how many a kernel may have of its own to be left alone."""
TILE, COLUMN = 448, 64
"""Points that are made together: of a product, whose operands are used for many; and of other sums."""

Fresh = Callable[[np.dtype, int], int]


@dataclass(frozen=True, slots=True)
class _Cut:
    """``axis`` is cut into ``count`` parts of ``size``, and a last, shorter one where ``rest`` is not 0."""

    axis: int
    count: int
    size: int
    rest: int

    @property
    def all(self) -> int:
        return self.count + (self.rest > 0)


def partitioned(kernel: Kernel, fresh: Fresh) -> list[Kernel]:
    """The kernel, or kernels that do the same in parts. ``fresh(dtype, count)``: the number of a new value."""
    if not _sums_first(kernel):
        return [kernel]
    normal = coalesce(kernel)
    cut = _cut_of(normal)
    return [kernel] if cut is None else list(_Parts(normal, cut, fresh).kernels())


def _sums_first(kernel: Kernel) -> bool:
    """Whether it sums over all its inner axes, then writes without a loop; all sizes known."""
    inner = tuple(range(kernel.outer, len(kernel.axes)))
    if not inner or any(isinstance(n, Dim) for n in kernel.axes):
        return False
    return all(s.axes == (inner if s.combine else ()) for s in kernel.stages)


def _cut_of(kernel: Kernel) -> _Cut | None:
    """How to cut a kernel in normal form, or None where it is not worth it."""
    outer, inner = kernel.axes[: kernel.outer], kernel.axes[kernel.outer :]
    points, terms = prod(outer), prod(inner)  # type: ignore[type-var]
    combining = [s for s in kernel.stages if s.combine]
    work = points * terms * sum(max(1, sum(1 for n, _ in s.body.program if n.args)) for s in combining)
    units = -(-points // (TILE if _is_product(kernel) else COLUMN))
    if units >= ENOUGH or work < SHARED_FROM:
        return None
    most = min(UNITS // units, work // PART, terms // TERMS)
    if most < 2:
        return None
    axis = next((a for a, n in enumerate(inner) if n >= most), int(np.argmax(inner)))
    return _parts_of(kernel.outer + axis, inner[axis], min(most, inner[axis]))  # type: ignore[arg-type]


def _is_product(kernel: Kernel) -> bool:
    """Whether an operand of a sum stands still along an outer axis, so that rows of a tile share it."""
    used = {k for s in kernel.stages if s.combine for k in leaves(s.body, "arg")}
    return any(kernel.reads[k].strides[a] == 0 for k in used for a in range(kernel.outer))


def _parts_of(axis: int, extent: int, most: int) -> _Cut | None:
    """Equal parts where the extent has a fitting divisor, else a last part that is shorter."""
    if most < 2:
        return None
    equal = next((n for n in range(most, most // 2, -1) if extent % n == 0), None)
    if equal is not None:
        return _Cut(axis, equal, extent // equal, 0)
    size = -(-extent // most)
    return _Cut(axis, extent // size, size, extent % size)


class _Parts:
    """The kernels of one that is cut. The sums of a part are in ``made``: by stage, the value that holds them all."""

    def __init__(self, kernel: Kernel, cut: _Cut, fresh: Fresh):
        self.kernel, self.cut, self.fresh = kernel, cut, fresh
        self.points = prod(kernel.axes[: kernel.outer])  # type: ignore[type-var]
        self.made: dict[int, tuple[int, np.dtype]] = {}

    def kernels(self) -> Iterator[Kernel]:
        cut = self.cut
        for stages in self._levels():
            for k in stages:
                dtype = self.kernel.stages[k].body.dtype
                self.made[k] = self.fresh(dtype, cut.all * self.points), dtype  # type: ignore[operator]
            yield self._some(stages, 0, cut.count, cut.size)
            if cut.rest:
                yield self._some(stages, cut.count, 1, cut.rest)
        yield self._last()

    def _levels(self) -> list[list[int]]:
        """The sums that can be made together: each after those that it needs."""
        level: dict[int, int] = {}
        for k, s in enumerate(self.kernel.stages):
            if s.combine:
                level[k] = 1 + max((level[n] for n in leaves(s.body, "acc")), default=-1)
        return [[k for k in level if level[k] == n] for n in range(1 + max(level.values()))]

    def _some(self, stages: list[int], first: int, count: int, size: int) -> Kernel:
        """The sums of ``count`` parts of ``size`` from part ``first`` on. Axes: parts, then those of the kernel, then
        all parts, for the sums that are needed whole."""
        kernel, cut = self.kernel, self.cut
        start = first * cut.size
        n = len(kernel.axes)
        bodies = [kernel.stages[k].body for k in stages]
        needed = sorted({a for body in bodies for a in leaves(body, "acc")})
        axes: list[Size] = [count, *kernel.axes, cut.all if needed else 1]
        axes[1 + cut.axis] = size
        reads = [self._shifted(r, start) for r in kernel.reads]
        whole, reads, place = self._whole(needed, reads, 1, len(axes))

        def moved(e: Expr) -> Expr | None:
            if e.head == "acc":
                return acc(place[e.value], e.dtype)
            if e.head != "index":
                return None
            if e.value != cut.axis:
                return index(e.value + 1)
            return index(0) * const(cut.size, INDEX) + index(e.value + 1) + const(start, INDEX)

        inner = tuple(range(1 + kernel.outer, 1 + n))
        sums = [
            Stage(inner, substitute(body, moved), kernel.stages[k].combine)
            for k, body in zip(stages, bodies, strict=True)
        ]
        strides = (self.points, *self._dense(), *[0] * (len(axes) - 1 - kernel.outer))
        writes = []
        for position, k in enumerate(stages, len(whole)):
            value, dtype = self.made[k]
            target = Write(value, dtype, first * self.points, strides)  # type: ignore[operator]
            writes.append(Stage((), acc(position, dtype), None, target))
        return _made(tuple(axes), 1 + kernel.outer, reads, (*whole, *sums, *writes))

    def _last(self) -> Kernel:
        """The parts added up, and what the kernel writes. Axes: the outer ones, then all parts."""
        kernel, outer = self.kernel, self.kernel.outer
        axes = (*kernel.axes[:outer], self.cut.all)
        reads = [
            Read(
                r.source,
                r.dtype,
                r.offset,
                (*r.strides[:outer], 0),
                tuple(Guard((*g.coeffs[:outer], 0), g.const, g.extent) for g in r.guards),
                r.fill,
            )
            for r in kernel.reads
        ]
        whole, reads, place = self._whole(sorted(self.made), reads, 0, len(axes))
        writes = [
            Stage(
                (),
                substitute(s.body, lambda e: acc(place[e.value], e.dtype) if e.head == "acc" else None),
                None,
                Write(s.write.target, s.write.dtype, s.write.offset, (*s.write.strides[:outer], 0)),
            )
            for s in kernel.stages
            if s.write is not None
        ]
        return _made(axes, outer, reads, (*whole, *writes))

    def _whole(
        self, sums: list[int], reads: list[Read], before: int, axes: int
    ) -> tuple[list[Stage], list[Read], dict[int, int]]:
        """Stages that add up the parts of some sums along the last of so many axes, with reads for them, and the place
        of each. ``before``: how many axes are before the outer ones."""
        kernel, stages, place = self.kernel, [], {}
        between = axes - 1 - before - kernel.outer
        for k in sums:
            value, dtype = self.made[k]
            place[k] = len(stages)
            strides = (*[0] * before, *self._dense(), *[0] * between, self.points)
            stages.append(Stage((axes - 1,), arg(len(reads), dtype), kernel.stages[k].combine))
            reads = [*reads, Read(value, dtype, 0, strides)]
        return stages, reads, place

    def _dense(self) -> list[Size]:
        """Strides of the outer axes in the sums of a part."""
        out: list[Size] = []
        step: Size = 1
        for n in reversed(self.kernel.axes[: self.kernel.outer]):
            out.append(step)
            step = n * step
        return out[::-1]

    def _shifted(self, r: Read, start: int) -> Read:
        """A read in parts, the first of which starts at an index."""
        axis, size = self.cut.axis, self.cut.size
        step = r.strides[axis]
        guards = tuple(
            Guard((g.coeffs[axis] * size, *g.coeffs, 0), g.const + g.coeffs[axis] * start, g.extent) for g in r.guards
        )
        return Read(r.source, r.dtype, r.offset + step * start, (step * size, *r.strides, 0), guards, r.fill)


def _made(axes: tuple[Size, ...], outer: int, reads: list[Read], stages: tuple[Stage, ...]) -> Kernel:
    """A kernel with only the reads that are used."""
    used = sorted({k for s in stages for k in leaves(s.body, "arg")})
    number = {k: n for n, k in enumerate(used)}
    final = tuple(
        Stage(
            s.axes,
            substitute(s.body, lambda e: arg(number[e.value], e.dtype) if e.head == "arg" else None),
            s.combine,
            s.write,
        )
        for s in stages
    )
    kernel = Kernel(axes, outer, tuple(reads[k] for k in used), final)
    kernel.check()
    return kernel
