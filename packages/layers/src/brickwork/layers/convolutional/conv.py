"""What convolutions of one, two and three axes have in common."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import conv, reshape

from .. import activations, constraints, initializers, regularizers
from ..core.dense import weight_config
from ..errors import LayerError
from ..input_spec import InputSpec
from ..layer import Layer
from ..layout import channels_first, channels_last, data_format_of, padding_of, per_axis, window_places, with_channels

__all__ = ["Conv"]


class Conv(Layer):
    """``activation(conv(x, kernel) + bias)`` for x (batch, *space, channels): a window over ``rank`` axes (a
    correlation: kernels are not flipped).

    Kernel (*kernel_size, channels / groups, filters), bias (filters,). ``padding``: "valid" or "same". ``data_format``:
    "channels_last" (by default), or
    "channels_first" for x (batch, channels, *space).
    """

    rank: int

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, groups: int = 1,
        activation: Any = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        who = type(self).__name__
        for name, value in (("filters", filters), ("groups", groups)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise LayerError(f"{who}: {name} must be a positive whole number; got {value!r}")
        if filters % groups:
            raise LayerError(f"{who}: filters must divide by groups; got {filters} and {groups}")
        self.filters, self.groups, self.use_bias = filters, groups, use_bias
        self.kernel_size = per_axis(who, "kernel_size", kernel_size, self.rank)
        self.strides = per_axis(who, "strides", strides, self.rank)
        self.dilation_rate = per_axis(who, "dilation_rate", dilation_rate, self.rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise LayerError(
                f"{who}: strides and dilation_rate can not both be above 1; got {self.strides} and {self.dilation_rate}"
            )
        self.padding, self.data_format = padding_of(who, padding), data_format_of(who, data_format)
        self.activation = activations.get(activation)
        self.kernel_initializer, self.bias_initializer = (
            initializers.get(kernel_initializer),
            initializers.get(bias_initializer),
        )
        self.kernel_regularizer, self.bias_regularizer = (
            regularizers.get(kernel_regularizer),
            regularizers.get(bias_regularizer),
        )
        self.kernel_constraint, self.bias_constraint = (
            constraints.get(kernel_constraint),
            constraints.get(bias_constraint),
        )
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.bias: Any = None

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self._channel_axis]
        if channels is None or channels % self.groups:
            raise LayerError(
                f"{type(self).__name__}: channels must be known and divide by groups; got {channels} and "
                f"{self.groups}, shape {tuple(input_shape)}"
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self.add_weight(
            shape,
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.filters,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})

    def call(self, inputs: Any) -> Any:
        out = conv(
            channels_last(inputs, self.data_format),
            self.kernel,
            self.strides,
            self.padding,
            self.dilation_rate,
            self.groups,
        )
        if self.bias is not None:
            out = out + reshape(self.bias, (1,) * (self.rank + 1) + (self.filters,))
        return self.activation(channels_first(out, self.data_format))

    def compute_output_shape(self, input_shape: Any) -> Any:
        space = input_shape[1:-1] if self.data_format == "channels_last" else input_shape[2:]
        places = window_places(space, self.kernel_size, self.strides, self.padding, self.dilation_rate)
        return with_channels(input_shape, places, self.filters, self.data_format)

    def get_config(self) -> dict[str, Any]:
        own = {
            name: getattr(self, name)
            for name in (
                "filters",
                "kernel_size",
                "strides",
                "padding",
                "data_format",
                "dilation_rate",
                "groups",
                "use_bias",
            )
        }
        return {
            **super().get_config(),
            **own,
            "activation": activations.serialize(self.activation),
            **weight_config(self),
        }
