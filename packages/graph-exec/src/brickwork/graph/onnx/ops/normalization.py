"""Normalizations, channels at axis 1, and dropout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor, nn, random

from ..errors import ModelError
from ..proto import dtype_of
from ..registry import translator
from .windows import beside_channels

EPSILON = 1e-5


def _trained(
    x: Tensor, scale: Tensor, b: Tensor, mean: Tensor, variance: Tensor, epsilon: float, momentum: float
) -> tuple[Tensor, ...]:
    """By the statistics of the batch, with the running ones moved towards them."""
    axes = tuple(a for a in range(x.ndim) if a != 1)
    centre, spread = nn.moments(x, axes)
    out = nn.batch_norm(x, centre, spread, scale, b, 1, epsilon).astype(x.dtype)
    running = [
        (old * momentum + new.astype(old.dtype) * (1 - momentum)) for old, new in ((mean, centre), (variance, spread))
    ]
    return out, *running


@translator("BatchNormalization")
def batch_normalization_first(
    x: Tensor,
    scale: Tensor,
    b: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    consumed_inputs: Sequence[int] = (),
    epsilon: float = EPSILON,
    is_test: int = 0,
    momentum: float = 0.9,
    spatial: int = 1,
    outputs: int,
) -> Any:
    """Before op set 14 more than one result means training."""
    if not spatial:
        raise ModelError("BatchNormalization: statistics are per channel; got spatial=0")
    if outputs > 1 and not is_test:
        found = _trained(x, scale, b, mean, variance, epsilon, momentum)
        return *found, *found[1:]
    return nn.batch_norm(x, mean, variance, scale, b, 1, epsilon).astype(x.dtype)


@translator("BatchNormalization", 14)
def batch_normalization(
    x: Tensor,
    scale: Tensor,
    b: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    epsilon: float = EPSILON,
    momentum: float = 0.9,
    training_mode: int = 0,
) -> Any:
    if training_mode:
        return _trained(x, scale, b, mean, variance, epsilon, momentum)
    return nn.batch_norm(x, mean, variance, scale, b, 1, epsilon).astype(x.dtype)


@translator("InstanceNormalization")
def instance_normalization(
    x: Tensor, scale: Tensor, b: Tensor, *, consumed_inputs: Sequence[int] = (), epsilon: float = EPSILON
) -> Tensor:
    unit = nn.standardize(x, tuple(range(2, x.ndim)), epsilon)
    return unit * beside_channels(scale, x) + beside_channels(b, x)


@translator("GroupNormalization", 18)
def group_normalization_by_groups(
    x: Tensor, scale: Tensor, b: Tensor, *, epsilon: float = EPSILON, num_groups: int
) -> Tensor:
    """Before op set 21 scale and bias were for groups."""
    each = x.shape[1] // num_groups
    return group_normalization(x, bt.repeat(scale, each), bt.repeat(b, each), epsilon=epsilon, num_groups=num_groups)


@translator("GroupNormalization", 21)
def group_normalization(
    x: Tensor, scale: Tensor, b: Tensor, *, epsilon: float = EPSILON, num_groups: int, stash_type: int = 1
) -> Tensor:
    wide = x.astype(dtype_of(stash_type))
    groups = bt.reshape(wide, (x.shape[0], num_groups, -1))
    unit = bt.reshape(nn.standardize(groups, 2, epsilon), x.shape).astype(x.dtype)
    return unit * beside_channels(scale, x) + beside_channels(b, x)


@translator("LayerNormalization", 17)
def layer_normalization(
    x: Tensor,
    scale: Tensor,
    b: Tensor | None = None,
    *,
    axis: int = -1,
    epsilon: float = EPSILON,
    stash_type: int = 1,
    outputs: int,
) -> Any:
    """Also the mean and the reciprocal of the deviation, where they are asked for."""
    wide, axes = x.astype(dtype_of(stash_type)), tuple(range(axis % x.ndim, x.ndim))
    shape = x.shape[axes[0] :]
    if outputs == 1 and b is not None and scale.shape == b.shape == shape and x.dtype == wide.dtype:
        return nn.layer_norm(x, scale, b, axes[0], epsilon)
    unit = nn.standardize(wide, axes, epsilon).astype(x.dtype)
    out = unit * scale if b is None else unit * scale + b
    if outputs == 1:
        return out
    mean, variance = nn.moments(wide, axes, True)
    return out, mean, bt.rsqrt(variance + epsilon)


@translator("RMSNormalization", 23)
def rms_normalization(
    x: Tensor, scale: Tensor, *, axis: int = -1, epsilon: float = EPSILON, stash_type: int = 1
) -> Tensor:
    unit = nn.rms_norm(x.astype(dtype_of(stash_type)), None, axis, epsilon)
    return unit.astype(x.dtype) * scale


@translator("LRN")
def lrn(x: Tensor, *, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0, size: int) -> Tensor:
    """``x / (bias + alpha / size * sum)^beta``, with the sum of squares over so many channels (Krizhevsky 2012)."""
    around = (((size - 1) // 2, size - 1 - (size - 1) // 2) if a == 1 else (0, 0) for a in range(x.ndim))
    squares = bt.pad(bt.square(x), tuple(around))
    total = bt.sum(bt.sliding_window(squares, (1,), (size,)), -1)
    return x / bt.power(bias + (alpha / size) * total, beta)


@translator("LpNormalization")
def lp_normalization(x: Tensor, *, axis: int = -1, p: int = 2) -> Tensor:
    """Zeros stay zeros."""
    if p not in (1, 2):
        raise ModelError(f"LpNormalization: p is 1 or 2; got {p}")
    norm = bt.sum(bt.abs(x), axis, True) if p == 1 else bt.sqrt(bt.sum(bt.square(x), axis, True))
    return x / bt.where(norm == 0, 1, norm)


@translator("MeanVarianceNormalization", 9)
def mean_variance_normalization(x: Tensor, *, axes: Sequence[int] = (0, 2, 3)) -> Tensor:
    centred = x - bt.mean(x, tuple(axes), True)
    return centred / (bt.sqrt(bt.mean(bt.square(centred), tuple(axes), True)) + 1e-9)


# dropout
@translator("Dropout", fresh=True)
def dropout_first(
    x: Tensor,
    *,
    consumed_inputs: Sequence[int] = (),
    is_test: int = 1,
    ratio: float = 0.5,
    outputs: int,
    version: int,
) -> Any:
    """Before op set 12 a model says with no input whether it trains: here it does not."""
    mask = bt.ones(x.shape, bool)
    return (x, mask if version >= 10 else mask.astype(x.dtype)) if outputs > 1 else x


@translator("Dropout", 12, static="ratio training_mode", fresh=True)
def dropout(
    x: Tensor,
    ratio: Any = None,
    training_mode: Any = None,
    *,
    seed: Any = None,
    key: Callable[[], Tensor],
    outputs: int,
) -> Any:
    part = 0.5 if ratio is None else float(np.asarray(ratio).reshape(()))
    if training_mode is None or not bool(np.asarray(training_mode).all()) or part == 0:
        return (x, bt.ones(x.shape, bool)) if outputs > 1 else x
    keep = random.uniform(key(), x.shape) >= part
    out = bt.where(keep, x / (1 - part), 0).astype(x.dtype)
    return (out, keep) if outputs > 1 else out
