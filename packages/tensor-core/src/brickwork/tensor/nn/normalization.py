"""Normalizations: centred and scaled by statistics of a row, a group, a picture or a batch.

float16 and bfloat16 are worked in float32, whose squares do not overflow, and cast back at the end.
"""

from __future__ import annotations

from math import prod
from typing import Any

from ..dtypes import promote, to_inexact, wide_of
from ..errors import ShapeError
from ..op import Composite, register
from ..ops import reduce as R
from ..ops.composite import mean
from ..ops.elementwise import abs as absolute
from ..ops.elementwise import astype, maximum, power, rsqrt, sqrt
from ..ops.movement import reshape
from ..spec import as_bool, as_float, as_int, normalize_axes, normalize_axis
from ..tensor import Tensor, asarray
from ..trace import bind

__all__ = [
    "batch_norm",
    "cosine_similarity",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "moments",
    "normalize",
    "rms_norm",
    "standardize",
]

Axes = tuple[int, ...]


def _layer_norm_body(x: Tensor, gamma: Tensor, beta: Tensor, *, axis: int, epsilon: float) -> Tensor:
    axes = tuple(range(axis, x.ndim))
    centred = x - mean(x, axes, True)
    return centred * rsqrt(mean(centred * centred, axes, True) + epsilon) * gamma + beta


def _layer_norm_rule(
    i: int, g: Tensor, out: Tensor, x: Tensor, gamma: Tensor, beta: Tensor, *, axis: int, epsilon: float
) -> Tensor:
    """Three sums over the row (Ba, Kiros and Hinton 2016, by the chain rule): of g, of g * xhat, and those of x."""
    axes, lead = tuple(range(axis, x.ndim)), tuple(range(axis))
    if i == 2:
        return R.sum(g, lead)
    centred = x - mean(x, axes, True)
    scale = rsqrt(mean(centred * centred, axes, True) + epsilon)
    unit = centred * scale
    if i == 1:
        return R.sum(g * unit, lead)
    inner = g * gamma
    return scale * (inner - mean(inner, axes, True) - unit * mean(inner * unit, axes, True))


def _standardize_body(x: Tensor, *, axes: Axes, epsilon: float) -> Tensor:
    centred = x - mean(x, axes, True)
    return centred * rsqrt(mean(centred * centred, axes, True) + epsilon)


def _standardize_rule(i: int, g: Tensor, out: Tensor, x: Tensor, *, axes: Axes, epsilon: float) -> Tensor:
    centred = x - mean(x, axes, True)
    scale = rsqrt(mean(centred * centred, axes, True) + epsilon)
    return scale * (g - mean(g, axes, True) - out * mean(g * out, axes, True))


def _rms_body(x: Tensor, *, axes: Axes, epsilon: float) -> Tensor:
    return x * rsqrt(mean(x * x, axes, True) + epsilon)


def _rms_rule(i: int, g: Tensor, out: Tensor, x: Tensor, *, axes: Axes, epsilon: float) -> Tensor:
    return rsqrt(mean(x * x, axes, True) + epsilon) * (g - out * mean(g * out, axes, True))


_layer_norm = register(Composite("layer_norm", _layer_norm_body, _layer_norm_rule))
_standardize = register(Composite("standardize", _standardize_body, _standardize_rule))
_rms_norm = register(Composite("rms_norm", _rms_body, _rms_rule))


def _wide(x: Tensor) -> Tensor:
    """In a floating dtype of at least 32 bits."""
    return astype(x, wide_of(to_inexact(x.dtype)), copy=False)


def _scaled(who: str, unit: Tensor, x: Tensor, gamma: Any, beta: Any, shape: Any) -> Tensor:
    """``unit * gamma + beta`` in the common dtype of the arguments; ``shape``: of gamma and beta beside ``unit``."""
    common = to_inexact(x.dtype)
    for name, factor in (("gamma", gamma), ("beta", beta)):
        if factor is None:
            continue
        tensor = asarray(factor)
        common = promote(common, tensor.dtype)
        if tensor.size != prod(shape):
            raise ShapeError(f"{who}: {name} must have a value for each element normalized; got {tensor.shape} for "
                             f"{tuple(n for n in shape if n != 1)}. "
                             "Is axis the one that is meant?")  # fmt: skip
        wide = reshape(_wide(tensor), shape)
        unit = unit * wide if name == "gamma" else unit + wide
    return astype(unit, common, copy=False)


def standardize(x: Any, axis: Any = -1, epsilon: float = 1e-5) -> Tensor:
    """``(x - mean) / sqrt(var + epsilon)`` over an axis, several, or all (None)."""
    tensor = asarray(x)
    settings = {
        "axes": normalize_axes("standardize", axis, tensor.ndim),
        "epsilon": as_float("standardize", "epsilon", epsilon),
    }
    return astype(bind(_standardize, (_wide(tensor),), settings), to_inexact(tensor.dtype), copy=False)


def layer_norm(x: Any, gamma: Any = None, beta: Any = None, axis: int = -1, epsilon: float = 1e-3) -> Tensor:
    """``(x - mean) / sqrt(var + epsilon) * gamma + beta`` over the axes from ``axis`` on (Ba, Kiros and Hinton 2016).

    ``gamma``, ``beta``: of the shape of these axes; None for 1 and 0. Raises `ShapeError` where they do not fit.
    """
    tensor = asarray(x)
    first = normalize_axis("layer_norm", axis, tensor.ndim)
    small = as_float("layer_norm", "epsilon", epsilon)
    row = tensor.shape[first:]
    if gamma is None or beta is None:
        settings = {"axes": tuple(range(first, tensor.ndim)), "epsilon": small}
        return _scaled("layer_norm", bind(_standardize, (_wide(tensor),), settings), tensor, gamma, beta, row)
    scale, shift = asarray(gamma), asarray(beta)
    if scale.shape != row or shift.shape != row:
        raise ShapeError("layer_norm: gamma and beta must have the shape of the axes normalized; got "
                         f"{scale.shape} and {shift.shape} for {row}. "
                         "Is axis the one that is meant?")  # fmt: skip
    out = bind(_layer_norm, (_wide(tensor), _wide(scale), _wide(shift)), {"axis": first, "epsilon": small})
    return astype(out, promote(to_inexact(tensor.dtype), scale.dtype, shift.dtype), copy=False)


def rms_norm(x: Any, gamma: Any = None, axis: int = -1, epsilon: float = 1e-6) -> Tensor:
    """``x / sqrt(mean(x^2) + epsilon) * gamma`` over the axes from ``axis`` on (Zhang and Sennrich 2019).

    ``gamma``: of the shape of these axes; None for 1. Raises `ShapeError` where it does not fit.
    """
    tensor = asarray(x)
    first = normalize_axis("rms_norm", axis, tensor.ndim)
    settings = {"axes": tuple(range(first, tensor.ndim)), "epsilon": as_float("rms_norm", "epsilon", epsilon)}
    unit = bind(_rms_norm, (_wide(tensor),), settings)
    return _scaled("rms_norm", unit, tensor, gamma, None, tensor.shape[first:])


def group_norm(x: Any, groups: int, gamma: Any = None, beta: Any = None, epsilon: float = 1e-3) -> Tensor:
    """Each example's channels in ``groups``, each group standardized over its channels and all places (Wu and He 2018).

    ``x``: (batch, ..., channels); ``gamma``, ``beta``: (channels,), None for 1 and 0. Raises `ShapeError` where the
    channels do not divide into the groups, or gamma and beta do not fit.
    """
    tensor, count = asarray(x), as_int("group_norm", "groups", groups, 1)
    if tensor.ndim < 2 or tensor.shape[-1] % count:
        raise ShapeError(
            "group_norm: x must be (batch, ..., channels), channels a multiple of groups; "
            f"got {tensor.shape}, groups {count}. Choose groups that divide the channels"
        )
    channels, n = tensor.shape[-1], tensor.ndim
    apart = reshape(_wide(tensor), (*tensor.shape[:-1], count, channels // count))
    axes = (*range(1, n - 1), n)
    unit = bind(_standardize, (apart,), {"axes": axes, "epsilon": as_float("group_norm", "epsilon", epsilon)})
    return _scaled("group_norm", reshape(unit, tensor.shape), tensor, gamma, beta, (channels,))


def instance_norm(x: Any, gamma: Any = None, beta: Any = None, epsilon: float = 1e-3) -> Tensor:
    """Each channel of each example standardized over its places (Ulyanov 2016): `group_norm` with a channel a group.

    ``x``: (batch, *space, channels). Raises `ShapeError` without space, or where gamma and beta do not fit.
    """
    tensor = asarray(x)
    if tensor.ndim < 3:
        raise ShapeError(f"instance_norm: x must be (batch, *space, channels); got {tensor.shape}. Use layer_norm")
    settings = {"axes": tuple(range(1, tensor.ndim - 1)), "epsilon": as_float("instance_norm", "epsilon", epsilon)}
    unit = bind(_standardize, (_wide(tensor),), settings)
    return _scaled("instance_norm", unit, tensor, gamma, beta, tensor.shape[-1:])


def moments(x: Any, axis: Any = None, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Mean and variance (divided by n) over an axis, several, or all: ``mean(x)``, ``mean((x - mean(x))^2)``."""
    tensor, keepdims = asarray(x), as_bool("moments", "keepdims", keepdims)
    wide, kind = _wide(tensor), to_inexact(tensor.dtype)
    axes = normalize_axes("moments", axis, tensor.ndim)
    centre = mean(wide, axes, True)
    centred = wide - centre
    variance = mean(centred * centred, axes, keepdims)
    first = centre if keepdims else reshape(centre, variance.shape)
    return astype(first, kind, copy=False), astype(variance, kind, copy=False)


def batch_norm(
    x: Any, mean: Any, variance: Any, gamma: Any = None, beta: Any = None, axis: int = -1, epsilon: float = 1e-3
) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` per channel (Ioffe and Szegedy 2015).

    ``mean``, ``variance``: (channels,), of the batch (`moments`) while training, else the running ones. ``gamma``,
    ``beta``: (channels,), None for 1 and 0. ``axis``: of the channels. Raises `ShapeError` where they do not fit.
    """
    tensor = asarray(x)
    place = normalize_axis("batch_norm", axis, tensor.ndim)
    given = {"mean": mean, "variance": variance, "gamma": gamma, "beta": beta}
    parts = {name: asarray(value) for name, value in given.items() if value is not None}
    channels = tensor.shape[place]
    wide = tuple(channels if a == place else 1 for a in range(tensor.ndim))
    for name, part in parts.items():
        if part.size != channels:
            raise ShapeError(
                f"batch_norm: {name} must have a value per channel; got {part.shape} for {channels}. "
                "Is axis that of the channels?"
            )
    rows = {name: reshape(_wide(part), wide) for name, part in parts.items()}
    if len(rows) < 2 or "mean" not in rows or "variance" not in rows:
        raise ShapeError("batch_norm: mean and variance must be given; got None. Take those of `moments`")
    factor = rsqrt(rows["variance"] + as_float("batch_norm", "epsilon", epsilon))
    out = (_wide(tensor) - rows["mean"]) * (factor * rows["gamma"] if "gamma" in rows else factor)
    out = out + rows["beta"] if "beta" in rows else out
    return astype(out, promote(to_inexact(tensor.dtype), *(p.dtype for p in parts.values())), copy=False)


def normalize(x: Any, axis: Any = -1, order: float = 2, epsilon: float = 1e-12) -> Tensor:
    """``x / max(norm, epsilon)``, with the norm of an order over an axis, several, or all (None).

    ``order``: 2 for ``sqrt(sum(x^2))``, infinity for ``max(|x|)``, any other p > 0 for ``sum(|x|^p)^(1/p)``.
    """
    tensor, p = asarray(x), as_float("normalize", "order", order)
    least = as_float("normalize", "epsilon", epsilon)
    axes = normalize_axes("normalize", axis, tensor.ndim)
    if not p > 0:
        raise ShapeError(f"normalize: the order must be above 0; got {order!r}. Use 1, 2 or infinity")
    wide = _wide(tensor)
    if p == 2:
        norm = sqrt(maximum(R.sum(wide * wide, axes, True), least * least))
    elif p == float("inf"):
        norm = maximum(R.max(absolute(wide), axes, True), least)
    else:
        norm = maximum(power(R.sum(power(absolute(wide), p), axes, True), 1.0 / p), least)
    return astype(wide / norm, to_inexact(tensor.dtype), copy=False)


def cosine_similarity(x: Any, y: Any, axis: int = -1, epsilon: float = 1e-8) -> Tensor:
    """``sum(x * y) / (max(|x|, epsilon) * max(|y|, epsilon))`` along an axis, broadcasting: the cosine of the angle."""
    place = as_int("cosine_similarity", "axis", axis)
    return R.sum(normalize(x, place, 2, epsilon) * normalize(y, place, 2, epsilon), place)
