"""What of a graph is known before it runs: what follows from constants, and which numbers shapes follow from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from brickwork.tensor import Tensor
from brickwork.tensor.dtypes import is_floating
from brickwork.tensor.eager import EagerTrace
from brickwork.tensor.trace import use

from .foreign import HELD, value_of
from .records import Graph, Node, Value
from .runner import Scope, rule_of, run_node

__all__ = ["folded", "obstacle", "shaping", "sizes_of", "weights_of"]


def folded(graph: Graph, changing: Iterable[str] = ()) -> Graph:
    """The graph with what follows from its constants alone computed, once; those ``changing`` are none."""
    scope = Scope()
    for name, array in graph.constants.items():
        scope.put(name, value_of(array), name not in changing)
    left: list[Node] = []
    with use(EagerTrace()):
        for node in graph.nodes:
            if node.fresh or not all(name in scope.known for name in node.reads):
                left.append(node)
            else:
                run_node(node, scope)
    read = {name for node in left for name in node.reads} | {v.name for v in graph.outputs}
    constants = {n: _held(v) for n, v in scope.values.items() if n in read and n in scope.known}
    constants |= {n: graph.constants[n] for n in changing if n in read}
    return replace(graph, constants=constants, nodes=tuple(left))


def weights_of(graph: Graph) -> tuple[str, ...]:
    """Floating constants that are read by value alone, and not as sizes, scales of a shape and the like; nor the
    statistics of a `BatchNormalization`, which no gradient changes."""
    static = shaping(graph)
    static |= {name for node in graph.nodes if node.op == "BatchNormalization" for name in node.inputs[3:]}
    floating = (n for n, a in graph.constants.items() if a.ndim and a.dtype in HELD and is_floating(a.dtype))
    return tuple(n for n in floating if n not in static)


def sizes_of(graph: Graph) -> frozenset[str]:
    """The inputs whose numbers shapes follow from: integers and booleans, floats only where one alone, or read so at
    once, since the values of a network are floats too."""
    wanted, direct = shaping(graph), {name for node in graph.nodes for name in _direct(node)}
    return frozenset(v.name for v in graph.inputs if v.name in (direct if _values(v) else wanted))


def shaping(graph: Graph) -> set[str]:
    """The names in a graph whose numbers shapes follow from."""
    wanted: set[str] = set()
    for node in reversed(graph.nodes):
        wanted |= _direct(node)
        for inner in node.attributes.values():
            if isinstance(inner, Graph):
                wanted |= shaping(inner)
        if node.body is not None:
            inside = shaping(node.body)
            wanted |= {n for v, n in zip(node.body.inputs, node.inputs, strict=False) if v.name in inside and n}
        rule = rule_of(node)
        if wanted.intersection(node.outputs) and not (rule is not None and rule.of_shape):
            wanted |= node.reads
    return wanted


def obstacle(graph: Graph) -> str | None:
    """Why a graph can not be compiled, as far as one can tell beforehand: an input or output that is no tensor, or a
    node whose result has a shape that follows from computed numbers. None where nothing stands in the way."""
    for v in (*graph.inputs, *graph.outputs):
        if v.dtype is None or v.dtype not in HELD:
            return f"{v.name}, which is no tensor"
    return _hindered(graph, sizes_of(graph))


def _hindered(graph: Graph, known: frozenset[str]) -> str | None:
    """The first node that needs numbers which are not there, where ``known`` are."""
    there = set(known) | set(graph.constants)
    for node in graph.nodes:
        rule, is_known = rule_of(node), node.reads <= there
        found = _hindering(node, frozenset(there)) if not is_known else None
        if found is not None:
            return found
        if (is_known and not node.fresh) or (rule is not None and rule.of_shape):
            there.update(node.outputs)
    return None


def _hindering(node: Node, there: frozenset[str]) -> str | None:
    rule = rule_of(node)
    if rule is not None and (
        rule.eager or any(n and k in rule.static and n not in there for k, n in enumerate(node.inputs))
    ):
        return str(node)
    inner = [g for g in node.attributes.values() if isinstance(g, Graph)]
    hidden = [_hindered(g, there) for g in inner]
    if node.body is not None:
        pairs = zip(node.body.inputs, node.inputs, strict=False)
        hidden.append(_hindered(node.body, frozenset(v.name for v, n in pairs if n in there or not n)))
    return next((h for h in hidden if h is not None), None)


def _direct(node: Node) -> set[str]:
    rule = rule_of(node)
    places = rule.static | rule.hints if rule is not None else ()
    return {name for k, name in enumerate(node.inputs) if k in places and name}


def _values(v: Value) -> bool:
    """Whether an input is a tensor of floats, with an axis or more."""
    return v.shape != () and v.dtype is not None and v.dtype in HELD and is_floating(v.dtype)


def _held(value: Any) -> Any:
    return value.numpy() if isinstance(value, Tensor) else value
