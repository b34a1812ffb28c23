"""hoist: what is the same in every round of a loop is computed before it."""

from __future__ import annotations

from dataclasses import replace

from ..ir import CONSTANT, Graph, Node, Value, parameters
from .dce import dce
from .loops import slimmer

__all__ = ["hoist"]

COMPUTES = ("contraction", "reduce", "opaque", "elementwise", "region")


def hoist(graph: Graph) -> Graph:
    """The graph with nodes that depend on the constants of a loop alone in front of it.

    Views and numbers stay in the body, where they are for nothing; those that such a node reads are made outside too.
    """
    fresh = graph.fresh()
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.op in ("scan", "while_loop"):
            body, n = node.settings["body"], node.settings["constants"]
            outside = dict(zip((v.id for v in body.inputs[:n]), node.inputs[:n], strict=True))
            moved = _invariant(body, n)
            for inner in moved:
                renamed = tuple(Value(fresh + k, v.spec) for k, v in enumerate(inner.outputs))
                fresh += len(renamed)
                nodes.append(replace(inner, inputs=tuple(outside[v.id] for v in inner.inputs), outputs=renamed))
                outside.update((v.id, r) for v, r in zip(inner.outputs, renamed, strict=True))
            if moved:
                node = _without(node, moved, outside)
        nodes.append(node)
    return slimmer(replace(graph, nodes=tuple(nodes)))


def _invariant(body: Graph, constants: int) -> list[Node]:
    """The nodes that are made before a loop, in order."""
    fixed = {v.id for v in body.inputs[:constants]}
    still: list[Node] = []
    for node in body.nodes:
        if node.op == CONSTANT or (node.inputs and all(v.id in fixed for v in node.inputs)):
            fixed |= {v.id for v in node.outputs}
            still.append(node)
    wanted: set[int] = set()
    moved: list[Node] = []
    for node in reversed(still):
        if _computes(node) or any(v.id in wanted for v in node.outputs):
            wanted |= {v.id for v in node.inputs}
            moved.append(node)
    return moved[::-1]


def _computes(node: Node) -> bool:
    """Whether it is worth a place; a turned weight is, since every round would copy it."""
    return node.kind in COMPUTES or node.op == "transpose"


def _without(node: Node, moved: list[Node], outside: dict[int, Value]) -> Node:
    """The loop with what was moved among its constants."""
    settings = node.settings
    body, n = settings["body"], settings["constants"]
    gone = {v.id for m in moved if _computes(m) for v in m.outputs}
    rest = tuple(x for x in body.nodes if x.outputs[0].id not in gone)
    read = {v.id for v in body.outputs} | {v.id for x in rest for v in x.inputs}
    made = [v for m in moved if _computes(m) for v in m.outputs if v.id in read]
    settings["body"] = dce(replace(body, inputs=(*body.inputs[:n], *made, *body.inputs[n:]), nodes=rest))
    settings["constants"] = n + len(made)
    if node.op == "while_loop":
        test = settings["test"]
        start = test.fresh()
        unread = tuple(Value(start + k, v.spec) for k, v in enumerate(made))
        settings["test"] = replace(test, inputs=(*test.inputs[:n], *unread, *test.inputs[n:]))
    inputs = (*node.inputs[:n], *(outside[v.id] for v in made), *node.inputs[n:])
    return replace(node, inputs=inputs, params=parameters(settings))
