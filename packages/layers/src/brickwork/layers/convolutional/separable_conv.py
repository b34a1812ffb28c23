"""Convolutions of each channel by itself, then of channels at each place."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import nn

from ..checks import positive
from ..layout import channels_last
from ..weights import add_role
from .windowed import Windowed

__all__ = ["SeparableConv", "SeparableConv1D", "SeparableConv2D"]


class SeparableConv(Windowed):
    """`DepthwiseConv`, then all channels of a place mixed into ``filters``, then bias and activation (Chollet 2017).

    ``depthwise_kernel`` (*kernel_size, channels, depth_multiplier), ``pointwise_kernel`` (1, ..., 1, channels *
    depth_multiplier, filters), bias (filters,). Other arguments as `Conv` has them.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, depth_multiplier: int = 1, activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", depthwise_regularizer: Any = None, pointwise_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, depthwise_constraint: Any = None,
        pointwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        roles = {
            "depthwise": (depthwise_initializer, depthwise_regularizer, depthwise_constraint),
            "pointwise": (pointwise_initializer, pointwise_regularizer, pointwise_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, roles,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        positive(type(self).__name__, filters=filters, depth_multiplier=depth_multiplier)
        self.filters, self.depth_multiplier = filters, depth_multiplier

    def build(self, input_shape: Any) -> None:
        channels, many = self._channels(input_shape), self.depth_multiplier
        self.depthwise_kernel = add_role(self, "depthwise", (*self.kernel_size, channels, many), "depthwise_kernel")
        shape = (*(1,) * self.rank, channels * many, self.filters)
        self.pointwise_kernel = add_role(self, "pointwise", shape, "pointwise_kernel")
        if self.use_bias:
            self.bias = add_role(self, "bias", (self.filters,))

    def call(self, inputs: Any) -> Any:
        x, kernels = channels_last(inputs, self.data_format), (self.depthwise_kernel, self.pointwise_kernel)
        return self._finished(nn.separable_conv(x, *kernels, self.strides, self.padding, self.dilation_rate))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self._shape(input_shape, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "depth_multiplier": self.depth_multiplier}


class SeparableConv1D(SeparableConv):
    """Of signals (batch, steps, channels); see `SeparableConv`."""

    rank = 1


class SeparableConv2D(SeparableConv):
    """Of images (batch, height, width, channels); see `SeparableConv`."""

    rank = 2
