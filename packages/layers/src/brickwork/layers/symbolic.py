"""Tensors that stand for the inputs and outputs of layers while a model is drawn as a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brickwork.tensor import TraceError, as_dtype
from brickwork.tensor.tree import leaves

from .abstract import Shape
from .naming import auto_name

if TYPE_CHECKING:
    from .layer import Layer

__all__ = ["Node", "SymbolicTensor", "is_symbolic"]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One call of a layer: the arguments, with symbolic tensors in them, and the symbolic tensors that came out."""

    layer: Layer
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any

    @property
    def inputs(self) -> list[SymbolicTensor]:
        return [x for x in leaves((self.args, self.kwargs)) if isinstance(x, SymbolicTensor)]


class SymbolicTensor:
    """A shape (None where a size is open), a dtype, and the call that makes it. Layers take it; NumPy does not."""

    __slots__ = ("dtype", "name", "node", "shape")
    __array_priority__ = 200

    def __init__(
        self, shape: Sequence[int | None], dtype: Any = "float32", name: str | None = None, node: Node | None = None
    ):
        self.shape: Shape = tuple(shape)
        self.dtype = as_dtype(dtype).name
        self.name = name or auto_name("SymbolicTensor")
        self.node = node

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TraceError(f"SymbolicTensor: has a shape but no values; got {self!r} where an array is needed. "
                         "Put the computation into the call of a Layer, or call the model on data")  # fmt: skip

    def __bool__(self) -> bool:
        raise TraceError(
            f"SymbolicTensor: has no truth value; got {self!r} in a condition. Put the computation into the call of a "
            "Layer"
        )

    def __iter__(self) -> Any:
        raise TraceError(
            f"SymbolicTensor: can not be iterated; got {self!r}. Put the computation into the call of a Layer"
        )

    def __repr__(self) -> str:
        return f"<SymbolicTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


def is_symbolic(tree: Any) -> bool:
    """Whether a tree of arguments holds a symbolic tensor."""
    return any(isinstance(leaf, SymbolicTensor) for leaf in leaves(tree))
