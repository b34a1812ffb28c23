"""A mask from the values themselves."""

from __future__ import annotations

from typing import Any

from brickwork import tensor as bt

from ..layer import Layer

__all__ = ["Masking"]


class Masking(Layer):
    """(batch, steps, ...) with 0 at each step whose values all are ``mask_value``, and a mask that leaves it out."""

    def __init__(self, mask_value: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.built = True

    def call(self, inputs: Any) -> Any:
        return bt.where(bt.any(inputs != self.mask_value, -1, keepdims=True), inputs, 0.0)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return bt.any(bt.asarray(inputs) != self.mask_value, -1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}
