"""Resize and Upsample: each axis by itself, by positions (nearest) or by a matrix (linear, cubic)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Dim, Tensor
from brickwork.tensor.dtypes import class_of
from brickwork.tensor.nn.pooling import along

from ..errors import ModelError
from ..registry import translator

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its size, the size wanted, the exact scale, and the part that is shown (``tf_crop_and_resize``)."""

    size: int
    wanted: int
    scale: float
    start: float = 0.0
    end: float = 1.0


def _half_pixel(x: Array, a: Axis) -> Array:
    return (x + 0.5) / a.scale - 0.5


def _symmetric(x: Array, a: Axis) -> Array:
    """What rounding the size took off is taken from both ends."""
    adjustment = a.wanted / (a.scale * a.size)
    return a.size / 2 * (1 - adjustment) + _half_pixel(x, a)


def _cropped(x: Array, a: Axis) -> Array:
    if a.wanted == 1:
        return np.full_like(x, 0.5 * (a.start + a.end) * (a.size - 1))
    return a.start * (a.size - 1) + x * (a.end - a.start) * (a.size - 1) / (a.wanted - 1)


_COORDINATES: dict[str, Callable[[Array, Axis], Array]] = {
    "half_pixel": _half_pixel,
    "half_pixel_symmetric": _symmetric,
    "pytorch_half_pixel": lambda x, a: _half_pixel(x, a) if a.wanted > 1 else x * 0,
    "align_corners": lambda x, a: x * (a.size - 1) / (a.scale * a.size - 1) if a.wanted > 1 else x * 0,
    "asymmetric": lambda x, a: x / a.scale,
    "tf_half_pixel_for_nn": lambda x, a: (x + 0.5) / a.scale,
    "tf_crop_and_resize": _cropped,
}
_NEAREST: dict[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def _linear(x: Array, a: float) -> Array:
    return np.maximum(0.0, 1 - np.abs(x))


def _cubic(x: Array, a: float) -> Array:
    """Keys's kernel (1981) of the slope a."""
    x = np.abs(x)
    inner = ((a + 2) * x - (a + 3)) * x * x + 1
    outer = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, inner, np.where(x < 2, outer, 0.0))


_KERNELS: dict[str, tuple[Callable[[Array, float], Array], int]] = {"linear": (_linear, 1), "cubic": (_cubic, 2)}
"""The weight by distance, and how far it reaches."""


def _matrix(at: Array, axis: Axis, mode: str, slope: float, antialias: int, exclude_outside: int) -> Array:
    """The weight of each element (columns) for each place (rows); outside the ends stand for what is beyond."""
    kernel, reach = _KERNELS[mode]
    squeeze = min(axis.scale, 1.0) if antialias else 1.0
    span = int(np.ceil(reach / squeeze)) + 1
    near = np.floor(at)[:, None] + np.arange(-span, span + 1)[None]
    weights = kernel((near - at[:, None]) * squeeze, slope)
    if exclude_outside:
        weights = np.where((near >= 0) & (near < axis.size), weights, 0.0)
    weights = weights / weights.sum(1, keepdims=True)
    matrix = np.zeros((axis.wanted, axis.size))
    columns = np.clip(near, 0, axis.size - 1).astype(int)
    np.add.at(matrix, (np.arange(axis.wanted)[:, None], columns), weights)
    return matrix


@dataclass(frozen=True, slots=True)
class Settings:
    """How a resize reads: the attributes of the op."""

    mode: str
    coordinates: str
    nearest: str
    slope: float
    antialias: int
    exclude_outside: int
    extrapolation: float


def _resized(x: Tensor, place: int, axis: Axis, s: Settings) -> Tensor:
    """One axis in another size."""
    at = _COORDINATES[s.coordinates](np.arange(axis.wanted, dtype=np.float64), axis)
    if s.mode == "nearest":
        rows = np.clip(_NEAREST[s.nearest](at), 0, axis.size - 1).astype(np.int64)
        out = bt.take(x, rows, place)
    else:
        matrix = _matrix(at, axis, s.mode, s.slope, s.antialias, s.exclude_outside)
        wide = x if class_of(x.dtype) == "f" and x.dtype.itemsize >= 4 else x.astype("float32")
        out = along(wide, place, matrix)
        out = out if out.dtype == x.dtype else _narrowed(out, x.dtype)
    if s.coordinates != "tf_crop_and_resize":
        return out
    outside = (at < 0) | (at > axis.size - 1)
    shape = tuple(axis.wanted if a == place else 1 for a in range(x.ndim))
    return bt.where(bt.asarray(outside.reshape(shape)), s.extrapolation, out).astype(x.dtype)


def _narrowed(x: Tensor, dtype: np.dtype) -> Tensor:
    """Integers by rounding, within what they hold."""
    if class_of(dtype) == "f":
        return x.astype(dtype)
    info = np.iinfo(dtype)
    return bt.clip(bt.round(x), float(info.min), float(info.max)).astype(dtype)


def _run(x: Tensor, axes: Sequence[tuple[int, Axis]], settings: Settings) -> Tensor:
    if settings.mode not in ("nearest", *_KERNELS):
        raise ModelError(f"Resize: the mode is nearest, linear or cubic; got {settings.mode!r}")
    if settings.coordinates not in _COORDINATES or settings.nearest not in _NEAREST:
        raise ModelError(
            f"Resize: coordinates are one of {', '.join(_COORDINATES)}, the nearest mode one of {', '.join(_NEAREST)}; "
            f"got {settings.coordinates!r}, {settings.nearest!r}"
        )
    crop = settings.coordinates == "tf_crop_and_resize"
    for place, axis in axes:
        if crop or axis.wanted != axis.size or axis.scale != 1.0:
            x = _resized(x, place, axis, settings)
    return x


def _axes_of(x: Tensor, named: Any, scales: Any, sizes: Any, roi: Any, policy: str) -> list[tuple[int, Axis]]:
    """The axes that are resized, by sizes or scales."""
    places = [a % x.ndim for a in named] if named else list(range(x.ndim))
    if policy == "stretch" and any(isinstance(x.shape[a], Dim) for a in places):
        fixed = [k for k, a in enumerate(places) if not _stays_open(x.shape[a], k, scales, sizes)]
        scales, sizes = ([v[k] for k in fixed] if v is not None and len(v) else v for v in (scales, sizes))
        roi = [roi[k] for k in (*fixed, *(len(places) + k for k in fixed))] if roi is not None and len(roi) else None
        places = [places[k] for k in fixed]
    given = [int(x.shape[a]) for a in places]
    if sizes is not None and len(sizes):
        wanted = [int(n) for n in sizes]
        factors = [w / n for w, n in zip(wanted, given, strict=True)]
        if policy != "stretch":
            one = min(factors) if policy == "not_larger" else max(factors)
            factors, wanted = [one] * len(given), [int(np.floor(one * n + 0.5)) for n in given]
    elif scales is not None and len(scales):
        factors = [float(s) for s in scales]
        wanted = [int(np.floor(n * s)) for n, s in zip(given, factors, strict=True)]
    else:
        raise ModelError("Resize: sizes or scales must be given; got neither")
    count = len(places)
    bounds = [(0.0, 1.0)] * count
    if roi is not None and len(roi) == 2 * count:
        bounds = [(float(a), float(b)) for a, b in zip(roi[:count], roi[count:], strict=True)]
    rows = zip(places, given, wanted, factors, bounds, strict=True)
    return [(place, Axis(n, w, f, *ends)) for place, n, w, f, ends in rows]


def _stays_open(size: Any, k: int, scales: Any, sizes: Any) -> bool:
    """Whether an axis, open while a function is traced, keeps its size."""
    if not isinstance(size, Dim):
        return False
    return bool(sizes[k] == size) if sizes is not None and len(sizes) else float(scales[k]) == 1.0


@translator("Resize", 11, static="roi scales sizes")
def resize(
    x: Tensor,
    roi: Any = None,
    scales: Any = None,
    sizes: Any = None,
    *,
    antialias: int = 0,
    axes: Sequence[int] = (),
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch",
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Tensor:
    """Each axis to ``sizes``, or by ``scales``. ``antialias``: shrinking takes the mean of what it skips."""
    settings = Settings(
        mode,
        coordinate_transformation_mode,
        nearest_mode,
        cubic_coeff_a,
        antialias,
        exclude_outside,
        extrapolation_value,
    )
    return _run(x, _axes_of(x, axes, scales, sizes, roi, keep_aspect_ratio_policy), settings)


@translator("Resize", 10, static="scales")
@translator("Upsample", 9, static="scales")
def upsample(x: Tensor, scales: Any, *, mode: str = "nearest") -> Tensor:
    """From the start of each axis, as images were enlarged before op set 11."""
    name = "linear" if mode in ("linear", "bilinear") else mode
    settings = Settings(name, "asymmetric", "floor", -0.75, 0, 0, 0.0)
    return _run(x, _axes_of(x, (), scales, None, None, "stretch"), settings)


@translator("Upsample", 7)
def upsample_by_attribute(x: Tensor, *, scales: Sequence[float], mode: str = "nearest") -> Tensor:
    return upsample(x, scales, mode=mode)


@translator("Upsample")
def upsample_images(x: Tensor, *, height_scale: float, width_scale: float, mode: str = "nearest") -> Tensor:
    return upsample(x, (1.0, 1.0, height_scale, width_scale), mode=mode)
