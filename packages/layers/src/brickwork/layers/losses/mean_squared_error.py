"""The mean of the squared differences."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Tensor, mean, square

from .checks import aligned
from .loss import LossFunction

__all__ = ["MeanSquaredError", "mean_squared_error"]


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """``mean((y_true - y_pred) ** 2)`` over the last axis: (..., n) to (...)."""
    true, pred = aligned("mean_squared_error", y_true, y_pred)
    return mean(square(true - pred), -1)


class MeanSquaredError(LossFunction):
    """The mean of the squared differences; see `mean_squared_error`."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_squared_error", dtype: Any = None
    ):
        super().__init__(mean_squared_error, reduction, name, dtype)
