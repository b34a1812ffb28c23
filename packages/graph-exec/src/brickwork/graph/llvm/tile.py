"""Tiles: lanes along an outer axis, and a tile of accumulators in registers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brickwork.tensor.expr import leaves
from brickwork.tensor.kernel import Guard, Stage

from .point import Point
from .stages import ACCUMULATORS
from .staging import Staging, Tile
from .types import first_lanes

__all__ = ["Tiles"]


LONG = 14
"""Instructions at each point from which an epilogue is a loop over the rows: unrolled it is long to compile and no
faster."""


class Tiles(Staging):
    """Runs the stages at tiles of rows x columns points, of which each is a vector along the axis of the lanes."""

    def count(self) -> int | None:
        """How many steps the outer of the two tile loops has; None where its axis has a symbolic size."""
        axis, step = self._outer_loop()
        size = self.kernel.axes[axis]
        return -(-size // step) if isinstance(size, int) else None

    def _outer_loop(self) -> tuple[int, int]:
        """The axis of the outer tile loop, and its step."""
        plan = self.plan
        assert plan.vector is not None
        if plan.rows_first and plan.row_axis is not None:
            return plan.row_axis, plan.rows
        return plan.vector, plan.width

    def all(self, at: dict[int, str]) -> None:
        """Every tile at a place of the other outer axes."""
        count = self.count()
        if count is None:
            self.lanes_of(at, "0", self.w.size(self.kernel.axes[self.plan.vector]))  # type: ignore[index]
        else:
            self.some(at, "0", str(count))

    def some(self, at: dict[int, str], first: str, last: str) -> None:
        """Steps ``first .. last`` of the outer tile loop."""
        self._fix(at)
        whole, left = self._steps()
        if whole:
            self.w.each(first, self.w.min(last, str(whole)) if left else last, 1, lambda t: self._whole_step(at, t))
        if left:
            self.w.each(self.w.max(first, str(whole)), last, 1, lambda _: self._last_step(at))

    def one(self, at: dict[int, str], t: str) -> None:
        """Step ``t`` of the outer tile loop."""
        self._fix(at)
        whole, left = self._steps()

        def full() -> list[str]:
            self._whole_step(at, t)
            return []

        def rest() -> list[str]:
            self._last_step(at)
            return []

        if whole and left:
            self.w.branch(self.w.same(f"icmp slt i64 {t}, {whole}"), full, rest, ())
        else:
            (full if whole else rest)()

    def _steps(self) -> tuple[int, int]:
        """Steps of the outer tile loop that are as wide as the others, and what is left for a last one. Rows leave
        nothing: their last tile is moved up."""
        axis, step = self._outer_loop()
        size = self.kernel.axes[axis]
        assert isinstance(size, int)
        return (-(-size // step), 0) if axis == self.plan.row_axis else divmod(size, step)

    def _whole_step(self, at: dict[int, str], t: str) -> None:
        axis, step = self._outer_loop()
        start = self.w.mul(t, str(step))
        if axis == self.plan.row_axis:
            self._row_of_tiles(at, start)
        else:
            self._column_of_tiles(at, start, step)

    def _last_step(self, at: dict[int, str]) -> None:
        """The narrower column at the end."""
        whole, left = self._steps()
        self._column_of_tiles(at, str(whole * self.plan.width), left)

    def _row_of_tiles(self, at: dict[int, str], own: str) -> None:
        width = self.kernel.axes[self.plan.vector]  # type: ignore[index]
        assert isinstance(width, int)
        self._along("0", width, lambda j, columns, mask: self._run(self._tile(at, own, j, columns, mask)))

    def _tile(self, at: dict[int, str], own: str, j: str, columns: int, mask: str | None) -> Tile:
        """The tile of rows from ``own`` on. The last one is moved up until it ends where the axis does, and makes some
        rows again: so there is no code for a lower one."""
        tall, count = self.plan.rows, self.kernel.axes[self.plan.row_axis]  # type: ignore[index]
        assert isinstance(count, int)
        if count % tall == 0:
            return Tile(at, own, tall, j, columns, mask, None, count - tall)
        return Tile(at, self.w.min(own, str(count - tall)), tall, j, columns, mask, own, count - tall)

    def _column_of_tiles(self, at: dict[int, str], j: str, width: int) -> None:
        self.pack(at, j, width)
        self._along(j, width, lambda k, columns, mask: self._rows(at, k, columns, mask))

    def _along(self, first: str, width: int, run: Callable[[str, int, str | None], None]) -> None:
        """So many lanes from ``first`` on, in full tiles of columns, then single vectors, the last of them masked."""
        lanes, step = self.plan.lanes, self.plan.width
        done = width // step * step
        if done == step:
            run(first, self.plan.columns, None)
        elif done:
            self.w.each(first, self.w.add(first, str(done)), step, lambda j: run(j, self.plan.columns, None))
        for k in range(done, width, lanes):
            run(self.w.add(first, str(k)), 1, first_lanes(width - k, lanes) if width - k < lanes else None)

    def lanes_of(self, at: dict[int, str], low: str, high: str) -> None:
        """Columns of tiles where the axis of the lanes has a symbolic size."""
        self._fix(at)
        w, lanes, columns, step = self.w, self.plan.lanes, self.plan.columns, self.plan.width
        w.each(low, w.sub(high, str(step - 1)), step, lambda j: self._rows(at, j, columns, None))
        span = w.max(w.sub(high, low), "0")
        done = w.add(low, w.mul(w.let(f"sdiv i64 {span}, {step}"), str(step)))
        w.each(done, high, lanes, lambda j: self._rows(at, j, 1, self.lanes_below(j, high)))

    def _fix(self, at: dict[int, str]) -> None:
        """Compute what depends on the other outer axes alone before the loops over tiles."""
        point = Point(at)
        others = {*range(len(self.kernel.axes)), ACCUMULATORS} - set(at)
        self.hoist([s.body for s in self.stages], point, others)
        self.fixed = point.memo

    def _rows(self, at: dict[int, str], j: str, columns: int, mask: str | None) -> None:
        axis, tall = self.plan.row_axis, self.plan.rows
        if axis is None:
            self._run(Tile(at, None, 1, j, columns, mask))
            return
        w, extent = self.w, self.kernel.axes[axis]
        if isinstance(extent, int):
            w.each("0", str(extent), tall, lambda own: self._run(self._tile(at, own, j, columns, mask)))
            return
        size = w.size(extent)
        w.each("0", w.sub(size, str(tall - 1)), tall, lambda i: self._run(Tile(at, i, tall, j, columns, mask)))
        done = w.mul(w.let(f"sdiv i64 {size}, {tall}"), str(tall))
        w.each(done, size, 1, lambda i: self._run(Tile(at, i, 1, j, columns, mask)))

    def _run(self, tile: Tile) -> None:
        points, n = self._points(tile), 0
        if self.blocks is not None:
            n = self.sum_block(self.blocks, tile, points)
        while n < len(self.stages):
            stage = self.stages[n]
            if stage.combine is not None:
                group = self.group(n)
                self._combine(group, points)
                n = group[-1] + 1
            elif stage.axes:
                self._write_loop(stage, points)
                n += 1
            else:
                stages = self.writes_from(n)
                if self.plan.turned:
                    self.turn(stages, tile, points)
                    self.write_now(stages, points)
                else:
                    self._write(stages, tile, points)
                n += len(stages)

    def _points(self, tile: Tile) -> list[Point]:
        return [p for r in range(tile.tall) for p in self._row_points(tile, str(r))]

    def _row_points(self, tile: Tile, row: str | None) -> list[Point]:
        """The points of a row of the tile, counted from its first; without the row for None."""
        points, proven = [], self.guards.certain(row, tile.last)
        assert self.plan.vector is not None
        for c in range(tile.columns):
            place = {**tile.at, self.plan.vector: self.w.add(tile.j, str(c * self.plan.lanes))}
            if row is not None and tile.i is not None and self.plan.row_axis is not None:
                place[self.plan.row_axis] = self.w.add(tile.i, row)
            points.append(
                Point(place, self.plan.vector, self.plan.lanes, tile.mask, memo=dict(self.fixed), proven=proven)
            )
        return points

    def _write(self, stages: Sequence[Stage], tile: Tile, points: list[Point]) -> None:
        """Write from registers; where that is much work at each point, or some rows must not be written again over what
        they are made of, from memory, in a loop over the rows."""
        bodies = [s.body for s in stages]
        work = {id(n) for b in bodies for n, _ in b.program if n.args or n.head == "arg"}
        again = tile.own is not None and self.in_place
        if not again and (tile.tall <= 2 or len(work) < LONG):
            self.write_now(stages, points)
            return
        needed = sorted({k for b in bodies for k in leaves(b, "acc")})
        kept = {k: self._keep(k, points) for k in needed}
        bases = self._row_points(tile, None)
        self.share(bodies, bases)
        for base in bases:
            self.hoist(bodies, base, {self.plan.row_axis, ACCUMULATORS})  # type: ignore[arg-type]

        def one(r: str) -> None:
            row = self._row_points(tile, r)
            for c, (p, base) in enumerate(zip(row, bases, strict=True)):
                p.memo = dict(base.memo)
                place = self.w.add(self.w.mul(r, str(tile.columns)), str(c))
                for k in needed:
                    kind = self.accumulator_type(k, p.lanes)
                    pointer = self.w.let(f"getelementptr {kind}, ptr {kept[k]}, i64 {place}")
                    p.accs[k] = (self.w.let(f"load {kind}, ptr {pointer}"), True)
            self.write_now(stages, row)

        first = self.w.sub(tile.own, tile.i) if again else "0"  # type: ignore[arg-type]
        self.w.each(first, str(tile.tall), 1, one)

    def _keep(self, k: int, points: list[Point]) -> str:
        """Store the accumulators of a stage on the stack."""
        kind = self.accumulator_type(k, points[0].lanes)
        place = self.w.stack(f"%stage{k}", kind, self.plan.rows * self.plan.columns)
        for n, p in enumerate(points):
            pointer = self.w.let(f"getelementptr {kind}, ptr {place}, i64 {n}")
            self.w.put(f"store {kind} {p.accs[k][0]}, ptr {pointer}")
        return place

    def _write_loop(self, stage: Stage, points: list[Point]) -> None:
        def inside(at: dict[int, str]) -> None:
            inner = [Point({**p.at, **at}, p.axis, p.lanes, p.mask, p.accs, dict(self.fixed), p.proven) for p in points]
            self.share([stage.body], inner)
            for q in inner:
                self.memory.write(stage.write, self.values.of(stage.body, q), q)  # type: ignore[arg-type]

        self.nest(list(stage.axes), {}, inside)

    def _combine(self, group: list[int], points: list[Point], begin: list[str] | None = None) -> None:
        """One loop nest over the inner axes that updates an accumulator per stage and point, from its first value or
        those given."""
        axes, lanes = list(self.stages[group[0]].axes), points[0].lanes
        values = begin or [self.start_value(k, lanes) for k in group for _ in points]
        kinds = [self.accumulator_type(k, lanes) for k in group for _ in points]
        start = list(zip(kinds, values, strict=True))
        guards = self.guards.around([self.stages[k] for k in group], points)

        def innermost(at: dict[int, str], values: list[str], proven: frozenset[Guard]) -> list[str]:
            inner = [
                Point({**p.at, **at}, p.axis, p.lanes, p.mask, p.accs, dict(self.fixed), p.proven | proven)
                for p in points
            ]
            self.share([self.stages[k].body for k in group], inner)
            self.fetch_ahead(inner[-1])
            out = []
            for g, k in enumerate(group):
                for n, p in enumerate(inner):
                    out.append(self.update(self.stages[k], p, values[g * len(points) + n]))
            return out

        final = self._reduce_nest(axes, {}, points, start, guards, frozenset(), innermost)
        for g, k in enumerate(group):
            for n, p in enumerate(points):
                p.accs[k] = (final[g * len(points) + n], bool(p.lanes))

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
        """Loops over the inner axes. A guard that skips becomes a bound of the loop it depends on; one that varies over
        the rows of the tile is tested once for the whole tile, as soon as its axes are known.
        """
        guard = self.guards.to_test(guards, axes, proven)
        if guard is not None and len(points) > 1:
            others = {g: s for g, s in guards.items() if g != guard}
            return self.w.branch(
                self.guards.whole_tile(guard, at, points),
                lambda: self._reduce_nest(axes, at, points, values, guards, proven | {guard}, innermost),
                lambda: self._reduce_nest(axes, at, points, values, others, proven, innermost),
                [t for t, _ in values],
            )
        if not axes:
            return innermost(at, [v for _, v in values], proven)
        axis, rest = axes[0], axes[1:]
        low, high = self.span(axis)
        for guard, skip in guards.items():
            if skip and guard not in proven and self.guards.bounds(guard, axis, rest, points):
                low, high = self.guards.clip(guard, axis, {**points[0].at, **at}, low, high)
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
