"""What pooling layers have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brickwork.tensor import Tensor

from ..input_spec import InputSpec
from ..layer import Layer
from ..layout import channels_first, channels_last, data_format_of, padding_of, per_axis, window_places, with_channels

__all__ = ["GlobalPooling", "Pooling"]


class Pooling(Layer):
    """A window of ``pool_size`` reduced to one number per channel; ``strides`` are the size by default."""

    rank: int
    reduce: Callable[..., Tensor]

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        who = type(self).__name__
        self.pool_size = per_axis(who, "pool_size", pool_size, self.rank)
        self.strides = self.pool_size if strides is None else per_axis(who, "strides", strides, self.rank)
        self.padding, self.data_format = padding_of(who, padding), data_format_of(who, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        out = type(self).reduce(channels_last(inputs, self.data_format), self.pool_size, self.strides, self.padding)
        return channels_first(out, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> Any:
        last = self.data_format == "channels_last"
        space = input_shape[1:-1] if last else input_shape[2:]
        places = window_places(space, self.pool_size, self.strides, self.padding, (1,) * self.rank)
        return with_channels(input_shape, places, input_shape[-1 if last else 1], self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }


class GlobalPooling(Layer):
    """All places reduced to one number per channel: (batch, *space, channels) to (batch, channels), or with axes of
    size 1 where ``keepdims``.
    """

    rank: int
    reduce: Callable[..., Tensor]

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format, self.keepdims = data_format_of(type(self).__name__, data_format), keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        return type(self).reduce(inputs, tuple(range(first, first + self.rank)), self.keepdims)

    def compute_output_shape(self, input_shape: Any) -> Any:
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        return with_channels(input_shape, (1,) * self.rank if self.keepdims else (), channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}
