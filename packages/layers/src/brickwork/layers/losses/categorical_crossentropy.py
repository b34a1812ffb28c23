"""Crossentropy of one-hot classes."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Dim, ShapeError, Tensor, asarray, clip, log, nn, sum

from .binary_crossentropy import EPSILON
from .checks import aligned, floating
from .loss import LossFunction

__all__ = ["CategoricalCrossentropy", "categorical_crossentropy", "log_probabilities"]


def log_probabilities(y_pred: Tensor, axis: int = -1) -> Tensor:
    """Logarithms of probabilities, scaled to sum 1 and kept EPSILON from 0 and 1."""
    return log(clip(y_pred / sum(y_pred, axis, True), EPSILON, 1.0 - EPSILON))


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """``-sum(y log p)`` over the classes on ``axis``: (..., classes) to (...).

    ``label_smoothing`` s: y becomes ``y (1 - s) + s / classes``.
    """
    pred, given = floating(y_pred), asarray(y_true)
    same = given.ndim == pred.ndim and (given.shape[axis] == pred.shape[axis] or isinstance(given.shape[axis], Dim))
    if not same:
        shape = tuple(None if isinstance(n, Dim) else n for n in given.shape)
        raise ShapeError(
            f"categorical_crossentropy: y must be one-hot, (..., {pred.shape[axis]}); got {shape}. Use "
            "sparse_categorical_crossentropy for class numbers"
        )
    true, pred = aligned("categorical_crossentropy", given, pred)
    if label_smoothing:
        true = true * (1.0 - label_smoothing) + label_smoothing / float(pred.shape[axis])
    if from_logits:
        return nn.softmax_cross_entropy(pred, true, axis)
    return -sum(true * log_probabilities(pred, axis), axis)


class CategoricalCrossentropy(LossFunction):
    """Crossentropy of one-hot classes; see `categorical_crossentropy`."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return categorical_crossentropy(y_true, y_pred, **self.options)
