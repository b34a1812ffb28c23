"""Weighted means of values, and of functions of targets and predictions."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from brickwork.tensor import Tensor, asarray, size_of, sum, where

from ..losses.loss import same_rank, weights_for
from ..masks import as_weights, mask_of
from .metric import Metric

__all__ = ["Mean", "MeanMetricWrapper"]


class Mean(Metric):
    """``sum(values * weights) / sum(weights)``; 0 before any value."""

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")
        self.count = self.add_variable((), name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values = asarray(values).astype(self.dtype)
        if sample_weight is None:
            weight: Any = size_of(prod(values.shape), values.dtype)
        else:
            weights, values = weights_for(values, sample_weight)
            values = values * weights
            weight = sum(weights) * (
                size_of(prod(values.shape), values.dtype) / size_of(prod(weights.shape), values.dtype)
            )
        self.total.assign(self.total.value + sum(values))
        self.count.assign(self.count.value + weight)

    def result(self) -> Tensor:
        count = self.count.value
        return where(count == 0.0, 0.0, self.total.value / where(count == 0.0, 1.0, count))


class MeanMetricWrapper(Mean):
    """The mean of ``fn(y_true, y_pred)``, one value per example."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **options: Any):
        super().__init__(name or getattr(fn, "__name__", "mean"), dtype)
        self._fn, self._options = fn, options

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        true, pred = same_rank(y_true, y_pred) if self.same_rank else (asarray(y_true), asarray(y_pred))
        values = asarray(self._fn(true, pred, **self._options))
        super().update_state(values, as_weights(mask_of(y_pred), values, sample_weight, share=False))

    same_rank = True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._options}
