"""Batch normalization."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import broadcast_to, nn, squeeze, sum, where

from .. import initializers
from ..errors import LayerError
from ..input_spec import InputSpec
from ..layer import Layer
from ..weights import add_role, keep_roles
from .affine import affine_config

__all__ = ["BatchNormalization"]


class BatchNormalization(Layer):
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` per channel (Ioffe and Szegedy 2015).

    While training, mean and variance (divided by n) are those of the batch, and the moving ones become ``moving *
    momentum + batch * (1 - momentum)``; else the moving ones are used. Steps that a mask leaves out do not count. A
    layer with ``trainable = False`` never trains in this sense.
    """

    def __init__(
        self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones", moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones", beta_regularizer: Any = None,
        gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if not isinstance(axis, int):
            raise LayerError(
                f"BatchNormalization: axis must be one whole number; got {axis!r}. Use LayerNormalization for several"
            )
        self.axis, self.momentum, self.epsilon, self.center, self.scale = axis, momentum, epsilon, center, scale
        keep_roles(
            self,
            beta=(beta_initializer, beta_regularizer, beta_constraint),
            gamma=(gamma_initializer, gamma_regularizer, gamma_constraint),
        )
        self.moving_mean_initializer, self.moving_variance_initializer = (
            initializers.get(moving_mean_initializer),
            initializers.get(moving_variance_initializer),
        )
        self.gamma: Any = None
        self.beta: Any = None

    supports_masking = True

    def build(self, input_shape: Any) -> None:
        ndim = len(input_shape)
        if not -ndim <= self.axis < ndim or input_shape[self.axis] is None:
            raise LayerError(
                f"BatchNormalization: axis must be one of the input, of known size; got axis {self.axis} of "
                f"{tuple(input_shape)}"
            )
        shape = (input_shape[self.axis],)
        if self.scale:
            self.gamma = add_role(self, "gamma", shape)
        if self.center:
            self.beta = add_role(self, "beta", shape)
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )
        self.input_spec = InputSpec(ndim=ndim, axes={self.axis: shape[0]})

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        axes = tuple(a for a in range(inputs.ndim) if a != self.axis % inputs.ndim)
        centre, variance = self.moving_mean, self.moving_variance
        if training and self.trainable:
            centre, variance = nn.moments(inputs, axes) if mask is None else _masked_moments(inputs, mask, axes)
            for moving, now in ((self.moving_mean, centre), (self.moving_variance, variance)):
                moving.assign(moving.value * self.momentum + now * (1.0 - self.momentum))
        return nn.batch_norm(inputs, centre, variance, self.gamma, self.beta, self.axis, self.epsilon)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        moving = {
            f"moving_{n}_initializer": initializers.serialize(getattr(self, f"moving_{n}_initializer"))
            for n in ("mean", "variance")
        }
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            **affine_config(self),
            **moving,
        }


def _masked_moments(x: Any, mask: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Mean and variance of the steps that count."""
    kept = broadcast_to(mask[..., None], x.shape)
    count = sum(kept.astype(x.dtype), axes, keepdims=True) + 1e-7  # as Keras has it, for a batch without any
    centre = sum(where(kept, x, 0.0), axes, keepdims=True) / count
    variance = sum(where(kept, (x - centre) ** 2, 0.0), axes, keepdims=True) / count
    return squeeze(centre, axes), squeeze(variance, axes)
