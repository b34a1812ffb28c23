"""Targets and predictions brought to one dtype and checked against each other."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Dim, ShapeError, Tensor, asarray
from brickwork.tensor.dtypes import is_floating

from .loss import same_rank

__all__ = ["aligned", "floating"]


def floating(y_pred: Any) -> Tensor:
    """Predictions as floating-point numbers."""
    pred = asarray(y_pred)
    return pred if is_floating(pred.dtype) else pred.astype("float32")


def aligned(
    who: str, y_true: Any, y_pred: Any, fix: str = "Reshape y, or give the last layer as many units as y has columns"
) -> tuple[Tensor, Tensor]:
    """Both in the dtype of the predictions and of one rank. Raises `ShapeError` where their sizes differ."""
    pred = floating(y_pred)
    true = asarray(y_true).astype(pred.dtype)
    if true.ndim != pred.ndim:
        true, pred = same_rank(true, pred)
    sizes = [(m, n) for m, n in zip(true.shape, pred.shape) if not isinstance(m, Dim) and not isinstance(n, Dim)]
    if true.ndim != pred.ndim or any(m != n for m, n in sizes):
        raise ShapeError(
            f"{who}: y must have the shape of the model's output; got y {_text(true)}, output {_text(pred)}. {fix}"
        )
    return true, pred


def _text(x: Tensor) -> str:
    return str(tuple(None if isinstance(n, Dim) else n for n in x.shape))
