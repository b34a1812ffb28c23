"""Tiles: lanes along an outer axis, and a tile of accumulators in registers."""

from __future__ import annotations

from collections.abc import Callable

from brickwork.tensor.expr import Expr, leaves
from brickwork.tensor.kernel import Guard, Stage

from .point import Point
from .stages import Stages

__all__ = ["Tiles"]


class Tiles(Stages):
    """Runs the stages at tiles of rows x columns points, of which each is a vector along the axis of the lanes."""

    def columns(self, at: dict[int, str], low: str, high: str) -> None:
        """Full tiles of columns, then single vectors, the last of them masked."""
        w, lanes, columns = self.w, self.plan.lanes, self.plan.columns
        step = lanes * columns
        static = low.lstrip("-").isdigit() and high.lstrip("-").isdigit()
        count = int(high) - int(low) if static else -1
        if not static or count >= step:
            stop = w.sub(high, str(step - 1)) if not static else str(int(low) + count // step * step)
            w.loop(low, stop, step, lambda j, _: self._rows(at, j, columns, None) or [])
        if static and count % step == 0:
            return
        if static:
            done = int(low) + count // step * step
            whole = (count % step) // lanes
            for k in range(whole):
                self._rows(at, str(done + k * lanes), 1, None)
            left = (count % step) % lanes
            if left:
                mask = "<" + ", ".join(f"i1 {'true' if k < left else 'false'}" for k in range(lanes)) + ">"
                self._rows(at, str(done + whole * lanes), 1, mask)
            return
        span = w.max(w.sub(high, low), "0")
        done = w.add(low, w.mul(w.let(f"sdiv i64 {span}, {step}"), str(step)))
        w.loop(done, high, lanes, lambda j, _: self._rows(at, j, 1, self.lanes_below(j, high)) or [])

    def _rows(self, at: dict[int, str], j: str, columns: int, mask: str | None) -> None:
        axis, tall = self.plan.row_axis, self.plan.rows
        if axis is None:
            self._tile(at, None, 1, j, columns, mask)
            return
        w, extent = self.w, self.kernel.axes[axis]
        if isinstance(extent, int):
            whole = extent // tall * tall
            if whole:
                w.loop("0", str(whole), tall, lambda i, _: self._tile(at, i, tall, j, columns, mask) or [])
            if extent > whole:
                self._tile(at, str(whole), extent - whole, j, columns, mask)
            return
        size = w.size(extent)
        w.loop("0", w.sub(size, str(tall - 1)), tall, lambda i, _: self._tile(at, i, tall, j, columns, mask) or [])
        done = w.mul(w.let(f"sdiv i64 {size}, {tall}"), str(tall))
        w.loop(done, size, 1, lambda i, _: self._tile(at, i, 1, j, columns, mask) or [])

    def _tile(self, at: dict[int, str], i: str | None, tall: int, j: str, columns: int, mask: str | None) -> None:
        points = []
        for r in range(tall):
            for c in range(columns):
                place = {**at, self.plan.vector: self.w.add(j, str(c * self.plan.lanes))}
                if i is not None:
                    place[self.plan.row_axis] = self.w.add(i, str(r))  # type: ignore[index]
                points.append(Point(place, self.plan.vector, self.plan.lanes, mask))  # type: ignore[arg-type]
        self._run_stages(points)

    def _run_stages(self, points: list[Point]) -> None:
        n = 0
        while n < len(self.stages):
            stage = self.stages[n]
            if stage.combine is None:
                n = self.write_now(n, points)
                continue
            group = self.group(n)
            self._combine(group, points)
            n = group[-1] + 1

    def _write_loop(self, stage: Stage, points: list[Point]) -> None:
        def inside(at: dict[int, str]) -> None:
            for p in points:
                q = Point({**p.at, **at}, p.axis, p.lanes, p.mask, p.accs)
                self.memory.write(stage.write, self.values.of(stage.body, q), q)  # type: ignore[arg-type]

        self.nest(list(stage.axes), {}, inside)

    def _combine(self, group: list[int], points: list[Point]) -> None:
        """One loop nest over the inner axes that updates an accumulator per stage and point."""
        axes = list(self.stages[group[0]].axes)
        start = [
            (self.accumulator_type(k, points[0].lanes), self.start_value(k, points[0].lanes))
            for k in group
            for _ in points
        ]
        guards = self._guards(group)

        def innermost(at: dict[int, str], values: list[str], proven: frozenset[Guard]) -> list[str]:
            inner = [Point({**p.at, **at}, p.axis, p.lanes, p.mask, p.accs, {}, proven) for p in points]
            self._share(inner)
            out = []
            for g, k in enumerate(group):
                for n, p in enumerate(inner):
                    out.append(self.update(self.stages[k], p, values[g * len(points) + n]))
            return out

        final = self._reduce_nest(axes, {}, points, start, guards, frozenset(), innermost)
        for g, k in enumerate(group):
            for n, p in enumerate(points):
                p.accs[k] = (final[g * len(points) + n], bool(p.lanes))

    def _share(self, points: list[Point]) -> None:
        """Reads that are the same at several points of a tile are made once."""
        kernel = self.kernel
        for k in sorted({k for s in self.stages if s.combine is not None for k in leaves(s.body, "arg")}):
            read = kernel.reads[k]
            guards = [g for g in read.guards if g not in points[0].proven]
            made: dict[tuple[str, ...], tuple[str, bool]] = {}
            for p in points:
                axes = [a for a in p.at if read.strides[a] != 0 or any(g.coeffs[a] for g in guards)]
                key = tuple(p.at[a] for a in axes)
                node = self._arg_node(k)
                if node is None:
                    continue
                if key not in made:
                    made[key] = self.memory.read(read, p)
                p.memo[id(node)] = made[key]

    def _arg_node(self, k: int) -> Expr | None:
        for s in self.stages:
            if s.combine is not None:
                for node, _ in s.body.program:
                    if node.head == "arg" and node.value == k:
                        return node
        return None

    def _guards(self, group: list[int]) -> dict[Guard, bool]:
        """Guards of the reads of these stages -> whether outside of them nothing is added, so that a loop may skip it."""
        out: dict[Guard, bool] = {}
        for k in group:
            stage = self.stages[k]
            factors = _factors(stage.body) if stage.combine == "add" else set()
            for n in leaves(stage.body, "arg"):
                for g in self.kernel.reads[n].guards:
                    skip = n in factors and self.kernel.reads[n].fill == 0.0 and len(group) == 1
                    out[g] = out.get(g, True) and skip
        return out

    def _reduce_nest(
        self,
        axes: list[int],
        at: dict[int, str],
        points: list[Point],
        values: list[tuple[str, str]],
        guards: dict[Guard, bool],
        proven: frozenset[Guard],
        innermost: Callable[..., list[str]],
    ) -> list[str]:
        """Loops over the inner axes. A guard that skips becomes a bound of the loop it depends on; one that varies over the rows of the
        tile is tested once for the whole tile, as soon as its axes are known.
        """
        ready = [
            g
            for g, skip in guards.items()
            if g not in proven
            and skip
            and self._row_coeff(g)
            and not any(g.coeffs[a] for a in axes)
            and not self._lane_coeff(g)
        ]
        if ready and len(points) > 1:
            guard = ready[0]
            inside = self._whole_tile(guard, at, points)
            types = [t for t, _ in values]
            return self.w.branch(
                inside,
                lambda: self._reduce_nest(axes, at, points, values, guards, proven | {guard}, innermost),
                lambda: self._reduce_nest(
                    axes, at, points, values, {g: s for g, s in guards.items() if g != guard}, proven, innermost
                ),
                types,
            )
        if not axes:
            return innermost(at, [v for _, v in values], proven)
        axis, rest = axes[0], axes[1:]
        low, high = "0", self.w.size(self.kernel.axes[axis])
        for guard, skip in guards.items():
            if skip and guard not in proven and self._bounds_here(guard, axis, rest, points):
                low, high = self._clip(guard, axis, at, points[0], low, high)
                proven = proven | {guard}
        types = [t for t, _ in values]
        return self.w.loop(
            low,
            high,
            1,
            lambda i, carried: self._reduce_nest(
                rest, {**at, axis: i}, points, list(zip(types, carried, strict=True)), guards, proven, innermost
            ),
            values,
        )

    def _row_coeff(self, g: Guard) -> int:
        return g.coeffs[self.plan.row_axis] if self.plan.row_axis is not None else 0

    def _lane_coeff(self, g: Guard) -> int:
        return g.coeffs[self.plan.vector] if self.plan.vector is not None else 0

    def _bounds_here(self, g: Guard, axis: int, rest: list[int], points: list[Point]) -> bool:
        """Whether the guard moves with this loop, and with nothing that is not known here."""
        open_rows = self._row_coeff(g) and len({p.at.get(self.plan.row_axis) for p in points}) > 1  # type: ignore[arg-type]
        return g.coeffs[axis] != 0 and not any(g.coeffs[a] for a in rest) and not open_rows and not self._lane_coeff(g)

    def _clip(self, g: Guard, axis: int, at: dict[int, str], point: Point, low: str, high: str) -> tuple[str, str]:
        """Bounds of a loop within a guard: ``0 <= base + c * i < extent``."""
        w, c = self.w, g.coeffs[axis]
        known = {**point.at, **at}
        base = w.affine(str(g.const), [(i, g.coeffs[a]) for a, i in known.items() if a != axis])
        extent = w.size(g.extent)
        if c > 0:
            first, last = w.ceil_div(w.sub("0", base), c), w.ceil_div(w.sub(extent, base), c)
        else:
            first = w.ceil_div(w.add(w.sub(base, extent), "1"), -c)
            last = w.ceil_div(w.add(base, "1"), -c)
        return w.max(low, first), w.min(high, last)

    def _whole_tile(self, g: Guard, at: dict[int, str], points: list[Point]) -> str:
        """Whether a guard holds for the first and the last row of the tile, and so for all."""
        w = self.w
        tests = []
        for p in (points[0], points[-1]):
            place = w.affine(str(g.const), [(i, g.coeffs[a]) for a, i in {**p.at, **at}.items()])
            tests.append(w.let(f"icmp ult i64 {place}, {w.size(g.extent)}"))
        return w.let(f"and i1 {tests[0]}, {tests[1]}")


def _factors(body: Expr) -> set[int]:
    """Operands that multiply the whole body: where one is zero, so is it."""
    if body.head == "mul":
        return _factors(body.args[0]) | _factors(body.args[1])
    if body.head == "cast":
        return _factors(body.args[0])
    return {body.value} if body.head == "arg" else set()
