"""Each example in another shape."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from brickwork.tensor import ShapeError, reshape

from ..errors import LayerError
from ..layer import Layer

__all__ = ["Reshape"]


class Reshape(Layer):
    """(batch, ...) to (batch, *target_shape); one size may be -1, for what is left."""

    def __init__(self, target_shape: Sequence[int], **kwargs: Any):
        super().__init__(**kwargs)
        shape = tuple(target_shape) if isinstance(target_shape, (tuple, list)) else (target_shape,)
        if sum(n == -1 for n in shape) > 1 or any(not isinstance(n, int) or n < -1 for n in shape):
            raise LayerError(
                f"Reshape: target_shape must be whole numbers, one of them at most -1; got {target_shape!r}"
            )
        self.target_shape = shape
        self.built = True

    def _sizes(self, given: Sequence[Any]) -> tuple[Any, ...]:
        total, known = prod(given), prod(n for n in self.target_shape if n != -1)
        fits = total % known == 0 if -1 in self.target_shape and known else total == known
        if not fits:
            raise ShapeError(
                f"target_shape must hold as many elements as the input; got {tuple(given)} -> {self.target_shape}: "
                f"{total} against {known}"
            )
        return tuple(total // known if n == -1 else n for n in self.target_shape)

    def call(self, inputs: Any) -> Any:
        if all(isinstance(n, int) for n in inputs.shape[1:]):
            return reshape(inputs, (inputs.shape[0], *self._sizes(inputs.shape[1:])))
        return reshape(inputs, (inputs.shape[0], *self.target_shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        if None in input_shape[1:]:
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        return (input_shape[0], *self._sizes(input_shape[1:]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}
