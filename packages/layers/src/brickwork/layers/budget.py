"""How many numbers a model that is read from a file may make: as many as the file holds, and no more.

Without this a config of a few bytes could ask for all the memory of the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod

from .errors import LayerError

__all__ = ["at_most", "spend"]

_left: ContextVar[list[int] | None] = ContextVar("left", default=None)


@contextmanager
def at_most(elements: int) -> Iterator[None]:
    """Weights made inside may have so many elements in all."""
    token = _left.set([elements])
    try:
        yield
    finally:
        _left.reset(token)


def spend(name: str, shape: Sequence[int]) -> None:
    """Called before a weight is made. Raises `LayerError` where it would be more than is left."""
    left = _left.get()
    if left is None:
        return
    if prod(shape) > left[0]:
        raise LayerError(f"model: may make only the weights that the file holds; got {name!r} of shape {shape} beyond")
    left[0] -= prod(shape)
