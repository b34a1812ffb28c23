"""Layer normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brickwork.tensor import nn, reshape

from ..errors import LayerError
from ..layer import Layer
from ..weights import add_role, keep_roles
from .affine import affine_config

__all__ = ["LayerNormalization"]


class LayerNormalization(Layer):
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` per example, over ``axis`` (Ba, Kiros and Hinton 2016).

    gamma and beta have the sizes of those axes.
    """

    def __init__(
        self, axis: int | Sequence[int] = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones", beta_regularizer: Any = None, gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if not isinstance(axis, int) and not (
            isinstance(axis, (tuple, list)) and all(isinstance(a, int) for a in axis)
        ):
            raise LayerError(f"LayerNormalization: axis must be a whole number, or several; got {axis!r}")
        self.axis = list(axis) if isinstance(axis, (tuple, list)) else axis
        self.epsilon, self.center, self.scale = epsilon, center, scale
        keep_roles(
            self,
            beta=(beta_initializer, beta_regularizer, beta_constraint),
            gamma=(gamma_initializer, gamma_regularizer, gamma_constraint),
        )
        self.gamma: Any = None
        self.beta: Any = None

    supports_masking = True

    def _axes(self, ndim: int) -> tuple[int, ...]:
        given = self.axis if isinstance(self.axis, list) else [self.axis]
        if any(not -ndim <= a < ndim for a in given):
            raise LayerError(f"LayerNormalization: axis must be one of the input; got {self.axis} for {ndim} axes")
        return tuple(sorted(a % ndim for a in given))

    def build(self, input_shape: Any) -> None:
        shape = tuple(input_shape[a] for a in self._axes(len(input_shape)))
        if self.scale:
            self.gamma = add_role(self, "gamma", shape)
        if self.center:
            self.beta = add_role(self, "beta", shape)

    def call(self, inputs: Any) -> Any:
        axes = self._axes(inputs.ndim)
        if axes == tuple(range(axes[0], inputs.ndim)):
            return nn.layer_norm(inputs, self.gamma, self.beta, axes[0], self.epsilon)
        wide = tuple(n if a in axes else 1 for a, n in enumerate(inputs.shape))
        out = nn.standardize(inputs, axes, self.epsilon)
        out = out if self.gamma is None else out * reshape(self.gamma, wide)
        return out if self.beta is None else out + reshape(self.beta, wide)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon, **affine_config(self)}
