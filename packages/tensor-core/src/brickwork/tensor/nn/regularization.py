"""Dropout, from a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..distributions import uniform
from ..dtypes import to_inexact
from ..errors import ShapeError
from ..ops.creation import zeros_like
from ..ops.elementwise import astype, where
from ..spec import as_float
from ..tensor import Tensor, asarray

__all__ = ["as_rate", "dropout"]


def dropout(x: Any, rate: float, key: Any, noise_shape: Sequence[int | None] | None = None) -> Tensor:
    """Zero with probability ``rate``, else ``x / (1 - rate)``, by the numbers of a random key (Srivastava 2014).

    ``key``: as `random.key` gives; equal keys drop equal elements. ``noise_shape``: the shape of the mask, None for
    sizes of ``x``; where it has 1, elements live or die together. Integers give float32. Raises `ShapeError` for a rate
    outside [0, 1] and a mask that does not broadcast, `DTypeError` for what is no key.
    """
    tensor, part = asarray(x), as_rate("dropout", rate)
    tensor = astype(tensor, to_inexact(tensor.dtype), copy=False)
    if part == 1:
        return zeros_like(tensor)
    keep = uniform(key, _mask_shape(tensor, noise_shape)) >= part
    return where(keep, tensor * (1.0 / (1.0 - part)), 0.0)


def as_rate(who: str, rate: Any) -> float:
    """A number between 0 and 1. Raises `ShapeError`."""
    part = as_float(who, "rate", rate)
    if not 0 <= part <= 1:
        raise ShapeError(f"{who}: the rate must be between 0 and 1; got {rate!r}. It is the part that is dropped")
    return part


def _mask_shape(x: Tensor, noise_shape: Any) -> tuple[Any, ...]:
    if noise_shape is None:
        return x.shape
    if not isinstance(noise_shape, (tuple, list)) or len(noise_shape) != x.ndim:
        raise ShapeError(
            f"dropout: noise_shape must have a size for each axis; got {noise_shape!r} for {x.shape}. "
            "Use None for sizes of x"
        )
    shape = tuple(n if m is None else m for m, n in zip(noise_shape, x.shape, strict=True))
    if any(m != 1 and m != n for m, n in zip(shape, x.shape, strict=True)):
        raise ShapeError(
            f"dropout: noise_shape must broadcast to x; got {noise_shape!r} for {x.shape}. "
            "Use 1 where elements live or die together"
        )
    return shape
