"""Losses of classes."""

from __future__ import annotations

import brickwork.tensor as bt
from brickwork.tensor import Tensor, nn

from ..errors import ModelError
from ..registry import translator


@translator("NegativeLogLikelihoodLoss", 12)
def negative_log_likelihood_loss(
    scores: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-weight[c] * scores[n, c]`` for the class c of each target; the mean is over the weights."""
    if reduction not in ("none", "sum", "mean"):
        raise ModelError(f"NegativeLogLikelihoodLoss: the reduction is none, sum or mean; got {reduction!r}")
    counts = bt.ones(target.shape, bool) if ignore_index is None else target != ignore_index
    classes = bt.where(counts, target, 0).astype("int64")
    picked = bt.squeeze(bt.take_along_axis(scores, bt.expand_dims(classes, 1), 1), 1)
    each = bt.take(weight, classes, 0) if weight is not None else bt.ones(target.shape, scores.dtype)
    shares = bt.where(counts, each, 0).astype(scores.dtype)
    loss = -picked * shares
    if reduction == "none":
        return loss
    return bt.sum(loss) if reduction == "sum" else bt.sum(loss) / bt.sum(shares)


@translator("SoftmaxCrossEntropyLoss", 12)
def softmax_cross_entropy_loss(
    scores: Tensor,
    labels: Tensor,
    weights: Tensor | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> tuple[Tensor, Tensor]:
    logs = nn.log_softmax(scores, 1)
    return negative_log_likelihood_loss(logs, labels, weights, ignore_index=ignore_index, reduction=reduction), logs
