"""Compilers: the protocol, and `jit`, which uses one when it is installed.

A compiler is a distribution of its own that names a `Compiler` in the entry-point group ``brickwork.compilers``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

from .late import later

__all__ = ["Compiler", "find_compiler", "jit"]

entry_points = later("entry_points.entry_points")


@runtime_checkable
class Compiler(Protocol):
    """Turns a function of tensors into one that runs a compiled plan."""

    name: str

    def available(self) -> str | None:
        """None when usable, else the reason and the command that mends it."""

    def function(self, fn: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        """The compiled function: compiles once per signature, never falls back silently.

        It may offer ``in_batches(*arrays, rows=, order=)``: the calls on successive batches of rows, as an object with
        ``count``, ``done`` and ``run(n)``, which makes the next n of them without Python in between.
        """


@lru_cache(maxsize=1)
def find_compiler() -> Compiler | None:
    """The installed compiler that is usable, or None."""
    for point in sorted(entry_points("brickwork.compilers"), key=lambda e: e.name):
        compiler: Compiler = point.load()()
        if compiler.available() is None:
            return compiler
    return None


def jit(fn: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """``fn`` compiled, or ``fn`` itself where no compiler is installed. ``options``: those of the compiler."""
    compiler = find_compiler()
    return fn if compiler is None else compiler.function(fn, **options)
