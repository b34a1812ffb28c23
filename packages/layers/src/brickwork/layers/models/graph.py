"""A model as a graph: the calls between symbolic inputs and outputs, in an order in which they can run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brickwork.tensor import Tensor, asarray, reshape
from brickwork.tensor.tree import leaves

from ..call import map_leaves
from ..core.input_layer import InputLayer
from ..errors import LayerError, nearest
from ..layer import Layer
from ..symbolic import Node, SymbolicTensor

__all__ = ["Graph"]


@dataclass(frozen=True, slots=True)
class Graph:
    """``inputs`` and ``outputs``: trees of symbolic tensors. ``nodes``: the calls in order, ``layers``: who is called,
    both from inputs to outputs.
    """

    inputs: Any
    outputs: Any
    nodes: tuple[Node, ...]
    layers: tuple[Layer, ...]

    @staticmethod
    def between(inputs: Any, outputs: Any) -> Graph:
        """The calls that lead from inputs to outputs. Raises `LayerError` where an output needs an input that is not
        among them.
        """
        for what, tree in (("inputs", inputs), ("outputs", outputs)):
            bad = [x for x in leaves(tree) if not isinstance(x, SymbolicTensor)]
            if bad or not leaves(tree):
                got = type(bad[0]).__name__ if bad else "none"
                raise LayerError(
                    f"Model: {what} must be what Input() and layers called on it give; got {got}. Start from "
                    "Input(shape=...)"
                )
        depths = _depths(inputs, outputs)
        nodes = sorted(depths.values(), key=lambda pair: -pair[1])
        layers = list({id(node.layer): node.layer for node, _ in nodes}.values())
        names = [layer.name for layer in layers]
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice is not None:
            raise LayerError(f"Model: layers must have names of their own; got {twice!r} twice. Give one another name=")
        sources = {id(x) for x in leaves(inputs)}
        return Graph(
            inputs,
            outputs,
            tuple(node for node, _ in nodes if not any(id(o) in sources for o in leaves(node.outputs))),
            tuple(layers),
        )

    @property
    def input_names(self) -> list[str]:
        return [x.node.layer.name for x in leaves(self.inputs)]  # type: ignore[union-attr]

    @property
    def output_names(self) -> list[str]:
        """Of the layers that make the outputs, numbered where one makes several."""
        names: list[str] = []
        for x in leaves(self.outputs):
            name = x.node.layer.name  # type: ignore[union-attr]
            names.append(name if name not in names else f"{name}_{names.count(name)}")
        return names

    def run(self, given: Any) -> Any:
        """The outputs for tensors in the structure of the inputs, or a dict by input name."""
        values = dict(zip((id(x) for x in leaves(self.inputs)), self._matched(given), strict=True))

        def value(x: Any) -> Any:
            return values[id(x)] if isinstance(x, SymbolicTensor) else x

        for node in self.nodes:
            out = node.layer(
                *(map_leaves(value, a) for a in node.args), **{k: map_leaves(value, v) for k, v in node.kwargs.items()}
            )
            values.update(zip((id(x) for x in leaves(node.outputs)), leaves(out), strict=True))
        return map_leaves(value, self.outputs)

    def _matched(self, given: Any) -> list[Tensor]:
        """One tensor per input, in order."""
        wanted = leaves(self.inputs)
        if isinstance(given, Mapping):
            names = sorted(self.inputs) if isinstance(self.inputs, dict) else self.input_names
            missing = next((n for n in names if n not in given), None)
            if missing is not None:
                raise LayerError(
                    f"inputs: must hold {', '.join(names)}; got {', '.join(map(str, given))}: {missing!r} is missing. "
                    f"{nearest(missing, map(str, given))}"
                )
            flat = [given[n] for n in names]
        else:
            flat = leaves(given)
        if len(flat) != len(wanted):
            raise LayerError(
                f"inputs: the model takes {len(wanted)} tensors ({', '.join(self.input_names)}); got {len(flat)}. "
                "Pass a list or a dict by name"
            )
        return [_fit(asarray(t), s) for t, s in zip(flat, wanted, strict=True)]


def _fit(t: Tensor, s: SymbolicTensor) -> Tensor:
    """A tensor with the rank and dtype that its input says; one last axis of size 1 may be missing, or too many."""
    if t.ndim == s.ndim - 1 and s.shape[-1] == 1:
        t = reshape(t, (*t.shape, 1))
    elif t.ndim == s.ndim + 1 and t.shape[-1] == 1:
        t = reshape(t, t.shape[:-1])
    sizes = list(zip(t.shape, s.shape))
    if t.ndim != s.ndim or any(isinstance(n, int) and m is not None and n != m for n, m in sizes):
        name = s.node.layer.name if s.node else s.name
        got = tuple(n if isinstance(n, int) else None for n in t.shape)
        fix = (
            "A single example needs a batch axis: x[None]" if t.ndim == s.ndim - 1 else "Check the columns of the data"
        )
        raise LayerError(f"input {name!r}: must have shape {s.shape}; got {got}. {fix}")
    return t if t.dtype.name == s.dtype else t.astype(s.dtype)


def _depths(inputs: Any, outputs: Any) -> dict[int, tuple[Node, int]]:
    """Each call with its distance from the outputs (the longest way), in the order in which a walk from the outputs
    meets them.
    """
    sources = {id(x) for x in leaves(inputs)}
    order: list[Node] = []
    seen: set[int] = set()
    stack = [(x.node, False) for x in reversed(leaves(outputs))]
    while stack:
        node, finished = stack.pop()
        if node is None or (id(node) in seen and not finished):
            continue
        if finished:
            order.append(node)
            continue
        seen.add(id(node))
        stack.append((node, True))
        if any(id(o) in sources for o in leaves(node.outputs)):
            continue
        if isinstance(node.layer, InputLayer):
            raise LayerError(
                "Model: every Input that outputs depend on must be among inputs; got outputs that need "
                f"{node.layer.name!r}. Add it to inputs"
            )
        stack.extend((x.node, False) for x in reversed(node.inputs))
    depth = {id(node): 0 for node in order}
    makers = {id(o): node for node in order for o in leaves(node.outputs)}
    for node in reversed(order):
        for x in () if any(id(o) in sources for o in leaves(node.outputs)) else node.inputs:
            maker = makers[id(x)]
            depth[id(maker)] = max(depth[id(maker)], depth[id(node)] + 1)
    return {id(node): (node, depth[id(node)]) for node in order}
