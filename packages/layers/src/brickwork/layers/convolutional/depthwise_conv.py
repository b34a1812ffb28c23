"""Convolutions of each channel by itself."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import nn

from ..checks import positive
from ..layout import channels_last
from ..weights import add_role
from .windowed import Windowed

__all__ = ["DepthwiseConv", "DepthwiseConv1D", "DepthwiseConv2D"]


class DepthwiseConv(Windowed):
    """Each channel convolved with ``depth_multiplier`` filters of its own, then bias and activation; those of a channel
    are side by side.

    Kernel (*kernel_size, channels, depth_multiplier), bias (channels * depth_multiplier,). Other arguments as `Conv`
    has them.
    """

    def __init__(
        self, kernel_size: Any, strides: Any = 1, padding: str = "valid", depth_multiplier: int = 1,
        data_format: str | None = None, dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        depthwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        roles = {
            "depthwise": (depthwise_initializer, depthwise_regularizer, depthwise_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, roles,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        positive(type(self).__name__, depth_multiplier=depth_multiplier)
        self.depth_multiplier = depth_multiplier

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = add_role(self, "depthwise", shape, "kernel")
        if self.use_bias:
            self.bias = add_role(self, "bias", (channels * self.depth_multiplier,))

    def call(self, inputs: Any) -> Any:
        x = channels_last(inputs, self.data_format)
        return self._finished(nn.depthwise_conv(x, self.kernel, self.strides, self.padding, self.dilation_rate))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self._shape(input_shape, input_shape[self._channel_axis] * self.depth_multiplier)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}


class DepthwiseConv1D(DepthwiseConv):
    """Of signals (batch, steps, channels); see `DepthwiseConv`."""

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Of images (batch, height, width, channels); see `DepthwiseConv`."""

    rank = 2
