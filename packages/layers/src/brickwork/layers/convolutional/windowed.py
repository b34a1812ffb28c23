"""What all convolutions have in common: a window and its places, weights, a bias and an activation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import activations
from ..errors import LayerError, unknown
from ..input_spec import InputSpec
from ..layer import Layer
from ..layout import channels_first, data_format_of, padding_of, per_axis, window_places, with_channels
from ..weights import keep_roles, roles_config

__all__ = ["Windowed"]


class Windowed(Layer):
    """Base. ``roles``: of each weight an initializer, a regularizer and a constraint."""

    rank: int
    causal = False
    filters: int

    def __init__(
        self, kernel_size: Any, strides: Any, padding: str, data_format: str | None, dilation_rate: Any,
        activation: Any, use_bias: bool, roles: Mapping[str, tuple[Any, Any, Any]], **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        who = type(self).__name__
        self.kernel_size = per_axis(who, "kernel_size", kernel_size, self.rank)
        self.strides = per_axis(who, "strides", strides, self.rank)
        self.dilation_rate = per_axis(who, "dilation_rate", dilation_rate, self.rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise LayerError(
                f"{who}: strides and dilation_rate can not both be above 1; got {self.strides} and {self.dilation_rate}"
            )
        self.data_format = data_format_of(who, data_format)
        if str(padding).lower() == "causal" and self.causal:
            self.padding = "causal"
        elif self.causal and str(padding).lower() not in ("valid", "same"):
            raise unknown(f"{who} padding", padding, ("valid", "same", "causal"))
        else:
            self.padding = padding_of(who, padding)
        self.activation, self.use_bias = activations.get(activation), use_bias
        self._roles = tuple(roles)
        keep_roles(self, **roles)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.bias: Any = None

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    # weights
    def _channels(self, input_shape: Any) -> int:
        """The channels of the input, which have to be known; from now on they are what it takes."""
        channels = input_shape[self._channel_axis]
        if not isinstance(channels, int):
            raise LayerError(f"{type(self).__name__}: channels must be known; got {tuple(input_shape)}. Give Input() "
                             "a size for that axis")  # fmt: skip
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        return channels

    # the end of a call
    def _finished(self, out: Any) -> Any:
        """Bias, layout and activation, for what a convolution gave with its channels last."""
        if self.bias is not None:
            out = out + self.bias
        return self.activation(channels_first(out, self.data_format))

    def _space(self, input_shape: Any) -> Any:
        return input_shape[1:-1] if self.data_format == "channels_last" else input_shape[2:]

    def _shape(self, input_shape: Any, channels: int) -> tuple[Any, ...]:
        padding = "same" if self.padding == "causal" else self.padding
        places = window_places(self._space(input_shape), self.kernel_size, self.strides, padding, self.dilation_rate)
        return with_channels(input_shape, places, channels, self.data_format)

    # data
    def get_config(self) -> dict[str, Any]:
        names = ("kernel_size", "strides", "padding", "data_format", "dilation_rate", "use_bias")
        config = {**super().get_config(), **{name: getattr(self, name) for name in names}}
        config["activation"] = activations.serialize(self.activation)
        return {**config, **roles_config(self, *self._roles)}
