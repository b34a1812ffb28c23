"""A graph as a recording: the same ops again, under any trace, for given values of open sizes.

So a program that came from a file can stand inside a function that is compiled, differentiated or mapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from brickwork.tensor.dim import Dim, Size, evaluate
from brickwork.tensor.expr import INDEX, Expr, const, size_value, substitute
from brickwork.tensor.recording import Recording, Step, Var
from brickwork.tensor.registry import OPS
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.tensor import Tensor
from brickwork.tensor.view import Affine, Form

from .ir import CONSTANT, Graph, Value

__all__ = ["recording_of"]


def recording_of(graph: Graph, sizes: Mapping[str, Size]) -> Recording:
    """The recording of a graph. ``sizes``: numbers, or sizes of the trace that it is done again under."""
    constants: dict[int, Tensor] = {}
    steps: list[Step] = []
    made = {v.id: _var(v, sizes) for v in graph.values()}
    fresh = graph.fresh()
    for node in graph.nodes:
        if node.op == CONSTANT:
            constants[node.out.id] = Tensor(np.asarray(node.settings["value"]))
            continue
        args = tuple(constants.get(v.id, made[v.id]) for v in node.inputs)
        params = {name: _concrete(value, sizes) for name, value in node.params}
        steps.append(Step(node.definition, args, tuple(made[v.id] for v in node.outputs), params))
    outputs = []
    for v in graph.outputs:
        out = made[v.id]
        if v.id in constants:
            out = Var(fresh, out.spec)
            fresh += 1
            steps.append(Step(OPS["identity"], (constants[v.id],), (out,), {}))
        outputs.append(out)
    return Recording(tuple(made[v.id] for v in graph.inputs), tuple(steps), tuple(outputs))


def _var(v: Value, sizes: Mapping[str, Size]) -> Var:
    return Var(v.id, TensorSpec(tuple(_size(n, sizes) for n in v.spec.shape), v.spec.dtype))


def _size(n: Size, sizes: Mapping[str, Size]) -> Size:
    return evaluate(n, sizes) if isinstance(n, Dim) else n  # type: ignore[arg-type]


def _concrete(value: Any, sizes: Mapping[str, Size]) -> Any:
    """A parameter with these sizes in place of names."""
    match value:
        case Dim():
            return _size(value, sizes)
        case tuple():
            return tuple(_concrete(v, sizes) for v in value)
        case Affine() | Form():
            return replace(value, **{f.name: _concrete(getattr(value, f.name), sizes) for f in fields(value)})
        case Expr():
            return substitute(value, lambda e: _in_expr(_size(e.value, sizes)) if e.head == "size" else None)
        case Graph():
            return recording_of(value, sizes)
    return value


def _in_expr(size: Size) -> Expr:
    return size_value(size) if isinstance(size, Dim) else const(size, INDEX)
