"""What the steps of a plan do, and what that takes: names, lines of the user, floating-point operations and bytes.

An operation is one scalar atom on floats (a transcendental one counts as one; a multiply-add as two), at every point of
its loops, those of padding included. Bytes are what must move at least: each element that a step reads or writes,
once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from brickwork.tensor.dim import Size, evaluate
from brickwork.tensor.dtypes import class_of
from brickwork.tensor.expr import ATOMS, Expr
from brickwork.tensor.kernel import Kernel, Read, Write

from .ir import CONSTANT, Node, Value
from .plan import Call, Nest, Plan, Step

__all__ = ["Work", "bytes_of", "flops_of", "label_of", "works"]

QUIET = frozenset(("reshape", "transpose", "broadcast_to", "slice", "identity", "stop_gradient", "astype", "squeeze"))
"""Ops that leave no trace in a kernel, unless they are all of it."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Work:
    """A step: ``kind`` is kernel, call (an op that runs by Python) or region (whose bodies follow, one deeper).

    ``ops``: those of the graph that it does; ``sources``: the user's lines that asked for them. ``flops`` and
    ``nbytes``: of one run; None for calls and regions, and where a size is open.
    """

    number: int
    kind: str
    depth: int
    ops: tuple[str, ...]
    sources: tuple[str, ...]
    flops: int | None
    nbytes: int | None
    step: Step = field(repr=False)

    @property
    def parts(self) -> list[str]:
        """The ops and atoms, each once."""
        return _without_repeats(self.ops)

    @property
    def title(self) -> str:
        """What it does, as ``matmul + add + maximum``."""
        shown = self.parts
        more = f" + {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
        return " + ".join(shown[:SHOWN]) + more

    def __str__(self) -> str:
        loops = ""
        if isinstance(self.step, Kernel):
            sizes = [str(n) for n in self.step.axes]
            loops = f" over {' x '.join(sizes[: self.step.outer]) or '1'}"
            inner = sizes[self.step.outer :]
            loops += f", each {' x '.join(inner)}" if inner else ""
        where = f"  # {self.sources[0]}" if self.sources else ""
        return f"{'  ' * self.depth}{self.number}: {self.kind} {self.title}{loops}{where}"


def works(plan: Plan, values: Mapping[str, int] | None = None) -> tuple[Work, ...]:
    """The steps of a plan in the order of `Plan.every`. ``values``: of open sizes."""
    out: list[Work] = []
    _collect(plan, values or {}, 0, out)
    return tuple(out)


def _collect(plan: Plan, values: Mapping[str, int], depth: int, out: list[Work]) -> None:
    producers = plan.graph.producers()
    for step in plan.steps:
        nodes = _nodes(plan, step, producers)
        kind = {Kernel: "kernel", Call: "call", Nest: "region"}[type(step)]
        ops = tuple(label_of(n) for n in nodes if n.op not in QUIET) or tuple(n.op for n in nodes) or ("copy",)
        sources = tuple(dict.fromkeys(n.source for n in nodes if n.source))
        flops, size = _measured(plan, step, values)
        out.append(Work(len(out), kind, depth, ops, sources, flops, size, step))
        if isinstance(step, Nest):
            for inner in step.plans.values():
                _collect(inner, values, depth + 1, out)


def _nodes(plan: Plan, step: Step, producers: Mapping[int, Node]) -> list[Node]:
    """The nodes of a step, in order: back from what it writes to what is stored."""
    if not isinstance(step, Kernel):
        return [step.node]
    found: dict[int, Node] = {}
    stack = [plan.parts.get(w.target, w.target) for w in step.writes]
    own = set(stack)
    while stack:
        v = stack.pop()
        node = producers.get(v)
        if node is None or node.op == CONSTANT or id(node) in found:
            continue
        found[id(node)] = node
        stack += [x.id for x in node.inputs if x.id in own or x.id not in plan.places]
    return [n for n in plan.graph.nodes if id(n) in found]


def label_of(node: Node) -> str:
    """The op; of a fused body, its atoms."""
    body = node.settings.get("body")
    if node.op != "map" or not isinstance(body, Expr):
        return node.op
    atoms = [e.head for e, _ in body.program if e.head in ATOMS and class_of(e.dtype) in "fc"]
    atoms = atoms or [e.head for e, _ in body.program if e.head in ATOMS]
    return " + ".join(_without_repeats(tuple(atoms))[:SHOWN]) or body.head


def _without_repeats(words: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(part for word in words for part in word.split(" + ")))


# ---- what it takes ---------------------------------------------------------------------------------------------------


def _measured(plan: Plan, step: Step, values: Mapping[str, int]) -> tuple[int | None, int | None]:
    try:
        if isinstance(step, Kernel):
            return flops_of(step, values), bytes_of(step, plan, values)
        if isinstance(step, Call):
            return None, sum(_size_of(v, values) for v in (*step.node.inputs, *step.node.outputs))
    except KeyError:  # an open size
        pass
    return None, None


def flops_of(kernel: Kernel, values: Mapping[str, int]) -> int:
    """Floating-point operations of one run of a kernel."""
    sizes = [evaluate(n, values) for n in kernel.axes]
    outer = prod(sizes[: kernel.outer])
    total = 0
    for stage in kernel.stages:
        count = sum(1 for e, _ in stage.body.program if _is_float(e) and e.head in ATOMS)
        count += stage.combine is not None and _is_float(stage.body)
        total += outer * prod(sizes[a] for a in stage.axes) * count
    return total


def _is_float(e: Expr) -> bool:
    return class_of(e.dtype) in "fc"


def bytes_of(kernel: Kernel, plan: Plan, values: Mapping[str, int]) -> int:
    """Bytes that one run of a kernel moves at least."""
    sizes = [evaluate(n, values) for n in kernel.axes]
    moved: dict[tuple[int, bool], int] = {}
    for access, key in _accesses(kernel):
        count = prod(n for n, s in zip(sizes, access.strides, strict=True) if _moves(s))
        whole = plan.specs.get(key[0])
        moved[key] = moved.get(key, 0) + count * access.dtype.itemsize
        if whole is not None:
            moved[key] = min(moved[key], evaluate(whole.size, values) * whole.dtype.itemsize)
    return sum(moved.values()) if 0 not in sizes[: kernel.outer] else 0


def _accesses(kernel: Kernel) -> Iterator[tuple[Read | Write, tuple[int, bool]]]:
    for read in kernel.reads:
        yield read, (read.source, True)
    for write in kernel.writes:
        yield write, (write.target, False)


def _moves(stride: Size) -> bool:
    return not isinstance(stride, (int, np.integer)) or stride != 0


def _size_of(v: Value, values: Mapping[str, int]) -> int:
    return evaluate(v.spec.size, values) * v.spec.dtype.itemsize
