"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Tensor, maximum, power, sqrt

from .optimizer import Optimizer

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """``m += (g - m)(1 - beta_1); v += (g^2 - v)(1 - beta_2); w -= alpha m / (sqrt(v) + epsilon)`` (Kingma and Ba
    2014).

    ``alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)``: the form before section 2.1 of the paper, whose
    epsilon is "epsilon hat".
    ``amsgrad``: the greatest v so far in the place of v (Reddi 2018).
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = "adam",
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad
        self.slots = ("momentum", "velocity", "velocity_hat") if amsgrad else ("momentum", "velocity")

    def scalars(self, learning_rate: Tensor, step: Tensor) -> tuple[Any, ...]:
        return (learning_rate * sqrt(1.0 - power(self.beta_2, step)) / (1.0 - power(self.beta_1, step)),)

    def rule(self, w: Tensor, g: Tensor, scalars: tuple[Any, ...], *slots: Tensor) -> tuple[Tensor, ...]:
        (alpha,) = scalars
        m, v, *hat = slots
        m = m + (g - m) * (1.0 - self.beta_1)
        v = v + (g * g - v) * (1.0 - self.beta_2)
        top = maximum(hat[0], v) if hat else v
        return w - m * alpha / (sqrt(top) + self.epsilon), m, v, *([top] if hat else ())

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


class AdamW(Adam):
    """Adam with weights that decay by themselves, not through the gradient (Loshchilov and Hutter 2019)."""

    def __init__(
        self,
        learning_rate: float = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = "adamw",
    ):
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue, global_clipnorm, name
        )
