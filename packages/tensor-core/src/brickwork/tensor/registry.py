"""The registry of ops, and what every op answers."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from .dtypes import promote
from .errors import BrickworkError

__all__ = ["OPS", "Op", "register"]


class Op:
    """A named operation. The subclasses in `brickwork.tensor.op` are the kinds. Parameters are hashable and
    keyword-only."""

    kind = "op"

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


OPS: dict[str, Op] = {}
AnOp = TypeVar("AnOp", bound=Op)


def register(op: AnOp) -> AnOp:
    """Put an op in the registry; every test and compiler that walks it then covers the op. A taken name is an error."""
    if op.name in OPS:
        raise BrickworkError(f"register: op names must be new; got {op.name!r}, which is taken. Choose another")
    OPS[op.name] = op
    return op
