"""Tensors side by side."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import any as reduce_any
from brickwork.tensor import concat, logical_and, ones

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

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The masks joined as the tensors are; joined along the last axis, a step counts where it does in one."""
        if previous_mask is None:
            return None
        masks = []
        for x, mask in zip(inputs, previous_mask, strict=True):
            whole = ones(x.shape, "bool")
            masks.append(whole if mask is None else logical_and(whole, mask[..., None] if mask.ndim < x.ndim else mask))
        return reduce_any(concat(masks, self.axis), -1)

    makes_masks = False

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
