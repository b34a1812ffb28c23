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


class Live:
    """A bar for the steps of the epoch under a line for each finished epoch."""

    def __init__(self, epochs: int, steps: int, console: Console | None = None):
        self.epochs, self.steps = epochs, steps
        self.last = self.epoch_begin = perf_counter()
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
        self.bar.console.print(
            f"Epoch {epoch + 1:>{width}}/{self.epochs}  {now - self.epoch_begin:.1f}s  {numbers(logs)}", highlight=False
        )
        self.bar.reset(self.task, total=self.steps, numbers="")
        self.epoch_begin = now

    def close(self) -> None:
        self.bar.stop()
