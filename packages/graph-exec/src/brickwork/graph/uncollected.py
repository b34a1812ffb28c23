"""Compiling without Python's collector of cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


@contextmanager
def uncollected() -> Iterator[None]:
    """A block, or a function, that the collector does not interrupt.

    What a trace, a pass or a plan makes is needed to its end. The collector finds nothing to free there, and walks
    through every object of the process for it, several times: a fifth of the time of a start with everything cached.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
