"""Rows: lanes along an inner axis, so that each lane is a part of a reduction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brickwork.tensor.expr import Expr
from brickwork.tensor.kernel import Stage

from .point import Point
from .stages import Stages
from .types import first_lanes, register_type, vector

__all__ = ["Rows"]

Mask = Callable[[str], str] | None

SHORT, PARTS = 16, 4
"""Vectors of a row that are held in registers together, and the parts in which they are added up."""


class Rows(Stages):
    """Runs the stages at one point of the outer axes."""

    def row(self, at: dict[int, str]) -> None:
        point = Point(at)
        if self._is_short():
            self._short_row(point)
            return
        n = 0
        while n < len(self.stages):
            stage = self.stages[n]
            if not stage.axes and stage.combine is None:
                stages = self.writes_from(n)
                self.write_now(stages, [point])
                n += len(stages)
            elif stage.combine is None:
                self._write_row(stage, point)
                n += 1
            else:
                group = self.group(n)
                self._combine_row(group, point)
                n = group[-1] + 1

    def _is_short(self) -> bool:
        """Whether a row is few vectors, and there is more than one loop over it."""
        axis = self.plan.vector
        looped = [s for s in self.stages if s.axes]
        if axis is None or len(looped) < 2 or any(s.axes != (axis,) for s in looped):
            return False
        extent = self.kernel.axes[axis]
        return isinstance(extent, int) and extent <= SHORT * self.plan.lanes

    def _short_row(self, point: Point) -> None:
        """All vectors of the row at once: what one stage computes of them (a power, a difference), the next finds in
        registers, and sums are made in several parts, of which none waits for another."""
        row = self._vectors(point)
        n = 0
        while n < len(self.stages):
            stage = self.stages[n]
            if stage.combine is None:
                stages = [stage] if stage.axes else self.writes_from(n)
                self._write_short(stages, point, row)
                n += len(stages)
            else:
                group = self.group(n)
                self._combine_short(group, point, row)
                n = group[-1] + 1

    def _vectors(self, point: Point) -> list[Point]:
        axis, lanes = self.plan.vector, self.plan.lanes
        assert axis is not None
        extent = self.kernel.axes[axis]
        assert isinstance(extent, int)
        masks = [first_lanes(extent - j, lanes) if extent - j < lanes else None for j in range(0, extent, lanes)]
        return [
            Point({**point.at, axis: str(k * lanes)}, axis, lanes, mask, point.accs) for k, mask in enumerate(masks)
        ]

    def _settle(self, bodies: list[Expr], point: Point, row: list[Point]) -> None:
        """Compute once what is the same along the row."""
        self.hoist(bodies, point, [self.plan.vector])  # type: ignore[list-item]
        for p in row:
            p.memo.update(point.memo)

    def _write_short(self, stages: Sequence[Stage], point: Point, row: list[Point]) -> None:
        if not stages[0].axes:
            self.write_now(stages, [point])
            return
        self._settle([s.body for s in stages], point, row)
        for p in row:
            self.memory.write(stages[0].write, self.values.of(stages[0].body, p), p)  # type: ignore[arg-type]

    def _combine_short(self, group: list[int], point: Point, row: list[Point]) -> None:
        stages, lanes = [self.stages[k] for k in group], self.plan.lanes
        self._settle([s.body for s in stages], point, row)
        for k, stage in zip(group, stages, strict=True):
            parts = [self.start_value(k, lanes)] * min(PARTS, len(row))
            for n, p in enumerate(row):
                parts[n % PARTS] = self.update(stage, p, parts[n % PARTS], p.mask)
            while len(parts) > 1:
                parts = [
                    self.combine_two(stage, *parts[n : n + 2], lanes) if n + 1 < len(parts) else parts[n]
                    for n in range(0, len(parts), 2)
                ]
            point.accs[k] = (self._join_lanes(stage, parts[0], lanes), False)

    def _vector_axis(self, stage: Stage) -> int | None:
        if self.plan.vector in stage.axes:
            return self.plan.vector
        return None

    def _write_row(self, stage: Stage, point: Point) -> None:
        self.hoist([stage.body], point, stage.axes)
        axis = self._vector_axis(stage)
        rest = [a for a in stage.axes if a != axis]

        def inside(at: dict[int, str]) -> None:
            if axis is None:
                q = Point({**point.at, **at}, accs=point.accs, memo=dict(point.memo))
                self.memory.write(stage.write, self.values.of(stage.body, q), q)  # type: ignore[arg-type]
                return
            for low, high, mask in self._lane_ranges(axis):

                def one(j: str, mask: Mask = mask) -> None:
                    lanes, at_lanes = self.plan.lanes, {**point.at, **at, axis: j}
                    q = Point(at_lanes, axis, lanes, mask(j) if mask else None, point.accs, dict(point.memo))
                    self.memory.write(stage.write, self.values.of(stage.body, q), q)  # type: ignore[arg-type]

                self.w.each(low, high, self.plan.lanes, one)

        self.nest(rest, {}, inside)

    def _lane_ranges(self, axis: int) -> list[tuple[str, str, Mask]]:
        """(low, high, mask at a position) of the loops over an axis: whole vectors, then the rest masked."""
        w, lanes, extent = self.w, self.plan.lanes, self.kernel.axes[axis]
        if isinstance(extent, int):
            whole, left = extent // lanes * lanes, extent % lanes
            out: list[tuple[str, str, Mask]] = [("0", str(whole), None)] if whole else []
            if left:
                out.append((str(whole), str(whole + 1), lambda _: first_lanes(left, lanes)))
            return out
        size = w.size(extent)
        done = w.mul(w.let(f"sdiv i64 {size}, {lanes}"), str(lanes))
        return [("0", done, None), (done, size, lambda j: self.lanes_below(j, size))]

    def _combine_row(self, group: list[int], point: Point) -> None:
        """Reduce along the row: lanes of partial results, joined by a fixed tree at the end."""
        stages = [self.stages[k] for k in group]
        self.hoist([s.body for s in stages], point, stages[0].axes)
        axis = self._vector_axis(stages[0])
        lanes = self.plan.lanes if axis is not None else 0
        rest = [a for a in stages[0].axes if a != axis]
        values = [(self.accumulator_type(k, lanes), self.start_value(k, lanes)) for k in group]

        def update(at: dict[int, str], carried: list[str], mask: str | None) -> list[str]:
            q = Point({**point.at, **at}, axis, lanes, mask, point.accs, dict(point.memo))
            return [self.update(s, q, v, mask) for s, v in zip(stages, carried, strict=True)]

        def inside(at: dict[int, str], carried: list[str]) -> list[str]:
            if axis is None:
                return update(at, carried, None)
            types = [t for t, _ in values]
            for low, high, mask in self._lane_ranges(axis):
                carried = self._lane_loop(low, high, axis, at, types, carried, mask, update)
            return carried

        final = self._carry_nest(rest, {}, values, inside)
        for k, value in zip(group, final, strict=True):
            point.accs[k] = (self._join_lanes(self.stages[k], value, lanes) if lanes else value, False)

    def _lane_loop(
        self,
        low: str,
        high: str,
        axis: int,
        at: dict[int, str],
        types: list[str],
        carried: list[str],
        mask: Mask,
        update: Callable[..., list[str]],
    ) -> list[str]:
        def one(j: str, values: list[str]) -> list[str]:
            return update({**at, axis: j}, values, mask(j) if mask else None)

        return self.w.loop(low, high, self.plan.lanes, one, list(zip(types, carried, strict=True)))

    def _carry_nest(
        self, axes: list[int], at: dict[int, str], values: list[tuple[str, str]], inside: Callable[..., list[str]]
    ) -> list[str]:
        if not axes:
            return inside(at, [v for _, v in values])
        types = [t for t, _ in values]
        return self.w.loop(
            "0",
            self.w.size(self.kernel.axes[axes[0]]),
            1,
            lambda i, carried: self._carry_nest(
                axes[1:], {**at, axes[0]: i}, list(zip(types, carried, strict=True)), inside
            ),
            values,
        )

    def _join_lanes(self, stage: Stage, value: str, lanes: int) -> str:
        """Halve the vector until one lane is left: always the same order."""
        scalar = register_type(stage.body.dtype)
        while lanes > 1:
            half = lanes // 2
            kind = vector(scalar, lanes)
            low, high = (
                self.w.let(
                    f"shufflevector {kind} {value}, {kind} poison, "
                    f"<{half} x i32> <{', '.join(f'i32 {k}' for k in range(first, first + half))}>"
                )
                for first in (0, half)
            )
            value = self.combine_two(stage, low, high, half)
            lanes = half
        return self.w.let(f"extractelement <1 x {scalar}> {value}, i64 0")
