"""layout: turn operands of contractions so that the last axis of the result is the last axis of the operand that has
it.

A register tile wants its vector axis to be the one of stride 1, in the result and in one operand. The gradient of a
matrix product by its first operand has it the other way round in the second; the transpose written here is a view, and
is stored only where the kernel it feeds asks for that (`clusters`). What is turned already is turned from where it
came: the keys that attention reads turned, its gradient reads as they are, and not turned back from the copy.
"""

from __future__ import annotations

from brickwork.tensor.dim import Dim
from brickwork.tensor.op import Contraction
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.view import Form

from ..ir import Graph, Node, Value, parameters, rebuild

__all__ = ["layout"]

WORTH = 8
"""Elements on the vector axis, and products per element of the operand, below which turning it does not pay."""


def layout(graph: Graph) -> Graph:
    """The graph with operands of contractions turned where that gives them a vector axis."""
    fresh = [graph.fresh()]
    views: dict[int, Node] = {}

    def visit(node: Node, inputs: tuple[Value, ...]) -> Node | tuple[Node, ...]:
        definition = graph_op(node)
        if node.op == "transpose":
            views[node.out.id] = Node(node.op, inputs, node.outputs, node.params, node.source)
        if definition is None:
            return Node(node.op, inputs, node.outputs, node.params, node.source)
        form = definition.form(*(v.spec for v in inputs), **node.settings)
        turned = [_turn(form, k) for k in range(len(inputs))]
        if not form.out or all(t is None for t in turned):
            return Node(node.op, inputs, node.outputs, node.params, node.source)
        made, operands, maps = [], [], []
        for v, dims, order in zip(inputs, form.maps, turned, strict=True):
            if order is not None:
                dims = tuple(dims[d] for d in order)
                view = views.get(v.id)
                if view is not None:
                    v, order = view.inputs[0], tuple(view.settings["axes"][d] for d in order)
                if order != tuple(range(len(order))):
                    v, step = _transposed(v, order, fresh, node.source)
                    made.append(step)
            operands.append(v)
            maps.append(dims)
        params = parameters({"form": Form(form.extents, tuple(maps), form.out)})
        return (*made, Node("contract", tuple(operands), node.outputs, params, node.source))

    return rebuild(graph, visit)


def graph_op(node: Node) -> Contraction | None:
    """The contraction of a node, if it is one."""
    return node.definition if node.kind == "contraction" and isinstance(node.definition, Contraction) else None


def _turn(form: Form, k: int) -> tuple[int, ...] | None:
    """The order of axes that puts the vector axis last; None where the operand is as it should be, or is better
    left."""
    if not form.out:
        return None
    vector, dims = form.out[-1], form.maps[k]
    if any(d.single is None for d in dims) or not _at_least(form.extents[vector], WORTH):
        return None
    places = [d for d, dim in enumerate(dims) if dim.single == vector]
    if not places or places[0] == len(dims) - 1:
        return None
    reused = [a for a in form.out if not any(dim.coeffs[a] for dim in dims) and _at_least(form.extents[a], 2)]
    if not reused:
        return None
    return (*(d for d in range(len(dims)) if d != places[0]), places[0])


def _at_least(size: object, number: int) -> bool:
    return isinstance(size, Dim) or size >= number  # type: ignore[operator]


def _transposed(v: Value, order: tuple[int, ...], fresh: list[int], source: str) -> tuple[Value, Node]:
    out = Value(fresh[0], TensorSpec(tuple(v.spec.shape[d] for d in order), v.spec.dtype))
    fresh[0] += 1
    return out, Node("transpose", (v,), (out,), (("axes", order),), source)
