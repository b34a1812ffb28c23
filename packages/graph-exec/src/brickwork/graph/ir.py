"""The graph: immutable, typed, printable.

A graph is inputs, nodes in order, and outputs. A `Value` is one tensor in it, known by number; a `Node` applies an op
of the hub's registry to values. Nothing here is ever changed: a pass builds a new graph, mostly with `rebuild`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from brickwork.tensor.dtypes import class_of
from brickwork.tensor.registry import OPS, REGIONS, Op
from brickwork.tensor.spec import TensorSpec

__all__ = ["CONSTANT", "Graph", "Node", "Value", "rebuild"]

CONSTANT = "constant"
"""The node without inputs whose parameter ``value`` is a scalar NumPy value."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor in a graph: its number, shape and dtype."""

    id: int
    spec: TensorSpec

    def __str__(self) -> str:
        return f"%{self.id}"


@cache
def _unknown_to_kernels(dtype: np.dtype) -> bool:
    return class_of(dtype) == "c" or (class_of(dtype) == "f" and dtype.itemsize == 1)


@dataclass(frozen=True, slots=True)
class Node:
    """``outputs = op(*inputs, **params)``; ``source``: the user's line that asked for it, "" when unknown."""

    op: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    params: tuple[tuple[str, Any], ...] = ()
    source: str = field(default="", compare=False)

    @property
    def out(self) -> Value:
        return self.outputs[0]

    @property
    def kind(self) -> str:
        """Of the op; complex numbers and float8, which no kernel knows, are for its own ``eval``, whatever it is."""
        if self.op == CONSTANT:
            return CONSTANT
        if self.op in REGIONS:
            return "region"
        if any(_unknown_to_kernels(v.spec.dtype) for v in (*self.inputs, *self.outputs)):
            return "opaque"
        return self.definition.kind

    @property
    def definition(self) -> Op:
        return OPS[self.op] if self.op in OPS else REGIONS[self.op]

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.params)

    @property
    def bodies(self) -> tuple[Graph, ...]:
        """The graphs in the parameters of a region."""
        return tuple(v for _, v in self.params if isinstance(v, Graph))


@dataclass(frozen=True, slots=True)
class Graph:
    """``aliases``: (output position, input position) pairs of outputs that are written in place of an input."""

    inputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Value, ...]
    aliases: tuple[tuple[int, int], ...] = ()

    def producers(self) -> dict[int, Node]:
        """The node that makes each value, by number."""
        return {v.id: n for n in self.nodes for v in n.outputs}

    def users(self) -> dict[int, list[Node]]:
        """The nodes that read each value, by number; an output of the graph is not a node."""
        out: dict[int, list[Node]] = {v.id: [] for v in self.values()}
        for node in self.nodes:
            for v in node.inputs:
                out[v.id].append(node)
        return out

    def values(self) -> Iterable[Value]:
        yield from self.inputs
        for node in self.nodes:
            yield from node.outputs

    def fresh(self) -> int:
        """A number that no value has."""
        return max((v.id for v in self.values()), default=-1) + 1

    def __str__(self) -> str:
        from .text import print_graph  # noqa: PLC0415 - the printer is written in terms of this room

        return print_graph(self)

    def to_dot(self) -> str:
        """The graph in the language of Graphviz."""
        from .drawing.dot import dot_of  # noqa: PLC0415 - as above
        from .drawing.picture import picture_of_graph  # noqa: PLC0415

        return dot_of(picture_of_graph(self))

    def to_svg(self) -> str:
        """The graph drawn."""
        from .drawing.picture import picture_of_graph  # noqa: PLC0415 - as above
        from .drawing.svg import svg_of  # noqa: PLC0415

        return svg_of(picture_of_graph(self))


def rebuild(graph: Graph, visit: Callable[[Node, tuple[Value, ...]], Node | tuple[Node, ...] | Value]) -> Graph:
    """A graph with each node replaced, in order.

    ``visit(node, inputs)`` gets the node and its inputs in the new graph. It gives the new node (which keeps the
    outputs of the old), several nodes (the last keeps them), or a `Value` that takes the place of the only output.
    """
    place: dict[int, Value] = {v.id: v for v in graph.inputs}
    nodes: list[Node] = []
    for node in graph.nodes:
        result = visit(node, tuple(place[v.id] for v in node.inputs))
        if isinstance(result, Value):
            place[node.out.id] = result
            continue
        new = result if isinstance(result, tuple) else (result,)
        nodes += new
        for old, value in zip(node.outputs, new[-1].outputs, strict=True):
            place[old.id] = value
    return Graph(graph.inputs, tuple(nodes), tuple(place[v.id] for v in graph.outputs), graph.aliases)


def parameters(params: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Parameters in the order that makes equal ones equal."""
    return tuple(sorted(params.items()))
