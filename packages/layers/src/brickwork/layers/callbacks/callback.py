"""`Callback`: what to do at points of training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["Callback", "CallbackList"]

Logs = Mapping[str, Any] | None


class Callback:
    """Base: override the hooks that are of use. ``self.model`` is the model, ``self.params`` says epochs, steps and
    verbose.

    The hooks of a batch cost time in each step; they are called only where a callback defines them.
    """

    params: Mapping[str, Any]

    def __init__(self) -> None:
        self.params = {}
        self._model: Any = None

    @property
    def model(self) -> Any:
        return self._model

    def set_params(self, params: Mapping[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """An older name of on_train_batch_begin."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """An older name of on_train_batch_end."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After an epoch and its validation; logs hold the metrics, those of validation with ``val_`` before the
        name.
        """

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a training step, counted from 0 in each epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a training step; logs hold the metrics of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of evaluate."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of evaluate."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of predict."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of predict."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """When fit begins."""

    def on_train_end(self, logs: Logs = None) -> None:
        """When fit ends by itself; logs are those of the last epoch."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """When evaluate begins, also within fit."""

    def on_test_end(self, logs: Logs = None) -> None:
        """When evaluate ends."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """When predict begins."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """When predict ends."""


class CallbackList:
    """Callbacks of one run, called in order."""

    def __init__(self, callbacks: Iterable[Any], model: Any, params: Mapping[str, Any]):
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            callback.set_params(dict(params))
            callback.set_model(model)

    def call(self, hook: str, *args: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*args)

    def begin(self, mode: str) -> Callable[[int], None] | None:
        """What to call before each batch, None where no callback hears of batches."""
        return (lambda batch: self.call(f"on_{mode}_batch_begin", batch)) if self.hears(mode) else None

    def hears(self, mode: str) -> bool:
        """Whether some callback defines a batch hook of ``mode`` ("train", "test", "predict")."""
        hooks = [f"on_{mode}_batch_begin", f"on_{mode}_batch_end"] + (
            ["on_batch_begin", "on_batch_end"] if mode == "train" else []
        )
        return any(
            getattr(type(c), h, None) is not getattr(Callback, h) or h in vars(c) for c in self.callbacks for h in hooks
        )
