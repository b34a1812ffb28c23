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
        if "cubic" not in mode:  # whose taps are brought back one by one, as PyTorch and onnxruntime do
            at = _bounded(at, n, padding_mode, align_corners)
        taps.append(_TAPS[mode](at))
    pixels = _pixels(x)
    first = bt.reshape(bt.iota((x.shape[0],)) * prod(sizes), (-1, *(1,) * len(sizes)))
    out: Any = 0
    for corner in product(*taps):
        weight: Any = 1
        flat: Any = 0
        for (at, share), n in zip(corner, sizes, strict=True):
            inside = (at >= 0) & (at <= n - 1)
            weight = weight * (bt.where(inside, share, 0) if padding_mode == "zeros" else share)
            bounded = bt.clip(_bounded(at, n, padding_mode, align_corners), 0, n - 1)
            flat = flat * n + bt.round(bounded).astype("int64")
        out = out + bt.take(pixels, flat + first, 0) * bt.expand_dims(weight, -1)
    return bt.moveaxis(out, -1, 1).astype(x.dtype)


def _pixels(x: Tensor) -> Tensor:
    """The pixels of all images (batch, channels, *space) as rows of channels."""
    return bt.reshape(bt.moveaxis(x, 1, -1), (-1, x.shape[1]))


# regions
_ROI_SETTINGS = "mode output_height output_width sampling_ratio spatial_scale"


@translator("RoiAlign", 10, eager=True, others=_ROI_SETTINGS)
def roi_align_before_16(x: Tensor, rois: Tensor, batches: Tensor, **settings: Any) -> Tensor:
    return roi_align(x, rois, batches, coordinate_transformation_mode="output_half_pixel", **settings)


@translator("RoiAlign", 16, eager=True)
def roi_align(
    x: Tensor,
    rois: Tensor,
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
    2017). Without a ``sampling_ratio`` a cell has as many samples as pixels, which takes the numbers of the regions."""
    by_half = coordinate_transformation_mode == "half_pixel"
    corners = rois.astype(x.dtype) * spatial_scale - (0.5 if by_half else 0.0)
    extents = corners[:, 2:] - corners[:, :2]
    extents = extents if by_half else bt.maximum(extents, 1.0)
    height, width = x.shape[2:]
    rows = _samples(corners[:, 1], extents[:, 1], output_height, sampling_ratio, height)
    columns = _samples(corners[:, 0], extents[:, 0], output_width, sampling_ratio, width)
    pixels, first = _pixels(x), bt.reshape(batches * height, (-1, 1, 1, 1, 1))
    parts = []
    for down, right in product((0, 1), (0, 1)):
        flat = (first + _high(rows.near[down])) * width + _wide(columns.near[right])
        share = _high(rows.share[down]) * _wide(columns.share[right])
        parts.append(bt.take(pixels, flat, 0) * bt.expand_dims(share, -1))
    counted = _high(rows.counted) & _wide(columns.counted)
    within = bt.expand_dims(counted, -1)
    if mode == "max":
        best = bt.maximum(bt.maximum(parts[0], parts[1]), bt.maximum(parts[2], parts[3]))
        out = bt.max(bt.where(within, best, -np.inf), (2, 4))
    else:
        total = bt.where(within, parts[0] + parts[1] + parts[2] + parts[3], 0)
        count = bt.maximum(bt.sum(counted.astype(x.dtype), (2, 4)), 1)
        out = bt.sum(total, (2, 4)) / bt.expand_dims(count, -1)
    return bt.moveaxis(out, -1, 1).astype(x.dtype)


def _high(x: Tensor) -> Tensor:
    """(region, cell, sample) as rows of (region, row, sample, column, sample)."""
    return bt.reshape(x, (*x.shape, 1, 1))


def _wide(x: Tensor) -> Tensor:
    """(region, cell, sample) as columns of it."""
    return bt.reshape(x, (x.shape[0], 1, 1, *x.shape[1:]))


@dataclass(frozen=True, slots=True)
class Samples:
    """Where samples of regions lie on one axis, each (region, cell, sample): ``near``, the pixels before and after,
    their ``share``, and whether it is ``counted``, since regions have samples of their own number."""

    near: tuple[Tensor, Tensor]
    share: tuple[Tensor, Tensor]
    counted: Tensor


def _samples(starts: Tensor, extents: Tensor, cells: int, ratio: int, n: int) -> Samples:
    starts, extents = bt.reshape(starts, (-1, 1, 1)), bt.reshape(extents, (-1, 1, 1))
    count: Any = ratio if ratio > 0 else bt.ceil(extents / cells)
    most = ratio if ratio > 0 else max(1, int(count.numpy().max(initial=1)))
    each: Any = ratio if ratio > 0 else bt.maximum(count, 1)
    cell, sample = np.arange(cells).reshape(1, -1, 1), np.arange(most).reshape(1, 1, -1)
    steps = bt.asarray((sample + 0.5).astype(starts.dtype)) / each
    at = starts + (bt.asarray(cell.astype(starts.dtype)) + steps) * (extents / cells)
    inside = (at >= -1) & (at <= n)
    at = bt.clip(at, 0, n - 1)
    low = bt.floor(at)
    after = bt.where(inside, at - low, 0)
    before = bt.where(inside, 1 - (at - low), 0)
    near = low.astype("int64"), bt.minimum(low + 1, n - 1).astype("int64")
    return Samples(near, (before, after), bt.broadcast_to(bt.asarray(sample) < count, at.shape))


@translator("MaxRoiPool", eager=True)
def max_roi_pool(x: Tensor, rois: Tensor, *, pooled_shape: Sequence[int], spatial_scale: float = 1.0) -> Tensor:
    """The greatest pixel of each cell of each region (batch, x1, y1, x2, y2), of whole pixels (Girshick 2015)."""
    out = []
    for batch, *corners in rois.numpy():
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


@translator("NonMaxSuppression", 10, eager=True)
def non_max_suppression(
    boxes: Tensor,
    scores: Tensor,
    most: Tensor | None = None,
    iou: Tensor | None = None,
    least: Tensor | None = None,
    *,
    center_point_box: int = 0,
) -> Tensor:
    """(batch, class, box) of the best boxes, without those that overlap a better one of their class by more than
    ``iou``. Scores must be above ``least``."""
    limit = 0 if most is None else int(most.numpy().reshape(-1)[0])
    overlap = 0.0 if iou is None else float(iou.numpy().reshape(-1)[0])
    floor = None if least is None else float(least.numpy().reshape(-1)[0])
    places, marks = boxes.numpy(), scores.numpy()
    picked = [
        (batch, kind, box)
        for batch, kind in np.ndindex(*marks.shape[:2])
        for box in _best(_corners(places[batch], center_point_box), marks[batch, kind], limit, overlap, floor)
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
