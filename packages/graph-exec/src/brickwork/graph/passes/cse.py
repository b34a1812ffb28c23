"""cse: what is computed twice is computed once (common subexpression elimination)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..ir import Graph, Node, Value

__all__ = ["cse"]


def cse(graph: Graph) -> Graph:
    """The graph with each node that repeats an earlier one (same op, inputs and parameters, to the bit) replaced by it.

    Every op is a pure function of its inputs, random numbers too: the key is an input, two draws of one key are one.
    """
    place: dict[int, Value] = {v.id: v for v in graph.inputs}
    seen: dict[tuple[Any, ...], tuple[Value, ...]] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        node = replace(node, inputs=tuple(place[v.id] for v in node.inputs))
        key = (node.op, tuple(v.id for v in node.inputs), tuple((k, _key(v)) for k, v in node.params))
        outputs = seen.get(key)
        if outputs is None:
            nodes.append(node)
            outputs = seen[key] = node.outputs
        place.update((old.id, new) for old, new in zip(node.outputs, outputs))
    return Graph(graph.inputs, tuple(nodes), tuple(place[v.id] for v in graph.outputs), graph.aliases)


def _key(value: Any) -> Any:
    """A parameter as a key that tells ``1``, ``1.0``, ``True`` and ``-0.0`` apart, and finds NaN equal to itself."""
    match value:
        case np.generic():
            return value.dtype.name, value.tobytes()
        case tuple():
            return tuple(map(_key, value))
        case float():
            return float, np.float64(value).tobytes()
        case Graph():
            return Graph, str(value)
    return type(value), value
