"""What a call of a plan takes: bytes by kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from brickwork.tensor.dim import Dim, Size, evaluate

from .ir import Value
from .plan import Plan
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


def memory_of(traced: Traced, plan: Plan) -> Memory:
    """The account of a plan."""
    inputs = plan.graph.inputs
    first, second = traced.arguments, traced.arguments + len(traced.captured)
    return Memory(
        _total(inputs[:first]),
        _total(inputs[first:second]),
        _total(inputs[second:]),
        _total(plan.results),
        plan.arena,
        _total(v for v in plan.graph.values() if v.id in plan.places and plan.places[v.id].where == "arena"),
    )


def _total(values: Iterable[Value]) -> Size:
    total: Size = 0
    for v in values:
        total = v.spec.size * v.spec.dtype.itemsize + total
    return total


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
