"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import matmul

from .. import activations
from ..checks import positive
from ..errors import LayerError
from ..input_spec import InputSpec
from ..layer import Layer
from ..weights import add_role, keep_roles, roles_config

__all__ = ["Dense"]


class Dense(Layer):
    """``activation(x @ kernel + bias)``: (..., n) to (..., units).

    Kernel (n, units), bias (units,).
    """

    def __init__(
        self, units: int, activation: Any = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        positive("Dense", units=units)
        self.units, self.use_bias = units, use_bias
        self.activation = activations.get(activation)
        keep_roles(
            self,
            kernel=(kernel_initializer, kernel_regularizer, kernel_constraint),
            bias=(bias_initializer, bias_regularizer, bias_constraint),
        )
        self.input_spec = InputSpec(min_ndim=2)
        self.bias: Any = None

    supports_masking = True

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        if size is None:
            raise LayerError(
                f"Dense: the last axis of its input must have a known size; got {tuple(input_shape)}. Give Input() "
                "that size"
            )
        self.kernel = add_role(self, "kernel", (size, self.units))
        if self.use_bias:
            self.bias = add_role(self, "bias", (self.units,))
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})

    def call(self, inputs: Any) -> Any:
        out = matmul(inputs, self.kernel)
        if self.bias is not None:
            out = out + self.bias
        return self.activation(out)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **roles_config(self, "kernel", "bias"),
        }
