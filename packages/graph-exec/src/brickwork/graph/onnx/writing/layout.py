"""Fewer nodes: turns of axes sink through arithmetic until two of them meet; a product takes in the bias after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from brickwork.tensor.spec import TensorSpec

from ...ir import Node, Value
from .writer import Writer

__all__ = ["biased", "sunk"]

_PRODUCTS = frozenset(("matmul", "conv", "contract"))
_PASSED = frozenset(("reshape", "transpose", "identity", "stop_gradient"))


def sunk(w: Writer, node: Node, names: Sequence[str]) -> tuple[Node, list[str], tuple[int, ...]] | None:
    """Arithmetic of turned operands as that of what was turned: the node, its operands, and the turn that is then due.
    None where operands are turned in different ways, or others are neither scalars nor initializers."""
    ndim = node.out.spec.ndim
    turns = {w.turned[n][1] for n in names if n in w.turned}
    if len(turns) != 1:
        return None
    (axes,) = turns
    back = tuple(axes.index(a) for a in range(len(axes)))
    if len(axes) != ndim:
        return None
    inputs, operands = [], []
    for value, name in zip(node.inputs, names, strict=True):
        if name in w.turned:
            inputs.append(_turned(value, back))
            operands.append(w.turned[name][0])
        elif value.spec.ndim == 0:
            inputs.append(value)
            operands.append(name)
        elif name in w.arrays:
            wide = (*(1,) * (ndim - value.spec.ndim), *value.spec.shape)
            inputs.append(_turned(Value(value.id, TensorSpec(wide, value.spec.dtype)), back))
            operands.append(w.transpose(w.reshape(name, wide), back))
        else:
            return None
    return replace(node, inputs=tuple(inputs), outputs=(_turned(node.out, back),)), operands, axes


def _turned(value: Value, axes: Sequence[int]) -> Value:
    return Value(value.id, TensorSpec(tuple(value.spec.shape[a] for a in axes), value.spec.dtype))


def biased(w: Writer, node: Node, names: Sequence[str]) -> str | None:
    """The product that an addition of an initializer follows, with that as its bias: Conv, ConvTranspose or Gemm."""
    if node.op != "add" or len({v.spec.dtype for v in (*node.inputs, node.out)}) > 1:
        return None
    for k in (0, 1):
        value, bias = node.inputs[k], names[1 - k]
        maker = _product(w, value, names[k])
        if maker is None or bias not in w.arrays or value.spec.shape != node.out.spec.shape:
            continue
        axis = 1 if maker.op_type != "MatMul" else node.out.spec.ndim - 1
        shape = w.arrays[bias].shape
        wide = (*(1,) * (node.out.spec.ndim - len(shape)), *shape)
        if all(n == (node.out.spec.shape[a] if a == axis else 1) for a, n in enumerate(wide)):
            maker.input.append(w.flat(bias))
            if maker.op_type == "MatMul":
                maker.op_type = "Gemm"
            return names[k]
    return None


def _product(w: Writer, value: Value, name: str) -> Any:
    """The node that makes a value as a product without a bias, of which this is the only use."""
    source: Node | None = w.made.get(value.id)
    while source is not None and w.uses[source.out.id] == 1 and source.op in _PASSED:
        source = w.made.get(source.inputs[0].id)
    if source is None or w.uses[source.out.id] != 1 or source.op not in _PRODUCTS:
        return None
    maker = next((n for n in reversed(w.nodes) if name in n.output), None)
    if maker is None or len(maker.input) != 2:
        return None
    flat = maker.op_type == "MatMul" and all(v.spec.ndim == 2 for v in source.inputs)
    return maker if flat or maker.op_type in ("Conv", "ConvTranspose") else None
