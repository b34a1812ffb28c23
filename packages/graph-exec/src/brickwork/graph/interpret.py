"""The meaning of a graph: node by node, by each op's own `eval` on NumPy arrays.

Slow on purpose; what passes and compilers are tested against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brickwork.tensor.dim import Dim, evaluate
from brickwork.tensor.errors import ShapeError
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.tensor import Tensor

from .ir import CONSTANT, Graph, Node
from .sizes import concrete, concrete_spec

__all__ = ["evaluate_graph", "symbols_of"]


def evaluate_graph(
    graph: Graph, inputs: Sequence[Any], given: Mapping[str, int] | None = None
) -> tuple[np.ndarray[Any, Any], ...]:
    """The outputs for arrays that fit the inputs; symbols that are not ``given`` take their values from those shapes.
    Writes to nothing.

    Raises `ShapeError` when an array does not fit its input, or an op gives anything but what the graph says.
    """
    arrays = [np.asarray(x) for x in inputs]
    symbols = {**symbols_of(graph, arrays), **(given or {})}
    place = {}
    for value, array in zip(graph.inputs, arrays, strict=True):
        place[value.id] = _fitting(str(value), array, value.spec, symbols)
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            results = _apply(node, [place[v.id] for v in node.inputs], symbols)
            for value, result in zip(node.outputs, results, strict=True):
                place[value.id] = _fitting(f"{value} = {node.op}", np.asarray(result), value.spec, symbols)
    return tuple(place[v.id] for v in graph.outputs)


def symbols_of(graph: Graph, arrays: Sequence[np.ndarray[Any, Any]]) -> dict[str, int]:
    """The value of each symbol that stands alone as the size of an input's axis."""
    symbols: dict[str, int] = {}
    for value, array in zip(graph.inputs, arrays, strict=True):
        for size, actual in zip(value.spec.shape, array.shape):
            if isinstance(size, Dim) and len(size.terms) == 1:
                (names, coeff), *_ = size.terms
                if coeff == 1 and len(names) == 1:
                    symbols.setdefault(names[0], actual)
    return symbols


def _fitting(
    who: str, array: np.ndarray[Any, Any], spec: TensorSpec, symbols: Mapping[str, int]
) -> np.ndarray[Any, Any]:
    shape = tuple(evaluate(n, symbols) for n in spec.shape)
    if array.shape != shape or array.dtype != spec.dtype:
        raise ShapeError(
            f"evaluate_graph: {who} must be {spec}, here of shape {shape}; "
            f"got {array.dtype.name}{list(array.shape)}. Check the inputs, and what built the graph"
        )
    return array


def _apply(node: Node, arrays: list[np.ndarray[Any, Any]], symbols: Mapping[str, int]) -> tuple[Any, ...]:
    settings = {name: concrete(value, symbols, _Body) for name, value in node.params}
    if node.op == CONSTANT:
        return (settings["value"],)
    if node.kind == "region":
        return tuple(t.numpy() for t in node.definition.body(*map(Tensor, arrays), **settings))  # type: ignore[attr-defined]
    out = node.definition.eval(np, *arrays, **settings)
    if node.kind == "elementwise":  # a body need not read the operand that gives the result its shape
        return (np.broadcast_to(out, tuple(evaluate(n, symbols) for n in node.out.spec.shape)),)
    return out if type(out) is tuple else (out,)


@dataclass(frozen=True, slots=True)
class _Body:
    """A graph as the body that a region runs."""

    graph: Graph
    symbols: Mapping[str, int]

    @property
    def outputs(self) -> list[Any]:
        return [replace(v, spec=concrete_spec(v.spec, self.symbols)) for v in self.graph.outputs]

    def replay(self, args: Sequence[Tensor]) -> list[Tensor]:
        return [Tensor(x) for x in evaluate_graph(self.graph, [a.numpy() for a in args], self.symbols)]
