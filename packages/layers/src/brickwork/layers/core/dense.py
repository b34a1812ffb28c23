"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import matmul

from .. import activations, constraints, initializers, regularizers
from ..checks import positive
from ..errors import LayerError
from ..input_spec import InputSpec
from ..layer import Layer

__all__ = ["Dense", "optional"]


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
        self.kernel = self.add_weight(
            (size, self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
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
            **weight_config(self),
        }


def optional(serialize: Any, value: Any) -> Any:
    """A serialized part, or None where there is none."""
    return None if value is None else serialize(value)


def weight_config(layer: Any) -> dict[str, Any]:
    """What a layer of one kernel and one bias says of how they start, are penalised and bounded."""
    config = {}
    for name in ("kernel", "bias"):
        config[f"{name}_initializer"] = initializers.serialize(getattr(layer, f"{name}_initializer"))
        config[f"{name}_regularizer"] = optional(regularizers.serialize, getattr(layer, f"{name}_regularizer"))
        config[f"{name}_constraint"] = optional(constraints.serialize, getattr(layer, f"{name}_constraint"))
    return config
