"""Elements by position: slices, gathering and scattering, padding, masks and sets."""

from __future__ import annotations

from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor

from ..errors import ModelError, UnsupportedError
from ..registry import translator


def _ints(values: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in np.asarray(values).reshape(-1))


# slices
@translator("Slice", moves=True)
def slice_by_attribute(x: Tensor, *, starts: Any, ends: Any, axes: Any = None) -> Tensor:
    return slice_(x, starts, ends, axes)


@translator("Slice", 10, static="starts ends axes steps", moves=True)
def slice_(x: Tensor, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Tensor:
    """As Python slices: positions beyond the ends count as the ends."""
    first, last = _ints(starts), _ints(ends)
    along = range(len(first)) if axes is None else _ints(axes)
    by = (1,) * len(first) if steps is None else _ints(steps)
    keys = [slice(None)] * x.ndim
    for a, start, end, step in zip(along, first, last, by, strict=True):
        n, begin = x.shape[a], start
        if step < 0 and isinstance(n, int):  # Python counts an end below the first place from the other end
            begin = min(start + n if start < 0 else start, n - 1)
            stop = end + n if end < 0 else end
            keys[a] = slice(0, 0) if begin < 0 else slice(begin, None if stop < 0 else stop, step)
        else:
            keys[a] = slice(begin, end, step)
    return x[tuple(keys)]


@translator("Trilu", 14, static="k")
def trilu(x: Tensor, k: Any = None, *, upper: int = 1) -> Tensor:
    offset = 0 if k is None else int(np.asarray(k).reshape(()))
    return bt.triu(x, k=offset) if upper else bt.tril(x, k=offset)


@translator("CenterCropPad", 18, static="shape")
def center_crop_pad(x: Tensor, shape: Any, *, axes: Any = None) -> Tensor:
    """The middle of what is too large; zeros around what is too small, one more after than before where odd."""
    keys, pads = [slice(None)] * x.ndim, [(0, 0)] * x.ndim
    for a, size in zip(range(x.ndim) if axes is None else axes, _ints(shape), strict=True):
        n = x.shape[a]
        if n > size:
            keys[a] = slice((n - size) // 2, (n - size) // 2 + size)
        else:
            pads[a] = ((size - n) // 2, size - n - (size - n) // 2)
    return bt.pad(x[tuple(keys)], pads)


# padding
@translator("Pad")
def pad_first(x: Tensor, *, paddings: Any, mode: str = "constant", value: float = 0.0) -> Tensor:
    return pad_by_attribute(x, pads=paddings, mode=mode, value=value)


@translator("Pad", 2)
def pad_by_attribute(x: Tensor, *, pads: Any, mode: str = "constant", value: float = 0.0) -> Tensor:
    return pad(x, pads, value, mode=mode)


@translator("Pad", 11, static="pads axes")
def pad(x: Tensor, pads: Any, constant_value: Any = None, axes: Any = None, *, mode: str = "constant") -> Tensor:
    """``pads``: first those before each axis, then those after; those below 0 cut off."""
    along = range(x.ndim) if axes is None else _ints(axes)
    given = _ints(pads)
    widths = [(0, 0)] * x.ndim
    for a, before, after in zip(along, given[: len(given) // 2], given[len(given) // 2 :], strict=True):
        widths[a] = (before, after)
    cut = tuple(slice(max(-b, 0), n - max(-a, 0)) for (b, a), n in zip(widths, x.shape, strict=True))
    x, widths = x[cut], [(max(b, 0), max(a, 0)) for b, a in widths]
    if mode == "constant":
        return _surrounded(x, widths, constant_value)
    if mode not in ("reflect", "edge", "wrap"):
        raise UnsupportedError(f"Pad: the mode is constant, reflect, edge or wrap; got {mode!r}")
    for a, (before, after) in enumerate(widths):
        if before or after:
            x = bt.take(x, np.pad(np.arange(x.shape[a]), (before, after), mode), a)
    return x


def _surrounded(x: Tensor, widths: list[tuple[int, int]], value: Any) -> Tensor:
    if value is None or not isinstance(value, Tensor):
        return bt.pad(x, widths, value or 0)
    if not value.symbolic:
        return bt.pad(x, widths, value.numpy().reshape(()).item())
    inside = bt.pad(bt.ones(x.shape, bool), widths, False)
    return bt.where(inside, bt.pad(x, widths), bt.reshape(value, ()))


# gathering
@translator("Gather", moves=True)
def gather(x: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    return bt.take(x, indices, axis)


@translator("GatherElements", 11, moves=True)
def gather_elements(x: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    return x[_grid(x, indices, axis)]


@translator("GatherND", 11, moves=True)
def gather_nd(x: Tensor, indices: Tensor, *, batch_dims: int = 0) -> Tensor:
    lead = indices.shape[:-1]
    batch = [_counted(a, n, len(lead)) for a, n in enumerate(lead[:batch_dims])]
    return x[(*batch, *(indices[..., k] for k in range(indices.shape[-1])))]


def _counted(axis: int, n: Any, ndim: int) -> Tensor:
    """0, 1, ... along one of several axes."""
    return bt.reshape(bt.iota((n,)), tuple(n if a == axis else 1 for a in range(ndim)))


def _grid(x: Tensor, indices: Tensor, axis: int) -> tuple[Tensor, ...]:
    """The positions in x: ``indices`` along one axis, their own along the others."""
    own = axis % x.ndim
    places = bt.where(indices < 0, indices + x.shape[own], indices)
    return tuple(places if a == own else _counted(a, n, x.ndim) for a, n in enumerate(indices.shape))


@translator("Compress", 9, static="condition", moves=True)
def compress(x: Tensor, condition: Any, *, axis: int | None = None) -> Tensor:
    values = bt.reshape(x, (-1,)) if axis is None else x
    return bt.take(values, np.flatnonzero(condition), 0 if axis is None else axis)


@translator("ReverseSequence", 10, moves=True)
def reverse_sequence(x: Tensor, sequence_lens: Tensor, *, batch_axis: int = 1, time_axis: int = 0) -> Tensor:
    """The first so many steps of each row of the batch in reverse, the others as they are."""
    along = [1] * x.ndim
    along[batch_axis] = x.shape[batch_axis]
    count = bt.reshape(sequence_lens, along)
    step = _counted(time_axis % x.ndim, x.shape[time_axis], x.ndim)
    places = bt.where(step < count, count - 1 - step, step)
    others = [_counted(a, n, x.ndim) for a, n in enumerate(x.shape)]
    return x[tuple(places if a == time_axis % x.ndim else k for a, k in enumerate(others))]


# scattering
_MODES = {"none": "set", "add": "add", "mul": "multiply", "min": "min", "max": "max"}


def _scattered(x: Tensor, key: Any, updates: Tensor, reduction: str) -> Tensor:
    if reduction not in _MODES:
        raise ModelError(f"Scatter: the reduction is one of {', '.join(_MODES)}; got {reduction!r}")
    return getattr(x.at[key], _MODES[reduction])(updates)


@translator("Scatter", 9)
@translator("ScatterElements", 11)
def scatter_elements(x: Tensor, indices: Tensor, updates: Tensor, *, axis: int = 0, reduction: str = "none") -> Tensor:
    return _scattered(x, _grid(x, indices, axis), updates, reduction)


@translator("ScatterND", 11)
def scatter_nd(x: Tensor, indices: Tensor, updates: Tensor, *, reduction: str = "none") -> Tensor:
    return _scattered(x, tuple(indices[..., k] for k in range(indices.shape[-1])), updates, reduction)


@translator("OneHot", 9, static="depth")
def one_hot(indices: Tensor, depth: Any, values: Tensor, *, axis: int = -1) -> Tensor:
    """``values``: what stands elsewhere, and what at the index; one that is out of range stands nowhere."""
    count = int(np.asarray(depth).reshape(()))
    places = indices.astype("int64")
    places = bt.expand_dims(bt.where(places < 0, places + count, places), axis)
    ndim = places.ndim
    hot = places == _counted(axis % ndim, count, ndim)
    return bt.where(hot, values[1], values[0])


# what only the numbers tell
@translator("NonZero", 9, eager=True)
def non_zero(x: Tensor) -> Tensor:
    if x.ndim == 0:
        return bt.zeros((0, int(x.numpy() != 0)), "int64")
    return bt.stack(bt.nonzero(x)).astype("int64")


@translator("Unique", 11, eager=True)
def unique(x: Tensor, *, axis: int | None = None, sorted: int = 1) -> tuple[Tensor, ...]:
    """The distinct values (or slices along an axis), where each stands first, which of them each is, and their counts;
    sorted, or in the order in which they come."""
    values = bt.reshape(x, (-1,)) if axis is None else x
    along = 0 if axis is None else axis
    _, first, inverse, counts = np.unique(
        values.numpy(), return_index=True, return_inverse=True, return_counts=True, axis=along
    )
    if not sorted:
        order = np.argsort(first, kind="stable")
        rank = np.argsort(order, kind="stable")
        first, inverse, counts = first[order], rank[inverse], counts[order]
    places = (bt.asarray(np.asarray(v, "int64").reshape(-1)) for v in (first, inverse, counts))
    return bt.take(values, np.asarray(first, "int64"), along), *places
