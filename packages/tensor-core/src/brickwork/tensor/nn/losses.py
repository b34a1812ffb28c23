"""Losses as functions of logits and predictions: one value per example, unreduced."""

from __future__ import annotations

from typing import Any

from ..dtypes import class_of, to_inexact
from ..errors import DTypeError, ShapeError
from ..ops import reduce as R
from ..ops.arranging import moveaxis
from ..ops.elementwise import abs as absolute
from ..ops.elementwise import astype, minimum, subtract, where
from ..ops.gathering import one_hot
from ..spec import as_float, normalize_axis
from ..tensor import Tensor, asarray
from .activations import softplus
from .softmax import log_softmax

__all__ = ["huber", "sigmoid_binary_cross_entropy", "softmax_cross_entropy"]


def softmax_cross_entropy(logits: Any, labels: Any, axis: int = -1) -> Tensor:
    """``-sum(p * log(softmax(logits)))`` over the classes on ``axis``.

    ``labels``: integers, the class of each example, with the shape of the logits without ``axis`` (one out of range
    gives 0); or probabilities in the shape of the logits. Written as a comparison with every class, so that it fuses
    with the softmax. Raises `ShapeError` where labels have neither shape, `DTypeError` where class numbers are no
    integers.
    """
    scores, given = asarray(logits), asarray(labels)
    place = normalize_axis("softmax_cross_entropy", axis, scores.ndim)
    logs = log_softmax(scores, place)
    if given.shape == scores.shape:
        return -R.sum(astype(given, logs.dtype, copy=False) * logs, place)
    if given.shape != (*scores.shape[:place], *scores.shape[place + 1 :]):
        raise ShapeError("softmax_cross_entropy: labels must have the shape of the logits, or that without classes; "
                         f"got {given.shape} for {scores.shape}, axis {axis}. "
                         "Is axis that of the classes?")  # fmt: skip
    if class_of(given.dtype) not in "iu":
        raise DTypeError(f"softmax_cross_entropy: class numbers must be integers; got {given.dtype}. Cast with astype")
    classes: Any = scores.shape[place]
    hit = moveaxis(one_hot(given, classes, "bool"), -1, place)
    return -R.sum(where(hit, logs, 0.0), place)  # a product with 0 would make NaN of a class that is ruled out


def sigmoid_binary_cross_entropy(logits: Any, labels: Any) -> Tensor:
    """``-(y * log(sigmoid(z)) + (1 - y) * log(1 - sigmoid(z)))`` as ``softplus(z) - z * y``, element by element.

    ``labels``: in [0, 1], of a shape that broadcasts with the logits; the result has the dtype of the logits.
    """
    scores = asarray(logits)
    scores = astype(scores, to_inexact(scores.dtype), copy=False)
    return softplus(scores) - scores * astype(labels, scores.dtype, copy=False)


def huber(predictions: Any, targets: Any, delta: float = 1.0) -> Tensor:
    """``d^2 / 2`` where ``|d| <= delta``, else ``delta * (|d| - delta / 2)``, with ``d = predictions - targets`` (Huber
    1964), element by element.

    Raises `ShapeError` unless delta is above 0.
    """
    bend = as_float("huber", "delta", delta)
    if not bend > 0:
        raise ShapeError(f"huber: delta must be above 0; got {delta!r}")
    away = absolute(subtract(asarray(predictions), targets))
    near = minimum(astype(away, to_inexact(away.dtype), copy=False), bend)
    return near * (away - 0.5 * near)
