"""What was compiled, why, and what it cost: what `Function.explain` lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from brickwork.tensor.dtypes import as_dtype
from brickwork.tensor.spec import TensorSpec

from .memory import Memory, memory_of

if TYPE_CHECKING:
    from .compiled import Compiled

__all__ = ["Variant", "variant_of"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One compiled version: ``signature`` of its arguments, ``cause`` of its compilation, and what it cost.

    Times in milliseconds: ``trace_ms`` from Python to plan, ``compile_ms`` from plan to code. ``cached``: the code was
    on disk. ``kernels``: steps of the plan; ``calls``: those that run by Python; ``arena_bytes``: memory for what is
    neither input nor result; ``memory``: the whole account.
    """

    signature: str
    cause: str
    symbolic: bool
    trace_ms: float
    compile_ms: float
    cached: bool
    kernels: int
    calls: int
    arena_bytes: str
    memory: Memory


def variant_of(name: str, made: Compiled) -> Variant:
    """The account of a compiled version of a function."""
    planned, birth = made.run.planned, made.birth
    signature = ", ".join(str(TensorSpec(tuple(shape), as_dtype(dtype))) for shape, dtype in birth.specs)
    entry = planned.entry
    return Variant(
        signature=f"{name}({signature})",
        cause=birth.cause,
        symbolic=any(made.symbolic),
        trace_ms=birth.trace_ms,
        compile_ms=birth.compile_ms,
        cached=made.run.found,
        kernels=entry.kernels,
        calls=len(entry.calls),
        arena_bytes=str(entry.arena),
        memory=memory_of(planned.traced, entry),
    )
