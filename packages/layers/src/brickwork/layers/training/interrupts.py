"""Ctrl-C between steps: a step that has begun is finished, so the model is never left with half of its weights
updated.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Interrupt", "between_steps"]


class Interrupt:
    """Whether an interrupt came; `check` raises it as `KeyboardInterrupt`."""

    __slots__ = ("came",)

    def __init__(self) -> None:
        self.came = False

    def check(self) -> None:
        if self.came:
            raise KeyboardInterrupt


@contextmanager
def between_steps() -> Iterator[Interrupt]:
    """Hold interrupts back until `Interrupt.check`. A second one is raised at once. Other handlers than Python's own
    stay.
    """
    interrupt = Interrupt()
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )

    def handle(number: int, frame: FrameType | None) -> None:
        if interrupt.came:
            signal.default_int_handler(number, frame)
        interrupt.came = True

    if ours:
        signal.signal(signal.SIGINT, handle)
    try:
        yield interrupt
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
