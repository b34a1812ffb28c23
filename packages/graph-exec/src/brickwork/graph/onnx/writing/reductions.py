"""Reductions, and those over windows, which the standard calls pooling."""

from __future__ import annotations

from math import prod

import numpy as np

from brickwork.tensor.dtypes import class_of

from ...ir import Node, Value
from .writer import Writer, rule

__all__ = ["channels_first", "channels_last"]

_OPS = {"sum": "ReduceSum", "prod": "ReduceProd", "max": "ReduceMax", "min": "ReduceMin", "any": "ReduceMax",
        "all": "ReduceMin"}  # fmt: skip
INT32 = np.dtype("int32")


@rule(*_OPS)
def reduce(w: Writer, node: Node, names: list[str]) -> str:
    pooled = _pool(w, node, names[0])
    if pooled:
        return pooled
    x, out, axes = node.inputs[0].spec, node.out.spec, node.settings["axis"]
    logical = class_of(out.dtype) == "b"
    inner = INT32 if logical else out.dtype
    name = names[0]
    if logical and x.dtype != bool:
        name = w.cast(name, np.dtype(bool))
    if (np.dtype(bool) if logical else x.dtype) != inner:
        name = w.cast(name, inner)
    if axes:
        name = reduced(w, _OPS[node.op], name, axes, node.settings["keepdims"])
    return w.cast(name, out.dtype) if inner != out.dtype else name


def reduced(w: Writer, op: str, name: str, axes: tuple[int, ...], keepdims: bool) -> str:
    """Axes are an input since op set 13 for sums and 18 for the others."""
    if op == "ReduceSum" or w.opset >= 18:
        return w.emit(op, name, w.ints(axes), keepdims=int(keepdims))
    return w.emit(op, name, axes=list(axes), keepdims=int(keepdims))


def channels_first(w: Writer, name: str, ndim: int) -> str:
    """(batch, *space, channels) as the standard has it: (batch, channels, *space)."""
    return w.transpose(name, (0, ndim - 1, *range(1, ndim - 1)))


def channels_last(w: Writer, name: str, ndim: int) -> str:
    return w.transpose(name, (0, *range(2, ndim), 1))


def _pool(w: Writer, node: Node, name: str) -> str:
    """The greatest or the sum of windows over space; "" where it is something else."""
    source, ndim = _windows(w, node)
    if source is None:
        return ""
    s = source.settings
    image = channels_first(w, w.place[source.inputs[0].id], ndim)
    given = {"kernel_shape": list(s["sizes"]), "strides": list(s["strides"])}
    spread = list(s["dilations"]) if any(d != 1 for d in s["dilations"]) else None
    if node.op == "max":
        return channels_last(w, w.emit("MaxPool", image, **given, dilations=spread), ndim)
    mean = w.emit("AveragePool", image, **given, dilations=spread)
    return channels_last(w, w.emit("Mul", mean, w.constant(prod(s["sizes"]), node.out.spec.dtype)), ndim)


def _windows(w: Writer, node: Node) -> tuple[Node | None, int]:
    """The node that makes windows over all of space, where just these are reduced, and the axes of its operand."""
    source = w.made.get(node.inputs[0].id)
    if source is None or source.op != "sliding_window" or node.op not in ("max", "sum"):
        return None, 0
    x: Value = source.inputs[0]
    ndim = x.spec.ndim
    space = tuple(range(1, ndim - 1))
    fits = (
        source.settings["axes"] == space
        and len(space) <= 3
        and node.settings["axis"] == tuple(range(ndim, ndim + len(space)))
        and not node.settings["keepdims"]
        and x.spec.dtype in (np.float32, np.float64)
        and node.out.spec.dtype == x.spec.dtype
    )
    spread = any(d != 1 for d in source.settings["dilations"])
    return (source, ndim) if fits and (node.op == "max" or w.opset >= 19 or not spread) else (None, 0)
