"""What a picture shows: boxes with lines of text, and arrows between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..ir import CONSTANT, Graph, Node, Value
from ..memory import bytes_text, scaled
from ..plan import Nest, Plan
from ..text import spec_text
from ..work import Work, label_of, works

__all__ = ["Arrow", "Box", "Picture", "picture_of_graph", "picture_of_plan"]

LINES = 8


@dataclass(frozen=True, slots=True)
class Box:
    """``kind``: input, result, kernel, call, region, op or constant. ``note``: what does not fit in it: the user's
    lines."""

    name: str
    kind: str
    title: str
    lines: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    source: str
    target: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def picture_of_graph(graph: Graph) -> Picture:
    """A box for each op; constants stand in the boxes that read them, bodies of regions beside."""
    return _collected(_graph_boxes(graph, ""))


def _graph_boxes(graph: Graph, prefix: str) -> Iterator[Box | Arrow]:
    made = graph.producers()
    for k, v in enumerate(graph.inputs):
        yield Box(f"{prefix}{v}", "input", f"input {k}", (spec_text(v.spec),))
    home = {v.id: f"{prefix}{v}" for v in graph.inputs}
    for node in graph.nodes:
        if node.op == CONSTANT:
            continue
        name = f"{prefix}{node.out}"
        home.update((v.id, name) for v in node.outputs)
        constants = [str(made[v.id].settings["value"]) for v in node.inputs if _is_constant(v, made)]
        lines = (*(spec_text(v.spec) for v in node.outputs), *([f"with {', '.join(constants)}"] if constants else []))
        yield Box(name, _kind(node), label_of(node), lines, node.source)
        for v in dict.fromkeys(node.inputs):
            if v.id in home:
                yield Arrow(home[v.id], name)
        for key, body in node.params:
            if isinstance(body, Graph):
                inner = f"{name}.{key}."
                yield Box(f"{inner}top", "region", key, (f"the body of {node.op}",))
                yield Arrow(name, f"{inner}top", key)
                yield from _graph_boxes(body, inner)
                yield from (Arrow(f"{inner}top", f"{inner}{v}") for v in body.inputs)
    for k, v in enumerate(graph.outputs):
        yield Box(f"{prefix}out{k}", "result", f"output {k}", (spec_text(v.spec),))
        if v.id in home:
            yield Arrow(home[v.id], f"{prefix}out{k}")


def _is_constant(v: Value, made: dict[int, Node]) -> bool:
    return v.id in made and made[v.id].op == CONSTANT


def _kind(node: Node) -> str:
    return {"opaque": "call", "region": "region"}.get(node.kind, "op")


def picture_of_plan(plan: Plan) -> Picture:
    """A box for each kernel, with the ops that it does; arrows are values in memory."""
    return _collected(_plan_boxes(plan, "", list(works(plan)), 0))


def _plan_boxes(plan: Plan, prefix: str, todo: list[Work], depth: int) -> Iterator[Box | Arrow]:
    """``todo``: the works of this plan and of what follows, taken from the front."""
    home: dict[int, str] = {}
    for k, v in enumerate(plan.graph.inputs):
        home[v.id] = f"{prefix}in{k}"
        yield Box(home[v.id], "input", f"input {k}", (spec_text(v.spec),))
    writer: dict[int, str] = {}
    for step in plan.steps:
        work = todo.pop(0)
        name = f"{prefix}{work.number}"
        reads, writes = _touched(step)
        yield Box(name, work.kind, f"{work.number} {work.parts[0]}", _inside(work), "\n".join(work.sources))
        for number in reads:
            source = writer.get(number) or home.get(number)
            if source is not None and source != name:
                spec = plan.specs[number]
                label = f"{spec_text(spec)}, {bytes_text(spec.size * spec.dtype.itemsize)}"
                yield Arrow(source, name, label if number in writer else "")
        writer.update((v, name) for v in writes)
        if isinstance(step, Nest):
            for key, inner in step.plans.items():
                top = f"{name}.{key}"
                yield Box(top, "region", key, (f"the body of {step.node.op}",))
                yield Arrow(name, top)
                yield from (Arrow(top, f"{name}.{key}.in{k}") for k in range(len(inner.graph.inputs)))
                yield from _plan_boxes(inner, f"{name}.{key}.", todo, depth + 1)
    aliased = dict(plan.graph.aliases)
    for k, v in enumerate(plan.graph.outputs):
        where = f"input {aliased[k]}, in place" if k in aliased else f"output {k}"
        yield Box(f"{prefix}out{k}", "result", where, (spec_text(v.spec),))
        if v.id in writer:
            yield Arrow(writer[v.id], f"{prefix}out{k}")


def _touched(step: object) -> tuple[list[int], list[int]]:
    if hasattr(step, "node"):
        return [v.id for v in step.node.inputs], [v.id for v in step.node.outputs]
    return (
        list(dict.fromkeys(r.source for r in step.reads)),  # type: ignore[attr-defined]
        list(dict.fromkeys(w.target for w in step.writes)),  # type: ignore[attr-defined]
    )


def _inside(work: Work) -> tuple[str, ...]:
    """The further ops of a kernel, and what it takes."""
    ops = work.parts[1:]
    more = [f"and {len(ops) - LINES} more"] if len(ops) > LINES else []
    cost = []
    if work.flops:
        cost.append(scaled(work.flops, "FLOP"))
    if work.nbytes:
        cost.append(bytes_text(work.nbytes))
    return (*ops[:LINES], *more, *([", ".join(cost)] if cost else []))


def _collected(parts: Iterator[Box | Arrow]) -> Picture:
    boxes: list[Box] = []
    arrows: dict[tuple[str, str], Arrow] = {}
    for part in parts:
        if isinstance(part, Box):
            boxes.append(part)
        else:
            arrows.setdefault((part.source, part.target), part)
    return Picture(tuple(boxes), tuple(arrows.values()))
