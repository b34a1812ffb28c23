"""A plan as one LLVM module with one entry point."""

from __future__ import annotations

from brickwork.tensor.coalesce import coalesce
from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.kernel import Kernel, Read, Stage, Write

from ..plan import Call, Nest, Plan
from .codegen import Function, generate
from .nests import Frame, emit_nest
from .strategy import Machine
from .writer import Writer

__all__ = ["Module", "build_module"]

PARALLEL_FROM = 60_000
"""Rough operations under which a kernel is not worth sharing: a hand-over costs about a microsecond."""
CHUNK = 20_000
LONG_ENTRY = 1000
"""Lines from which the entry point is left as it is written, where it has no loops: it does little but pass addresses,
and of a long function LLVM thinks longer than of many short ones."""


def build_module(plan: Plan, machine: Machine) -> str:
    """The module: ``i64 brickwork_run(buffers, arena, dims, pool, parallel, callback)`` gives 0, or 1 where a call
    failed; ``i64 brickwork_shares()`` whether any kernel may go to the pool.

    ``i64 callback(number, addresses)`` runs call ``number`` of `Plan.calls`, on the addresses of its operands that are
    no constants, then of its results.
    """
    return Module(plan, machine).run()


class Module:
    """``functions``: of each kernel, its name and text; equal kernels are one. ``shared``: any may go to the pool."""

    entry = "brickwork_run"
    arguments: tuple[str, ...] = ("buffers", "arena", "dims", "pool", "parallel", "callback")

    def __init__(self, plan: Plan, machine: Machine):
        self.plan, self.machine = plan, machine
        self.symbols = plan.symbols
        self.numbers = {id(c): k for k, c in enumerate(plan.calls)}
        self.functions: dict[Kernel, tuple[str, Function]] = {}
        self.shared = False
        self.w = Writer()

    def run(self) -> str:
        w, plan = self.w, self.plan
        for k, s in enumerate(self.symbols):
            w.dims[s] = w.let(f"load i64, ptr {w.let(f'getelementptr i64, ptr %dims, i64 {k}')}")
        w.put("%serial = icmp eq ptr %pool, null")
        w.stack("%slots", "ptr", max((len(_buffers(k)) for k in plan.kernels), default=1))
        w.stack("%operands", "ptr", max((len(c.node.inputs) + len(c.node.outputs) for c in plan.calls), default=1))
        self.steps(Frame(w, plan))
        arguments = ", ".join(f"ptr %{name}" for name in self.arguments)
        body = w.text()
        kind = "#2" if body.count("\n") > LONG_ENTRY and len(plan.steps) == len(list(plan.every())) else "#0"
        entry = (
            f"define i64 @{self.entry}({arguments}) {kind} {{\nentry:\n{body}\n  ret i64 0\nfailed:\n  ret i64 1\n}}\n"
        )
        texts = [f.text for _, f in self.functions.values()]
        declared = sorted(set(w.declared).union(*(f.declared for _, f in self.functions.values())))
        shares = f"define i64 @brickwork_shares() {{\n  ret i64 {int(self.shared)}\n}}\n"
        return "\n".join([*declared, "", *texts, entry, shares, self._attributes()])

    def _attributes(self) -> str:
        machine = self.machine
        target = f'"target-cpu"="{machine.name}" "target-features"="{machine.features}"'
        width = f'"prefer-vector-width"="{machine.vector_bytes * 8}"'
        return "".join(
            f"attributes #{k} = {{ nounwind {extra}{target} {width} }}\n"
            for k, extra in enumerate(("", "noinline ", "noinline optnone "))
        )

    def steps(self, frame: Frame) -> None:
        """The steps of a plan, its values where the frame says."""
        for step in frame.plan.steps:
            if isinstance(step, Call):
                self._call(step, frame)
            elif isinstance(step, Nest):
                emit_nest(step, frame, self.steps)
            else:
                self._kernel(step, frame)

    def _call(self, call: Call, frame: Frame) -> None:
        w, node = self.w, call.node
        operands = [v for v in node.inputs if v.id not in call.constants]
        for k, v in enumerate((*operands, *node.outputs)):
            w.put(f"store ptr {frame.address(v.id)}, ptr {w.let(f'getelementptr ptr, ptr %operands, i64 {k}')}")
        status = w.let(f"call i64 %callback(i64 {self.numbers[id(call)]}, ptr %operands)")
        bad = w.let(f"icmp ne i64 {status}, 0")
        on = w.label("on")
        w.put(f"br i1 {bad}, label %failed, label %{on}")
        w.start(on)

    def _kernel(self, step: Kernel, frame: Frame) -> None:
        w, order = self.w, _buffers(step)
        kernel = coalesce(renumbered(step, {v: k for k, v in enumerate(order)}))
        if kernel not in self.functions:
            name = f"kernel{len(self.functions)}"
            slots = {k: k for k in range(len(order))}
            self.functions[kernel] = name, generate(name, kernel, slots, self.symbols, self.machine)
        name, function = self.functions[kernel]
        for k, v in enumerate(order):
            w.put(f"store ptr {frame.address(v)}, ptr {w.let(f'getelementptr ptr, ptr %slots, i64 {k}')}")
        self.shared |= _emit_kernel(w, name, function)


def _buffers(kernel: Kernel) -> list[int]:
    """The values that a kernel touches, in a fixed order."""
    return list(dict.fromkeys([*(r.source for r in kernel.reads), *(w.target for w in kernel.writes)]))


def renumbered(kernel: Kernel, place: dict[int, int]) -> Kernel:
    """The kernel with buffers named by their slots, so that equal work is one function."""
    reads = tuple(Read(place[r.source], r.dtype, r.offset, r.strides, r.guards, r.fill) for r in kernel.reads)
    stages = tuple(
        Stage(
            s.axes,
            s.body,
            s.combine,
            None if s.write is None else Write(place[s.write.target], s.write.dtype, s.write.offset, s.write.strides),
        )
        for s in kernel.stages
    )
    return Kernel(kernel.axes, kernel.outer, reads, stages)


def _emit_kernel(w: Writer, name: str, function: Function) -> bool:
    """Run a kernel: by this thread where it is small, else by the pool. Gives whether it may be shared."""
    units: Size = function.units
    total = function.cost * (units if isinstance(units, int) else 1)
    serial = f"call void @{name}(ptr %slots, ptr %dims, i64 0, i64 {w.size(units)})"
    if isinstance(units, int) and (units < 2 or total < PARALLEL_FROM):
        w.put(serial)
        return False
    count = w.size(units)
    labels = [w.label(s) for s in ("alone", "together", "next")]
    alone = "%serial"
    if isinstance(units, Dim):
        small = w.let(f"icmp slt i64 {w.mul(count, str(function.cost))}, {PARALLEL_FROM}")
        alone = w.let(f"or i1 %serial, {small}")
    w.put(f"br i1 {alone}, label %{labels[0]}, label %{labels[1]}")
    w.start(labels[0])
    w.put(serial)
    w.put(f"br label %{labels[2]}")
    w.start(labels[1])
    wanted = w.max(
        w.let(f"sdiv i64 {w.mul(count, str(function.cost))}, {CHUNK}")
        if isinstance(units, Dim)
        else str(total // CHUNK),
        "2",
    )
    chunks = w.min(w.min(wanted, count), "64")
    w.put(f"call void %parallel(ptr %pool, ptr @{name}, ptr %slots, ptr %dims, i64 {count}, i64 {chunks})")
    w.put(f"br label %{labels[2]}")
    w.start(labels[2])
    return True
