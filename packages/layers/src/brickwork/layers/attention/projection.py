"""The linear maps of attention, whose weights have an axis for the heads."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from brickwork.tensor import matmul, reshape

from ..errors import LayerError
from ..layer import Layer
from ..weights import add_role, keep_roles

__all__ = ["Projection"]


class Projection(Layer):
    """``x @ kernel + bias`` over the last ``bound`` axes of x, which ``sizes`` take the place of.

    Kernel (*bound axes, *sizes), bias (*sizes). ``roles``: of both an initializer, a regularizer and a
    constraint.
    """

    def __init__(self, sizes: Sequence[int], bound: int, use_bias: bool, roles: dict[str, Any], **kwargs: Any):
        super().__init__(**kwargs)
        self.sizes, self.bound, self.use_bias = tuple(sizes), bound, use_bias
        keep_roles(self, **roles)
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        inner = tuple(input_shape[-self.bound :])
        if None in inner:
            raise LayerError(f"{self.name}: the last axis of the input must have a known size; got "
                             f"{tuple(input_shape)}. Give Input() that size")  # fmt: skip
        self.kernel = self._weight("kernel", (*inner, *self.sizes))
        if self.use_bias:
            self.bias = self._weight("bias", self.sizes)

    def _weight(self, role: str, shape: tuple[int, ...]) -> Any:
        # Weights of one shape that share an initializer must not start alike.
        return add_role(self, role, shape, initializer=getattr(self, f"{role}_initializer").clone())

    def call(self, inputs: Any) -> Any:
        outer, inner = inputs.shape[: -self.bound], inputs.shape[-self.bound :]
        flat = inputs if self.bound == 1 else reshape(inputs, (*outer, prod(inner)))
        out = matmul(flat, reshape(self.kernel, (prod(inner), prod(self.sizes))))
        if self.bias is not None:
            out = out + reshape(self.bias, (prod(self.sizes),))
        return out if len(self.sizes) == 1 else reshape(out, (*outer, *self.sizes))
