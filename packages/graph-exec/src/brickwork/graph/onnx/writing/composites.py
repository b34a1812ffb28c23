"""Composites that the standard has whole; in other settings they are written by their bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brickwork.tensor.dtypes import class_of
from brickwork.tensor.op import Composite, Op
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.tensor import Tensor
from brickwork.tensor.trace import use

from ...ir import Graph, Node, parameters
from ...tracing import GraphTrace, Symbol, user_line
from .writer import Writer, rule

__all__ = ["WholeTrace"]

WHOLE = frozenset(("softmax", "log_softmax", "layer_norm", "argmax", "argmin"))


class WholeTrace(GraphTrace):
    """Writes these composites as nodes of their own."""

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        if not isinstance(op, Composite) or op.name not in WHOLE:
            return super().process(op, args, params)
        inputs = tuple(self._value(a, op, [getattr(b, "dtype", type(b)) for b in args]) for a in args)
        (out,) = inlined(op, [v.spec for v in inputs], params).outputs
        value = self.fresh(out.spec)
        self.nodes.append(Node(op.name, inputs, (value,), parameters(params), user_line()))
        return Tensor(Symbol(self, value))


def inlined(op: Composite, specs: Sequence[TensorSpec], params: Mapping[str, Any]) -> Graph:
    """The body of a composite as a graph."""
    trace = GraphTrace()
    tensors = [trace.argument(s) for s in specs]
    with use(trace):
        return trace.finish([op.body(*tensors, **params)]).graph


def _by_parts(w: Writer, node: Node, names: list[str]) -> str:
    op = node.definition
    assert isinstance(op, Composite)
    return w.run(inlined(op, [v.spec for v in node.inputs], node.settings), names)[0]


@rule("softmax", "log_softmax")
def softmax(w: Writer, node: Node, names: list[str]) -> str:
    axis = node.settings["axis"]
    if not isinstance(axis, int) or class_of(node.out.spec.dtype) != "f":
        return _by_parts(w, node, names)
    return w.emit("Softmax" if node.op == "softmax" else "LogSoftmax", *names, axis=axis)


@rule("layer_norm")
def layer_norm(w: Writer, node: Node, names: list[str]) -> str:
    s = node.settings
    if len({v.spec.dtype for v in node.inputs}) > 1:
        return _by_parts(w, node, names)
    return w.emit("LayerNormalization", *names, axis=s["axis"], epsilon=s["epsilon"])


@rule("argmax", "argmin")
def place_of_extreme(w: Writer, node: Node, names: list[str]) -> str:
    if class_of(node.inputs[0].spec.dtype) == "b":
        return _by_parts(w, node, names)
    return w.emit("ArgMax" if node.op == "argmax" else "ArgMin", *names, axis=node.settings["axis"], keepdims=0)
