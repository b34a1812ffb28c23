"""What tiles bring near before they work: columns of operands that lie far apart, squares that are turned, and sums
that are made a block at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod

from brickwork.tensor.dim import Size
from brickwork.tensor.kernel import Kernel, Read, Stage

from .guards import Guards
from .memory import Memory
from .point import Point
from .stages import Stages
from .strategy import Strategy, extent, may_overwrite
from .types import first_lanes, memory_type, register_type, vector
from .values import Values
from .writer import Writer

__all__ = ["Blocks", "Staging", "Tile"]


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows ``i .. i + tall`` (None: there is no row axis) x ``columns`` vectors from ``j``, at the other outer axes.
    ``own``: the first row that the tile before does not have, None for ``i``. ``last``: the greatest ``i`` of the tiles
    that this text is for, None where that is not known.
    """

    at: dict[int, str]
    i: str | None
    tall: int
    j: str
    columns: int
    mask: str | None
    own: str | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Blocks:
    """Sums that are made a block at a time: kept at ``place``, those of this unit in its ``slot``. ``first``: whether
    this is the first block, None after the last."""

    place: str
    slot: str
    first: str | None


class Staging(Stages):
    """Stages of a kernel of tiles, with what is kept near."""

    def __init__(self, writer: Writer, kernel: Kernel, stages: Sequence[Stage], plan: Strategy, memory: Memory):
        self.unpacked = {k: kernel.reads[k] for k in plan.packed}
        kernel = _with_packed(kernel, plan)
        super().__init__(writer, kernel, stages, plan, Values(writer, kernel, memory))
        self.blocks: Blocks | None = None
        self.in_place = may_overwrite(kernel)
        self.guards = Guards(writer, kernel, plan)

    def pack(self, at: dict[int, str], j: str, width: int) -> None:
        """Copy what a column of tiles needs of the packed reads, row by row, so that it lies together."""
        for k in self.plan.packed:
            read, dense = self.unpacked[k], self.kernel.reads[k]
            axes = [a for a in range(self.kernel.outer, len(self.kernel.axes)) if read.strides[a]]
            count = prod(n for a in axes if isinstance(n := self.kernel.axes[a], int))
            kind = memory_type(read.dtype)
            place = self.w.stack(f"%packed{k}", kind, count * self.plan.width)
            start = self.w.let(f"getelementptr {kind}, ptr {place}, i64 {self.w.sub('0', j)}")
            self.memory.pointers[dense.source] = start
            self.nest(axes, {}, partial(self._pack_row, at, j, width, read, dense))

    def _pack_row(self, at: dict[int, str], j: str, width: int, read: Read, dense: Read, inner: dict[int, str]) -> None:
        lanes, vector = self.plan.lanes, self.plan.vector
        assert vector is not None
        for k in range(0, width, lanes):
            mask = first_lanes(width - k, lanes) if width - k < lanes else None
            self.memory.copy(read, dense, Point({**at, **inner, vector: self.w.add(j, str(k))}, vector, lanes, mask))

    def fetch_ahead(self, last: Point) -> None:
        """Have the cache fetch, at a step of the innermost loop, what the next tile of the column will read there:
        ``last`` is the last row of this one. Beyond the last tile it is in vain, and does no harm."""
        row = self.plan.row_axis
        for k in self.plan.ahead:
            assert row is not None
            read = self.kernel.reads[k]
            there = Point({**last.at, row: self.w.add(last.at[row], str(self.plan.rows))})
            place = self.memory.address(read.source, read.dtype, read.offset, read.strides, there)
            self.w.call("void", "@llvm.prefetch.p0", ("ptr", place), ("i32", "0"), ("i32", "3"), ("i32", "1"))

    def sum_block(self, blocks: Blocks, tile: Tile, points: list[Point]) -> int:
        """Add a block to the sums in memory; or, after the last, take them from there. Gives the stage to go on
        with."""
        kind = self.accumulator_type(0, self.plan.lanes)
        places = [self._sum_place(blocks, tile, kind, k) for k in range(len(points))]
        values = [self.w.let(f"load {kind}, ptr {p}") for p in places]
        if blocks.first is None:
            for p, value in zip(points, values, strict=True):
                p.accs[0] = (value, True)
            return 1
        start = self.start_value(0, self.plan.lanes)
        values = [self.w.let(f"select i1 {blocks.first}, {kind} {start}, {kind} {v}") for v in values]
        self._combine([0], points, values)
        for p, place in zip(points, places, strict=True):
            self.w.put(f"store {kind} {p.accs[0][0]}, ptr {place}")
        return len(self.stages)

    def _sum_place(self, blocks: Blocks, tile: Tile, kind: str, k: int) -> str:
        """Where the sums of the k-th point of a tile are kept."""
        w, plan = self.w, self.plan
        tall, wide = self.unit_shape()
        row, column = divmod(k, tile.columns)
        if plan.rows_first:
            i, j = str(row), tile.j
        else:
            assert tile.i is not None
            i, j = w.add(tile.own or tile.i, str(row)), w.same(f"urem i64 {tile.j}, {plan.width}")
        line = w.add(w.mul(blocks.slot, str(tall)), i)
        place = w.add(w.add(w.mul(line, str(wide)), w.same(f"udiv i64 {j}, {plan.lanes}")), str(column))
        return w.let(f"getelementptr {kind}, ptr {blocks.place}, i64 {place}")

    def unit_shape(self) -> tuple[int, int]:
        """Rows, and vectors in each, of a step of the outer tile loop."""
        plan = self.plan
        assert plan.row_axis is not None and plan.vector is not None
        if plan.rows_first:
            return plan.rows, -(-extent(self.kernel.axes[plan.vector]) // plan.lanes)
        return -(-extent(self.kernel.axes[plan.row_axis]) // plan.rows) * plan.rows, plan.columns

    def turn(self, stages: Sequence[Stage], tile: Tile, points: list[Point]) -> None:
        """Read a square of the turned reads along its rows, and turn it; at the edge each point gathers for itself."""
        row, lanes = self.plan.row_axis, self.plan.lanes
        if tile.tall != lanes or tile.mask is not None:
            return
        assert row is not None and self.plan.vector is not None and tile.i is not None
        for k in self.plan.turned:
            read, square = self.kernel.reads[k], []
            for c in range(lanes):
                at = {**tile.at, row: tile.i, self.plan.vector: self.w.add(tile.j, str(c))}
                square.append(self.memory.read(read, Point(at, row, lanes))[0])
            kind = vector(register_type(read.dtype), lanes)
            turned = transposed(self.w, square, kind)
            for node in {
                id(n): n for s in stages for n, _ in s.body.program if n.head == "arg" and n.value == k
            }.values():
                for p, value in zip(points, turned, strict=True):
                    p.memo[id(node)] = (value, True)


def _with_packed(kernel: Kernel, plan: Strategy) -> Kernel:
    """The kernel with packed reads where `Staging.pack` puts them: buffers of their own, numbered below 0."""
    reads = list(kernel.reads)
    for k in plan.packed:
        strides: list[Size] = [0] * len(kernel.axes)
        step: Size = plan.width
        for a in reversed(range(kernel.outer, len(kernel.axes))):
            if reads[k].strides[a]:
                strides[a], step = step, step * kernel.axes[a]
        strides[plan.vector] = 1  # type: ignore[index]
        reads[k] = replace(reads[k], source=-1 - k, offset=0, strides=tuple(strides))
    return replace(kernel, reads=tuple(reads))


def transposed(w: Writer, rows: list[str], kind: str) -> list[str]:
    """The columns of a square of vectors: halves of pairs change places, at distance 1, 2, 4 and so on."""
    n, step = len(rows), 1
    while step < n:
        new = list(rows)
        for k in (k for k in range(n) if not k & step):
            low = [i if not i & step else n + i - step for i in range(n)]
            high = [i + step if not i & step else n + i for i in range(n)]
            for place, pick in ((k, low), (k + step, high)):
                lanes = ", ".join(f"i32 {i}" for i in pick)
                new[place] = w.let(f"shufflevector {kind} {rows[k]}, {kind} {rows[k + step]}, <{n} x i32> <{lanes}>")
        rows, step = new, step * 2
    return rows
