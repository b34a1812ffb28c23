"""Layers of several tensors, element by element."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from brickwork.tensor import Tensor, add, maximum, minimum, multiply, subtract

from ..errors import LayerError
from ..layer import Layer

__all__ = ["Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"]


class Merge(Layer):
    """Combines a list of tensors of one shape, or of shapes that broadcast, one by one."""

    combine: Callable[[Any, Any], Tensor]
    exactly: int | None = None

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.built = True

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)) or not inputs or (self.exactly and len(inputs) != self.exactly):
            wanted = f"a list of {self.exactly} tensors" if self.exactly else "a list of tensors"
            raise LayerError(
                f"{type(self).__name__}: needs {wanted}; got "
                f"{len(inputs) if isinstance(inputs, (list, tuple)) else type(inputs).__name__}. Call it on [a, b]"
            )
        return reduce(type(self).combine, inputs)


class Add(Merge):
    """``a + b + ...``"""

    combine = staticmethod(add)


class Subtract(Merge):
    """``a - b``"""

    combine, exactly = staticmethod(subtract), 2


class Multiply(Merge):
    """``a * b * ...``"""

    combine = staticmethod(multiply)


class Average(Merge):
    """``(a + b + ...) / n``"""

    combine = staticmethod(add)

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) / float(len(inputs))


class Maximum(Merge):
    """The greatest of a, b, ..."""

    combine = staticmethod(maximum)


class Minimum(Merge):
    """The least of a, b, ..."""

    combine = staticmethod(minimum)
