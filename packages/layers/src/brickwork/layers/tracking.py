"""What a layer owns, found by walking its attributes: weights, sublayers, metrics, seeds.

An attribute counts when it is one of these, or a list, tuple or dict that holds some, at any depth; the order is that
of assignment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from brickwork.tensor import Variable
from brickwork.tensor.random import SeedGenerator

__all__ = ["attribute_values", "distinct", "own_weights", "sublayers", "tree_weights"]


def inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from inside(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from inside(item)
    else:
        yield value


def attribute_values(layer: Any) -> Iterator[Any]:
    """The values of a layer's attributes, containers opened. What `Layer` itself keeps is in ``_state``, which is
    none.
    """
    for value in vars(layer).values():
        if isinstance(value, (dict, list, tuple)):
            yield from inside(value)
        else:
            yield value


def distinct(items: Any) -> list[Any]:
    """Items without repetition, by identity, in order."""
    return list({id(item): item for item in items}.values())


def own_weights(layer: Any) -> list[Variable]:
    """The variables of the layer itself: what it learns first, then the others."""
    found = distinct([*layer._state.weights, *(v for v in attribute_values(layer) if isinstance(v, Variable))])
    return sorted(found, key=lambda v: not getattr(v, "learned", v.trainable))


def sublayers(layer: Any, kind: type) -> list[Any]:
    """The layers that are attributes of a layer."""
    return distinct(v for v in attribute_values(layer) if isinstance(v, kind) and v is not layer)


def tree_weights(layer: Any, kind: type) -> list[Variable]:
    """The weights of a layer, then those of its sublayers."""
    return distinct(w for part in tree_layers(layer, kind) for w in own_weights(part))


def tree_layers(layer: Any, kind: type) -> list[Any]:
    """A layer and all below it, each once, parents first."""
    seen: dict[int, Any] = {}

    def visit(part: Any) -> None:
        if id(part) not in seen:
            seen[id(part)] = part
            for child in part._sublayers():
                visit(child)

    visit(layer)
    return list(seen.values())


def seed_states(layer: Any, kind: type) -> list[Variable]:
    """The states of the random generators in a layer and below."""
    return distinct(
        v.state for part in tree_layers(layer, kind) for v in attribute_values(part) if isinstance(v, SeedGenerator)
    )
