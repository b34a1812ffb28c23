"""Graphs as data: the layers with the calls of each, in which symbolic tensors are places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brickwork.tensor.tree import leaves

from ..call import map_leaves
from ..core.input_layer import InputLayer
from ..errors import LayerError
from ..serialization import deserialize, serialize
from ..symbolic import Node, SymbolicTensor
from .graph import Graph

__all__ = ["graph_from_config", "graph_to_config"]

PLACE = "symbolic"


def graph_to_config(graph: Graph) -> dict[str, Any]:
    """``{"layers": [{"class_name", "config", "name", "calls"}], "inputs", "outputs"}``; a place is ``{"symbolic":
    [layer, call, output]}``.
    """
    calls: dict[int, list[Node]] = {id(layer): [] for layer in graph.layers}
    for node in _sources(graph) + list(graph.nodes):
        calls[id(node.layer)].append(node)
    places = {
        id(t): [layer.name, k, j]
        for layer in graph.layers
        for k, node in enumerate(calls[id(layer)])
        for j, t in enumerate(leaves(node.outputs))
    }

    def place(x: Any) -> Any:
        return {PLACE: places[id(x)]} if isinstance(x, SymbolicTensor) else x

    def call(node: Node) -> dict[str, Any]:
        return {
            "args": [map_leaves(place, a) for a in node.args],
            "kwargs": {k: map_leaves(place, v) for k, v in node.kwargs.items()},
        }

    described = [
        {**serialize(layer), "name": layer.name, "calls": [call(n) for n in calls[id(layer)] if n.args]}
        for layer in graph.layers
    ]
    return {"layers": described, "inputs": map_leaves(place, graph.inputs), "outputs": map_leaves(place, graph.outputs)}


def _sources(graph: Graph) -> list[Node]:
    return [x.node for x in leaves(graph.inputs)]


def graph_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> tuple[Any, Any]:
    """The (inputs, outputs) that a config describes, from new layers. Raises `LayerError` for a config whose calls can
    not be made.
    """
    layers = {d["name"]: deserialize(d, "layer", custom_objects) for d in config["layers"]}
    made: dict[tuple[str, int], list[Any]] = {
        (name, 0): [layer.output] for name, layer in layers.items() if isinstance(layer, InputLayer)
    }
    todo = [(d["name"], k, call) for d in config["layers"] for k, call in enumerate(d["calls"])]
    while todo:
        waiting = []
        for name, k, call in todo:
            tree = [call["args"], call["kwargs"]]
            if all((n, i) in made for n, i, _ in _places(tree)):
                args, kwargs = _filled(tree, made)
                made[name, k] = leaves(layers[name](*args, **kwargs))
            else:
                waiting.append((name, k, call))
        if len(waiting) == len(todo):
            raise LayerError(
                f"Model: every call must have its inputs; got a config in which {todo[0][0]!r} waits for ever. The "
                "config is damaged"
            )
        todo = waiting
    return _filled(config["inputs"], made), _filled(config["outputs"], made)


def _is_place(tree: Any) -> bool:
    return isinstance(tree, dict) and set(tree) == {PLACE}


def _places(tree: Any) -> list[Any]:
    if _is_place(tree):
        return [tree[PLACE]]
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (list, tuple)) else ()
    return [p for child in children for p in _places(child)]


def _filled(tree: Any, made: Mapping[tuple[str, int], list[Any]]) -> Any:
    if _is_place(tree):
        name, k, j = tree[PLACE]
        return made[name, k][j]
    if isinstance(tree, dict):
        return {k: _filled(v, made) for k, v in tree.items()}
    return type(tree)(_filled(v, made) for v in tree) if isinstance(tree, (list, tuple)) else tree
