"""loops: what a region need not do is not done, and what a scan does better at the end is done there.

Results that nobody reads, carries that only feed themselves, and operands that no body reads go. A row that a scan
hands through, or gives twice, is what it came from. A sum of products over the steps (the gradient of a weight) becomes
one product over the steps and what they sum over, once all of its factors are there: a large product runs at several
times the speed of many small ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.expr import arg
from brickwork.tensor.op import Contraction, Reduce
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.view import Affine, Form

from ..ir import Graph, Node, Value, parameters
from .dce import dce
from .rewrite import body_of
from .simplify import simplify

__all__ = ["loops", "slimmer"]

KEPT = 2
"""Rows that are kept for a product at the end may be so many times larger than the sum that they save."""


def loops(graph: Graph) -> Graph:
    """The graph with its regions as small as may be, and their sums of products outside."""
    if not any(node.kind == "region" for node in graph.nodes):
        return graph
    return dce(simplify(slimmer(_Lifted(slimmer(graph)).run())))


def slimmer(graph: Graph) -> Graph:
    """The graph without what its regions do for nobody, from the last region to the first."""
    place: dict[int, Value] = {}
    read = {v.id for v in graph.outputs}
    nodes: list[Node] = []
    for node in reversed(graph.nodes):
        if node.kind == "region":
            node, same = _slim(node, read)
            place.update(same)
        if any(v.id in read for v in node.outputs):
            read |= {v.id for v in node.inputs} | {same.id for v in node.outputs if (same := place.get(v.id))}
            nodes.append(node)
    return _renamed(replace(graph, nodes=tuple(reversed(nodes))), place)


def _renamed(graph: Graph, place: dict[int, Value]) -> Graph:
    """The graph with some values in the place of others."""

    def final(v: Value) -> Value:
        while v.id in place:
            v = place[v.id]
        return v

    nodes = tuple(replace(n, inputs=tuple(map(final, n.inputs))) for n in graph.nodes)
    return replace(graph, nodes=nodes, outputs=tuple(map(final, graph.outputs)))


def _slim(node: Node, read: set[int]) -> tuple[Node, dict[int, Value]]:
    """A region without what nobody reads; and which of its results are values that are there without it."""
    if node.op == "scan":
        return _slim_scan(node, read)
    if node.op == "cond":
        kept = [p for p, v in enumerate(node.outputs) if v.id in read] or [0]
        bodies = {k: dce(replace(v, outputs=tuple(v.outputs[p] for p in kept)))
                  for k, v in node.params if isinstance(v, Graph)}  # fmt: skip
        node = replace(node, outputs=tuple(node.outputs[p] for p in kept))
    else:
        bodies = {k: v for k, v in node.params if isinstance(v, Graph)}
    lead, first = node.definition.lead, node.settings.get("constants", None)  # type: ignore[attr-defined]
    used = [p for p in range(len(node.inputs) - lead) if (first is not None and p >= first)
            or any(_reads(b, b.inputs[p]) for b in bodies.values())]  # fmt: skip
    made: dict[str, Any] = {**node.settings, **{k: _with_inputs(b, used) for k, b in bodies.items()}}
    if first is not None:
        made["constants"] = sum(p < first for p in used)
    inputs = (*node.inputs[:lead], *(node.inputs[lead + p] for p in used))
    return replace(node, inputs=inputs, params=parameters(made)), {}


def _slim_scan(node: Node, read: set[int]) -> tuple[Node, dict[int, Value]]:
    settings, body = node.settings, node.settings["body"]
    n, k = settings["constants"], settings["carries"]
    rows = {v.id: node.inputs[n + k + p] for p, v in enumerate(body.inputs[n + k :])}
    same: dict[int, Value] = {}
    first: dict[int, Value] = {}
    for v, inner in zip(node.outputs[k:], body.outputs[k:], strict=True):
        if inner.id in rows:
            same[v.id] = rows[inner.id]
        elif first.setdefault(inner.id, v) is not v:
            same[v.id] = first[inner.id]
    wanted = read | {s.id for key, s in same.items() if key in read}
    results = [p for p, v in enumerate(node.outputs) if v.id in wanted and v.id not in same]
    kept = {p for p in results if p < k}
    while True:
        slim = dce(replace(body, outputs=tuple(body.outputs[p] for p in sorted({*kept, *results}))))
        more = {p for p in range(k) if _reads(slim, body.inputs[n + p])} - kept
        if not more:
            break
        kept |= more
    carries = sorted(kept)
    order = [*carries, *(p for p in results if p >= k)]
    slim = replace(slim, outputs=tuple(body.outputs[p] for p in order))
    used = [p for p, v in enumerate(body.inputs) if (p - n in kept if n <= p < n + k else _reads(slim, v))]
    made = {**settings, "body": _with_inputs(slim, used), "carries": len(carries),
            "constants": sum(p < n for p in used)}  # fmt: skip
    outputs = tuple(node.outputs[p] for p in order)
    return replace(node, inputs=tuple(node.inputs[p] for p in used), outputs=outputs, params=parameters(made)), same


def _reads(graph: Graph, value: Value) -> bool:
    """Whether a graph does anything with an input."""
    return any(v.id == value.id for v in (*graph.outputs, *(v for n in graph.nodes for v in n.inputs)))


def _with_inputs(graph: Graph, kept: list[int]) -> Graph:
    return replace(graph, inputs=tuple(graph.inputs[p] for p in kept))


# ---- sums of products ------------------------------------------------------------------------------------------------


class _Lifted:
    """A graph in which sums over the steps of a scan that are products, or sums of rows, are made after it."""

    def __init__(self, graph: Graph):
        self.graph, self.fresh = graph, graph.fresh()
        self.nodes: list[Node] = []

    def run(self) -> Graph:
        for node in self.graph.nodes:
            after: list[Node] = []
            while node.op == "scan" and (found := self._one(node)) is not None:
                node = found[0]
                after += found[1]
            self.nodes += [node, *after]
        return replace(self.graph, nodes=tuple(self.nodes))

    def _value(self, spec: TensorSpec) -> Value:
        self.fresh += 1
        return Value(self.fresh - 1, spec)

    def _one(self, node: Node) -> tuple[Node, list[Node]] | None:
        """The scan without its first carry that is such a sum, and the nodes that make it; None where none is."""
        body, settings = node.settings["body"], node.settings
        producers, users = body.producers(), body.users()
        for c in range(settings["carries"]):
            term = self._term(body, producers, users, settings["constants"] + c, c)
            if term is not None and (found := self._moved(node, c, term, producers)) is not None:
                return found
        return None

    def _term(
        self, body: Graph, producers: dict[int, Node], users: dict[int, list[Node]], place: int, c: int
    ) -> Node | None:
        """The node whose value a carry adds up, where the carry does nothing else."""
        total, out = body.inputs[place], body.outputs[c]
        add = producers.get(out.id)
        if add is None or [v.id for v in body.outputs].count(out.id) > 1 or users[out.id]:
            return None
        if len(users[total.id]) != 1 or total in body.outputs or len(add.inputs) != 2 or total not in add.inputs:
            return None
        other = add.inputs[1 - add.inputs.index(total)]
        x, y = (arg(p, out.spec.dtype) for p in (0, 1))
        if body_of(add) not in (x + y, y + x) or other.spec != out.spec:
            return None
        return producers.get(other.id)

    def _moved(self, node: Node, c: int, term: Node, producers: dict[int, Node]) -> tuple[Node, list[Node]] | None:
        """Its factors as rows that the scan gives (or had), and the product over all of them."""
        definition = None if term.kind not in ("contraction", "reduce") else term.definition
        if not isinstance(definition, Contraction) and (term.op != "sum" or term.settings["keepdims"]):
            return None
        body, settings = node.settings["body"], node.settings
        n, k, length = settings["constants"], settings["carries"], settings["length"]
        given = {v.id: p for p, v in enumerate(body.inputs)}
        had = {v.id: p for p, v in enumerate(body.outputs) if p >= k}
        extra = [v for v in term.inputs if v.id not in had and not (v.id in given and not n <= given[v.id] < n + k)]
        extra = list(dict.fromkeys(extra))
        if any(v.id in producers and producers[v.id].op == "constant" for v in term.inputs):
            return None
        kept = sum(_bytes(v) for v in extra)
        if extra and (isinstance(definition, Reduce) or not _at_most(kept, KEPT * _bytes(term.out))):
            return None
        stacked = {v.id: self._value(TensorSpec((length, *v.spec.shape), v.spec.dtype)) for v in extra}
        operands, rows = [], []
        for v in term.inputs:
            p = given.get(v.id)
            if p is not None and not n <= p < n + k:
                operands.append(node.inputs[p])
                rows.append(p >= n)
            else:
                operands.append(stacked[v.id] if v.id in stacked else node.outputs[had[v.id]])
                rows.append(True)
        made = self._product(term, tuple(operands), rows, length)
        total = Node("add", (node.inputs[n + c], made.out), (node.outputs[c],), (), term.source)
        outputs = (*body.outputs[:c], *body.outputs[c + 1 :], *extra)
        inner = dce(replace(body, inputs=(*body.inputs[: n + c], *body.inputs[n + c + 1 :]), outputs=outputs))
        smaller = replace(
            node,
            inputs=(*node.inputs[: n + c], *node.inputs[n + c + 1 :]),
            outputs=(*node.outputs[:c], *node.outputs[c + 1 :], *stacked.values()),
            params=parameters({**settings, "body": inner, "carries": k - 1}),
        )
        return smaller, [made, total]

    def _product(self, term: Node, operands: tuple[Value, ...], rows: list[bool], length: Size) -> Node:
        """The product, or the sum, over the steps too."""
        out = self._value(term.out.spec)
        if not isinstance(term.definition, Contraction):
            axes = (0, *(a + 1 for a in term.settings["axis"]))
            return Node(term.op, operands, (out,), parameters({"axis": axes, "keepdims": False}), term.source)
        form = term.definition.form(*(v.spec for v in term.inputs), **term.settings)
        count = len(form.extents) + 1
        maps = []
        for dims, row in zip(form.maps, rows, strict=True):
            shifted = tuple(replace(d, coeffs=(0, *d.coeffs)) for d in dims)
            maps.append((Affine.axis(0, count), *shifted) if row else shifted)
        lifted = Form((length, *form.extents), tuple(maps), tuple(a + 1 for a in form.out))
        return Node("contract", operands, (out,), parameters({"form": lifted}), term.source)


def _bytes(v: Value) -> Size:
    return v.spec.size * v.spec.dtype.itemsize


def _at_most(size: Size, limit: Size) -> bool:
    """Whether a size is within a limit; where one is symbolic, it is taken to be."""
    return isinstance(size, Dim) or isinstance(limit, Dim) or size <= limit
