"""The variable of a layer: it knows its place in the model, and what keeps it in bounds."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Tensor, Variable, asarray

__all__ = ["Weight"]


class Weight(Variable):
    """A variable with the ``path`` of names to it, its ``regularizer`` and its ``constraint``.

    ``learned``: whether gradients are meant to change it. `trainable` is also off while its layer is frozen.
    """

    __slots__ = ("constraint", "learned", "path", "regularizer")

    def __init__(
        self,
        value: Tensor,
        *,
        name: str,
        path: str = "",
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
    ):
        super().__init__(value, name=name, trainable=trainable)
        self.path, self.learned = path or name, trainable
        self.regularizer, self.constraint = regularizer, constraint

    def assign(self, value: Any) -> Weight:
        """Set the value, in the dtype of the weight. Raises `ShapeError` where it does not fit."""
        super().assign(asarray(value, self.dtype))
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            _rebuild,
            (self.numpy(), self.name, self.path, self.learned, self.trainable, self.regularizer, self.constraint),
        )

    def __repr__(self) -> str:
        return f"Weight(path={self.path!r}, {self.spec}, trainable={self.trainable})"


def _rebuild(
    value: Any, name: str, path: str, learned: bool, trainable: bool, regularizer: Any, constraint: Any
) -> Weight:
    weight = Weight(value, name=name, path=path, trainable=learned, regularizer=regularizer, constraint=constraint)
    weight.trainable = trainable
    return weight
