"""Random numbers, from keys: a node with a ``seed`` gives the same ones each time, another the next of its model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor, random

from ..proto import dtype_of
from ..registry import translator

Key = Callable[[], Tensor]
F32 = 1
"""The element type's number of float32."""


@translator("RandomNormal", fresh=True)
def random_normal(
    *, shape: Sequence[int], dtype: int = F32, mean: float = 0.0, scale: float = 1.0, seed: Any = None, key: Key
) -> Tensor:
    return random.normal(key(), tuple(shape), dtype_of(dtype), mean, scale)


@translator("RandomUniform", fresh=True)
def random_uniform(
    *, shape: Sequence[int], dtype: int = F32, low: float = 0.0, high: float = 1.0, seed: Any = None, key: Key
) -> Tensor:
    return random.uniform(key(), tuple(shape), dtype_of(dtype), low, high)


@translator("RandomNormalLike", fresh=True)
def random_normal_like(
    x: Tensor, *, dtype: int = 0, mean: float = 0.0, scale: float = 1.0, seed: Any = None, key: Key
) -> Tensor:
    return random.normal(key(), x.shape, _or_that_of(x, dtype), mean, scale)


@translator("RandomUniformLike", fresh=True)
def random_uniform_like(
    x: Tensor, *, dtype: int = 0, low: float = 0.0, high: float = 1.0, seed: Any = None, key: Key
) -> Tensor:
    return random.uniform(key(), x.shape, _or_that_of(x, dtype), low, high)


@translator("Bernoulli", 15, fresh=True)
def bernoulli(x: Tensor, *, dtype: int = 0, seed: Any = None, key: Key) -> Tensor:
    """1 with the probability x, else 0."""
    return (random.uniform(key(), x.shape) < x).astype(_or_that_of(x, dtype))


@translator("Multinomial", 7, fresh=True)
def multinomial(x: Tensor, *, dtype: int = 6, sample_size: int = 1, seed: Any = None, key: Key) -> Tensor:
    """``sample_size`` classes for each row of logarithms of probabilities."""
    rows, classes = x.shape
    drawn = random.gumbel(key(), (rows, sample_size, classes)) + bt.expand_dims(x.astype("float32"), 1)
    return bt.argmax(drawn, -1).astype(dtype_of(dtype))


def _or_that_of(x: Tensor, number: int) -> np.dtype:
    return dtype_of(number) if number else x.dtype
