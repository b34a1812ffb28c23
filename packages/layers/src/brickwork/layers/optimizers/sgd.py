"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Tensor

from ..errors import LayerError
from .optimizer import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """``w -= learning_rate * g``; with momentum m: ``v = m v - learning_rate g; w += v``, and with ``nesterov`` ``w +=
    m v - learning_rate g``.
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = "SGD",
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise LayerError(f"SGD: momentum must be between 0 and 1; got {momentum!r}")
        self.momentum, self.nesterov = momentum, nesterov
        self.slots = ("momentum",) if momentum else ()

    def rule(self, w: Tensor, g: Tensor, scalars: tuple[Any, ...], *slots: Tensor) -> tuple[Tensor, ...]:
        (rate,) = scalars
        if not slots:
            return (w - rate * g,)
        v = slots[0] * self.momentum - g * rate
        return w + (v * self.momentum - g * rate if self.nesterov else v), v

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
