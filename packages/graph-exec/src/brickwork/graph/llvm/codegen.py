"""A kernel as one LLVM function.

The function runs a range of units of its outermost loop, so that threads can share it: ``void(slots, dims, begin, end)``, where ``slots`` are
the addresses of its buffers and ``dims`` the symbolic sizes. See `strategy` for the two shapes it takes: lanes along an outer axis
with a tile of accumulators in registers, or lanes along a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from brickwork.tensor.dim import Size
from brickwork.tensor.dtypes import class_of
from brickwork.tensor.expr import ATOMS, Expr, leaves
from brickwork.tensor.kernel import Guard, Kernel, Stage, identity

from .strategy import Machine, Strategy, choose
from .types import constant, register_type, suffix, vector
from .values import Point, Values, lowered
from .writer import Writer

__all__ = ["Function", "generate"]


@dataclass(frozen=True, slots=True)
class Function:
    """``text`` of the function; ``units``: how many the outermost loop has; ``cost``: rough operations per unit."""

    text: str
    declared: frozenset[str]
    units: Size
    cost: int
    strategy: Strategy


def generate(name: str, kernel: Kernel, slots: dict[int, int], dims: Sequence[str], machine: Machine) -> Function:
    """The function of a kernel in normal form. ``slots``: position of each buffer's address."""
    return _Generator(name, kernel, slots, dims, machine).run()


class _Generator:
    def __init__(self, name: str, kernel: Kernel, slots: dict[int, int], dims: Sequence[str], machine: Machine):
        self.name, self.kernel, self.dims = name, kernel, dims
        self.slots = slots
        self.stages = [Stage(s.axes, lowered(s.body), s.combine, s.write) for s in kernel.stages]
        self.plan = choose(kernel, machine)
        self.w = Writer()
        self.tiled = self.plan.vector is not None and self.plan.vector < kernel.outer

    def run(self) -> Function:
        w = self.w
        for k, symbol in enumerate(self.dims):
            pointer = w.let(f"getelementptr i64, ptr %dims, i64 {k}")
            w.dims[symbol] = w.let(f"load i64, ptr {pointer}")
        pointers = {}
        for source, slot in sorted(self.slots.items()):
            place = w.let(f"getelementptr ptr, ptr %slots, i64 {slot}")
            pointers[source] = w.let(f"load ptr, ptr {place}")
        self.values = Values(w, self.kernel, pointers)
        units, inside = self._outermost()
        inside("%begin", "%end")
        w.put("ret void")
        body = "\n".join(w.lines)
        text = f"define internal void @{self.name}(ptr noalias nocapture readonly %slots, ptr noalias nocapture readonly %dims, i64 %begin, i64 %end) #0 {{\nentry:\n{body}\n}}\n"
        return Function(text, frozenset(w.declared), units, self._cost(), self.plan)

    def _cost(self) -> int:
        """Operations per unit, with symbolic sizes counted as 1."""
        total = 0
        for s in self.stages:
            loops = [*range(self.kernel.outer), *s.axes]
            count = 1
            for a in loops:
                n = self.kernel.axes[a]
                count *= n if isinstance(n, int) else 1
            total += count * max(1, sum(1 for n, _ in s.body.program if n.args))
        axis = self._unit_axis()
        n = self.kernel.axes[axis] if axis is not None else 1
        return total // max(1, n if isinstance(n, int) else 1)

    # outer loops
    def _unit_axis(self) -> int | None:
        plain = [a for a in range(self.kernel.outer) if a not in (self.plan.vector, self.plan.row_axis)]
        if plain:
            return plain[0]
        return self.plan.vector if self.tiled else None

    def _outermost(self) -> tuple[Size, Callable[[str, str], None]]:
        plain = [a for a in range(self.kernel.outer) if a not in (self.plan.vector, self.plan.row_axis)]
        if plain:
            return self.kernel.axes[plain[0]], lambda b, e: self._units_of_axis(plain, b, e)
        if self.tiled:
            step = self.plan.lanes * self.plan.columns
            extent = self.kernel.axes[self.plan.vector]  # type: ignore[index]
            units = -(-extent // step) if isinstance(extent, int) else extent
            return units, lambda b, e: self._units_of_vector(extent, step, b, e)
        return 1, lambda b, e: self._once(b, e)

    def _once(self, begin: str, end: str) -> None:
        self.w.loop(begin, end, 1, lambda i, _: self._at_outer({}) or [])

    def _units_of_axis(self, plain: list[int], begin: str, end: str) -> None:
        def nest(rest: list[int], at: dict[int, str]) -> None:
            if not rest:
                self._at_outer(at)
            else:
                self.w.loop(
                    "0",
                    self.w.size(self.kernel.axes[rest[0]]),
                    1,
                    lambda i, _: nest(rest[1:], {**at, rest[0]: i}) or [],
                )

        self.w.loop(begin, end, 1, lambda i, _: nest(plain[1:], {plain[0]: i}) or [])

    def _units_of_vector(self, extent: Size, step: int, begin: str, end: str) -> None:
        """Units are tiles of columns; where the size is symbolic the range is of single lanes, cut to whole tiles by the caller."""
        w = self.w
        if isinstance(extent, int):
            low, high = w.mul(begin, str(step)), w.min(w.mul(end, str(step)), str(extent))
        else:
            low, high = begin, end
        self._columns({}, low, high)

    def _at_outer(self, at: dict[int, str]) -> None:
        if self.tiled:
            self._columns(at, "0", self.w.size(self.kernel.axes[self.plan.vector]))  # type: ignore[index]
        else:
            self._row(at)

    # tiles: lanes along an outer axis
    def _columns(self, at: dict[int, str], low: str, high: str) -> None:
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
        w.loop(done, high, lanes, lambda j, _: self._rows(at, j, 1, self._tail(j, high)) or [])

    def _tail(self, j: str, high: str) -> str:
        """Lanes below the end."""
        lanes = self.plan.lanes
        steps = "<" + ", ".join(f"i64 {k}" for k in range(lanes)) + ">"
        left = self.values.splat(self.w.sub(high, j), "i64", lanes)
        return self.w.let(f"icmp slt <{lanes} x i64> {steps}, {left}")

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
                n = self._write_stages(n, points)
                continue
            group = self._group(n)
            self._combine(group, points)
            n = group[-1] + 1

    def _group(self, n: int) -> list[int]:
        """Stages from n on that combine over the same axes without needing one another: one loop."""
        group = [n]
        while group[-1] + 1 < len(self.stages):
            k = group[-1] + 1
            s = self.stages[k]
            if s.combine is None or s.axes != self.stages[n].axes or set(leaves(s.body, "acc")) & set(group):
                break
            group.append(k)
        return group

    # stages in a tile
    def _write_stages(self, n: int, points: list[Point]) -> int:
        """Run writing stages from n on; those without a loop compute everything before they store anything. Gives the next stage."""
        stage = self.stages[n]
        if stage.axes:
            self._write_loop(stage, points)
            return n + 1
        last = n
        while last < len(self.stages) and self.stages[last].combine is None and not self.stages[last].axes:
            last += 1
        for p in points:
            made = [(s.write, self.values.of(s.body, p)) for s in self.stages[n:last]]
            for write, value in made:
                self.values.write(write, value, p)  # type: ignore[arg-type]
        return last

    def _write_loop(self, stage: Stage, points: list[Point]) -> None:
        def inside(at: dict[int, str]) -> None:
            for p in points:
                q = Point({**p.at, **at}, p.axis, p.lanes, p.mask, p.accs)
                self.values.write(stage.write, self.values.of(stage.body, q), q)  # type: ignore[arg-type]

        self._nest(list(stage.axes), {}, inside)

    def _nest(self, axes: list[int], at: dict[int, str], inside: Callable[[dict[int, str]], None]) -> None:
        if not axes:
            inside(at)
        else:
            self.w.loop(
                "0",
                self.w.size(self.kernel.axes[axes[0]]),
                1,
                lambda i, _: self._nest(axes[1:], {**at, axes[0]: i}, inside) or [],
            )

    def _combine(self, group: list[int], points: list[Point]) -> None:
        """One loop nest over the inner axes that updates an accumulator per stage and point."""
        axes = list(self.stages[group[0]].axes)
        start = [(self._kind(k, points[0].lanes), self._identity(k, points[0].lanes)) for k in group for _ in points]
        guards = self._guards(group)

        def innermost(at: dict[int, str], values: list[str], proven: frozenset[Guard]) -> list[str]:
            inner = [Point({**p.at, **at}, p.axis, p.lanes, p.mask, p.accs, {}, proven) for p in points]
            self._share(inner)
            out = []
            for g, k in enumerate(group):
                for n, p in enumerate(inner):
                    out.append(self._update(self.stages[k], p, values[g * len(points) + n]))
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
                    made[key] = self.values.read(read, p)
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

    def _kind(self, k: int, lanes: int) -> str:
        return vector(register_type(self.stages[k].body.dtype), lanes)

    def _identity(self, k: int, lanes: int) -> str:
        stage = self.stages[k]
        dtype = stage.body.dtype
        start = identity(stage.combine, dtype)  # type: ignore[arg-type]
        text = constant(start, dtype)
        if lanes and not any(np.asarray(start).tobytes()):
            return "zeroinitializer"
        return f"<{', '.join([f'{register_type(dtype)} {text}'] * lanes)}>" if lanes else text

    def _update(self, stage: Stage, point: Point, value: str, mask: str | None = None) -> str:
        """The accumulator with the body at a point combined in; a product is added by one fused multiply-add."""
        body, dtype = stage.body, stage.body.dtype
        kind = vector(register_type(dtype), point.lanes)
        if stage.combine == "add" and body.head == "mul" and class_of(dtype) == "f" and mask is None:
            a, b = (self.values.vector_of(x, point) for x in body.args)
            return self.w.call(
                kind, f"@llvm.fma.{suffix(register_type(dtype), point.lanes)}", (kind, a), (kind, b), (kind, value)
            )
        new = self.values.vector_of(body, point)
        if mask is not None:
            none = constant(identity(stage.combine, dtype), dtype)  # type: ignore[arg-type]
            spread = f"<{', '.join([f'{register_type(dtype)} {none}'] * point.lanes)}>"
            new = self.w.let(f"select <{point.lanes} x i1> {mask}, {kind} {new}, {kind} {spread}")
        return self._combine_two(stage, value, new, point.lanes)

    def _combine_two(self, stage: Stage, a: str, b: str, lanes: int) -> str:
        dtype = stage.body.dtype
        kind, text = vector(register_type(dtype), lanes), ATOMS[stage.combine].llvm.get(class_of(dtype))  # type: ignore[index]
        if text is None:  # floating maximum and minimum: NaN wins, as in NumPy
            test = "ogt" if stage.combine == "maximum" else "olt"
            better = self.w.let(f"fcmp {test} {kind} {b}, {a}")
            broken = self.w.let(f"fcmp uno {kind} {b}, {b}")
            take = self.w.let(f"or {vector('i1', lanes)} {better}, {broken}")
            picked = self.w.let(f"select {vector('i1', lanes)} {take}, {kind} {b}, {kind} {a}")
            was = self.w.let(f"fcmp uno {kind} {a}, {a}")
            return self.w.let(f"select {vector('i1', lanes)} {was}, {kind} {a}, {kind} {picked}")
        if text.startswith("@"):
            return self.w.call(kind, f"{text}.{suffix(register_type(dtype), lanes)}", (kind, a), (kind, b))
        return self.w.let(f"{text} {kind} {a}, {b}")

    # rows: lanes along an inner axis
    def _row(self, at: dict[int, str]) -> None:
        point = Point(at)
        n = 0
        while n < len(self.stages):
            stage = self.stages[n]
            if not stage.axes and stage.combine is None:
                n = self._write_stages(n, [point])
            elif stage.combine is None:
                self._write_row(stage, point)
                n += 1
            else:
                group = self._group(n)
                self._combine_row(group, point)
                n = group[-1] + 1

    def _vector_axis(self, stage: Stage) -> int | None:
        if self.plan.vector in stage.axes:
            return self.plan.vector
        return None

    def _hoist(self, stages: Sequence[Stage], point: Point) -> None:
        """Compute, once at the outer point, whatever does not vary over the inner axes."""
        for stage in stages:
            varies: set[int] = set()
            for node, _ in stage.body.program:
                moving = any(id(a) in varies for a in node.args)
                if node.head == "arg":
                    read = self.kernel.reads[node.value]
                    moving = any(
                        read.strides[a] != 0 or any(g.coeffs[a] for g in read.guards) for a in stage.axes
                    ) or any(w.target == read.source for w in self.kernel.writes)
                elif node.head == "index":
                    moving = node.value in stage.axes
                if moving:
                    varies.add(id(node))
                elif node.args or node.head == "arg":
                    self.values.of(node, point)

    def _write_row(self, stage: Stage, point: Point) -> None:
        self._hoist([stage], point)
        axis = self._vector_axis(stage)
        rest = [a for a in stage.axes if a != axis]

        def inside(at: dict[int, str]) -> None:
            if axis is None:
                q = Point({**point.at, **at}, accs=point.accs, memo=dict(point.memo))
                self.values.write(stage.write, self.values.of(stage.body, q), q)  # type: ignore[arg-type]
                return
            for low, high, lanes, mask in self._lane_ranges(axis):

                def one(j: str, _: list[str], lanes: int = lanes, mask: object = mask) -> list[str]:
                    q = Point(
                        {**point.at, **at, axis: j},
                        axis,
                        lanes,
                        mask(j) if callable(mask) else mask,
                        point.accs,
                        dict(point.memo),
                    )  # type: ignore[arg-type]
                    self.values.write(stage.write, self.values.of(stage.body, q), q)  # type: ignore[arg-type]
                    return []

                self.w.loop(low, high, lanes, one)

        self._nest(rest, {}, inside)

    def _lane_ranges(self, axis: int) -> list[tuple[str, str, int, object]]:
        """(low, high, lanes, mask) of the loops over an axis: whole vectors, then the rest masked."""
        w, lanes, extent = self.w, self.plan.lanes, self.kernel.axes[axis]
        if isinstance(extent, int):
            whole, left = extent // lanes * lanes, extent % lanes
            out: list[tuple[str, str, int, object]] = [("0", str(whole), lanes, None)] if whole else []
            if left:
                out.append(
                    (
                        str(whole),
                        str(whole + 1),
                        lanes,
                        "<" + ", ".join(f"i1 {'true' if k < left else 'false'}" for k in range(lanes)) + ">",
                    )
                )
            return out
        size = w.size(extent)
        whole_size = w.mul(w.let(f"sdiv i64 {size}, {lanes}"), str(lanes))
        return [("0", whole_size, lanes, None), (whole_size, size, lanes, lambda j: self._tail(j, size))]

    def _combine_row(self, group: list[int], point: Point) -> None:
        """Reduce along the row: lanes of partial results, joined by a fixed tree at the end."""
        stages = [self.stages[k] for k in group]
        self._hoist(stages, point)
        axis = self._vector_axis(stages[0])
        lanes = self.plan.lanes if axis is not None else 0
        rest = [a for a in stages[0].axes if a != axis]
        values = [(self._kind(k, lanes), self._identity(k, lanes)) for k in group]

        def update(at: dict[int, str], carried: list[str], mask: str | None) -> list[str]:
            q = Point({**point.at, **at}, axis, lanes, mask, point.accs, dict(point.memo))
            return [self._update(s, q, v, mask) for s, v in zip(stages, carried, strict=True)]

        def inside(at: dict[int, str], carried: list[str]) -> list[str]:
            if axis is None:
                return update(at, carried, None)
            types = [t for t, _ in values]
            for low, high, _, mask in self._lane_ranges(axis):
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
        mask: object,
        update: Callable[..., list[str]],
    ) -> list[str]:
        def one(j: str, values: list[str]) -> list[str]:
            return update({**at, axis: j}, values, mask(j) if callable(mask) else mask)

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
            low = self.w.let(
                f"shufflevector <{lanes} x {scalar}> {value}, <{lanes} x {scalar}> poison, <{half} x i32> <{', '.join(f'i32 {k}' for k in range(half))}>"
            )
            high = self.w.let(
                f"shufflevector <{lanes} x {scalar}> {value}, <{lanes} x {scalar}> poison, <{half} x i32> <{', '.join(f'i32 {k + half}' for k in range(half))}>"
            )
            value = self._combine_two(stage, low, high, half)
            lanes = half
        return self.w.let(f"extractelement <1 x {scalar}> {value}, i64 0")


def _factors(body: Expr) -> set[int]:
    """Operands that multiply the whole body: where one is zero, so is it."""
    if body.head == "mul":
        return _factors(body.args[0]) | _factors(body.args[1])
    if body.head == "cast":
        return _factors(body.args[0])
    return {body.value} if body.head == "arg" else set()
