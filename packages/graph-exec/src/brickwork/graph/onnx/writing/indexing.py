"""Elements by position, order, running sums: ops that are no loop nest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brickwork.tensor.dim import Size
from brickwork.tensor.spec import broadcast_shapes

from ...ir import Node, Value
from ..proto import onnx
from .writer import INT64, Refusal, Writer, rule

__all__: list[str] = []


def _int64(w: Writer, value: Value, name: str) -> str:
    return name if value.spec.dtype == INT64 else w.cast(name, INT64)


@rule("take")
def take(w: Writer, node: Node, names: list[str]) -> str:
    return w.emit("Gather", names[0], _int64(w, node.inputs[1], names[1]), axis=node.settings["axis"])


@rule("take_along_axis")
def take_along_axis(w: Writer, node: Node, names: list[str]) -> str:
    return w.emit("GatherElements", names[0], _int64(w, node.inputs[1], names[1]), axis=node.settings["axis"])


@rule("add_along_axis")
def add_along_axis(w: Writer, node: Node, names: list[str]) -> str:
    board = w.filled(0, node.out.spec.dtype, node.out.spec.shape)
    places = _int64(w, node.inputs[1], names[1])
    return w.emit("ScatterElements", board, places, names[0], axis=node.settings["axis"], reduction="add")


def _places(w: Writer, indices: Sequence[Value], names: Sequence[str]) -> tuple[str, tuple[Size, ...]]:
    """Arrays of positions that broadcast, as one whose last axis names an element; and the shape before it."""
    shape = broadcast_shapes("to_onnx", *(v.spec.shape for v in indices))
    parts = []
    for v, name in zip(indices, names, strict=True):
        wide = w.expand(_int64(w, v, name), v.spec.shape, shape)
        parts.append(w.emit("Unsqueeze", wide, w.ints([len(shape)])))
    return parts[0] if len(parts) == 1 else w.emit("Concat", *parts, axis=len(shape)), shape


@rule("gather_nd")
def gather_nd(w: Writer, node: Node, names: list[str]) -> str:
    places, _ = _places(w, node.inputs[1:], names[1:])
    return w.emit("GatherND", names[0], places)


def _scattered(w: Writer, board: str, places: str, updates: str, mode: str) -> str:
    if mode in ("min", "max") and w.opset < 18:
        raise Refusal("it takes op set 18 or later")
    return w.emit("ScatterND", board, places, updates, reduction=None if mode == "set" else mode)


@rule("scatter_nd")
def scatter_nd(w: Writer, node: Node, names: list[str]) -> str:
    places, _ = _places(w, node.inputs[1:], names[1:])
    return _scattered(w, w.filled(0, node.out.spec.dtype, node.out.spec.shape), places, names[0], "add")


@rule("put", "scatter")
def put(w: Writer, node: Node, names: list[str]) -> str:
    places, _ = _places(w, node.inputs[2:], names[2:])
    return _scattered(w, names[0], places, names[1], node.settings.get("mode", "set"))


@rule("scatter_add")
def scatter_add(w: Writer, node: Node, names: list[str]) -> str:
    """The axes of the positions first, where the standard wants them; then back."""
    axis, (g, indices), out = node.settings["axis"], node.inputs, node.out.spec
    middle = range(axis, axis + indices.spec.ndim)
    rest = [a for a in range(g.spec.ndim) if a not in middle]
    updates = w.transpose(names[0], [*middle, *rest])
    places = w.emit("Unsqueeze", _int64(w, indices, names[1]), w.ints([indices.spec.ndim]))
    board = w.filled(0, out.dtype, [out.shape[axis], *(n for a, n in enumerate(out.shape) if a != axis)])
    summed = _scattered(w, board, places, updates, "add")
    return w.transpose(summed, [*range(1, axis + 1), 0, *range(axis + 1, out.ndim)])


@rule("argsort", "sort")
def ordered(w: Writer, node: Node, names: list[str]) -> str:
    axis, x = node.settings["axis"], node.inputs[0].spec
    name = w.cast(names[0], np.dtype("int32")) if x.dtype == bool else names[0]
    largest = int(node.settings["descending"])
    values, order = w.several("TopK", [name, w.size(x.shape[axis])], 2, axis=axis, largest=largest, sorted=1)
    if node.op == "argsort":
        return order
    return w.cast(values, x.dtype) if x.dtype == bool else values


@rule("searchsorted")
def searchsorted(w: Writer, node: Node, names: list[str]) -> str:
    """How many of the sorted values come before each."""
    values = w.emit("Unsqueeze", names[1], w.ints([node.inputs[1].spec.ndim]))
    before = w.emit("Less" if node.settings["side"] == "left" else "LessOrEqual", names[0], values)
    return w.emit("ReduceSum", w.cast(before, INT64), w.ints([-1]), keepdims=0)


@rule("isin")
def isin(w: Writer, node: Node, names: list[str]) -> str:
    each = w.emit("Unsqueeze", names[0], w.ints([node.inputs[0].spec.ndim]))
    hits = w.emit("Equal", each, w.reshape(names[1], (node.inputs[1].spec.size,)))
    count = w.emit("ReduceSum", w.cast(hits, np.dtype("int32")), w.ints([-1]), keepdims=0)
    return w.cast(count, np.dtype(bool))


@rule("cumulative_sum", "cumulative_prod")
def cumulative(w: Writer, node: Node, names: list[str]) -> str:
    op = "CumSum" if node.op == "cumulative_sum" else "CumProd"
    if op == "CumProd" and (not onnx.defs.has(op) or onnx.defs.get_schema(op).since_version > w.opset):
        raise Refusal("running products came with op set 26")
    dtype = node.out.spec.dtype
    name = names[0] if node.inputs[0].spec.dtype == dtype else w.cast(names[0], dtype)
    return w.emit(op, name, w.constant(node.settings["axis"], INT64))


@rule("det")
def det(w: Writer, node: Node, names: list[str]) -> str:
    return w.emit("Det", *names)
