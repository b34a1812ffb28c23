"""Shapes without numbers: run a function on tensors that know only their shape and dtype.

Sizes that are not known (None) stand as symbols, the batch axis by one name and the k-th axis by another, so what holds
for every size is what
comes out. Nothing is computed, and no variable changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from brickwork.tensor import Composite, Op, Tensor, TensorSpec, Variable, as_dtype
from brickwork.tensor.dim import symbol
from brickwork.tensor.trace import Trace, use

__all__ = ["ShapeTrace", "abstractly", "open_shape", "placeholder"]

Shape = tuple[int | None, ...]


class ShapeTrace(Trace):
    """Interprets each op by its shape rule."""

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        if isinstance(op, Composite):
            return op.body(*args, **params)
        kinds = [a.dtype if hasattr(a, "dtype") else type(a) for a in args]
        out = op.infer(*(_spec(op, a, kinds) for a in args), **params)
        return tuple(map(Tensor, out)) if isinstance(out, tuple) else Tensor(out)

    def read(self, variable: Variable) -> Tensor:
        return Tensor(TensorSpec(variable.shape, variable.dtype))

    def assign(self, variable: Variable, value: Tensor) -> None:
        return None


def _spec(op: Op, value: Any, kinds: list[Any]) -> TensorSpec:
    if hasattr(value, "dtype"):
        return TensorSpec(value.shape, value.dtype)
    return TensorSpec(np.shape(value), op.weak_dtype(*kinds))


def placeholder(shape: Shape, dtype: Any = "float32") -> Tensor:
    """A tensor of a shape that may hold None."""
    sizes = tuple(symbol("batch" if axis == 0 else f"axis{axis}") if n is None else n for axis, n in enumerate(shape))
    return Tensor(TensorSpec(sizes, as_dtype(dtype)))


def open_shape(shape: tuple[Any, ...]) -> Shape:
    """A shape with None for each symbolic size."""
    return tuple(n if isinstance(n, int) else None for n in shape)


def abstractly(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``fn`` on placeholders: what comes out knows its shape and dtype."""
    with use(ShapeTrace()):
        return fn(*args, **kwargs)
