"""Crossentropy of yes and no."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Tensor, clip, log, mean, nn

from .checks import aligned
from .loss import LossFunction

__all__ = ["EPSILON", "BinaryCrossentropy", "binary_crossentropy"]

EPSILON = 1e-7


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """``-(y log p + (1 - y) log(1 - p))``, meaned over ``axis``; p is kept EPSILON from 0 and 1.

    ``from_logits``: predictions are logits z, and the loss is ``max(z, 0) - z y + log(1 + exp(-|z|))``.
    ``label_smoothing`` s: y becomes ``y (1 - s) + s / 2``.
    """
    true, pred = aligned("binary_crossentropy", y_true, y_pred, "Use one sigmoid unit for one column of 0 and 1")
    if label_smoothing:
        true = true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        return mean(nn.sigmoid_binary_cross_entropy(pred, true), axis)
    p = clip(pred, EPSILON, 1.0 - EPSILON)
    return mean(-(true * log(p) + (1.0 - true) * log(1.0 - p)), axis)


class BinaryCrossentropy(LossFunction):
    """Crossentropy of yes and no; see `binary_crossentropy`."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
