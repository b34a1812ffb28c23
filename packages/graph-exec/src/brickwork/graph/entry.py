"""What calling a plan takes: all that a process has to know of it beside its code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brickwork.tensor.dim import Size
from brickwork.tensor.spec import TensorSpec

if TYPE_CHECKING:
    from .plan import Call, Plan

__all__ = ["Entry", "bytes_of", "entry_of"]


@dataclass(frozen=True, slots=True)
class Entry:
    """``symbols``: open sizes, in the order in which native code takes them; ``results``: specs of the outputs that are
    not written over an input; ``taken``: of each result of the function, the argument whose memory it takes, if any,
    and () where none does; ``arena``: bytes; ``values``: bytes of what is stored there, without reuse; ``calls``: ops
    that run by Python, as native code numbers them; ``kernels``: how many there are."""

    symbols: tuple[str, ...]
    results: tuple[TensorSpec, ...]
    taken: tuple[int | None, ...]
    arena: Size
    values: Size
    calls: tuple[Call, ...]
    kernels: int


def entry_of(plan: Plan, results: int) -> Entry:
    """The entry of a plan whose first ``results`` outputs are what its function returns."""
    places = [plan.places[v.id] for v in plan.graph.outputs[:results]]
    taken = tuple(int(p.at) if p.where == "input" else None for p in places)
    stored = [v.spec for v in plan.graph.values() if v.id in plan.places and plan.places[v.id].where == "arena"]
    return Entry(
        plan.symbols,
        tuple(v.spec for v in plan.results),
        taken if any(k is not None for k in taken) else (),
        plan.arena,
        bytes_of(stored),
        plan.calls,
        len(plan.kernels),
    )


def bytes_of(specs: Iterable[TensorSpec]) -> Size:
    """What tensors of these specs take together."""
    total: Size = 0
    for spec in specs:
        total = spec.size * spec.dtype.itemsize + total
    return total
