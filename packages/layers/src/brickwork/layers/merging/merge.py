"""Layers of several tensors, element by element."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from brickwork.tensor import Tensor, add, logical_or, maximum, minimum, multiply, subtract, where

from ..errors import LayerError
from ..layer import Layer
from ..masks import mask_of

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
        return self._merged(inputs)

    def _merged(self, inputs: Any) -> Any:
        return reduce(type(self).combine, inputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """A step counts where it does in one of the inputs, where all have masks."""
        if previous_mask is None or any(m is None for m in previous_mask):
            return None
        return reduce(logical_or, previous_mask)

    makes_masks = False


class Add(Merge):
    """``a + b + ...``"""

    combine = staticmethod(add)


class Subtract(Merge):
    """``a - b``"""

    combine, exactly = staticmethod(subtract), 2


class Multiply(Merge):
    """``a * b * ...``"""

    combine = staticmethod(multiply)

    def _merged(self, inputs: Any) -> Any:
        masks = [mask_of(x) for x in inputs]
        out = reduce(multiply, (x if m is None else where(_wide(m), x, 1.0) for x, m in zip(inputs, masks)))
        whole = self.compute_mask(inputs, masks)
        return out if whole is None else where(_wide(whole), out, 0.0)


class Average(Merge):
    """``(a + b + ...) / n``"""

    combine = staticmethod(add)

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) / float(len(inputs))


class Extreme(Merge):
    """A step that is masked in one input is what the others say."""

    def _merged(self, inputs: Any) -> Any:
        out, seen = inputs[0], mask_of(inputs[0])
        for x in inputs[1:]:
            mask = mask_of(x)
            if mask is not None:
                x = where(_wide(mask), x, out)
            if seen is not None:
                out = where(_wide(seen), out, x)
            seen = None if mask is None or seen is None else logical_or(seen, mask)
            out = type(self).combine(out, x)
        return out


def _wide(mask: Any) -> Any:
    return mask[..., None]


class Maximum(Extreme):
    """The greatest of a, b, ..."""

    combine = staticmethod(maximum)


class Minimum(Extreme):
    """The least of a, b, ..."""

    combine = staticmethod(minimum)
