"""Images read at positions of one's own: grids and regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor

from ..errors import ModelError
from ..registry import translator

SLOPE = -0.75
"""Of the cubic kernel."""


def _reflected(x: Tensor, low: float, high: float) -> Tensor:
    """Turned back at the ends as often as it takes."""
    span = high - low
    if span == 0:
        return x * 0 + low
    beyond = bt.abs(x - low) % (2 * span)
    return low + bt.minimum(beyond, 2 * span - beyond)


def _bounded(x: Tensor, n: int, padding: str, align_corners: int) -> Tensor:
    """A position on an axis of size n, brought to where there is something unless zeros are around."""
    if padding == "border":
        return bt.clip(x, 0, n - 1)
    if padding == "reflection":
        low, high = (0.0, n - 1.0) if align_corners else (-0.5, n - 0.5)
        return _reflected(x, low, high)
    return x


def _linear_taps(x: Tensor) -> list[tuple[Tensor, Tensor]]:
    low = bt.floor(x)
    return [(low, 1 - (x - low)), (low + 1, x - low)]


def _cubic_taps(x: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Four neighbours by Keys's kernel (1981)."""
    low = bt.floor(x)
    t = x - low

    def inner(d: Tensor) -> Tensor:
        return ((SLOPE + 2) * d - (SLOPE + 3)) * d * d + 1

    def outer(d: Tensor) -> Tensor:
        return ((SLOPE * d - 5 * SLOPE) * d + 8 * SLOPE) * d - 4 * SLOPE

    weights = (outer(t + 1), inner(t), inner(1 - t), outer(2 - t))
    return [(low + k - 1, w) for k, w in enumerate(weights)]


def _nearest_taps(x: Tensor) -> list[tuple[Tensor, Tensor]]:
    return [(bt.round(x), x * 0 + 1)]


_TAPS = {
    "linear": _linear_taps,
    "bilinear": _linear_taps,
    "cubic": _cubic_taps,
    "bicubic": _cubic_taps,
    "nearest": _nearest_taps,
}


@translator("GridSample", 16)
def grid_sample(
    x: Tensor, grid: Tensor, *, align_corners: int = 0, mode: str = "linear", padding_mode: str = "zeros"
) -> Tensor:
    """x (batch, channels, *space) at positions (batch, *places, axes), -1 and 1 being the ends, the last axis first."""
    if mode not in _TAPS or padding_mode not in ("zeros", "border", "reflection"):
        raise ModelError(
            f"GridSample: the mode is one of {', '.join(_TAPS)}, the padding zeros, border or reflection; "
            f"got {mode!r}, {padding_mode!r}"
        )
    sizes = x.shape[2:]
    grid = grid.astype(x.dtype)
    taps = []
    for d, n in enumerate(sizes):
        share = grid[..., len(sizes) - 1 - d]
        at = (share + 1) / 2 * (n - 1) if align_corners else ((share + 1) * n - 1) / 2
        taps.append(_TAPS[mode](_bounded(at, n, padding_mode, align_corners)))
    out: Any = 0
    for corner in product(*taps):
        weight: Any = 1
        flat: Any = 0
        for (at, share), n in zip(corner, sizes, strict=True):
            inside = (at >= 0) & (at <= n - 1)
            weight = weight * (bt.where(inside, share, 0) if padding_mode == "zeros" else share)
            bounded = bt.clip(_bounded(at, n, padding_mode, align_corners), 0, n - 1)
            flat = flat * n + bt.round(bounded).astype("int64")
        out = out + _pixels(x, flat) * bt.expand_dims(weight, 1)
    return out.astype(x.dtype)


def _pixels(x: Tensor, flat: Tensor) -> Tensor:
    """Pixels of x (batch, channels, *space) by their numbers (batch, *places): (batch, channels, *places)."""
    batch, channels = x.shape[:2]
    places = flat.shape[1:]
    count = prod(places)
    numbers = bt.broadcast_to(bt.reshape(flat, (batch, 1, count)), (batch, channels, count))
    image = bt.reshape(x, (batch, channels, prod(x.shape[2:])))
    return bt.reshape(bt.take_along_axis(image, numbers, -1), (batch, channels, *places))


# regions
@translator("RoiAlign", 10, static="rois", others="mode output_height output_width sampling_ratio spatial_scale")
def roi_align_before_16(x: Tensor, rois: Any, batches: Tensor, **settings: Any) -> Tensor:
    return roi_align(x, rois, batches, coordinate_transformation_mode="output_half_pixel", **settings)


@translator("RoiAlign", 16, static="rois")
def roi_align(
    x: Tensor,
    rois: Any,
    batches: Tensor,
    *,
    coordinate_transformation_mode: str = "half_pixel",
    mode: str = "avg",
    output_height: int = 1,
    output_width: int = 1,
    sampling_ratio: int = 0,
    spatial_scale: float = 1.0,
) -> Tensor:
    """The mean (or greatest) of samples in each cell of each region (x1, y1, x2, y2), read between pixels (He et al.
    2017). Without a ``sampling_ratio`` a cell has as many samples as pixels."""
    shift = 0.5 if coordinate_transformation_mode == "half_pixel" else 0.0
    corners = np.asarray(rois, np.float64) * spatial_scale - shift
    extents = corners[:, 2:] - corners[:, :2]
    if shift == 0.0:
        extents = np.maximum(extents, 1.0)
    rows = _samples(corners[:, 1], extents[:, 1], output_height, sampling_ratio, x.shape[2])
    columns = _samples(corners[:, 0], extents[:, 0], output_width, sampling_ratio, x.shape[3])
    images = bt.take(x, batches, 0)
    flat = bt.reshape(images, (*images.shape[:2], -1))
    height, width = rows.near.shape[1:3], columns.near.shape[1:3]
    shape = (len(corners), *height, *width)
    parts = []
    for down, right in product((0, 1), (0, 1)):
        places = rows.near[..., down][:, :, :, None, None] * x.shape[3] + columns.near[..., right][:, None, None]
        weight = rows.share[..., down][:, :, :, None, None] * columns.share[..., right][:, None, None]
        numbers = np.broadcast_to(places, shape).reshape(len(corners), 1, -1)
        wide = bt.broadcast_to(bt.asarray(np.ascontiguousarray(numbers)), (*flat.shape[:2], prod(shape[1:])))
        read = bt.reshape(bt.take_along_axis(flat, wide, -1), (len(corners), x.shape[1], *shape[1:]))
        parts.append(read * bt.asarray(weight[:, None].astype(x.dtype)))
    counted = rows.counted[:, None, :, :, None, None] & columns.counted[:, None, None, None]
    if mode == "max":
        best = bt.maximum(bt.maximum(parts[0], parts[1]), bt.maximum(parts[2], parts[3]))
        return bt.max(bt.where(bt.asarray(counted), best, -np.inf), (3, 5)).astype(x.dtype)
    total = parts[0] + parts[1] + parts[2] + parts[3]
    count = np.maximum(counted.sum((3, 5)), 1)
    return bt.sum(bt.where(bt.asarray(counted), total, 0), (3, 5)) / bt.asarray(count.astype(x.dtype))


@dataclass(frozen=True, slots=True)
class Samples:
    """Where samples of regions lie on one axis: ``near``, the two pixels around each (region, cell, sample, 2), their
    ``share`` in it, and whether it is ``counted``: regions have samples of their own number."""

    near: np.ndarray
    share: np.ndarray
    counted: np.ndarray


def _samples(starts: np.ndarray, extents: np.ndarray, cells: int, ratio: int, n: int) -> Samples:
    counts = np.full(len(starts), ratio) if ratio > 0 else np.ceil(extents / cells).astype(int)
    most = max(1, int(counts.max(initial=1)))
    each = np.maximum(counts, 1)[:, None, None]
    cell, sample = np.arange(cells)[None, :, None], np.arange(most)[None, None]
    at = starts[:, None, None] + (cell + (sample + 0.5) / each) * (extents / cells)[:, None, None]
    inside = (at >= -1) & (at <= n)
    at = np.clip(at, 0, n - 1)
    low = np.floor(at)
    near = np.stack([low, np.minimum(low + 1, n - 1)], -1).astype(np.int64)
    share = np.stack([1 - (at - low), at - low], -1) * inside[..., None]
    return Samples(near, share, np.broadcast_to(sample < counts[:, None, None], at.shape))


@translator("MaxRoiPool", static="rois")
def max_roi_pool(x: Tensor, rois: Any, *, pooled_shape: Sequence[int], spatial_scale: float = 1.0) -> Tensor:
    """The greatest pixel of each cell of each region (batch, x1, y1, x2, y2), of whole pixels (Girshick 2015)."""
    out = []
    for batch, *corners in np.asarray(rois):
        left, top, right, bottom = (int(np.floor(c * spatial_scale + 0.5)) for c in corners)
        rows = _cells(top, bottom, pooled_shape[0], x.shape[2])
        columns = _cells(left, right, pooled_shape[1], x.shape[3])
        image = x[int(batch)]
        cells = [_greatest(image[:, a:b, c:d]) for (a, b), (c, d) in product(rows, columns)]
        out.append(bt.reshape(bt.stack(cells, -1), (x.shape[1], *pooled_shape)))
    return bt.stack(out) if out else bt.zeros((0, x.shape[1], *pooled_shape), x.dtype)


def _cells(first: int, last: int, count: int, n: int) -> list[tuple[int, int]]:
    """Where each cell begins and ends, within the image."""
    size = max(last - first + 1, 1) / count
    bounds = ((first + int(np.floor(k * size)), first + int(np.ceil((k + 1) * size))) for k in range(count))
    return [(min(max(a, 0), n), min(max(b, 0), n)) for a, b in bounds]


def _greatest(x: Tensor) -> Tensor:
    """Zero where there is nothing."""
    return bt.max(x, (1, 2)) if 0 not in x.shape else bt.zeros(x.shape[:1], x.dtype)


@translator("NonMaxSuppression", 10, static="boxes scores most iou least")
def non_max_suppression(
    boxes: Any, scores: Any, most: Any = None, iou: Any = None, least: Any = None, *, center_point_box: int = 0
) -> Tensor:
    """(batch, class, box) of the best boxes, without those that overlap a better one of their class by more than
    ``iou``. Scores must be above ``least``."""
    limit = 0 if most is None else int(np.asarray(most).reshape(-1)[0])
    overlap = 0.0 if iou is None else float(np.asarray(iou).reshape(-1)[0])
    floor = None if least is None else float(np.asarray(least).reshape(-1)[0])
    picked = [
        (batch, kind, box)
        for batch, kind in np.ndindex(*scores.shape[:2])
        for box in _best(_corners(boxes[batch], center_point_box), scores[batch, kind], limit, overlap, floor)
    ]
    return bt.asarray(np.array(picked, np.int64).reshape(-1, 3))


def _corners(boxes: np.ndarray, by_centre: int) -> np.ndarray:
    """(y1, x1, y2, x2), the lesser first."""
    if by_centre:
        x, y, width, height = boxes.T
        return np.stack([y - height / 2, x - width / 2, y + height / 2, x + width / 2], -1)
    one, other = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([np.minimum(one, other), np.maximum(one, other)], -1)


def _best(boxes: np.ndarray, scores: np.ndarray, limit: int, overlap: float, floor: float | None) -> list[int]:
    """Boxes in the order of their scores, each unless it overlaps one taken before."""
    taken: list[int] = []
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], -1)
    for box in np.argsort(-scores, kind="stable"):
        if len(taken) >= limit or (floor is not None and not scores[box] > floor):
            break
        near = np.maximum(boxes[taken, :2], boxes[box, :2]), np.minimum(boxes[taken, 2:], boxes[box, 2:])
        common = np.prod(np.maximum(near[1] - near[0], 0), -1)
        union = areas[taken] + areas[box] - common
        if not np.any(common > overlap * union):
            taken.append(int(box))
    return taken
