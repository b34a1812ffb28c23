"""The live bar; the one room of training that imports rich."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from .progress import numbers

__all__ = ["Live"]

REFRESH_SECONDS = 0.1
LINE_SECONDS = 0.2  # epochs that are quicker than this do not all get a line of their own


class Live:
    """A bar for the steps of the epoch, under lines for finished epochs; the last epoch always has its line."""

    def __init__(self, epochs: int, steps: int, console: Console | None = None):
        self.epochs, self.steps = epochs, steps
        self.last = self.epoch_begin = perf_counter()
        self.last_line = 0.0
        self.pending: str | None = None
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(),
        )
        self.bar = Bar(*columns, console=console, auto_refresh=False, transient=True)
        self.task = self.bar.add_task("", total=steps, numbers="")
        self.bar.start()

    def due(self) -> bool:
        return perf_counter() - self.last >= REFRESH_SECONDS

    def step(self, epoch: int, done: int, logs: Mapping[str, Any]) -> None:
        self.last = perf_counter()
        self.bar.update(
            self.task,
            description=f"Epoch {epoch + 1}/{self.epochs}",
            completed=done,
            numbers=numbers(logs),
            refresh=True,
        )

    def epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        now = perf_counter()
        width = len(str(self.epochs))
        self.pending = f"Epoch {epoch + 1:>{width}}/{self.epochs}  {now - self.epoch_begin:.1f}s  {numbers(logs)}"
        self.epoch_begin = now
        if epoch + 1 == self.epochs or now - self.last_line >= LINE_SECONDS:
            self._line()

    def _line(self) -> None:
        self.bar.console.print(self.pending, highlight=False)
        self.bar.reset(self.task, total=self.steps, numbers="")
        self.last_line, self.pending = perf_counter(), None

    def close(self) -> None:
        if self.pending is not None:
            self._line()
        self.bar.stop()
