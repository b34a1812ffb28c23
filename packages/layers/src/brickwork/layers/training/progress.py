"""What fit shows: a live bar on a terminal, few lines in a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from time import perf_counter
from typing import Any, Protocol

__all__ = ["LINE_SECONDS", "Lines", "Progress", "Silent", "numbers", "progress_for"]

LINE_SECONDS = 5.0  # at most one line in this time where the output is a file


class Progress(Protocol):
    """Shows the epochs of one run."""

    def due(self) -> bool:
        """Whether `step` would show anything now; asked after each step, so it costs next to nothing."""

    def step(self, epoch: int, done: int, logs: Mapping[str, Any]) -> None:
        """``done`` steps of an epoch are finished."""

    def epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """An epoch (counted from 0) is finished, with its validation."""

    def close(self) -> None:
        """The run is over, by itself or not."""


class Silent:
    """Shows nothing."""

    def due(self) -> bool:
        return False

    def step(self, epoch: int, done: int, logs: Mapping[str, Any]) -> None:
        return None

    def epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        return None

    def close(self) -> None:
        return None


def numbers(logs: Mapping[str, Any]) -> str:
    """``loss 0.1234  accuracy 0.9876``."""
    return "  ".join(f"{name} {_number(value)}" for name, value in logs.items())


def _number(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.3e}"


class Lines:
    """One line per epoch, and at most one in ``seconds``; the last epoch always has its line."""

    def __init__(self, epochs: int, steps: int, seconds: float = LINE_SECONDS):
        self.epochs, self.steps, self.seconds = epochs, steps, seconds
        self.begin = self.epoch_begin = self.last = perf_counter()
        self.pending: str | None = None

    def due(self) -> bool:
        return perf_counter() - self.last >= self.seconds > 0

    def _write(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        self.last, self.pending = perf_counter(), None

    def step(self, epoch: int, done: int, logs: Mapping[str, Any]) -> None:
        self._write(f"Epoch {epoch + 1}/{self.epochs}  step {done}/{self.steps}  {numbers(logs)}")

    def epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        now = perf_counter()
        text = f"Epoch {epoch + 1}/{self.epochs}  {now - self.epoch_begin:.1f}s  {numbers(logs)}"
        self.epoch_begin, self.pending = now, text
        if epoch + 1 == self.epochs or now - self.last >= self.seconds:
            self._write(text)

    def close(self) -> None:
        if self.pending is not None:
            self._write(self.pending)


def progress_for(verbose: Any, epochs: int, steps: int) -> Progress:
    """0: nothing; 2: a line per epoch; 1 and "auto": a live bar on a terminal or in a notebook, else lines now and
    then.
    """
    if verbose in (0, "0", False):
        return Silent()
    if verbose == 2:
        return Lines(epochs, steps, seconds=0.0)
    if sys.stdout.isatty() or "ipykernel" in sys.modules:
        from .live import Live  # noqa: PLC0415 - rich is only paid for where something is shown

        return Live(epochs, steps)
    return Lines(epochs, steps)
