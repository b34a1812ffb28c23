"""A kernel as one LLVM function.

The function runs a range of units of its outermost loop, so that threads can share it: ``void(slots, dims, begin,
end)``, where ``slots`` are the addresses of its buffers and ``dims`` the symbolic sizes. See `strategy` for the two
shapes it takes: lanes along an outer axis with a tile of accumulators in registers, or lanes along a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.kernel import Kernel, Stage

from .memory import Memory
from .rows import Rows
from .staging import Blocks
from .strategy import Machine, choose
from .tile import Tiles
from .values import Values, lowered
from .writer import Writer

__all__ = ["Function", "generate"]

SUMS = 128 << 10
"""Bytes of sums that are kept on the stack where they are made in blocks."""
UNITS = 64
"""Units of the outermost loop that are enough to share it evenly."""


@dataclass(frozen=True, slots=True)
class Function:
    """``text`` of the function; ``units``: how many the outermost loop has; ``cost``: rough operations per unit."""

    text: str
    declared: frozenset[str]
    units: Size
    cost: int


def generate(name: str, kernel: Kernel, slots: dict[int, int], dims: Sequence[str], machine: Machine) -> Function:
    """The function of a kernel in normal form. ``slots``: position of each buffer's address."""
    return _Generator(name, kernel, slots, dims, machine).run()


class _Generator:
    def __init__(self, name: str, kernel: Kernel, slots: dict[int, int], dims: Sequence[str], machine: Machine):
        self.name, self.kernel, self.dims = name, kernel, dims
        self.slots = slots
        self.stages = [Stage(s.axes, lowered(s.body), s.combine, s.write) for s in kernel.stages]
        self.plan = choose(kernel, machine)
        self.w = Writer(half=machine.half)
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
        memory = Memory(w, pointers)
        self.tiles = Tiles(w, self.kernel, self.stages, self.plan, memory) if self.tiled else None
        self.rows = Rows(w, self.kernel, self.stages, self.plan, Values(w, self.kernel, memory))
        units, inside = self._outermost()
        inside("%begin", "%end")
        w.put("ret void")
        tables = ", ".join(f"ptr noalias nocapture readonly %{name}" for name in ("slots", "dims"))
        head = f"define internal void @{self.name}({tables}, i64 %begin, i64 %end) #1"
        text = f"{head} {{\nentry:\n{w.text()}\n}}\n"
        return Function(text, frozenset(w.declared), units, self._cost(units))

    def _cost(self, units: Size) -> int:
        """Operations per unit, with symbolic sizes counted as 1."""
        total = 0
        for s in self.stages:
            loops = [*range(self.kernel.outer), *s.axes]
            count = prod(n for a in loops if isinstance(n := self.kernel.axes[a], int))
            total += count * max(1, sum(1 for n, _ in s.body.program if n.args))
        return total // max(1, units if isinstance(units, int) else 1)

    def _outermost(self) -> tuple[Size, Callable[[str, str], None]]:
        """How many units there are, and what runs a range of them.

        A unit is a step of the outermost loop; where that has few, of the outermost loops counted as one, down to the
        outer loop over tiles.
        """
        plain = [a for a in range(self.kernel.outer) if a not in (self.plan.vector, self.plan.row_axis)]
        tiles = self.tiles
        if not plain and tiles is None:
            return 1, lambda b, e: self.w.each(b, e, 1, lambda _: self.rows.row({}))
        count = 1 if tiles is None else tiles.count()
        if not plain:
            assert tiles is not None
            if count is None:
                return self.kernel.axes[self.plan.vector], lambda b, e: tiles.lanes_of({}, b, e)  # type: ignore[index]
            if self.plan.block:
                return count, lambda b, e: self._blocked(lambda u: tiles.one({}, u), b, e)
            return count, lambda b, e: tiles.some({}, b, e)
        extents = [self.kernel.axes[a] for a in plain]
        if any(isinstance(n, Dim) for n in extents) or (extents[0] >= UNITS and not self.plan.block):
            return extents[0], lambda b, e: self._nested(plain, b, e)
        return prod(extents) * (count or 1), lambda b, e: self._flat(plain, count or 1, b, e)

    def _nested(self, plain: list[int], begin: str, end: str) -> None:
        """Units of the first of these axes."""

        def nest(rest: list[int], at: dict[int, str]) -> None:
            if not rest:
                self._at_outer(at)
            else:
                size = self.w.size(self.kernel.axes[rest[0]])
                self.w.each("0", size, 1, lambda i: nest(rest[1:], {**at, rest[0]: i}))

        self.w.each(begin, end, 1, lambda i: nest(plain[1:], {plain[0]: i}))

    def _flat(self, plain: list[int], tiles: int, begin: str, end: str) -> None:
        """Units of all these axes, and of the outer loop over tiles, counted as one."""

        def one(unit: str) -> None:
            at: dict[int, str] = {}
            unit, tile = self._divided(unit, tiles)
            for a in reversed(plain[1:]):
                unit, at[a] = self._divided(unit, self.kernel.axes[a])
            at[plain[0]] = unit
            if tiles > 1 and self.tiles is not None:
                self.tiles.one(at, tile)
            else:
                self._at_outer(at)

        if self.plan.block:
            self._blocked(one, begin, end)
        else:
            self.w.each(begin, end, 1, one)

    def _blocked(self, one: Callable[[str], None], begin: str, end: str) -> None:
        """Units whose sums are made a block at a time: so many units together that their sums stay near."""
        w, tiles = self.w, self.tiles
        assert tiles is not None
        tall, wide = tiles.unit_shape()
        kind = tiles.accumulator_type(0, self.plan.lanes)
        count = max(1, SUMS // (tall * wide * self.plan.lanes * tiles.stages[0].body.dtype.itemsize))
        place = w.stack("%sums", kind, count * tall * wide)
        axis = tiles.stages[0].axes[0]
        steps = str(self.kernel.axes[axis])

        def units(low: str, high: str, first: str | None) -> None:
            def unit(u: str) -> None:
                tiles.blocks = Blocks(place, w.sub(u, low), first)
                one(u)

            w.each(low, high, 1, unit)
            tiles.blocks = None

        def group(low: str) -> None:
            high = w.min(w.add(low, str(count)), end)

            def block(n: str) -> None:
                tiles.bounds[axis] = n, w.min(w.add(n, str(self.plan.block)), steps)
                units(low, high, w.let(f"icmp eq i64 {n}, 0"))
                del tiles.bounds[axis]

            w.each("0", steps, self.plan.block, block)
            units(low, high, None)

        w.each(begin, end, count, group)

    def _divided(self, value: str, by: Size) -> tuple[str, str]:
        """Quotient and remainder."""
        if by == 1:
            return value, "0"
        return self.w.let(f"udiv i64 {value}, {by}"), self.w.let(f"urem i64 {value}, {by}")

    def _at_outer(self, at: dict[int, str]) -> None:
        if self.tiles is not None:
            self.tiles.all(at)
        else:
            self.rows.row(at)
