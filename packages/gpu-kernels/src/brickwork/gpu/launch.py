"""Machine code onto the GPU, through CuPy: nothing is written to disk, and work goes to the current stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cupy  # type: ignore[import-not-found,import-untyped,unused-ignore]

__all__ = ["capability", "current_device", "launch", "load", "multiprocessors"]


def current_device() -> int:
    """The number of the current device."""
    return int(cupy.cuda.runtime.getDevice())


def capability() -> int:
    """The compute capability of the current device: 90 for 9.0."""
    return int(cupy.cuda.Device().compute_capability)


def multiprocessors() -> int:
    """How many multiprocessors the current device has."""
    return int(cupy.cuda.Device().attributes["MultiProcessorCount"])


def load(binary: bytes, entry: str) -> Any:
    """A function of a cubin or PTX, on the current device; it keeps its module alive."""
    module = cupy.cuda.Module()
    module.load(binary)
    return module.get_function(entry)


def launch(function: Any, blocks: int, threads: int, arguments: Sequence[Any]) -> None:
    """Queue a function on the current stream. ``arguments``: CuPy arrays (as pointers) and NumPy scalars."""
    function((blocks,), (threads,), tuple(arguments))
