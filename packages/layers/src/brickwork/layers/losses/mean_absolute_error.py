"""The mean of the absolute differences."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Tensor, abs, mean

from .checks import aligned
from .loss import LossFunction

__all__ = ["MeanAbsoluteError", "mean_absolute_error"]


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(|y_true - y_pred|)`` over the last axis: (..., n) to (...)."""
    true, pred = aligned("mean_absolute_error", y_true, y_pred)
    return mean(abs(true - pred), -1)


class MeanAbsoluteError(LossFunction):
    """The mean of the absolute differences; see `mean_absolute_error`."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_absolute_error", dtype: Any = None
    ):
        super().__init__(mean_absolute_error, reduction, name, dtype)
