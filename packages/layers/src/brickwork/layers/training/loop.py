"""The loops of fit, evaluate and predict over batches of arrays."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brickwork.tensor.tree import leaves, unflatten

from ..callbacks import Callback, CallbackList
from .arrays import Rows, shuffled
from .interrupts import Interrupt, between_steps
from .progress import Progress
from .steps import run_steps

if TYPE_CHECKING:
    from .trainer import Trainer

__all__ = ["Plan", "as_numbers", "evaluate_rows", "fit_rows", "predict_rows"]

Step = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What fit was asked to do, besides the data."""

    epochs: int
    initial_epoch: int
    batch_size: int
    steps: int | None
    shuffle: bool
    validation_batch_size: int
    validation_steps: int | None
    validation_freq: int | Sequence[int]

    def validates(self, epoch: int) -> bool:
        if isinstance(self.validation_freq, int):
            return (epoch + 1) % self.validation_freq == 0
        return epoch + 1 in self.validation_freq


def as_numbers(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics as Python floats (arrays stay arrays)."""
    return {
        name: value.item() if getattr(value, "size", 0) == 1 and hasattr(value, "item") else value
        for name, value in logs.items()
    }


def fit_rows(
    model: Trainer, rows: Rows, validation: Rows | None, plan: Plan, callbacks: CallbackList, progress: Progress
) -> None:
    """Train for the epochs of the plan. An interrupt leaves the model as the last whole step left it, and is raised."""
    step, evaluate = model.make_train_function(), model.make_test_function() if validation is not None else None
    callbacks.call("on_train_begin")
    logs: dict[str, Any] = {}
    model.stop_training, warned = False, False
    try:
        with between_steps() as interrupt:
            for epoch in range(plan.initial_epoch, plan.epochs):
                callbacks.call("on_epoch_begin", epoch)
                logs = _epoch(model, step, rows, plan, epoch, callbacks, progress, interrupt)
                if validation is not None and evaluate is not None and plan.validates(epoch):
                    found = evaluate_rows(
                        model,
                        evaluate,
                        validation,
                        plan.validation_batch_size,
                        callbacks,
                        interrupt,
                        plan.validation_steps,
                    )
                    logs |= {f"val_{name}": value for name, value in found.items()}
                warned = warned or _warn_of_nan(epoch, logs)
                progress.epoch(epoch, logs)
                callbacks.call("on_epoch_end", epoch, logs)
                if model.stop_training:
                    break
    finally:
        progress.close()
    callbacks.call("on_train_end", logs)


def _warn_of_nan(epoch: int, logs: Mapping[str, Any]) -> bool:
    """Say once that training has come to nothing, and what helps."""
    loss = logs.get("loss")
    if not isinstance(loss, float) or math.isfinite(loss):
        return False
    fix = "Lower the learning rate, use clipnorm=1.0, and look for NaN and huge values in the data"
    warnings.warn(f"fit: the loss must be finite; got {loss} in epoch {epoch + 1}. {fix}", stacklevel=4)
    return True


def _epoch(
    model: Trainer,
    step: Step,
    rows: Rows,
    plan: Plan,
    epoch: int,
    callbacks: CallbackList,
    progress: Progress,
    interrupt: Interrupt,
) -> dict[str, Any]:
    model.reset_metrics()
    begin = callbacks.begin("train")
    order = shuffled(rows.count, model.shuffle_seed, epoch, model.steps_taken()) if plan.shuffle else None
    returned: Any = None
    for done, returned in run_steps(step, rows, plan.batch_size, order, plan.steps, begin):
        if begin is not None:
            callbacks.call("on_train_batch_end", done - 1, _logs(model, returned))
        interrupt.check()
        if progress.due():
            progress.step(epoch, done, _logs(model, returned))
        if model.stop_training:
            break
    return _logs(model, returned)


def evaluate_rows(
    model: Trainer,
    step: Step,
    rows: Rows,
    batch_size: int,
    callbacks: CallbackList,
    interrupt: Interrupt,
    steps: int | None = None,
) -> dict[str, Any]:
    """The metrics over rows."""
    model.reset_metrics()
    callbacks.call("on_test_begin")
    begin = callbacks.begin("test")
    returned: Any = None
    for done, returned in run_steps(step, rows, batch_size, None, steps, begin):
        if begin is not None:
            callbacks.call("on_test_batch_end", done - 1, _logs(model, returned))
        interrupt.check()
    logs = _logs(model, returned)
    callbacks.call("on_test_end", logs)
    return logs


def predict_rows(step: Step, rows: Rows, batch_size: int, callbacks: CallbackList, steps: int | None = None) -> Any:
    """The outputs for rows, as arrays, in the structure of the model's output."""
    if rows.count <= batch_size and not callbacks.callbacks:
        out = step(next(rows.batches(batch_size))[0])
        return unflatten(out, [t.numpy() for t in leaves(out)])
    callbacks.call("on_predict_begin")
    hears = callbacks.hears("predict")
    parts: list[list[np.ndarray]] = []
    for k, (x, _, _) in enumerate(rows.batches(batch_size)):
        if k == steps:
            break
        if hears:
            callbacks.call("on_predict_batch_begin", k)
        out = step(x)
        parts.append([t.numpy() for t in leaves(out)])
        if hears:
            callbacks.call("on_predict_batch_end", k, {"outputs": unflatten(out, parts[-1])})
    callbacks.call("on_predict_end")
    return unflatten(out, [np.concatenate(column) for column in zip(*parts, strict=True)])


def _logs(model: Trainer, returned: Any) -> dict[str, Any]:
    """The metrics of the model; or what its own train_step returned, where that is something else."""
    if not isinstance(returned, Mapping):
        return as_numbers(model.get_metrics_result())
    names = {m.name for m in model.metrics}
    return as_numbers(model.get_metrics_result() if set(returned) == names else returned)


def heard(callbacks: Any) -> list[Callback]:
    """Callbacks given as one, several or none."""
    return [] if callbacks is None else list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
