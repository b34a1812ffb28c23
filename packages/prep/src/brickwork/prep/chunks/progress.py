"""A bar for long work, on the error stream."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from ..errors import PrepError

__all__ = ["Tell", "teller"]

Tell = Callable[[int, int | None], None]
"""Is told the rows done, and all there are (None where that is not known)."""

WIDTH = 30
LIVE, PLAIN = 0.1, 5.0  # seconds between two looks, on a terminal and in a file


def teller(progress: Any, who: str) -> Tell:
    """What `progress` asks for: None is silence, True a bar, a function is called itself."""
    if progress is None or progress is False:
        return lambda done, total: None
    if progress is True:
        return Bar()
    if not callable(progress):
        raise PrepError.of(who, "progress is True, None or a function of (done, total)", repr(progress))
    told: Tell = progress
    return told


class Bar:
    """One line that is written over on a terminal; in a file a line every five seconds, and the last."""

    def __init__(self) -> None:
        self.begin = perf_counter()
        self.last = -PLAIN

    def __call__(self, done: int, total: int | None) -> None:
        """Shows how far it is; `done == total` is the end."""
        out = sys.stderr
        live = out.isatty()
        now = perf_counter() - self.begin
        if done != total and now - self.last < (LIVE if live else PLAIN):
            return
        self.last = now
        out.write(("\r" if live else "") + self._line(done, total, now) + ("\n" if done == total or not live else ""))
        out.flush()

    def _line(self, done: int, total: int | None, seconds: float) -> str:
        speed = f"{done / seconds:,.0f} rows/s" if seconds > 0 else ""
        if not total:
            return f"{done:,} rows  {seconds:.1f}s  {speed}"
        full = WIDTH * done // total
        bar = "#" * full + "." * (WIDTH - full)
        return f"[{bar}] {done:,}/{total:,} rows  {seconds:.1f}s  {speed}"
