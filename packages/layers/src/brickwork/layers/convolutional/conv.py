"""What convolutions of one, two and three axes have in common."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import conv

from ..checks import positive
from ..errors import LayerError
from ..layout import channels_last
from ..weights import add_role
from .windowed import Windowed

__all__ = ["Conv"]


class Conv(Windowed):
    """``activation(conv(x, kernel) + bias)`` for x (batch, *space, channels): a window over ``rank`` axes (a
    correlation: kernels are not flipped).

    Kernel (*kernel_size, channels / groups, filters), bias (filters,). ``padding``: "valid", "same", or, over one axis,
    "causal" (a place sees those before it). ``data_format``: "channels_last" (by default), or "channels_first" for x
    (batch, channels, *space).
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, groups: int = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        roles = {
            "kernel": (kernel_initializer, kernel_regularizer, kernel_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, roles,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        who = type(self).__name__
        positive(who, filters=filters, groups=groups)
        if filters % groups:
            raise LayerError(f"{who}: filters must divide by groups; got {filters} and {groups}")
        self.filters, self.groups = filters, groups

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise LayerError(
                f"{type(self).__name__}: channels must divide by groups; got {channels} and {self.groups}, shape "
                f"{tuple(input_shape)}"
            )
        self.kernel = add_role(self, "kernel", (*self.kernel_size, channels // self.groups, self.filters))
        if self.use_bias:
            self.bias = add_role(self, "bias", (self.filters,))

    def call(self, inputs: Any) -> Any:
        x = channels_last(inputs, self.data_format)
        return self._finished(conv(x, self.kernel, self.strides, self.padding, self.dilation_rate, self.groups))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self._shape(input_shape, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "groups": self.groups}
