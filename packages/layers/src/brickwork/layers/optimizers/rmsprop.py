"""RMSprop."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Tensor, rsqrt, square

from .optimizer import Optimizer

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """``v = rho v + (1 - rho) g^2; w -= learning_rate g / sqrt(v + epsilon)`` (Hinton 2012).

    ``centered``: v less the square of the mean gradient. ``momentum`` m: ``d = m d + step; w -= d``.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = "rmsprop",
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered
        self.slots = (
            "velocity",
            *(("momentum",) if momentum > 0 else ()),
            *(("average_gradient",) if centered else ()),
        )

    def rule(self, w: Tensor, g: Tensor, scalars: tuple[Any, ...], *slots: Tensor) -> tuple[Tensor, ...]:
        (rate,) = scalars
        before = dict(zip(self.slots, slots, strict=True))
        after = {"velocity": self.rho * before["velocity"] + (1.0 - self.rho) * square(g)}
        under = after["velocity"] + self.epsilon
        if self.centered:
            after["average_gradient"] = self.rho * before["average_gradient"] + (1.0 - self.rho) * g
            under = under - square(after["average_gradient"])
        step = rate * g * rsqrt(under)
        if self.momentum > 0:
            step = after["momentum"] = self.momentum * before["momentum"] + step
        return w - step, *(after[slot] for slot in self.slots)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
