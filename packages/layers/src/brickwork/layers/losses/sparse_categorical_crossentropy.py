"""Crossentropy of class numbers."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Dim, ShapeError, Tensor, asarray, nn, one_hot, reshape, sum

from .categorical_crossentropy import log_probabilities
from .checks import floating
from .loss import LossFunction

__all__ = ["SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"]


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """``-log p[class]``: class numbers (...), or (..., 1), and predictions (..., classes) to (...).

    Where the class is ``ignore_class`` the loss is 0. Written as a comparison with every class, so that it fuses with
    the softmax.
    """
    pred, labels = floating(y_pred), asarray(y_true)
    if axis not in (-1, pred.ndim - 1):
        raise ShapeError(
            f"sparse_categorical_crossentropy: the classes must be on the last axis; got axis {axis} of {pred.ndim}. "
            "Transpose the output"
        )
    if labels.ndim == pred.ndim and labels.shape[-1] == 1:
        labels = reshape(labels, labels.shape[:-1])
    sizes = [(m, n) for m, n in zip(labels.shape, pred.shape[:-1]) if not isinstance(m, Dim) and not isinstance(n, Dim)]
    if labels.ndim != pred.ndim - 1 or any(m != n for m, n in sizes):
        shape = tuple(None if isinstance(n, Dim) else n for n in labels.shape)
        one_hot_given = labels.ndim == pred.ndim and labels.shape[-1] == pred.shape[-1]
        fix = (
            "Use categorical_crossentropy for one-hot classes"
            if one_hot_given
            else "Give one class number per prediction"
        )
        raise ShapeError(
            f"sparse_categorical_crossentropy: y must be class numbers, one axis less than the output; got y {shape} "
            f"for {pred.ndim} axes. {fix}"
        )
    classes = labels if labels.dtype.kind in "iu" else labels.astype("int64")
    if from_logits:
        losses = nn.softmax_cross_entropy(pred, classes)
    else:
        losses = -sum(one_hot(classes, pred.shape[-1], pred.dtype) * log_probabilities(pred), -1)
    if ignore_class is None:
        return losses
    return losses * (labels != ignore_class).astype(losses.dtype)


class SparseCategoricalCrossentropy(LossFunction):
    """Crossentropy of class numbers; see `sparse_categorical_crossentropy`."""

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return sparse_categorical_crossentropy(y_true, y_pred, **self.options)
