"""A kernel as one LLVM function.

The function runs a range of units of its outermost loop, so that threads can share it: ``void(slots, dims, begin,
end)``, where ``slots`` are the addresses of its buffers and ``dims`` the symbolic sizes. See `strategy` for the two
shapes it takes: lanes along an outer axis with a tile of accumulators in registers, or lanes along a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from brickwork.tensor.dim import Size
from brickwork.tensor.kernel import Kernel, Stage

from .memory import Memory
from .rows import Rows
from .strategy import Machine, choose
from .tile import Tiles
from .values import Values, lowered
from .writer import Writer

__all__ = ["Function", "generate"]


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
        values = Values(w, self.kernel, Memory(w, pointers))
        self.tiles = Tiles(w, self.kernel, self.stages, self.plan, values)
        self.rows = Rows(w, self.kernel, self.stages, self.plan, values)
        units, inside = self._outermost()
        inside("%begin", "%end")
        w.put("ret void")
        tables = ", ".join(f"ptr noalias nocapture readonly %{name}" for name in ("slots", "dims"))
        head = f"define internal void @{self.name}({tables}, i64 %begin, i64 %end) #1"
        text = f"{head} {{\nentry:\n{w.text()}\n}}\n"
        return Function(text, frozenset(w.declared), units, self._cost())

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
        self.w.each(begin, end, 1, lambda i: self._at_outer({}))

    def _units_of_axis(self, plain: list[int], begin: str, end: str) -> None:
        def nest(rest: list[int], at: dict[int, str]) -> None:
            if not rest:
                self._at_outer(at)
            else:
                size = self.w.size(self.kernel.axes[rest[0]])
                self.w.each("0", size, 1, lambda i: nest(rest[1:], {**at, rest[0]: i}))

        self.w.each(begin, end, 1, lambda i: nest(plain[1:], {plain[0]: i}))

    def _units_of_vector(self, extent: Size, step: int, begin: str, end: str) -> None:
        """Units are tiles of columns; where the size is symbolic the range is of single lanes, cut to whole tiles by
        the caller."""
        w = self.w
        if isinstance(extent, int):
            low, high = w.mul(begin, str(step)), w.min(w.mul(end, str(step)), str(extent))
        else:
            low, high = begin, end
        self.tiles.columns({}, low, high)

    def _at_outer(self, at: dict[int, str]) -> None:
        if self.tiled:
            self.tiles.columns(at, "0", self.w.size(self.kernel.axes[self.plan.vector]))  # type: ignore[index]
        else:
            self.rows.row(at)
