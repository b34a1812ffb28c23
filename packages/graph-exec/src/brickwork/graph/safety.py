"""Rules for graphs that come from elsewhere: what would make compiled code read or write where it may not, or take
memory and time without bound. `brickwork.graph.load` asks them; `check_graph` has the rules of every graph.

Nothing is allocated here but what the text itself is as large as.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.dtypes import BOOL
from brickwork.tensor.errors import BrickworkError
from brickwork.tensor.expr import Expr
from brickwork.tensor.op import Contraction, Elementwise, Movement
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.view import Affine, Form

from .check import GraphError, check_graph
from .ir import CONSTANT, Graph, Node

__all__ = ["GraphLimits", "check_untrusted"]

Faults = Iterator[str]
STEP, START = 1 << 28, 1 << 40
"""Bounds on the steps and the start of an index: with sizes in their limits, no product leaves 64 bits."""
PHASES = 4096
"""Kernels that a strided contraction may become: one for each residue of its steps."""


@dataclass(frozen=True, slots=True)
class GraphLimits:
    """What a graph may hold at most. ``nodes``, those of bodies too; ``axes`` and ``elements`` of one value (of those
    without an open size); ``bytes`` of all values together; ``expression``: steps of one scalar expression."""

    nodes: int = 100_000
    axes: int = 32
    elements: int = 1 << 34
    bytes: int = 1 << 38
    expression: int = 20_000


def check_untrusted(graph: Graph, limits: GraphLimits, symbols: frozenset[str]) -> None:
    """Raises `GraphError` unless this is a sound graph within limits. ``symbols``: the open sizes that it may name."""
    _all_of(graph, lambda part: _few_nodes(part, limits))
    _all_of(graph, lambda part: _small_values(part, limits))
    _all_of(graph, lambda part: _known_sizes(part, symbols))
    try:
        check_graph(graph, "load")
    except RecursionError:
        raise GraphError("load: a graph must not nest deeper than Python can follow. Take the file again") from None
    for rule in (_fitting_bodies, _fitting_expressions, _indices_inside):
        _all_of(graph, rule)


def _all_of(graph: Graph, find: Callable[[Graph], Faults]) -> None:
    """Raise for the first fault in a graph or its bodies."""
    stack = [graph]
    while stack:
        part = stack.pop()
        for fault in find(part):
            raise GraphError(f"load: {fault}. The file was not made by export, or is damaged: take it again")
        stack += [body for node in part.nodes for body in node.bodies]


def _count(graph: Graph) -> int:
    return len(graph.nodes) + sum(_count(body) for node in graph.nodes for body in node.bodies)


def _few_nodes(graph: Graph, limits: GraphLimits) -> Faults:
    count = _count(graph)
    if count > limits.nodes:
        yield f"a graph may have {limits.nodes} nodes; got {count}"
    for node in graph.nodes:
        for _, value in node.params:
            if isinstance(value, Expr) and len(value.program) > limits.expression:
                yield f"an expression may have {limits.expression} steps; got {len(value.program)} in {node.out}"


def _small_values(graph: Graph, limits: GraphLimits) -> Faults:
    total = 0
    for v in graph.values():
        sizes = [n for n in v.spec.shape if not isinstance(n, Dim)]
        count = prod(max(1, n) for n in sizes)
        total += count * v.spec.dtype.itemsize
        if len(v.spec.shape) > limits.axes:
            yield f"a value may have {limits.axes} axes; got {len(v.spec.shape)} of {v}"
        if count > limits.elements or total > limits.bytes:
            yield f"values may have {limits.elements} elements and {limits.bytes} bytes together; got {v} of {v.spec}"


def _known_sizes(graph: Graph, symbols: frozenset[str]) -> Faults:
    for v in graph.values():
        for n in v.spec.shape:
            yield from (f"{v} of {v.spec}: {fault}" for fault in _size_faults(n, symbols))
    for node in graph.nodes:
        for key, value in node.params:
            yield from (f"{node.out} = {node.op}, {key}: {fault}" for fault in _value_faults(value, symbols))


def _size_faults(size: Any, symbols: frozenset[str]) -> Faults:
    if isinstance(size, Dim):
        unknown = {s for names, _ in size.terms for s in names} - symbols
        if unknown:
            yield f"open sizes must be those of arguments; got {', '.join(sorted(unknown))}"
        if any(abs(c) > START or len(names) > 4 for names, c in size.terms):
            yield f"sizes must be below 2**40; got {str(size)[:60]}"


def _value_faults(value: Any, symbols: frozenset[str]) -> Faults:
    match value:
        case Dim():
            yield from _size_faults(value, symbols)
        case bool() | str():
            return
        case int():
            if abs(value) > START:
                yield f"numbers must be below 2**40; got {str(value)[:40]}"
        case tuple():
            for part in value:
                yield from _value_faults(part, symbols)
        case Affine():
            yield from _affine_faults(value, symbols)
        case Form():
            for part in (*value.extents, *(a for dims in value.maps for a in dims)):
                yield from _value_faults(part, symbols)
        case Expr():
            for e, _ in value.program:
                if e.head == "size":
                    yield from _size_faults(e.value, symbols)


def _affine_faults(index: Affine, symbols: frozenset[str]) -> Faults:
    if max([index.div, *map(abs, index.coeffs)], default=0) > STEP or index.div < 1:
        yield "steps of an index must be below 2**28; got a greater one"
    yield from _value_faults(index.const, symbols)


# ---- after the checker ---------------------------------------------------------------------------------------------


def _fitting_bodies(graph: Graph) -> Faults:
    """A region finds its operands, carries and rows where its parameters say."""
    for node in graph.nodes:
        if node.kind == "region":
            wrong = _region_fault(node)
            if wrong:
                yield f"{node.out} = {node.op}: {wrong}"


def _region_fault(node: Node) -> str | None:
    wanted = {"scan": {"body", "carries", "constants", "length", "reverse"}, "cond": {"on_true", "on_false"}}
    p = node.settings
    if set(p) != wanted.get(node.op, {"body", "constants", "test"}):
        return f"must have the parameters of its kind; got {', '.join(p)}"
    bodies = {k: v for k, v in p.items() if k in ("body", "test", "on_true", "on_false")}
    if not all(isinstance(b, Graph) and not b.aliases for b in bodies.values()):
        return "its bodies must be graphs without aliases; got others"
    specs, out = [v.spec for v in node.inputs], [v.spec for v in node.outputs]
    gives = {k: [v.spec for v in b.outputs] for k, b in bodies.items()}
    for k in ("carries", "constants"):
        if k in p and not (type(p[k]) is int and 0 <= p[k] <= len(specs)):
            return f"{k} must count operands; got {str(p[k])[:20]}"
    if node.op == "cond":
        takes, rule = {"on_true": specs[1:], "on_false": specs[1:]}, gives["on_true"] == gives["on_false"] == out
        rule = rule and specs[:1] == [TensorSpec((), BOOL)]
    elif node.op == "while_loop":
        takes = {"test": specs, "body": specs}
        rule = gives["test"] == [TensorSpec((), BOOL)] and gives["body"] == specs[p["constants"] :] == out
    else:
        first, k = p["constants"] + p["carries"], p["carries"]
        rows = specs[first:]
        rule = type(p["reverse"]) is bool and first <= len(specs) and all(r.shape[:1] == (p["length"],) for r in rows)
        rule = rule and gives["body"][:k] == specs[p["constants"] : first] == out[:k]
        rule = rule and (isinstance(p["length"], Dim) or (type(p["length"]) is int and p["length"] >= 0))
        takes = {"body": [*specs[:first], *(TensorSpec(r.shape[1:], r.dtype) for r in rows)]}
    fits = all([v.spec for v in bodies[k].inputs] == wants for k, wants in takes.items())
    return None if rule and fits else "operands, carries and rows must fit its bodies; got others"


def _fitting_expressions(graph: Graph) -> Faults:
    """A body in the parameters reads operands as they are, and the position on axes that there are."""
    for node in graph.nodes:
        definition = None if node.op == CONSTANT else node.definition
        for key, value in node.params:
            if not isinstance(value, Expr):
                continue
            if not isinstance(definition, Elementwise) or key != "body":
                yield f"{node.out} = {node.op}: an expression must be the body of an elementwise op; got {key}"
            for e, _ in value.program:
                operand = e.head == "arg"
                fits = not operand or (e.value < len(node.inputs) and node.inputs[e.value].spec.dtype == e.dtype)
                if not fits or e.head == "acc" or (e.head == "index" and e.value >= node.out.spec.ndim):
                    yield f"{node.out} = {node.op}: a body must read its operands; got {e.head} {e.value} of {e.dtype}"


def _indices_inside(graph: Graph) -> Faults:
    """A movement reads only elements that there are; a contraction has maps that fit, and few phases."""
    for node in graph.nodes:
        definition = None if node.op == CONSTANT or node.kind == "region" else node.definition
        specs = [v.spec for v in node.inputs]
        try:
            if isinstance(definition, Movement):
                fault = _view_fault(definition, node, specs)
            elif isinstance(definition, Contraction):
                fault = _form_fault(definition.form(*specs, **node.settings), specs)
            else:
                continue
        except (BrickworkError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            fault = f"the op refuses: {error}"
        if fault:
            yield f"{node.out} = {node.op}: {fault}"


def _view_fault(definition: Movement, node: Node, specs: list[TensorSpec]) -> str | None:
    view = definition.view(*specs, **node.settings)
    if view is None:
        return None
    shape = node.out.spec.shape
    for fault in (f for index in view.dims for f in _affine_faults(index, _any_symbol(index.const))):
        return fault
    if len(view.dims) != specs[0].ndim or any(len(d.coeffs) != len(shape) for d in view.dims):
        return "an index must be over the axes of the result; got others"
    if view.fill is None and not _empty(shape):
        for index, size in zip(view.dims, specs[0].shape, strict=True):
            low, high = index.bounds(shape)
            if not (index.div == 1 and low >= 0 and high < size):
                return f"an index must stay in an axis of size {size}; got {low} to {high}"
    return None


def _empty(shape: tuple[Size, ...]) -> bool:
    return any(not isinstance(n, Dim) and n == 0 for n in shape)


def _any_symbol(size: Size) -> frozenset[str]:
    return frozenset(s for names, _ in size.terms for s in names) if isinstance(size, Dim) else frozenset()


def _form_fault(form: Form, specs: list[TensorSpec]) -> str | None:
    n = len(form.extents)
    if len(form.maps) != len(specs) or any(len(d) != s.ndim for d, s in zip(form.maps, specs, strict=False)):
        return "a form must have a map for each operand and an index for each axis; got others"
    indices = [a for dims in form.maps for a in dims]
    if any(len(a.coeffs) != n for a in indices):
        return f"an index must be over all {n} loops; got another"
    if len(set(form.out)) != len(form.out) or any(not 0 <= a < n for a in form.out):
        return f"the loops of a result must be distinct ones of {n}; got {form.out}"
    if any(not isinstance(e, Dim) and not 0 <= e <= START for e in form.extents):
        return f"loops must go on for at least 0 and less than 2**40; got {form.extents}"
    steps = [max([a.div for a in indices if a.coeffs[k]], default=1) for k in range(n)]
    if prod(steps) > PHASES:
        return f"a strided sum may have {PHASES} phases; got {prod(steps)}"
    return None
