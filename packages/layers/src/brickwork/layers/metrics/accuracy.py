"""How often predictions are right."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Tensor, argmax, asarray, reshape

from ..losses.checks import aligned
from .mean import MeanMetricWrapper

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
]


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where equal, else 0."""
    true, pred = asarray(y_true), asarray(y_pred)
    return (true == pred).astype("float32")


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """1 where ``y_pred > threshold`` agrees with y, element by element."""
    true, pred = aligned("binary_accuracy", y_true, y_pred)
    return ((pred > threshold).astype(pred.dtype) == true).astype("float32")


def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the greatest of (..., classes) is at the same place in one-hot y and in the predictions."""
    return (argmax(y_true, -1) == argmax(y_pred, -1)).astype("float32")


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the greatest of (..., classes) is at the place that the class number (...), or (..., 1), says."""
    true, pred = asarray(y_true), asarray(y_pred)
    if true.ndim == pred.ndim and true.shape[-1] == 1:
        true = reshape(true, true.shape[:-1])
    return (argmax(pred, -1) == true.astype("int64")).astype("float32")


class Accuracy(MeanMetricWrapper):
    """How often y and predictions are equal."""

    def __init__(self, name: str | None = "accuracy", dtype: Any = None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often ``y_pred > threshold`` agrees with y."""

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the greatest prediction is at the 1 of one-hot y."""

    same_rank = False

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the greatest prediction is at the class number y."""

    same_rank = False

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None):
        super().__init__(sparse_categorical_accuracy, name, dtype)
