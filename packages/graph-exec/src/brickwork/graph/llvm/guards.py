"""Guards of reads, in tiles: which hold by the sizes alone, which become bounds of loops, and which are tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from brickwork.tensor.dim import Dim
from brickwork.tensor.expr import Expr, leaves
from brickwork.tensor.kernel import Guard, Kernel, Stage

from .point import Point
from .strategy import Strategy
from .writer import Writer

__all__ = ["Guards"]

FEW_OPEN = 3
"""Of so many rows one may be outside of a guard: then it costs little to test it at those rows, and there is no second
version of the loop for tiles that are inside."""


class Guards:
    """The guards of a kernel that runs in tiles."""

    def __init__(self, writer: Writer, kernel: Kernel, plan: Strategy):
        self.w, self.kernel, self.plan = writer, kernel, plan
        self.all = {g for r in kernel.reads for g in r.guards}

    def certain(self, row: str | None, last: int | None) -> frozenset[Guard]:
        """Guards that hold wherever the other axes are at row ``row`` of tiles that begin at most at ``last``; None:
        wherever the rows are too."""
        rows = None
        if row is not None and row.isdigit() and last is not None:
            rows = int(row), int(row) + last
        return frozenset(g for g in self.all if self._holds(g, rows))

    def _holds(self, g: Guard, rows: tuple[int, int] | None) -> bool:
        low = high = g.const
        for a, c in enumerate(g.coeffs):
            size = self.kernel.axes[a]
            if c and isinstance(size, Dim):
                return False
            if c:
                first, last = rows if rows and a == self.plan.row_axis else (0, size - 1)
                low, high = low + min(c * first, c * last), high + max(c * first, c * last)  # type: ignore[operator]
        return not isinstance(g.extent, Dim) and 0 <= low and high < g.extent

    def around(self, stages: Sequence[Stage], points: Sequence[Point]) -> dict[Guard, bool]:
        """Guards that the loops of stages see to -> whether outside of them nothing is added, so that a loop may skip
        it. Those that fail at few rows are left to these."""
        out: dict[Guard, bool] = {}
        for stage in stages:
            factors = _factors(stage.body) if stage.combine == "add" else set()
            for n in leaves(stage.body, "arg"):
                for g in self.kernel.reads[n].guards:
                    skip = n in factors and self.kernel.reads[n].fill == 0.0 and len(stages) == 1
                    out[g] = out.get(g, True) and skip
        return {g: skip for g, skip in out.items() if not self._few_open(g, points)}

    def _few_open(self, g: Guard, points: Sequence[Point]) -> bool:
        return bool(self._along_rows(g)) and sum(g not in p.proven for p in points) * FEW_OPEN <= len(points)

    def to_test(self, guards: Mapping[Guard, bool], axes: Sequence[int], proven: frozenset[Guard]) -> Guard | None:
        """A guard that varies over the rows, with nothing open but ``axes``, which it does not move with."""
        ready = (
            g
            for g, skip in guards.items()
            if skip and g not in proven and self._along_rows(g) and not self._along_lanes(g)
            if not any(g.coeffs[a] for a in axes)
        )
        return next(ready, None)

    def _along_rows(self, g: Guard) -> int:
        return g.coeffs[self.plan.row_axis] if self.plan.row_axis is not None else 0

    def _along_lanes(self, g: Guard) -> int:
        return g.coeffs[self.plan.vector] if self.plan.vector is not None else 0

    def bounds(self, g: Guard, axis: int, rest: Sequence[int], points: Sequence[Point]) -> bool:
        """Whether a guard moves with the loop over this axis, and with nothing that is not known there."""
        open_rows = self._along_rows(g) and len({p.at.get(self.plan.row_axis) for p in points}) > 1  # type: ignore[arg-type]
        inner = any(g.coeffs[a] for a in rest)
        return g.coeffs[axis] != 0 and not inner and not open_rows and not self._along_lanes(g)

    def clip(self, g: Guard, axis: int, at: dict[int, str], low: str, high: str) -> tuple[str, str]:
        """Bounds of a loop within a guard: ``0 <= base + c * i < extent``."""
        w, c = self.w, g.coeffs[axis]
        base = w.affine(str(g.const), [(i, g.coeffs[a]) for a, i in at.items() if a != axis])
        extent = w.size(g.extent)
        if c > 0:
            first, last = w.ceil_div(w.sub("0", base), c), w.ceil_div(w.sub(extent, base), c)
        else:
            first = w.ceil_div(w.add(w.sub(base, extent), "1"), -c)
            last = w.ceil_div(w.add(base, "1"), -c)
        return w.max(low, first), w.min(high, last)

    def whole_tile(self, g: Guard, at: dict[int, str], points: Sequence[Point]) -> str:
        """Whether a guard holds for the first and the last row of the tile, and so for all."""
        w = self.w
        tests = []
        for p in (points[0], points[-1]):
            place = w.affine(str(g.const), [(i, g.coeffs[a]) for a, i in {**p.at, **at}.items()])
            tests.append(w.same(f"icmp ult i64 {place}, {w.size(g.extent)}"))
        return w.same(f"and i1 {tests[0]}, {tests[1]}")


def _factors(body: Expr) -> set[int]:
    """Operands that multiply the whole body: where one is zero, so is it."""
    if body.head == "mul":
        return _factors(body.args[0]) | _factors(body.args[1])
    if body.head == "cast":
        return _factors(body.args[0])
    return {body.value} if body.head == "arg" else set()
