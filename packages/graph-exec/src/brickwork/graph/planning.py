"""Making a plan: clusters in order, their kernels, and a place for each value.

A value is an input, a result, or a place in the arena, which is reused as soon as nothing needs what is there. A
variable that the graph gives a new value is written in place, where nothing reads the old value later; so is a carry of
a loop. A body has a plan of its own, whose arena is a range of the arena around it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.expr import arg, leaves
from brickwork.tensor.kernel import Kernel, Read, Stage, Write
from brickwork.tensor.spec import TensorSpec

from .clusters import Cluster, Clustering, cluster
from .ir import CONSTANT, Graph, Node, Value, parameters
from .kernels import concat_kernels, kernels_of
from .lowering import NotInline, dense_strides
from .order import reaches, topological
from .partition import partitioned
from .plan import Call, Nest, Place, Plan, Step
from .reuse import written_over
from .storing import peel

__all__ = ["make_plan"]

ALIGN = 64
ROOM = -1
"""The number under which the room of a region is taken from the arena."""


def make_plan(graph: Graph, carried: tuple[tuple[int, int], ...] = ()) -> Plan:
    """Cluster, order, lower and place. ``carried``: (output, input) positions that may be one place, where the output
    can be written over the input."""
    graph, forced = own_operands(own_outputs(graph)), set[int]()
    while True:
        try:
            grouped = cluster(graph, forced)
            in_place = _in_place(graph, grouped, (*graph.aliases, *carried))
            ordered, in_place = _order_with_writes(graph, grouped, in_place)
            steps = [step for made in ordered for step in _steps(made, grouped)]
            break
        except NotInline as blocked:
            if blocked.value is None or blocked.value.id in forced:
                raise
            forced.add(blocked.value.id)
    copies, targets = _copies(graph, in_place)
    targets |= in_place
    steps, parts = _in_parts(steps, graph.fresh())
    return _place(graph, (*steps, *copies), targets, parts)


def _in_parts(steps: list[Step], fresh: int) -> tuple[list[Step], dict[int, tuple[TensorSpec, int]]]:
    """Steps with long sums to few numbers made in parts; and the values that hold those: what they are, and a value
    that they become. ``fresh``: the first number that is free."""
    out: list[Step] = []
    parts: dict[int, tuple[TensorSpec, int]] = {}
    for step in steps:
        if not isinstance(step, Kernel):
            out.append(step)
            continue
        target = step.writes[0].target

        def value(dtype: np.dtype, count: int, target: int = target) -> int:
            parts[fresh + len(parts)] = TensorSpec((count,), dtype), target
            return fresh + len(parts) - 1

        out += partitioned(step, value)
    return out, parts


def own_outputs(graph: Graph) -> Graph:
    """Each output a value of its own that a node makes: inputs, constants and repeated values are copied."""
    made = graph.producers()
    seen: set[int] = set()
    nodes, outputs, fresh = list(graph.nodes), [], graph.fresh()
    for v in graph.outputs:
        node = made.get(v.id)
        if node is None or node.op == CONSTANT or v.id in seen:
            copy = Value(fresh, v.spec)
            fresh += 1
            nodes.append(Node("identity", (v,), (copy,), parameters({})))
            v = copy
        seen.add(v.id)
        outputs.append(v)
    return Graph(graph.inputs, tuple(nodes), tuple(outputs), graph.aliases)


def own_operands(graph: Graph) -> Graph:
    """Constants that regions read, which are places to them, as values that a node makes."""
    made, copies, fresh = graph.producers(), dict[int, Value](), graph.fresh()
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.kind == "region":
            for v in node.inputs:
                if v.id in made and made[v.id].op == CONSTANT and v.id not in copies:
                    copies[v.id] = Value(fresh + len(copies), v.spec)
                    nodes.append(Node("identity", (v,), (copies[v.id],), parameters({})))
            node = replace(node, inputs=tuple(copies.get(v.id, v) for v in node.inputs))
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def _nest(node: Node) -> Nest:
    """The plan of a region: its bodies, and room for its carries. Bodies never run at the same time, and share room."""
    settings = node.settings
    first = settings.get("constants", 0)
    carries = {"scan": settings.get("carries", 0), "while_loop": len(node.outputs)}.get(node.op, 0)
    pairs = tuple((k, first + k) for k in range(carries))
    plans = {k: make_plan(v, pairs if k == "body" else ()) for k, v in node.params if isinstance(v, Graph)}
    room: Size = ALIGN if node.op == "while_loop" else 0  # for the answer of the test
    buffers = []
    for k in range(carries):
        value = plans["body"].graph.outputs[k]
        if plans["body"].places[value.id].where == "result":
            size = _rounded(value.spec.size * value.spec.dtype.itemsize)
            buffers.append((k, room, size))
            room = size + size + room
    arenas = [plan.arena for plan in plans.values()]
    if any(isinstance(size, Dim) for size in arenas):
        inner = {}
        for name, plan in plans.items():
            inner[name], room = room, plan.arena + room
        return Nest(node, plans, tuple(buffers), inner, room)
    return Nest(node, plans, tuple(buffers), dict.fromkeys(plans, room), max(arenas) + room)  # type: ignore[type-var]


def _steps(made: Cluster, grouped: Clustering) -> list[Step]:
    if made.kind == "call":
        assert made.call is not None
        return [_nest(made.call) if made.call.kind == "region" else _call(made)]
    if made.kind == "concat":
        assert made.call is not None
        return list(concat_kernels(made.call))
    try:
        return list(kernels_of(made, grouped.written))
    except NotInline:
        if made.call is None:
            raise
        for v in made.call.inputs:
            source = peel(v, made.body.producers)
            if not made.body.stored(source):
                raise NotInline(source) from None
        return [_call(made)]


def _call(made: Cluster) -> Call:
    assert made.call is not None
    makers = {v.id: made.body.producers.get(v.id) for v in made.call.inputs}
    return Call(made.call, {k: n.settings["value"] for k, n in makers.items() if n is not None and n.op == CONSTANT})


def _in_place(graph: Graph, grouped: Clustering, pairs: tuple[tuple[int, int], ...]) -> dict[int, int]:
    """Output value -> input value that it may overwrite: its own kernel must read the old value only at the element
    it writes."""
    out: dict[int, int] = {}
    by_number = {c.number: c for c in grouped.clusters}
    for position, source in pairs:
        value, old = graph.outputs[position], graph.inputs[source]
        made = by_number[grouped.home[value.id]]
        if made.kind in ("map", "reduce", "contract") and _reads_own_element(made, value, old):
            out[value.id] = old.id
    return out


def _reads_own_element(made: Cluster, value: Value, old: Value) -> bool:
    """Whether this cluster reads the old value only as the element that is written at the same point, and not after it
    is.

    Values that are written without a loop are all computed before any is stored; a stage that loops reads after that.
    """
    at, _ = made.body.own[value.id]
    steps = dense_strides(value.spec.shape)
    n = len(made.outer) + len(made.inner)
    strides: list[Size] = [0] * n
    for form, step in zip(at, steps, strict=True):
        strides = [step * c + s if c else s for s, c in zip(strides, form.coeffs, strict=True)]
    reads = [
        (m, made.body.reads[k]) for m in made.made for k in leaves(m.body, "arg") if made.body.reads[k].source == old.id
    ]
    looped = any(m.full and m.value.id == value.id for m in made.made)
    return all(
        m.combine is None
        and r.offset == 0
        and list(r.strides) == strides
        and not r.guards
        and (m.value.id == value.id or not (looped or m.full))
        for m, r in reads
    )


def _order_with_writes(
    graph: Graph, grouped: Clustering, in_place: dict[int, int]
) -> tuple[list[Cluster], dict[int, int]]:
    """An order in which whoever reads the old value of a variable comes before who overwrites it; a cycle costs that
    variable a copy."""
    clusters = grouped.clusters
    needs = {c.number: c.needs(grouped.home) for c in clusters}
    kept: dict[int, int] = {}
    for new, old in in_place.items():
        writer = grouped.home[new]
        readers = {c.number for c in clusters if old in c.sources()} - {writer}
        if any(reaches(needs.__getitem__, r, writer) for r in readers):
            continue
        needs[writer] |= readers
        kept[new] = old
    return [clusters[n] for n in topological(needs)], kept


def _copies(graph: Graph, in_place: dict[int, int]) -> tuple[list[Step], dict[int, int]]:
    """Copies at the end for variables that could not be written in place; and output value -> input it stands in."""
    copies: list[Step] = []
    targets: dict[int, int] = {}
    for position, source in graph.aliases:
        value, old = graph.outputs[position], graph.inputs[source]
        if value.id in in_place:
            targets[value.id] = old.id
            continue
        count = value.spec.size
        body = arg(0, value.spec.dtype)
        copies.append(
            Kernel(
                (count,),
                1,
                (Read(value.id, value.spec.dtype, 0, (1,)),),
                (Stage((), body, None, Write(old.id, value.spec.dtype, 0, (1,))),),
            )
        )
    return copies, targets


def _place(
    graph: Graph, steps: tuple[Step, ...], targets: dict[int, int], parts: dict[int, tuple[TensorSpec, int]]
) -> Plan:
    specs = {v.id: v.spec for v in graph.values()} | {k: spec for k, (spec, _) in parts.items()}
    aliased = {position for position, _ in graph.aliases} | {k for k, v in enumerate(graph.outputs) if v.id in targets}
    places = {v.id: Place("input", k) for k, v in enumerate(graph.inputs)}
    results = tuple(v for k, v in enumerate(graph.outputs) if k not in aliased)
    for k, v in enumerate(results):
        places[v.id] = Place("result", k)
    for new, old in targets.items():
        places[new] = places[old]
    arena = _Arena()
    last = _last_use(steps)
    placed: list[Step] = []
    for number, step in enumerate(steps):
        for made in sorted(_writes(step)):
            if made not in places:
                size = _rounded(specs[made].size * specs[made].dtype.itemsize)
                over = None
                if isinstance(step, Kernel):
                    ending = [v for v in sorted(_reads(step)) if last[v] == number and arena.room(v) == size]
                    over = written_over(step, made, ending)
                places[made] = Place("arena", arena.take(made, size) if over is None else arena.hand_on(over, made))
        if isinstance(step, Nest) and step.room != 0:
            step = replace(step, at=arena.take(ROOM, step.room))
            arena.give(ROOM)
        placed.append(step)
        for used in sorted(_reads(step) | _writes(step)):
            if last.get(used, number) == number and used in arena.taken:
                arena.give(used)
    whole = {k: target for k, (_, target) in parts.items()}
    return Plan(graph, tuple(placed), places, specs, arena.size, results, whole)


def _reads(step: Step) -> set[int]:
    return {r.source for r in step.reads} if isinstance(step, Kernel) else {v.id for v in step.node.inputs}


def _writes(step: Step) -> set[int]:
    return {w.target for w in step.writes} if isinstance(step, Kernel) else {v.id for v in step.node.outputs}


def _last_use(steps: tuple[Step, ...]) -> dict[int, int]:
    last: dict[int, int] = {}
    for number, step in enumerate(steps):
        for v in _reads(step) | _writes(step):
            last[v] = number
    return last


class _Arena:
    """First-fit places in one block of memory. Symbolic sizes are reused by equal sizes only."""

    def __init__(self) -> None:
        self.size: Size = 0
        self.taken: dict[int, tuple[Size, Size]] = {}
        self.free: list[tuple[Size, Size]] = []

    def take(self, value: int, count: Size) -> Size:
        size = _rounded(count)
        fitting = [
            f
            for f in self.free
            if f[1] == size or (not isinstance(f[1], Dim) and not isinstance(size, Dim) and f[1] >= size)
        ]
        if fitting:
            best = min(fitting, key=lambda f: 0 if isinstance(f[1], Dim) else f[1])
            self.free.remove(best)
            offset, room = best
            if not isinstance(room, Dim) and not isinstance(size, Dim) and room > size:
                self.free.append((offset + size, room - size))
        else:
            offset = self.size
            self.size = size + self.size
        self.taken[value] = (offset, size)
        return offset

    def room(self, value: int) -> Size | None:
        """The bytes that a value has here; None where it has none."""
        return self.taken[value][1] if value in self.taken else None

    def hand_on(self, old: int, new: int) -> Size:
        """The place of one value to another."""
        self.taken[new] = self.taken.pop(old)
        return self.taken[new][0]

    def give(self, value: int) -> None:
        offset, size = self.taken.pop(value)
        merged = [offset, size]
        if not isinstance(offset, Dim) and not isinstance(size, Dim):
            for block in list(self.free):
                if isinstance(block[0], Dim) or isinstance(block[1], Dim):
                    continue
                if block[0] + block[1] == merged[0]:
                    merged = [block[0], block[1] + merged[1]]
                    self.free.remove(block)
                elif merged[0] + merged[1] == block[0]:
                    merged = [merged[0], merged[1] + block[1]]
                    self.free.remove(block)
        self.free.append((merged[0], merged[1]))


def _rounded(count: Size) -> Size:
    """Bytes rounded up to the alignment; a symbolic count of bytes is rounded up term by term."""
    if not isinstance(count, Dim):
        return -(-count // ALIGN) * ALIGN
    return Dim(tuple((m, -(-c // ALIGN) * ALIGN) for m, c in count.terms)) + 0
