"""Which values are kept in memory before anything is grouped: anchors, what they read, and what is dear to compute
again."""

from __future__ import annotations

from brickwork.tensor.dim import Size
from brickwork.tensor.op import Contraction, Elementwise
from brickwork.tensor.spec import Shape

from .ir import CONSTANT, Graph, Node, Value

__all__ = ["peel", "stored_values"]

EXPENSIVE = {
    **dict.fromkeys(("exp", "log", "expm1", "log1p", "tanh", "sin", "cos", "erf"), 10),
    **dict.fromkeys(("mulhi", "div", "sqrt"), 3),
    **dict.fromkeys(("asin", "acos", "atan", "atan2", "tan", "log2", "log10", "hypot"), 15),
    **dict.fromkeys(("sinh", "cosh", "asinh", "acosh", "atanh", "pow"), 20),
    **dict.fromkeys(("fmod", "ipow"), 50),
}
STORE_WHEN_SHARED, STORE_WHEN_BROADCAST = 6, 8
ANCHORS = ("opaque", "contraction", "reduce", "region")


def stored_values(graph: Graph) -> set[int]:
    """The numbers of the values that nodes make and that are to be in memory."""
    producers, users = graph.producers(), graph.users()
    outputs = {v.id for v in graph.outputs}
    stored = {v for v in outputs if v in producers}
    for node in graph.nodes:
        if node.kind in ANCHORS:
            stored.update(v.id for v in node.outputs)
        if node.kind in ("opaque", "region"):
            stored.update(v.id for v in node.inputs)
        elif node.kind == "contraction" and not _reads_once(node):
            stored.update(peel(v, producers).id for v in node.inputs)
    weights: dict[int, int] = {}
    for node in graph.nodes:
        if node.kind != "elementwise" or node.out.id in stored:
            continue
        under = [peel(v, producers).id for v in node.inputs]
        weight = weights[node.out.id] = sum(weights.get(v, 0) for v in under if v not in stored) + _weight(node)
        if _worth_storing(node, weight, _readers(node.out, users)):
            stored.add(node.out.id)
    return {v for v in stored if v in producers and (producers[v].op != CONSTANT or v in outputs)}


def _reads_once(node: Node) -> bool:
    """Whether a contraction adds up elements of one operand, each at most once, as the gradient of a window does: then
    what it reads may be computed on the spot."""
    definition = node.definition
    assert isinstance(definition, Contraction)
    if len(node.inputs) != 1:
        return False
    form = definition.form(*(v.spec for v in node.inputs), **node.settings)
    (dims,) = form.maps
    return len(dims) >= len(form.extents) and all(any(d.coeffs[a] for d in dims) for a in range(len(form.extents)))


def peel(v: Value, producers: dict[int, Node]) -> Value:
    """The value under movement, which reads as a view of it."""
    node = producers.get(v.id)
    while node is not None and node.kind == "movement":
        v = node.inputs[0]
        node = producers.get(v.id)
    return v


def _worth_storing(node: Node, weight: int, readers: list[Node]) -> bool:
    """Shared and not trivial, or costly and read by something larger (which would compute it again for each
    element)."""
    larger = any(_larger(u, node.out.spec.shape) for u in readers)
    return (len(readers) > 1 and weight >= STORE_WHEN_SHARED) or (larger and weight >= STORE_WHEN_BROADCAST)


def _readers(v: Value, users: dict[int, list[Node]]) -> list[Node]:
    """The nodes that read a value, seen through movement."""
    out: list[Node] = []
    for user in users[v.id]:
        out += _readers(user.out, users) if user.kind == "movement" else [user]
    return out


def _weight(node: Node) -> int:
    """A rough number of machine operations per element."""
    definition, params = node.definition, node.settings
    assert isinstance(definition, Elementwise)
    if node.op == "iota":
        return 1
    body = params["body"] if "body" in params else definition.expr(*(v.spec.dtype for v in node.inputs))
    return sum(EXPENSIVE.get(n.head, 1) for n, _ in body.program if n.args)


def _larger(user: Node, shape: Shape) -> bool:
    """Whether the user computes more elements than a value of this shape has."""
    target = user.inputs[0].spec.shape if user.kind == "reduce" else user.out.spec.shape
    return _size(target) != _size(shape)


def _size(shape: Shape) -> Size:
    out: Size = 1
    for n in shape:
        out = n * out
    return out
