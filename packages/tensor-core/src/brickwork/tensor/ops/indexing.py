"""Indexing: basic keys are movement; arrays of indices gather, and their gradient scatters."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from ..dim import Dim
from ..dtypes import DEFAULT_FLOAT
from ..errors import DTypeError, ShapeError
from ..op import OPS, Composite, Opaque, Spec, register
from ..spec import as_int, normalize_axis
from ..tensor import Tensor, asarray, beside
from ..trace import bind
from .creation import arange, iota, size_of
from .elementwise import astype
from .movement import reshape

__all__ = ["argmax", "argmin", "getitem", "one_hot", "take"]


def _infer_take(x: Spec, indices: Spec, *, axis: int) -> Spec:
    if indices.dtype.kind not in "iu":
        raise DTypeError(f"take: indices must be integers; got {indices.dtype}. Cast with astype('int64')")
    return Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)


def _take_rule(i: int, g: Any, out: Any, x: Any, indices: Any, *, axis: int) -> Any:
    return bind(_scatter_add, (g, indices), {"axis": axis, "size": x.shape[axis]}) if i == 0 else None


def _infer_scatter(g: Spec, indices: Spec, *, axis: int, size: int) -> Spec:
    return Spec((*g.shape[:axis], size, *g.shape[axis + indices.ndim :]), g.dtype)


def _eval_scatter(xp: Any, g: Any, indices: Any, *, axis: int, size: int) -> Any:
    out = xp.zeros((*g.shape[:axis], size, *g.shape[axis + indices.ndim :]), g.dtype)
    xp.add.at(out, (slice(None),) * axis + (indices,), g)
    return out


def _scatter_rule(i: int, g: Any, out: Any, x: Any, indices: Any, *, axis: int, size: int) -> Any:
    return bind(_take, (g, indices), {"axis": axis}) if i == 0 else None


_take = register(Opaque("take", _infer_take, lambda xp, x, indices, axis: xp.take(x, indices, axis=axis), _take_rule))
_scatter_add = register(Opaque("scatter_add", _infer_scatter, _eval_scatter, _scatter_rule))


def _first_where_best(combine: str) -> Any:
    """Position of the extreme: the least index among the elements that equal it (or are NaN, which wins as in
    NumPy)."""

    def body(x: Tensor, *, axis: int) -> Tensor:
        n = x.shape[axis]
        if isinstance(n, int) and n == 0:
            raise ShapeError(f"arg{combine}: axis {axis} must not be empty; got {x.shape}")
        places = iota(tuple(n if a == axis else 1 for a in range(x.ndim)))
        best = bind(OPS[combine], (x,), {"axis": (axis,), "keepdims": True})
        hit = (x == best) | (x != x)
        beyond = n if isinstance(n, int) else size_of(n, np.int64)
        return bind(OPS["min"], (bind(OPS["where"], (hit, places, beyond)),), {"axis": (axis,), "keepdims": False})

    return body


_argmax = register(Composite("argmax", _first_where_best("max"), lambda *_, **__: None))
_argmin = register(Composite("argmin", _first_where_best("min"), lambda *_, **__: None))


def take(x: Any, indices: Any, axis: int = 0) -> Tensor:
    """Elements by position along an axis: ``out[..., i, ...] = x[..., indices[i], ...]``. Raises `ShapeError` out
    of range."""
    tensor = asarray(x)
    places = indices if isinstance(indices, Tensor) else beside(asarray(indices), tensor)
    return bind(_take, (tensor, asarray(places)), {"axis": normalize_axis("take", axis, tensor.ndim)})


def argmax(x: Any, axis: int = -1) -> Tensor:
    """The position of the greatest element along an axis, the first of equals; int64."""
    tensor = asarray(x)
    return bind(_argmax, (tensor,), {"axis": normalize_axis("argmax", axis, tensor.ndim)})


def argmin(x: Any, axis: int = -1) -> Tensor:
    """The position of the least element along an axis, the first of equals; int64."""
    tensor = asarray(x)
    return bind(_argmin, (tensor,), {"axis": normalize_axis("argmin", axis, tensor.ndim)})


def one_hot(indices: Any, classes: int, dtype: Any = DEFAULT_FLOAT) -> Tensor:
    """A last axis of ``classes``: 1 at the index, else 0. Indices out of range give a row of zeros.

    Raises `DTypeError` unless the indices are integers.
    """
    positions, count = asarray(indices), as_int("one_hot", "the number of classes", classes, 0)
    if positions.dtype.kind not in "iu":
        raise DTypeError(f"one_hot: indices must be integers; got {positions.dtype}. Cast with astype('int64')")
    columns = beside(arange(count), positions)
    hit = bind(OPS["equal"], (reshape(positions, (*positions.shape, 1)), columns))
    return astype(hit, dtype)


def getitem(x: Any, key: Any) -> Tensor:
    """``x[key]`` for integers, slices, ``...``, None, or one array of integers or booleans in the first place."""
    tensor = asarray(x)
    keys = list(key) if isinstance(key, tuple) else [key]
    if any(isinstance(k, (Tensor, np.ndarray, list)) for k in keys):
        return _advanced(tensor, keys)
    if sum(k is Ellipsis for k in keys) > 1:
        raise ShapeError(f"index: at most one ellipsis; got {key}")
    if Ellipsis not in keys:
        keys.append(Ellipsis)
    at = keys.index(Ellipsis)
    used = sum(k is not None for k in keys) - 1
    if used > tensor.ndim:
        raise ShapeError(f"index: at most {tensor.ndim} indices for shape {tensor.shape}; got {used}")
    keys[at : at + 1] = [slice(None)] * (tensor.ndim - used)
    return _basic(tensor, keys)


def _basic(x: Tensor, keys: list[Any]) -> Tensor:
    start, size, step, shape = [], [], [], []
    axis = 0
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        n = x.shape[axis]
        if isinstance(k, slice):
            b, count, s = _slice_of(k, n, axis)
            shape.append(count)
        else:
            b, count, s = _place_of(k, n, axis), 1, 1
        start.append(b)
        size.append(count)
        step.append(s)
        axis += 1
    whole = tuple(size) == x.shape and not any(start) and set(step) <= {1}
    out = x if whole else bind(OPS["slice"], (x,), {"start": tuple(start), "size": tuple(size), "step": tuple(step)})
    return reshape(out, tuple(shape))


def _slice_of(k: slice, n: Any, axis: int) -> tuple[Any, Any, int]:
    if isinstance(n, Dim):
        if k == slice(None):
            return 0, n, 1
        if k.step in (None, 1) and (k.stop is None or isinstance(k.stop, Dim)) and (k.start or 0) >= 0:
            return k.start or 0, (n if k.stop is None else k.stop) - (k.start or 0), 1
        raise ShapeError(
            f"index: a slice of the symbolic axis {axis} must be [start:]; got {k}. Compile for a fixed batch size"
        )
    try:
        b, e, s = k.indices(n)
    except (TypeError, ValueError):
        raise ShapeError(f"index: a slice must be of integers, with a step that is not 0; got {k}") from None
    return b, len(range(b, e, s)), s


def _place_of(k: Any, n: Any, axis: int) -> Any:
    if isinstance(k, (bool, np.bool_)) or not hasattr(type(k), "__index__"):
        raise ShapeError(f"index: must be integers, slices, None, ... or arrays; got {k!r} at axis {axis}")
    place = index(k)
    if isinstance(n, Dim):
        return place if place >= 0 else n + place
    if not -n <= place < n:
        raise ShapeError(f"index: must be in [{-n}, {n}) on axis {axis}; got {place}")
    return place % n


def _advanced(x: Tensor, keys: list[Any]) -> Tensor:
    if len(keys) != 1:
        raise ShapeError("index: an array of indices must stand alone; got it beside other keys. Index in two steps")
    k = keys[0]
    picked = k if isinstance(k, Tensor) else beside(asarray(k, np.int64 if isinstance(k, list) and not k else None), x)
    if picked.dtype.kind == "b":
        mask = picked.numpy()
        if mask.shape != x.shape[: mask.ndim]:
            raise ShapeError(f"index: a mask must have the shape of the leading axes; got {mask.shape} for {x.shape}")
        flat = reshape(x, (mask.size, *x.shape[mask.ndim :]))
        return take(flat, np.flatnonzero(mask), 0)
    return take(x, picked, 0)
