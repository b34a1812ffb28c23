"""What `compile` asked for: the loss and the metrics of each output, resolved once the shapes are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from brickwork.tensor import Tensor, asarray, size_of
from brickwork.tensor.tree import leaves

from .. import losses as losses_
from .. import metrics as metrics_
from ..errors import LayerError
from ..losses.loss import Loss
from ..metrics import Mean, Metric
from .outputs import names_of, per_output, spread, values_of

__all__ = ["Objective", "batch_rows"]


def batch_rows(tree: Any) -> Any:
    """How many examples a batch has, as a number to compute with."""
    return size_of(asarray(leaves(tree)[0]).shape[0])


@dataclass(slots=True)
class Part:
    """One output: its loss, the weight of that, and its metrics without and with sample weights."""

    loss: Loss | None
    weight: float | None
    tracker: Mean | None
    metrics: list[Metric]
    weighted: list[Metric]


class Objective:
    """Losses and metrics of a model's outputs."""

    def __init__(self, loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any):
        for what, given in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            if given is not None and not isinstance(given, (list, tuple, dict)):
                raise LayerError(f"compile: {what} must be a list or a dict; got {given!r}. Write [{given!r}]")
        self.loss, self.loss_weights, self.wanted, self.wanted_weighted = loss, loss_weights, metrics, weighted_metrics
        _check_names(loss, metrics, weighted_metrics)
        self.names: list[str] = []
        self.parts: list[Part] | None = None

    @property
    def metrics(self) -> list[Metric]:
        """Of all outputs: trackers of their losses first, where there are several outputs."""
        parts = self.parts or []
        return (
            [p.tracker for p in parts if p.tracker]
            + [m for p in parts for m in p.metrics]
            + [m for p in parts for m in p.weighted]
        )

    def build(self, y: Any, y_pred: Any, names: Sequence[str] | None) -> None:
        """Resolve names such as "accuracy" by the shapes of targets and outputs. Does its work once."""
        if self.parts is not None:
            return
        self.names = names_of(y_pred, names)
        outputs = values_of(y_pred)
        targets = per_output("y", y, y_pred, self.names)
        losses = spread("loss", self.loss, y_pred, self.names)
        weights = (
            per_output("loss_weights", self.loss_weights, y_pred, self.names)
            if self.loss_weights is not None
            else [None] * len(outputs)
        )
        plain, weighted = (
            _per_output_lists(w, m, y_pred, self.names)
            for w, m in (("metrics", self.wanted), ("weighted_metrics", self.wanted_weighted))
        )
        several = len(outputs) > 1
        parts = []
        for k, (name, target, output) in enumerate(zip(self.names, targets, outputs)):
            prefix = f"{name}_" if several else ""
            loss = _resolve_loss(losses[k], target, output)
            tracker = Mean(name=f"{name}_loss") if several and loss is not None else None
            kinds = [[_resolve_metric(m, target, output, prefix) for m in wanted[k]] for wanted in (plain, weighted)]
            parts.append(Part(loss, weights[k], tracker, *kinds))
        self.parts = parts

    def total(self, y: Any, y_pred: Any, sample_weight: Any) -> Tensor | None:
        """The weighted sum of the losses of the outputs, or None where there is none."""
        assert self.parts is not None
        outputs, targets = values_of(y_pred), per_output("y", y, y_pred, self.names)
        weights = spread("sample_weight", sample_weight, y_pred, self.names)
        total = None
        for part, target, output, weight in zip(self.parts, targets, outputs, weights, strict=True):
            if part.loss is None:
                continue
            if target is None:
                raise LayerError(f"loss: {part.loss.name} needs targets; got y=None. Pass y, or compile without a loss")
            value = part.loss(target, output, weight)
            if part.tracker is not None:
                part.tracker.update_state(value, sample_weight=batch_rows(y_pred))
            if part.weight is not None:
                value = value * part.weight
            total = value if total is None else total + value
        return total

    def update(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        """Let the metrics take a batch into account."""
        assert self.parts is not None
        targets = per_output("y", y, y_pred, self.names)
        weights = spread("sample_weight", sample_weight, y_pred, self.names)
        for part, target, output, weight in zip(self.parts, targets, values_of(y_pred), weights, strict=True):
            if target is None:
                continue
            for metric in part.metrics:
                metric.update_state(target, output)
            for metric in part.weighted:
                metric.update_state(target, output, sample_weight=weight)


def _check_names(loss: Any, *metrics: Any) -> None:
    """Find a wrong name when `compile` is called, not when `fit` is."""
    for one in leaves(loss):
        if isinstance(one, str) and one.lower() not in ("crossentropy", "ce"):
            losses_.get(one)
    for one in leaves(list(metrics)):
        if isinstance(one, str) and one.lower() not in ("accuracy", "acc", "crossentropy", "ce"):
            metrics_.get(one)


def _per_output_lists(what: str, given: Any, y_pred: Any, names: Sequence[str]) -> list[list[Any]]:
    """The metrics of each output as a list."""
    count = len(values_of(y_pred))
    if given is None:
        return [[] for _ in range(count)]
    if count == 1 and not isinstance(given, dict):
        return [leaves(list(given))]
    if isinstance(given, (list, tuple)) and len(given) != count:
        raise LayerError(
            f"compile: {what} must have one entry for each of {count} outputs; got {len(given)}. Write a dict by "
            f"output name ({', '.join(names)})"
        )
    return [
        leaves(one) if isinstance(one, (list, tuple)) else [one] if one is not None else []
        for one in per_output(what, given, y_pred, names)
    ]


def _kind(target: Any, output: Any) -> str:
    """ "binary", "sparse_categorical" or "categorical", by the last axes."""
    if output.shape[-1] == 1:
        return "binary"
    fewer = target is not None and (
        len(target.shape) < len(output.shape) or (target.shape[-1] == 1 and output.shape[-1] != 1)
    )
    return "sparse_categorical" if fewer else "categorical"


def _resolve_loss(given: Any, target: Any, output: Any) -> Loss | None:
    if isinstance(given, str) and given.lower() in ("crossentropy", "ce"):
        given = f"{_kind(target, output)}_crossentropy"
    found: Loss | None = losses_.get(given)
    return found


def _resolve_metric(given: Any, target: Any, output: Any, prefix: str) -> Metric:
    metric = given
    if isinstance(given, str):
        short = {"acc": "accuracy", "ce": "crossentropy"}.get(given.lower(), given.lower())
        metric = metrics_.get(f"{_kind(target, output)}_{short}" if short in ("accuracy", "crossentropy") else given)
        metric.name = given
    metric = metrics_.get(metric)
    if prefix and not metric.name.startswith(prefix):
        metric.name = prefix + metric.name
    found: Metric = metric
    return found
