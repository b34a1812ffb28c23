"""Pictures in another size: each axis of space multiplied by a small matrix of weights, so that resizing is a
contraction with a gradient; and places exchanged for channels."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ..dtypes import class_of, to_inexact
from ..errors import DTypeError, ShapeError
from ..ops.elementwise import astype
from ..ops.gathering import take
from ..ops.movement import broadcast_to, reshape, transpose
from ..spec import as_bool, as_float, as_int, as_ints
from ..tensor import Tensor, asarray
from .pooling import along, known_size

__all__ = ["depth_to_space", "resize", "space_to_depth"]

COORDINATES = ("half_pixel", "align_corners", "asymmetric")
EDGES = ("renormalize", "repeat")
METHODS = {
    **dict.fromkeys(("linear", "bilinear", "trilinear"), "linear"),
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), "cubic"),
    **{name: name for name in ("nearest", "lanczos3", "lanczos5")},
}
REACH = {"linear": 1.0, "cubic": 2.0, "lanczos3": 3.0, "lanczos5": 5.0}


def resize(
    x: Any,
    size: Any,
    method: str = "linear",
    *,
    antialias: bool = False,
    coordinates: str = "half_pixel",
    edge: str = "renormalize",
    cubic: float = -0.5,
) -> Tensor:
    """``x`` (batch, *space, channels), of one to three axes of space, with ``size`` places (an int, or one per axis).

    ``method``: "nearest"; "linear" (also "bilinear", "trilinear"); "cubic" (also "bicubic"), Keys's kernel (1981) of
    coefficient ``cubic``; "lanczos3", "lanczos5". ``antialias``: where an axis shrinks, the kernel widens with it.
    ``coordinates`` says where place o of m lies among n: "half_pixel" ``(o + 1/2) * n / m - 1/2``, "align_corners"
    ``o * (n - 1) / (m - 1)``, "asymmetric" ``o * n / m``. ``edge``: weights of places outside are dropped and the
    others scaled to sum one ("renormalize"), or fall to the last place ("repeat").

    The defaults are those of jax.image and keras.ops.image; torch has "repeat" and -0.75 for "cubic" unless antialias.
    "nearest" takes the place at ``floor(coordinate + 1/2)`` (``floor(coordinate)`` of "asymmetric") and keeps the
    dtype; else integers give float32, and float16 and bfloat16 are worked in float32. An infinite element makes NaN of
    its axis, but for "nearest". Raises `ShapeError`, and `DTypeError` for complex numbers.
    """
    tensor, who = asarray(x), "resize"
    if not 3 <= tensor.ndim <= 5:
        raise ShapeError(
            f"resize: x must be (batch, *space, channels) with one to three axes of space; got {tensor.shape}. "
            "Add the missing axes with reshape"
        )
    kind = _one_of("method", method, METHODS)
    where, border = _one_of("coordinates", coordinates, COORDINATES), _one_of("edge", edge, EDGES)
    settings = (METHODS[kind], as_bool(who, "antialias", antialias), where, border, as_float(who, "cubic", cubic))
    sizes = as_ints(who, "size", size, tensor.ndim - 2, 1)
    for axis, places in enumerate(sizes, 1):
        known_size(who, tensor, axis, places)
    if METHODS[kind] == "nearest":
        return _nearest(tensor, sizes, where)
    return _weighted(tensor, sizes, settings)


def _one_of(what: str, value: Any, known: Any) -> str:
    if not isinstance(value, str) or value not in known:
        raise ShapeError(f"resize: {what} must be one of {', '.join(known)}; got {value!r}")
    return value


def _sources(n: int, places: int, coordinates: str) -> np.ndarray:
    """Where each place lies among n, in float64."""
    o = np.arange(places, dtype=np.float64)
    if coordinates == "half_pixel":
        return (o + 0.5) * (n / places) - 0.5
    if coordinates == "asymmetric":
        return o * (n / places)
    return o * ((n - 1) / (places - 1)) if places > 1 else o


def _nearest(x: Tensor, sizes: tuple[int, ...], coordinates: str) -> Tensor:
    """By stretching or skipping where sizes divide, so that it is a view; else by gathering."""
    for axis, places in enumerate(sizes, 1):
        n: Any = x.shape[axis]
        if n == places:
            continue
        if places % n == 0 and coordinates != "align_corners":
            wide = reshape(x, (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :]))
            wide = broadcast_to(wide, (*x.shape[: axis + 1], places // n, *x.shape[axis + 1 :]))
            x = reshape(wide, (*x.shape[:axis], places, *x.shape[axis + 1 :]))
        elif n % places == 0 and coordinates != "align_corners":
            step = n // places
            start = step // 2 if coordinates == "half_pixel" else 0
            x = x[(slice(None),) * axis + (slice(start, None, step),)]
        else:
            x = take(x, _nearest_places(n, places, coordinates), axis)
    return x


def _nearest_places(n: int, places: int, coordinates: str) -> np.ndarray:
    """In whole numbers, where rounding could fall on the wrong side."""
    o = np.arange(places)
    if coordinates == "half_pixel":
        found = (2 * o + 1) * n // (2 * places)
    elif coordinates == "asymmetric":
        found = o * n // places
    else:
        found = (2 * o * (n - 1) + places - 1) // (2 * (places - 1)) if places > 1 else o
    return np.minimum(found, n - 1)


def _weighted(x: Tensor, sizes: tuple[int, ...], settings: tuple[Any, ...]) -> Tensor:
    kind = to_inexact(x.dtype)
    if class_of(kind) == "c":
        raise DTypeError(f"resize: takes real numbers; got {x.dtype}. Resize real and imag")
    out = astype(x, "float32" if kind.itemsize <= 2 else kind, copy=False)
    for axis, places in enumerate(sizes, 1):
        if out.shape[axis] == places and settings[3] == "renormalize":
            continue  # every kernel is 1 at 0 and 0 at other whole numbers
        out = along(out, axis, _weights(out.shape[axis], places, *settings))
    return astype(out, kind, copy=False)


@lru_cache(maxsize=64)
def _weights(
    n: int, places: int, method: str, antialias: bool, coordinates: str, edge: str, cubic: float
) -> np.ndarray:
    """The weight of each of n elements in each place."""
    source = _sources(n, places, coordinates)
    widening = max(1.0, n / places) if antialias else 1.0
    reach = math.ceil(REACH[method] * widening)
    if edge == "repeat":
        near = np.floor(source).astype(np.int64)[:, None] + np.arange(1 - reach, reach + 1)
        weights = _kernel(method, cubic)((near - source[:, None]) / widening)
        out = np.zeros((places, n))
        np.add.at(out, (np.arange(places)[:, None], np.clip(near, 0, n - 1)), weights)
    else:
        out = _kernel(method, cubic)((np.arange(n) - source[:, None]) / widening)
    total = out.sum(1, keepdims=True)
    inside = np.abs(total) > 1000 * np.finfo(np.float32).eps
    return np.where(inside, out / np.where(inside, total, 1.0), 0.0)


def _kernel(method: str, cubic: float) -> Callable[[np.ndarray], np.ndarray]:
    """How much an element at a distance weighs."""
    if method == "linear":
        return lambda t: np.maximum(1.0 - np.abs(t), 0.0)
    if method == "cubic":
        return lambda t: _keys(np.abs(t), cubic)
    reach = REACH[method]
    return lambda t: np.where(np.abs(t) < reach, np.sinc(t) * np.sinc(t / reach), 0.0)


def _keys(t: np.ndarray, a: float) -> np.ndarray:
    """Two cubics that meet at 1 and end at 2 (Keys 1981); a = -1/2 reproduces parabolas."""
    near = ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0
    far = ((a * t - 5.0 * a) * t + 8.0 * a) * t - 4.0 * a
    return np.where(t <= 1.0, near, np.where(t < 2.0, far, 0.0))


def depth_to_space(x: Any, block: int) -> Tensor:
    """Channels laid out as places: (batch, height, width, block^2 * c) to (batch, height * block, width * block, c), in
    the order (row, column, channel) (Shi 2016; also called pixel shuffle).

    Raises `ShapeError` where the channels do not divide.
    """
    tensor, b = asarray(x), as_int("depth_to_space", "block", block, 1)
    if tensor.ndim != 4 or tensor.shape[-1] % (b * b):
        raise ShapeError(f"depth_to_space: x must be (batch, height, width, channels), channels a multiple of block^2; "
                         f"got {tensor.shape}, block {b}. Choose a block that divides")  # fmt: skip
    n, h, w, c = tensor.shape
    parts = transpose(reshape(tensor, (n, h, w, b, b, c // (b * b))), (0, 1, 3, 2, 4, 5))
    return reshape(parts, (n, h * b, w * b, c // (b * b)))


def space_to_depth(x: Any, block: int) -> Tensor:
    """Places laid out as channels: the inverse of `depth_to_space`. Raises `ShapeError` where the places do not
    divide."""
    tensor, b = asarray(x), as_int("space_to_depth", "block", block, 1)
    if tensor.ndim != 4 or tensor.shape[1] % b or tensor.shape[2] % b:
        raise ShapeError("space_to_depth: x must be (batch, height, width, channels), both sizes multiples of block; "
                         f"got {tensor.shape}, block {b}. Choose a block that divides")  # fmt: skip
    n, h, w, c = tensor.shape
    parts = transpose(reshape(tensor, (n, h // b, b, w // b, b, c)), (0, 1, 3, 2, 4, 5))
    return reshape(parts, (n, h // b, w // b, b * b * c))
