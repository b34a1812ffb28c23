"""Regions as native loops and branches around the kernels of their bodies.

A body finds its values where a `Frame` says. Constants keep their places; row t of an array is at its base plus t
strides, so that nothing is sliced; a carry is written over itself where the plan allows it, else it goes between two
places, and the last round of a scan writes it straight where the result belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.spec import TensorSpec

from ..plan import Nest, Plan
from .writer import Writer

__all__ = ["Frame", "emit_nest"]


class Frame:
    """Where the values of a plan are: pointers to its inputs and results, and to its arena. The plan of the whole
    function has them in the tables that it is called with."""

    def __init__(
        self,
        w: Writer,
        plan: Plan,
        inputs: Sequence[str] | None = None,
        results: Sequence[str] | None = None,
        arena: str = "%arena",
    ):
        self.w, self.plan, self.inputs, self.results, self.arena = w, plan, inputs, results, arena

    def address(self, value: int) -> str:
        """A pointer to a value."""
        place, w = self.plan.places[value], self.w
        if place.where == "arena":
            return self.within(place.at)
        known = self.inputs if place.where == "input" else self.results
        if known is not None:
            return known[place.at]  # type: ignore[index]
        position = place.at if place.where == "input" else len(self.plan.graph.inputs) + place.at
        return w.let(f"load ptr, ptr {w.let(f'getelementptr ptr, ptr %buffers, i64 {position}')}")

    def within(self, offset: Size) -> str:
        """A pointer into the arena."""
        return self.w.let(f"getelementptr i8, ptr {self.arena}, i64 {self.w.size(offset)}")


Emit = Callable[[Frame], None]


def emit_nest(step: Nest, frame: Frame, emit: Emit) -> None:
    """A region; ``emit`` writes the steps of a body."""
    {"scan": _scan, "cond": _cond, "while_loop": _while}[step.node.op](_Place(step, frame), emit)


class _Place:
    """A region in a frame: its operands, results, carries and the frames of its bodies."""

    def __init__(self, step: Nest, frame: Frame):
        self.w, self.step, self.frame = frame.w, step, frame
        self.given = [frame.address(v.id) for v in step.node.inputs]
        self.out = [frame.address(v.id) for v in step.node.outputs]
        self.room = frame.within(step.at)
        self.first = step.node.settings.get("constants", 0)
        self.buffers = {k: (offset, size) for k, offset, size in step.buffers}

    def body(self, name: str, inputs: Sequence[str], outputs: Sequence[str]) -> Frame:
        """The frame of a body; outputs that are written over an input have no place of their own."""
        plan = self.step.plans[name]
        results = [p for v, p in zip(plan.graph.outputs, outputs, strict=True) if plan.places[v.id].where == "result"]
        return Frame(self.w, plan, inputs, results, self._at(self.step.inner[name]))

    def _at(self, offset: Size) -> str:
        return self.w.let(f"getelementptr i8, ptr {self.room}, i64 {self.w.size(offset)}")

    def settle(self, carries: int) -> None:
        """Before the first round: carries that are written over themselves start where their results belong."""
        for k in range(carries):
            if k not in self.buffers:
                self.copy(k, self.given[self.first + k])

    def copy(self, k: int, source: str) -> None:
        """Result ``k`` from elsewhere."""
        spec = self.step.node.outputs[k].spec
        count = self.w.size(spec.size * spec.dtype.itemsize)
        self.w.call(
            "void", "@llvm.memcpy.p0.p0.i64", ("ptr", self.out[k]), ("ptr", source), ("i64", count), ("i1", "0")
        )

    def carry(self, k: int, i: str) -> tuple[str, str]:
        """Where round ``i`` reads a carry, and where it writes it."""
        if k not in self.buffers:
            return self.out[k], self.out[k]
        w, (offset, size) = self.w, self.buffers[k]
        odd = w.let(f"and i64 {i}, 1")
        here, there = (
            w.let(f"getelementptr i8, ptr {self._at(offset)}, i64 {w.let(f'mul i64 {which}, {w.size(size)}')}")
            for which in (odd, w.let(f"xor i64 {odd}, 1"))
        )
        first = w.let(f"icmp eq i64 {i}, 0")
        return w.let(f"select i1 {first}, ptr {self.given[self.first + k]}, ptr {there}"), here

    def row(self, base: str, spec: TensorSpec, t: str) -> str:
        """Row ``t`` of an array."""
        stride: Size = spec.dtype.itemsize
        for n in spec.shape[1:]:
            stride = n * stride
        return self.w.let(f"getelementptr i8, ptr {base}, i64 {self.w.let(f'mul i64 {t}, {self.w.size(stride)}')}")


def _scan(at: _Place, emit: Emit) -> None:
    w, node, settings = at.w, at.step.node, at.step.node.settings
    n, k, length = at.first, settings["carries"], settings["length"]
    at.settle(k)
    count = w.size(length)
    final = w.let(f"sub i64 {count}, 1")

    def one(i: str) -> None:
        t = w.let(f"sub i64 {final}, {i}") if settings["reverse"] else i
        last = w.let(f"icmp eq i64 {i}, {final}")
        now, then = [], []
        for c in range(k):
            source, target = at.carry(c, i)
            now.append(source)
            then.append(w.let(f"select i1 {last}, ptr {at.out[c]}, ptr {target}"))
        rows = [at.row(at.given[p], node.inputs[p].spec, t) for p in range(n + k, len(node.inputs))]
        made = [at.row(at.out[p], node.outputs[p].spec, t) for p in range(k, len(node.outputs))]
        emit(at.body("body", [*at.given[:n], *now, *rows], [*then, *made]))

    w.each("0", count, 1, one)
    if length == 0 or isinstance(length, Dim):

        def untouched() -> list[str]:
            for c in at.buffers:
                at.copy(c, at.given[n + c])
            return []

        w.branch(w.let(f"icmp eq i64 {count}, 0"), untouched, list, ())


def _cond(at: _Place, emit: Emit) -> None:
    w = at.w
    answer = w.let(f"trunc i8 {w.let(f'load i8, ptr {at.given[0]}')} to i1")

    def branch(name: str) -> list[str]:
        emit(at.body(name, at.given[1:], at.out))
        return []

    w.branch(answer, lambda: branch("on_true"), lambda: branch("on_false"), ())


def _while(at: _Place, emit: Emit) -> None:
    w, n = at.w, at.first
    carries = range(len(at.step.node.outputs))
    at.settle(len(carries))
    state: list[tuple[str, str]] = []

    def test(i: str) -> str:
        state[:] = [at.carry(k, i) for k in carries]
        emit(at.body("test", [*at.given[:n], *(now for now, _ in state)], [at.room]))
        return w.let(f"trunc i8 {w.let(f'load i8, ptr {at.room}')} to i1")

    def body(i: str) -> None:
        emit(at.body("body", [*at.given[:n], *(now for now, _ in state)], [then for _, then in state]))

    w.repeat(test, body)
    for k in at.buffers:
        at.copy(k, state[k][0])
