"""The place where data enters a model drawn as a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import LayerError
from ..layer import Layer
from ..symbolic import Node, SymbolicTensor

__all__ = ["Input", "InputLayer"]


class InputLayer(Layer):
    """Holds the shape and dtype of one input; gives what it is given."""

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        *,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(dtype=dtype, name=name, **kwargs)
        if (shape is None) == (batch_shape is None):
            raise LayerError(
                f"InputLayer: needs shape or batch_shape, not both; got {shape} and {batch_shape}. shape leaves the "
                "batch axis out"
            )
        if isinstance(shape, int) or isinstance(batch_shape, int):
            raise LayerError(
                f"InputLayer: the shape must be a tuple; got {shape or batch_shape}. Write ({shape or batch_shape},)"
            )
        self.batch_shape = tuple(batch_shape) if batch_shape is not None else (batch_size, *shape)  # type: ignore[misc]
        bad = [n for n in self.batch_shape if n is not None and (not isinstance(n, (int, np.integer)) or n < 0)]
        if bad:
            raise LayerError(f"InputLayer: sizes must be whole numbers of at least 0, or None; got {self.batch_shape}")
        self.batch_shape = tuple(None if n is None else int(n) for n in self.batch_shape)
        entry = SymbolicTensor(self.batch_shape, self.dtype, self.name)
        entry.node = Node(self, (), {}, entry)
        self._state.nodes.append(entry.node)
        self.built = True

    @property
    def batch_size(self) -> int | None:
        return self.batch_shape[0]

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {"batch_shape": list(self.batch_shape), "dtype": self.dtype, "name": self.name}


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    *,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> SymbolicTensor:
    """A symbolic tensor to call layers on. ``shape`` is that of one example, without the batch axis; None leaves a size
    open.

    Example:
        >>> x = Input(shape=(4,))
        >>> model = Model(x, Dense(1)(x))
    """
    entry: SymbolicTensor = (
        InputLayer(shape, batch_size, dtype, batch_shape=batch_shape, name=name)._state.nodes[0].outputs
    )
    return entry
