"""Regions as Scan, If and Loop, whose bodies read what does not change by its name outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from brickwork.tensor.dim import Size
from brickwork.tensor.spec import TensorSpec

from ...ir import Node, Value
from ..proto import onnx
from .writer import FARTHEST, INT64, Writer, element_type, rule

__all__ = ["declared", "graph_of"]

BOOL = np.dtype(bool)
_GOING = Value(0, TensorSpec((), BOOL))


def declared(name: str, dtype: np.dtype, shape: Sequence[Size]) -> Any:
    """An input or output as the standard declares it; open sizes by their names."""
    sizes = [n if isinstance(n, int) else str(n) for n in shape]
    return onnx.helper.make_tensor_value_info(name, element_type(dtype), sizes)


def graph_of(
    w: Writer, name: str, inputs: Sequence[Any], outputs: Sequence[tuple[str, Value]], wanted: Sequence[str] = ()
) -> Any:
    """The graph that a writer holds, without the nodes that no output needs. ``outputs``: names inside and values;
    ``wanted``: how they are to be called."""
    made: list[Any] = []
    called: dict[str, str] = {}
    for k, (inner, value) in enumerate(outputs):
        out = wanted[k] if wanted else w.fresh("result")
        if inner not in called and _renamed(w.nodes, inner, out):
            called[inner] = out
        else:
            w.node("Identity", [called.get(inner, inner)], [out])
        made.append(declared(out, value.spec.dtype, value.spec.shape))
    return onnx.helper.make_graph(needed(w.nodes, {o.name for o in made}), name, list(inputs), made)


def _renamed(nodes: Sequence[Any], old: str, new: str) -> bool:
    """Whether the node that makes a value could be told to call it so: it is made here, and no body reads it."""
    users = [n for n in nodes if old in read_by(n)]
    maker = [n for n in nodes if old in n.output]
    if not maker or any(old not in n.input or (n.attribute and old in _inside(n)) for n in users):
        return False
    for names in (maker[0].output, *(n.input for n in users)):
        for k, name in enumerate(names):
            if name == old:
                names[k] = new
    return True


def needed(nodes: Sequence[Any], outputs: set[str]) -> list[Any]:
    """The nodes that these names depend on."""
    kept, wanted = [], set(outputs)
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted |= read_by(node)
            kept.append(node)
    return kept[::-1]


def read_by(node: Any) -> set[str]:
    """The names that a node and the bodies in it read."""
    return set(node.input) | _inside(node)


def _inside(node: Any) -> set[str]:
    """The names that the bodies in a node read."""
    names: set[str] = set()
    for a in node.attribute:
        if a.HasField("g"):
            names = names.union((o.name for o in a.g.output), *(read_by(n) for n in a.g.node))
    return names


def _taken(w: Writer, values: Sequence[Value], wanted: str) -> tuple[list[str], list[Any]]:
    """Inputs of a body: their names and declarations."""
    names = [w.fresh(wanted) for _ in values]
    return names, [declared(n, v.spec.dtype, v.spec.shape) for n, v in zip(names, values, strict=True)]


@rule("cond")
def cond(w: Writer, node: Node, names: list[str]) -> Sequence[str]:
    branches = {}
    for key, which in (("then_branch", "on_true"), ("else_branch", "on_false")):
        body, inside = node.settings[which], w.inside()
        results = inside.run(body, names[1:])
        branches[key] = graph_of(inside, which, (), list(zip(results, body.outputs, strict=True)))
    return w.several("If", names[:1], len(node.outputs), **branches)


@rule("while_loop")
def while_loop(w: Writer, node: Node, names: list[str]) -> Sequence[str]:
    s = node.settings
    fixed, carried = names[: s["constants"]], names[s["constants"] :]
    test, body = s["test"], s["body"]
    (first,) = w.run(test, names)
    inside = w.inside()
    count, going = inside.fresh("step"), inside.fresh("going")
    heads = [declared(count, INT64, ()), declared(going, BOOL, ())]
    state, declarations = _taken(inside, body.inputs[s["constants"] :], "carry")
    results = inside.run(body, [*fixed, *state])
    (again,) = inside.run(test, [*fixed, *results])
    outputs = [(again, test.outputs[0]), *zip(results, body.outputs, strict=True)]
    loop = graph_of(inside, "body", [*heads, *declarations], outputs)
    return w.several("Loop", ["", first, *carried], len(node.outputs), body=loop)


@rule("scan")
def scan(w: Writer, node: Node, names: list[str]) -> Sequence[str]:
    s = node.settings
    n, k, body = s["constants"], s["carries"], s["body"]
    if len(names) == n + k:
        return _counted(w, node, names)
    inside = w.inside()
    state, first = _taken(inside, body.inputs[n : n + k], "carry")
    rows, second = _taken(inside, body.inputs[n + k :], "row")
    results = inside.run(body, [*names[:n], *state, *rows])
    graph = graph_of(inside, "body", [*first, *second], list(zip(results, body.outputs, strict=True)))
    back = int(s["reverse"])
    ways = {"scan_input_directions": [back] * len(rows), "scan_output_directions": [back] * (len(results) - k)}
    given = {key: way for key, way in ways.items() if back and way}
    return w.several("Scan", names[n:], len(node.outputs), body=graph, num_scan_inputs=len(rows), **given)


def _counted(w: Writer, node: Node, names: list[str]) -> Sequence[str]:
    """A scan over nothing, so many times: a Loop, whose results a reversed one turns."""
    s = node.settings
    n, k, body = s["constants"], s["carries"], s["body"]
    inside = w.inside()
    count, going = inside.fresh("step"), inside.fresh("going")
    state, declarations = _taken(inside, body.inputs[n:], "carry")
    results = inside.run(body, [*names[:n], *state])
    heads = [declared(count, INT64, ()), declared(going, BOOL, ())]
    outputs = [(going, _GOING), *zip(results, body.outputs, strict=True)]
    loop = graph_of(inside, "body", [*heads, *declarations], outputs)
    trips = w.reshape(w.size(s["length"]), ())
    made = w.several("Loop", [trips, w.constant(True, BOOL), *names[n:]], len(node.outputs), body=loop)
    if not s["reverse"]:
        return made
    turn = [w.ints([-1]), w.ints([FARTHEST]), w.ints([0]), w.ints([-1])]
    return [*made[:k], *(w.emit("Slice", y, *turn) for y in made[k:])]
