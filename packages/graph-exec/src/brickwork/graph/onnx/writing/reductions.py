"""Reductions, and those over windows, which the standard calls pooling."""

from __future__ import annotations

from math import prod

import numpy as np

from brickwork.tensor.dtypes import class_of

from ...ir import Node
from .writer import Writer, rule

__all__ = ["channels_first", "channels_last"]

_OPS = {"sum": "ReduceSum", "prod": "ReduceProd", "max": "ReduceMax", "min": "ReduceMin", "any": "ReduceMax",
        "all": "ReduceMin"}  # fmt: skip
UINT8 = np.dtype("uint8")
"""In which truth is reduced: over nothing its least is false and its greatest true."""


@rule(*_OPS)
def reduce(w: Writer, node: Node, names: list[str]) -> str:
    pooled = _pool(w, node, names[0])
    if pooled:
        return pooled
    x, out, axes = node.inputs[0].spec, node.out.spec, node.settings["axis"]
    logical = class_of(out.dtype) == "b"
    inner = UINT8 if logical else out.dtype
    name = names[0]
    if logical and x.dtype != bool:
        name = w.cast(name, np.dtype(bool))
    if (np.dtype(bool) if logical else x.dtype) != inner:
        name = w.cast(name, inner)
    if not axes:
        return w.cast(name, out.dtype) if inner != out.dtype else name
    keepdims = node.settings["keepdims"]
    source, turn = w.turned.get(name, (name, tuple(range(x.ndim))))
    name = reduced(w, _OPS[node.op], source, tuple(sorted(turn[a] for a in axes)), keepdims)
    name = w.cast(name, out.dtype) if inner != out.dtype else name
    left = list(turn) if keepdims else [turn[a] for a in range(x.ndim) if a not in axes]
    return w.transpose(name, [sorted(left).index(a) for a in left])


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
    source = _windows(w, node)
    if source is None:
        return ""
    s, ndim = source.settings, node.out.spec.ndim
    order = [*(a for a in range(ndim) if a not in s["axes"]), *s["axes"]]
    back = [order.index(a) for a in range(ndim)]
    image = w.transpose(w.place[source.inputs[0].id], order)
    given = {"kernel_shape": list(s["sizes"]), "strides": list(s["strides"])}
    spread = list(s["dilations"]) if any(d != 1 for d in s["dilations"]) else None
    if node.op == "max":
        return w.transpose(w.emit("MaxPool", image, **given, dilations=spread), back)
    mean = w.emit("AveragePool", image, **given, dilations=spread)
    return w.transpose(w.emit("Mul", mean, w.constant(prod(s["sizes"]), node.out.spec.dtype)), back)


def _windows(w: Writer, node: Node) -> Node | None:
    """The node that makes windows over all axes but two, where just these windows are reduced."""
    source = w.made.get(node.inputs[0].id)
    over = 0
    if source is not None and source.op == "reshape":  # windows as one axis
        over, source = source.out.spec.ndim, w.made.get(source.inputs[0].id)
    if source is None or source.op != "sliding_window" or node.op not in ("max", "sum"):
        return None
    x, axes = source.inputs[0].spec, source.settings["axes"]
    windows = range(x.ndim, over or x.ndim + len(axes))
    fits = (
        1 <= len(axes) == x.ndim - 2 <= 3
        and over in (0, x.ndim + 1)
        and node.settings["axis"] == tuple(windows)
        and node.out.spec.shape == source.out.spec.shape[: x.ndim]
        and not node.settings["keepdims"]
        and x.dtype in (np.float32, np.float64)
        and node.out.spec.dtype == x.dtype
    )
    spread = any(d != 1 for d in source.settings["dilations"])
    return source if fits and (node.op == "max" or w.opset >= 19 or not spread) else None
