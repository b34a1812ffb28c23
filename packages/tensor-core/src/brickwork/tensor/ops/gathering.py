"""Elements by position: ops that gather, and the ops that put back, which are their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import DEFAULT_FLOAT
from ..errors import DTypeError, ShapeError
from ..op import OPS, Opaque, Spec, register
from ..placing import sums_at
from ..spec import Shape, as_int, broadcast_shapes, normalize_axis
from ..tensor import Tensor, asarray, beside
from ..trace import bind
from .creation import arange, iota, zeros_like
from .elementwise import astype
from .movement import broadcast_to, reshape

__all__ = ["one_hot", "take", "take_along_axis"]


def _integers(who: str, *indices: Spec) -> None:
    for k in indices:
        if k.dtype.kind not in "iu":
            raise DTypeError(f"{who}: indices must be integers; got {k.dtype}. Cast with astype('int64')")


# along one axis, by one array: out[..., i, ...] = x[..., indices[i], ...]
def _infer_take(x: Spec, indices: Spec, *, axis: int) -> Spec:
    _integers("take", indices)
    return Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)


def _take_rule(i: int, g: Any, out: Any, x: Any, indices: Any, *, axis: int) -> Any:
    return bind(_scatter_add, (g, indices), {"axis": axis, "size": x.shape[axis]}) if i == 0 else None


def _infer_scatter(g: Spec, indices: Spec, *, axis: int, size: int) -> Spec:
    return Spec((*g.shape[:axis], size, *g.shape[axis + indices.ndim :]), g.dtype)


def _eval_scatter(xp: Any, g: Any, indices: Any, *, axis: int, size: int) -> Any:
    lead = [xp.arange(n).reshape((-1,) + (1,) * (axis - a - 1 + indices.ndim)) for a, n in enumerate(g.shape[:axis])]
    return sums_at(xp, (*g.shape[:axis], size, *g.shape[axis + indices.ndim :]), g, [*lead, indices])


def _scatter_rule(i: int, g: Any, out: Any, x: Any, indices: Any, *, axis: int, size: int) -> Any:
    return bind(_take, (g, indices), {"axis": axis}) if i == 0 else None


_take = register(Opaque("take", _infer_take, lambda xp, x, indices, axis: xp.take(x, indices, axis=axis), _take_rule))
_scatter_add = register(Opaque("scatter_add", _infer_scatter, _eval_scatter, _scatter_rule))


# by several arrays that broadcast, one for each of the first axes: out[i...] = x[a[i...], b[i...], ...]
def _infer_gather(x: Spec, *indices: Spec) -> Spec:
    _integers("gather_nd", *indices)
    if len(indices) > x.ndim:
        raise ShapeError(f"gather_nd: at most {x.ndim} arrays of indices for {x}; got {len(indices)}")
    return Spec((*broadcast_shapes("index", *(k.shape for k in indices)), *x.shape[len(indices) :]), x.dtype)


def _gather_rule(i: int, g: Any, out: Any, x: Any, *indices: Any) -> Any:
    return bind(scatter_nd_op, (g, *indices), {"sizes": x.shape[: len(indices)]}) if i == 0 else None


def _infer_scatter_nd(g: Spec, *indices: Spec, sizes: Shape) -> Spec:
    _integers("scatter_nd", *indices)
    lead = len(broadcast_shapes("index", *(k.shape for k in indices)))
    return Spec((*sizes, *g.shape[lead:]), g.dtype)


def _eval_scatter_nd(xp: Any, g: Any, *indices: Any, sizes: Any) -> Any:
    lead = len(np.broadcast_shapes(*(k.shape for k in indices)))
    return sums_at(xp, (*sizes, *g.shape[lead:]), g, indices)


def _scatter_nd_rule(i: int, g: Any, out: Any, x: Any, *indices: Any, sizes: Any) -> Any:
    return bind(gather_nd_op, (g, *indices)) if i == 0 else None


gather_nd_op = register(Opaque("gather_nd", _infer_gather, lambda xp, x, *indices: x[indices], _gather_rule))
scatter_nd_op = register(Opaque("scatter_nd", _infer_scatter_nd, _eval_scatter_nd, _scatter_nd_rule))


# x with other values at the places that indices name; of several values for one place the last stays
def _infer_put(x: Spec, value: Spec, *indices: Spec) -> Spec:
    _integers("put", *indices)
    places = Spec((*broadcast_shapes("index", *(k.shape for k in indices)), *x.shape[len(indices) :]), x.dtype)
    if value.shape != places.shape or value.dtype != x.dtype:
        raise ShapeError(f"put: the value must be of the places; got {value} for {places}. Broadcast and cast it")
    return x


def _eval_put(xp: Any, x: Any, value: Any, *indices: Any) -> Any:
    out = x.copy()
    out[indices] = value
    return out


def _put_rule(i: int, g: Any, out: Any, x: Any, value: Any, *indices: Any) -> Any:
    if i == 0:
        return bind(put_op, (g, zeros_like(value), *indices))
    if i > 1:
        return None
    # the values that stayed: those whose number is read back from their place
    lead = value.ndim - (x.ndim - len(indices))
    numbers = iota(value.shape[:lead])
    board = broadcast_to(beside(asarray(np.int64(-1)), x), x.shape[: len(indices)])
    stayed = bind(gather_nd_op, (bind(put_op, (board, beside(numbers, x), *indices)), *indices)) == numbers
    kept = reshape(stayed, (*stayed.shape, *(1,) * (value.ndim - lead)))
    return bind(OPS["where"], (kept, bind(gather_nd_op, (g, *indices)), 0.0))


put_op = register(Opaque("put", _infer_put, _eval_put, _put_rule))


# along one axis, by an array of as many axes: out[i, j] = x[indices[i, j], j]
def _infer_along(x: Spec, indices: Spec, *, axis: int) -> Spec:
    _integers("take_along_axis", indices)
    wanted = (*x.shape[:axis], indices.shape[axis] if indices.ndim == x.ndim else None, *x.shape[axis + 1 :])
    if indices.shape != wanted:
        raise ShapeError(f"take_along_axis: shapes must agree but for axis {axis}; got {x.shape}, {indices.shape}")
    return Spec(indices.shape, x.dtype)


def _along_rule(i: int, g: Any, out: Any, x: Any, indices: Any, *, axis: int) -> Any:
    return bind(add_along_axis_op, (g, indices), {"axis": axis, "size": x.shape[axis]}) if i == 0 else None


def _infer_add_along(g: Spec, indices: Spec, *, axis: int, size: Any) -> Spec:
    _integers("add_along_axis", indices)
    return Spec((*g.shape[:axis], size, *g.shape[axis + 1 :]), g.dtype)


def _eval_add_along(xp: Any, g: Any, indices: Any, *, axis: int, size: int) -> Any:
    keys = [xp.arange(n).reshape((-1,) + (1,) * (g.ndim - a - 1)) for a, n in enumerate(g.shape)]
    every = [indices if a == axis else k for a, k in enumerate(keys)]
    return sums_at(xp, (*g.shape[:axis], size, *g.shape[axis + 1 :]), g, every)


def _add_along_rule(i: int, g: Any, out: Any, x: Any, indices: Any, *, axis: int, size: Any) -> Any:
    return bind(take_along_axis_op, (g, indices), {"axis": axis}) if i == 0 else None


take_along_axis_op = register(
    Opaque(
        "take_along_axis",
        _infer_along,
        lambda xp, x, indices, axis: xp.take_along_axis(x, indices, axis=axis),
        _along_rule,
    )
)
add_along_axis_op = register(Opaque("add_along_axis", _infer_add_along, _eval_add_along, _add_along_rule))


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Elements by position along an axis: ``out[..., i, ...] = x[..., indices[i], ...]``. The axis may
    be left out where there is one only. Raises `ShapeError` out of range."""
    tensor = asarray(x)
    if axis is None:
        if tensor.ndim != 1:
            raise ShapeError(
                f"take: axis must be named unless there is one only; got None for {tensor.shape}. "
                "Pass axis=, or flatten it"
            )
        axis = 0
    places = indices if isinstance(indices, Tensor) else beside(asarray(indices), tensor)
    return bind(_take, (tensor, asarray(places)), {"axis": normalize_axis("take", axis, tensor.ndim)})


def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Tensor:
    """Elements by position along an axis, other ones in each row: ``out[i, j] = x[i, indices[i, j]]`` for the last.

    ``indices``: integers, with as many axes as ``x``; their other sizes broadcast with those of ``x``.
    Raises `ShapeError` out of range, `DTypeError` for what are no integers.
    """
    tensor = asarray(x)
    places = indices if isinstance(indices, Tensor) else beside(asarray(indices), tensor)
    where = normalize_axis("take_along_axis", axis, tensor.ndim)
    if places.ndim != tensor.ndim:
        raise ShapeError(
            f"take_along_axis: indices must have {tensor.ndim} axes; got {places.shape} for {tensor.shape}. "
            "Add axes of size 1"
        )
    rest = [tuple(n for a, n in enumerate(t.shape) if a != where) for t in (tensor, places)]
    common = broadcast_shapes("take_along_axis", *rest)
    wide, picked = (broadcast_to(t, (*common[:where], t.shape[where], *common[where:])) for t in (tensor, places))
    return bind(take_along_axis_op, (wide, picked), {"axis": where})


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
