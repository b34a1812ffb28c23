"""The metrics of every epoch."""

from __future__ import annotations

from typing import Any

from .callback import Callback, Logs

__all__ = ["History"]


class History(Callback):
    """``history``: a list per metric, one number per epoch; ``epoch``: their numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
