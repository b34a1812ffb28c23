"""Inputs in another range."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import asarray

from ..layer import Layer

__all__ = ["Rescaling"]


class Rescaling(Layer):
    """``x * scale + offset``, in the layer's dtype: ``Rescaling(1 / 255)`` for images of bytes."""

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        self.built = True

    supports_masking = True

    def call(self, inputs: Any) -> Any:
        x = inputs.astype(self.compute_dtype)
        return x * asarray(self.scale, self.compute_dtype) + asarray(self.offset, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}
