"""The registry of ops, and what every op answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

from .dtypes import promote
from .errors import BrickworkError

__all__ = ["OPS", "REGIONS", "Op", "Region", "find_op", "register"]


class Op:
    """A named operation. The subclasses in `brickwork.tensor.op` are the kinds. Parameters are hashable and
    keyword-only."""

    kind = "op"
    planned: Callable[[Sequence[Any]], Callable[..., Any]] | None = None
    """Where arrays of NumPy need nothing but a function chosen by their dtypes: what chooses it. `eval` does the same,
    so who writes an `eval` of its own has none."""

    def __init_subclass__(cls) -> None:
        if "eval" in cls.__dict__ and "planned" not in cls.__dict__:
            cls.planned = None

    def __init__(self, name: str):
        self.name = name

    def infer(self, *specs: Any, **params: Any) -> Any:
        """Shape and dtype of the result (a `TensorSpec`, or a tuple of them); raises what the user should read."""
        raise NotImplementedError

    def eval(self, xp: Any, *arrays: Any, **params: Any) -> Any:
        """The result on arrays of the module ``xp`` (NumPy, CuPy)."""
        raise NotImplementedError

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        """The gradient that input ``i`` gets from ``g``, the gradient of ``out``; None where there is none. Written
        in ops."""
        return None

    def weak_dtype(self, *kinds: object) -> np.dtype:
        """The dtype that Python scalars among the arguments take, beside the dtypes of the others."""
        return promote(*kinds)

    def __repr__(self) -> str:
        return f"<{self.kind} op {self.name}>"


class Region(Op):
    """An op whose parameters hold bodies: recordings, which run no, one or many times (see `brickwork.tensor.regions`).

    Its result is always a tuple. Each trace asks it for what it needs.
    """

    kind = "region"

    def body(self, *args: Any, **params: Any) -> tuple[Any, ...]:
        """The results, at once, on tensors that have values."""
        raise NotImplementedError

    def record(self, tape: Any, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
        """The results under the parent of a tape, which records how they are differentiated."""
        raise NotImplementedError

    def map(self, trace: Any, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
        """The results under a `BatchTrace`, of some batched arguments."""
        raise NotImplementedError


REGIONS: dict[str, Region] = {}
"""`cond`, `while_loop` and `scan`, once their room is loaded. They stand beside `OPS`, as what they take follows from
their bodies and not from rules of their own."""
OPS: dict[str, Op] = {}
AnOp = TypeVar("AnOp", bound=Op)
LATE = (
    "ops.cumulative",
    "ops.sorting",
    "ops.sets",
    "ops.scattering",
    "control",
    "checkpointing",
    "fft",
    "decompositions",
    "nn",
    "nn.sparse",
)
"""The rooms of this package whose ops are registered when someone first asks for the room, small ones first."""


def register(op: AnOp) -> AnOp:
    """Put an op in the registry; every test and compiler that walks it then covers the op. A taken name is an error."""
    if op.name in OPS:
        raise BrickworkError(f"register: op names must be new; got {op.name!r}, which is taken. Choose another")
    OPS[op.name] = op
    return op


def find_op(name: str) -> Op | None:
    """The op or region of a name, None where there is none: for names that another process wrote, as in the text of a
    graph. Rooms that load late are loaded one by one before it gives up."""
    for room in LATE:
        if name in OPS or name in REGIONS:
            break
        import_module(f"{__package__}.{room}")
    return OPS.get(name) or REGIONS.get(name)
