"""`Loss`: values per example, weighted and reduced to one number."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from brickwork.tensor import Tensor, asarray, reshape, size_of, sum, where
from brickwork.tensor.dtypes import is_floating
from brickwork.tensor.errors import ShapeError

from ..errors import unknown
from ..masks import as_weights, mask_of
from ..naming import snake_case
from ..serialization import Configurable

__all__ = ["Loss", "LossFunction", "same_rank"]

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def same_rank(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """Both with, or both without, a last axis of size 1 that only one of them has: rows become columns, else it is
    dropped.
    """
    a, b = asarray(x1), asarray(x2)
    if b.ndim == a.ndim + 1:
        b, a = same_rank(b, a)
    elif a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        if b.ndim == 1:
            return a, reshape(b, (*b.shape, 1))
        return reshape(a, a.shape[:-1]), b
    return a, b


def reduce_weighted(values: Tensor, sample_weight: Any, reduction: str | None) -> Tensor:
    """``sum(values * weights)`` over the number of values, or as ``reduction`` says.

    Weights have the shape of the values, or fewer axes and then count for all that follow.
    """
    weights = None
    if sample_weight is not None:
        weights, values = weights_for(values, sample_weight)
        values = values * weights
    if reduction in (None, "none"):
        return values
    total = sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weights is not None:
        count = sum(weights + 0.0 * values)
        return where(count == 0.0, 0.0, total / where(count == 0.0, 1.0, count))
    return total / (1.0 if 0 in values.shape else size_of(prod(values.shape), values.dtype))


def weights_for(values: Tensor, sample_weight: Any) -> tuple[Tensor, Tensor]:
    """Weights that broadcast against values from the left. Raises `ShapeError` where they do not fit."""
    weights = asarray(sample_weight)
    if weights.dtype != values.dtype:
        weights = weights.astype(values.dtype)
    if weights.ndim == values.ndim + 1 and weights.shape[-1] == 1:
        weights = reshape(weights, weights.shape[:-1])
    elif values.ndim == weights.ndim + 1 and values.shape[-1] == 1:
        values = reshape(values, values.shape[:-1])
    if weights.ndim > values.ndim or any(
        m not in (n, 1) for m, n in zip(weights.shape, values.shape) if isinstance(m, int) and isinstance(n, int)
    ):
        raise ShapeError(
            f"sample_weight: must have one weight per example, or the shape of the loss values; got {weights.shape} "
            f"for values {values.shape}"
        )
    return reshape(weights, (*weights.shape, *(1,) * (values.ndim - weights.ndim))), values


class Loss(Configurable):
    """Base: subclasses define ``call(y_true, y_pred)``, which gives one value per example.

    ``reduction``: "sum_over_batch_size" (the mean of the values, weighted ones divided by their number), "sum",
    "mean_with_sample_weight"
    (divided by the sum of the weights) or "none".
    """

    kind = "loss"

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None):
        if reduction not in REDUCTIONS:
            raise unknown("loss reduction", reduction, (r for r in REDUCTIONS if r))
        self.name = name or snake_case(type(self).__name__)
        self.reduction, self.dtype = reduction, dtype or "float32"

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__}: define call(self, y_true, y_pred)")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        pred = asarray(y_pred, None if _floating(y_pred) else self.dtype)
        true = asarray(y_true)
        if (is_floating(true.dtype) and true.dtype != pred.dtype) or true.dtype.kind == "b":
            true = true.astype(pred.dtype)
        values = asarray(self.call(true, pred))
        share = self.reduction in ("mean", "sum_over_batch_size")
        return reduce_weighted(values, as_weights(mask_of(y_pred), values, sample_weight, share), self.reduction)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction, "dtype": self.dtype}


def _floating(x: Any) -> bool:
    return hasattr(x, "dtype") and is_floating(asarray(x).dtype)


class LossFunction(Loss):
    """A loss from a function of (y_true, y_pred) and fixed options: what the named losses are made of."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ):
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn, self.options = fn, options

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        true, pred = same_rank(y_true, y_pred)
        return asarray(self.fn(true, pred, **self.options))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.options}
