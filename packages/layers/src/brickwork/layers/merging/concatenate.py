"""Tensors side by side."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import concat

from ..errors import LayerError
from ..layer import Layer

__all__ = ["Concatenate"]


class Concatenate(Layer):
    """A list of tensors joined along ``axis``; their other sizes must agree."""

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis
        self.built = True

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise LayerError(f"Concatenate: needs a list of tensors; got {type(inputs).__name__}. Call it on [a, b]")
        return concat(inputs, self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
