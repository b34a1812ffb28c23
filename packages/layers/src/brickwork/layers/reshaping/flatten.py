"""Each example as one row."""

from __future__ import annotations

from math import prod
from typing import Any

from brickwork.tensor import reshape

from ..input_spec import InputSpec
from ..layer import Layer
from ..layout import channels_last, data_format_of

__all__ = ["Flatten"]


class Flatten(Layer):
    """(batch, ...) to (batch, n); (batch,) to (batch, 1). "channels_first" inputs are brought to channels last
    first.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = data_format_of("Flatten", data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = channels_last(inputs, self.data_format) if inputs.ndim > 2 else inputs
        return reshape(x, (x.shape[0], prod(x.shape[1:])))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], None if None in input_shape[1:] else prod(input_shape[1:]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
