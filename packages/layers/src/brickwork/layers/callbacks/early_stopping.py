"""Stop when a metric no longer improves."""

from __future__ import annotations

import warnings

import numpy as np

from ..errors import unknown
from .callback import Callback, Logs

__all__ = ["EarlyStopping"]

RISING = ("acc", "accuracy", "auc", "precision", "recall", "f1_score", "r2_score")


class EarlyStopping(Callback):
    """Ends training when ``monitor`` has not improved by ``min_delta`` for ``patience`` epochs, counted from epoch
    ``start_from_epoch``.

    ``mode``: "min", "max", or "auto", which is "max" for metrics such as accuracy. ``baseline``: a value that must be
    beaten.
    ``restore_best_weights``: take the weights of the best epoch when training ends, whether it was stopped or not.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise unknown("EarlyStopping mode", mode, ("auto", "min", "max"))
        self.monitor, self.min_delta, self.patience, self.verbose, self.mode = (
            monitor,
            abs(min_delta),
            patience,
            verbose,
            mode,
        )
        self.baseline, self.restore_best_weights, self.start_from_epoch = (
            baseline,
            restore_best_weights,
            start_from_epoch,
        )
        self.on_train_begin()

    def on_train_begin(self, logs: Logs = None) -> None:
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self.best: float | None = None
        self.best_weights: list[np.ndarray] | None = None

    def _improves(self, value: float, reference: float | None) -> bool:
        if reference is None:
            return True
        rising = self.mode == "max" or (
            self.mode == "auto" and self.monitor.removeprefix("val_").rpartition("/")[2].endswith(RISING)
        )
        return value - self.min_delta > reference if rising else value + self.min_delta < reference

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"EarlyStopping: monitor must be among the metrics; got {self.monitor!r}, there are "
                f"{', '.join(logs or {})}. It does nothing",
                stacklevel=2,
            )
            return
        if epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self._improves(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._improves(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        if self.restore_best_weights and self.best_weights is not None:
            self.model.set_weights(self.best_weights)
            self._say(f"Took the weights of the best epoch, {self.best_epoch + 1}.")
        if self.stopped_epoch > 0:
            self._say(f"Epoch {self.stopped_epoch + 1}: stopped, since {self.monitor} no longer improves.")

    def _say(self, text: str) -> None:
        if self.verbose > 0:
            self.model.say(text)
