"""Metrics of regression: losses, collected."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Tensor, sqrt, square

from ..losses.checks import aligned
from ..losses.mean_absolute_error import mean_absolute_error
from ..losses.mean_squared_error import mean_squared_error
from .mean import Mean, MeanMetricWrapper

__all__ = ["MeanAbsoluteError", "MeanSquaredError", "RootMeanSquaredError"]


class MeanSquaredError(MeanMetricWrapper):
    """The mean of the squared differences."""

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None):
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of the absolute differences."""

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None):
        super().__init__(mean_absolute_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean of the squared differences."""

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None):
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        true, pred = aligned("root_mean_squared_error", y_true, y_pred)
        super().update_state(square(true - pred), sample_weight)

    def result(self) -> Tensor:
        return sqrt(super().result())
