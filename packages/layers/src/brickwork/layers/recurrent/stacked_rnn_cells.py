"""Cells on top of one another, as one cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from brickwork.tensor import zeros

from ..errors import LayerError
from ..layer import Layer
from ..serialization import deserialize, serialize
from .cell import Parts, parts_of

__all__ = ["StackedRNNCells", "output_size_of"]


def output_size_of(cell: Any) -> int:
    """What a cell says of its output, else the size of its first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size
    return int(size)


class StackedRNNCells(Layer):
    """Each cell takes the output of the one before; the state holds a state, or a list of them, of each."""

    def __init__(self, cells: Sequence[Any], **kwargs: Any):
        super().__init__(**kwargs)
        bad = next((c for c in cells if not isinstance(c, Layer) or not hasattr(c, "state_size")), None)
        if bad is not None or not cells:
            raise LayerError(f"StackedRNNCells: needs cells, Layers that have state_size; got {bad!r}")
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        return [c.state_size for c in self.cells]

    @property
    def output_size(self) -> int:
        return output_size_of(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Of each cell a list of states."""
        out = []
        for cell in self.cells:
            if hasattr(cell, "get_initial_state"):
                out.append(list(cell.get_initial_state(batch_size=batch_size)))
            else:
                sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
                out.append([zeros((batch_size, n), self.compute_dtype) for n in sizes])
        return out

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if not cell.built:
                cell.build(input_shape)
            input_shape = (input_shape[0], output_size_of(cell))

    def parts(self, batch: Any, features: int, training: bool) -> Parts:
        """The stack in a loop: what the first cell can do for all steps at once is done so."""
        sizes = [features, *(output_size_of(c) for c in self.cells[:-1])]
        inner = [parts_of(c, batch, n, training) for c, n in zip(self.cells, sizes)]

        def step(row: Any, states: Any) -> tuple[Any, list[Any]]:
            after = []
            for k, (part, own) in enumerate(zip(inner, states, strict=True)):
                row, new = part.step(part.project(row) if k else row, own)
                after.append(list(new))
            return row, after

        last = inner[-1].output
        return Parts(inner[0].project, step, None if last is None else lambda states: last(states[-1]))

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        parts = self.parts(inputs.shape[0], inputs.shape[-1], training)
        nested = [list(s) if isinstance(s, (list, tuple)) else [s] for s in states]
        return parts.step(parts.project(inputs), nested)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cells": [serialize(c) for c in self.cells]}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        cells = [deserialize(c, "layer", custom_objects) for c in config["cells"]]
        return cls(cells, **{k: v for k, v in config.items() if k != "cells"})
