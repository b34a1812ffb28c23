"""Convolutions that enlarge."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import nn

from ..checks import positive
from ..errors import LayerError
from ..layout import channels_last, per_axis, with_channels
from ..weights import add_role
from .windowed import Windowed

__all__ = ["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "ConvTranspose"]


class ConvTranspose(Windowed):
    """The transpose of `Conv` as a linear map, then bias and activation: places spread ``strides`` apart, each adding
    the kernel times what it holds (Zeiler 2010).

    Kernel (*kernel_size, filters, channels), bias (filters,). n places become ``n * stride`` with "same", ``(n - 1) *
    stride + max(kernel, stride)`` with "valid"; ``output_padding``, below the stride, chooses between sizes that a
    convolution takes to n.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
        data_format: str | None = None, dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
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
        positive(who, filters=filters)
        self.filters = filters
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = per_axis(who, "output_padding", output_padding, self.rank, allow_zero=True)
            if any(p >= s for p, s in zip(self.output_padding, self.strides)):
                raise LayerError(f"{who}: output_padding must be below strides; got {self.output_padding} and "
                                 f"{self.strides}")  # fmt: skip

    def build(self, input_shape: Any) -> None:
        self.kernel = add_role(self, "kernel", (*self.kernel_size, self.filters, self._channels(input_shape)))
        if self.use_bias:
            self.bias = add_role(self, "bias", (self.filters,))

    def call(self, inputs: Any) -> Any:
        x = channels_last(inputs, self.data_format)
        settings = (self.strides, self.padding, self.output_padding, self.dilation_rate)
        return self._finished(nn.conv_transpose(x, self.kernel, *settings))

    def compute_output_shape(self, input_shape: Any) -> Any:
        extra = self.output_padding or (None,) * self.rank
        settings = zip(self._space(input_shape), self.kernel_size, self.strides, self.dilation_rate, extra, strict=True)
        places = [None if n is None else self._places(n, (k - 1) * d + 1, s, p) for n, k, s, d, p in settings]
        return with_channels(input_shape, places, self.filters, self.data_format)

    def _places(self, n: int, span: int, stride: int, extra: int | None) -> int:
        if extra is None:
            return n * stride if self.padding == "same" else (n - 1) * stride + max(span, stride)
        return (n - 1) * stride + extra + (span % 2 if self.padding == "same" else span)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "output_padding": self.output_padding}


class Conv1DTranspose(ConvTranspose):
    """Enlarges signals (batch, steps, channels); see `ConvTranspose`."""

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """Enlarges images (batch, height, width, channels); see `ConvTranspose`."""

    rank = 2


class Conv3DTranspose(ConvTranspose):
    """Enlarges volumes (batch, depth, height, width, channels); see `ConvTranspose`."""

    rank = 3
