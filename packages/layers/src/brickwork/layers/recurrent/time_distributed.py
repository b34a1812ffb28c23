"""A layer for each step of a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from brickwork.tensor import reshape

from ..call import map_leaves
from ..errors import LayerError
from ..layer import Layer
from ..serialization import deserialize, serialize

__all__ = ["TimeDistributed"]


class TimeDistributed(Layer):
    """A layer on each step: (batch, steps, ...) to (batch, steps, ...), with the same weights. It sees the steps as so
    many more examples, so that it is called once."""

    def __init__(self, layer: Any, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise LayerError(f"TimeDistributed: takes a layer; got {layer!r}. Wrap a function with Activation")
        self.layer = layer

    def build(self, input_shape: Any) -> None:
        if len(input_shape) < 3:
            raise LayerError(f"TimeDistributed: takes at least 3 axes (batch, steps, ...); got {tuple(input_shape)}")
        if not self.layer.built:
            self.layer.build((None, *input_shape[2:]))

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        batch, steps = inputs.shape[:2]
        options = {}
        if mask is not None and mask.ndim > 2:
            options["mask"] = reshape(mask, (batch * steps, *mask.shape[2:]))
        out = self.layer(reshape(inputs, (batch * steps, *inputs.shape[2:])), training=training, **options)
        return map_leaves(lambda t: reshape(t, (batch, steps, *t.shape[1:])), out)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (shape[0], input_shape[1], *shape[1:])

    supports_masking = True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": serialize(self.layer)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        return cls(**{**config, "layer": deserialize(config["layer"], "layer", custom_objects)})
