"""What a call of a plan takes: bytes by kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from brickwork.tensor.dim import Dim, Size, evaluate

from .entry import Entry, bytes_of
from .tracing import Traced

__all__ = ["Memory", "memory_of"]


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one call; with an open batch they are formulas of it, which `at` evaluates.

    ``arena``: everything between inputs and results, places reused; ``values``: the same without reuse, of what is
    stored at all; ``constants``: captured arrays. Results written over a variable or a donated argument take nothing.
    """

    arguments: Size
    constants: Size
    variables: Size
    results: Size
    arena: Size
    values: Size

    @property
    def peak(self) -> Size:
        """All that a call needs at once."""
        return self.arguments + self.constants + self.variables + self.results + self.arena

    def at(self, **sizes: int) -> Memory:
        """The same for given sizes of open axes: ``memory.at(N=32)``."""
        names = ("arguments", "constants", "variables", "results", "arena", "values")
        return Memory(**{name: evaluate(getattr(self, name), sizes) for name in names})

    def __str__(self) -> str:
        rows = [(name, getattr(self, name)) for name in ("arguments", "constants", "variables", "results", "arena")]
        rows.append(("peak", self.peak))
        lines = [f"{name:<10} {bytes_text(size):>12}" for name, size in rows]
        return "\n".join([*lines, f"The arena holds {bytes_text(self.values)} of values."])


def memory_of(traced: Traced, entry: Entry) -> Memory:
    """The account of a plan that is called so."""
    inputs = [v.spec for v in traced.graph.inputs]
    first, second = traced.arguments, traced.arguments + len(traced.captured)
    return Memory(
        bytes_of(inputs[:first]),
        bytes_of(inputs[first:second]),
        bytes_of(inputs[second:]),
        bytes_of(entry.results),
        entry.arena,
        entry.values,
    )


def bytes_text(size: Size, values: Mapping[str, int] | None = None) -> str:
    """``3.2 MB``; a formula where a size is open."""
    if isinstance(size, Dim):
        if values is None:
            return f"{size} B"
        size = evaluate(size, values)
    return scaled(size, "B")


def scaled(count: int, unit: str) -> str:
    """A count with three digits and the prefix that suits it: ``3.2 MB``."""
    for prefix, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= scale:
            return f"{count / scale:.3g} {prefix}{unit}"
    return f"{count} {unit}"
