"""dce: what no output needs is not computed (dead code elimination)."""

from __future__ import annotations

from ..ir import Graph, Node

__all__ = ["dce"]


def dce(graph: Graph) -> Graph:
    """The graph without the nodes that no output depends on. Inputs stay, read or not: they are the signature."""
    needed = {v.id for v in graph.outputs}
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if any(v.id in needed for v in node.outputs):
            needed.update(v.id for v in node.inputs)
            kept.append(node)
    return Graph(graph.inputs, tuple(reversed(kept)), graph.outputs, graph.aliases)
