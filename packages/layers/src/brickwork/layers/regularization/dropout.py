"""Dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brickwork.tensor import nn

from ..checks import rates
from ..errors import LayerError
from ..layer import Layer
from ..seeds import generator

__all__ = ["Dropout"]


class Dropout(Layer):
    """While training sets a part ``rate`` of the elements to 0 and divides the others by ``1 - rate`` (Srivastava
    2014); else gives its input.

    ``noise_shape``: the shape of the mask, None for sizes of the input; where it has 1, elements live or die together.
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        rates("Dropout", rate=rate)
        self.rate, self.seed = rate, seed
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed_generator = generator(seed) if rate > 0 else None
        self.built = True

    supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.seed_generator is None:
            return inputs
        if self.noise_shape is not None and len(self.noise_shape) != inputs.ndim:
            raise LayerError(
                f"noise_shape must have as many sizes as the input has axes; got {self.noise_shape} for {inputs.ndim}"
            )
        return nn.dropout(inputs, self.rate, self.seed_generator.next(), self.noise_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed}
