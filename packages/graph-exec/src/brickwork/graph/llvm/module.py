"""A plan as one LLVM module with one entry point."""

from __future__ import annotations

from brickwork.tensor.coalesce import coalesce
from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.kernel import Kernel, Read, Stage, Write

from ..plan import Call, Plan
from .codegen import Function, generate
from .strategy import Machine
from .writer import Writer

__all__ = ["build_module", "symbols_of"]

PARALLEL_FROM = 60_000
"""Rough operations under which a kernel is not worth sharing: a hand-over costs about a microsecond."""
CHUNK = 20_000


def symbols_of(plan: Plan) -> tuple[str, ...]:
    """The symbolic sizes of a plan's inputs, sorted: their order in ``dims``."""
    sizes = [n for v in plan.graph.inputs for n in v.spec.shape if isinstance(n, Dim)]
    return tuple(sorted({s for n in sizes for mono, _ in n.terms for s in mono}))


def build_module(plan: Plan, machine: Machine) -> str:
    """The module: ``i64 brickwork_run(buffers, arena, dims, pool, parallel, callback)`` gives 0, or 1 where a call
    failed; ``i64 brickwork_shares()`` whether any kernel may go to the pool."""
    symbols = symbols_of(plan)
    functions: dict[Kernel, tuple[str, Function]] = {}
    w = Writer()
    for k, s in enumerate(symbols):
        w.dims[s] = w.let(f"load i64, ptr {w.let(f'getelementptr i64, ptr %dims, i64 {k}')}")
    w.put("%serial = icmp eq ptr %pool, null")
    shared = False
    slots_needed = max((len(_buffers(s)) for s in plan.kernels), default=1)
    for number, step in enumerate(plan.steps):
        if isinstance(step, Call):
            _emit_call(w, number)
            continue
        order = _buffers(step)
        kernel = coalesce(renumbered(step, {v: k for k, v in enumerate(order)}))
        if kernel not in functions:
            name = f"kernel{len(functions)}"
            functions[kernel] = (name, generate(name, kernel, {k: k for k in range(len(order))}, symbols, machine))
        name, function = functions[kernel]
        for k, v in enumerate(order):
            w.put(f"store ptr {_address(w, plan, v)}, ptr {w.let(f'getelementptr ptr, ptr %slots, i64 {k}')}")
        shared |= _emit_kernel(w, name, function)
    body = "\n".join(w.lines)
    declared = sorted(set(w.declared).union(*(f.declared for _, f in functions.values())))
    arguments = ", ".join(f"ptr %{name}" for name in ("buffers", "arena", "dims", "pool", "parallel", "callback"))
    slots = f"  %slots = alloca ptr, i64 {slots_needed}\n"
    entry = (
        f"define i64 @brickwork_run({arguments}) #0 {{\nentry:\n{slots}{body}\n  ret i64 0\nfailed:\n  ret i64 1\n}}\n"
    )
    target = f'"target-cpu"="{machine.name}" "target-features"="{machine.features}"'
    width = f'"prefer-vector-width"="{machine.vector_bytes * 8}"'
    attributes = "".join(
        f"attributes #{k} = {{ nounwind {extra}{target} {width} }}\n" for k, extra in enumerate(("", "noinline "))
    )
    shares = f"define i64 @brickwork_shares() {{\n  ret i64 {int(shared)}\n}}\n"
    return "\n".join([*declared, "", *(f.text for _, f in functions.values()), entry, shares, attributes])


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


def _address(w: Writer, plan: Plan, value: int) -> str:
    place = plan.places[value]
    if place.where == "arena":
        return w.let(f"getelementptr i8, ptr %arena, i64 {w.size(place.at)}")
    position = place.at if place.where == "input" else len(plan.graph.inputs) + place.at
    return w.let(f"load ptr, ptr {w.let(f'getelementptr ptr, ptr %buffers, i64 {position}')}")


def _emit_call(w: Writer, number: int) -> None:
    status = w.let(f"call i64 %callback(i64 {number})")
    bad = w.let(f"icmp ne i64 {status}, 0")
    on = w.label("on")
    w.put(f"br i1 {bad}, label %failed, label %{on}")
    w.start(on)


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
