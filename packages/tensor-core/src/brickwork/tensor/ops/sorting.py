"""Order: positions of extremes, sorting, searching and counting."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..backend import module_of
from ..dtypes import class_of
from ..errors import DTypeError, ShapeError, TraceError
from ..op import OPS, Composite, Opaque, Spec, register
from ..spec import as_bool, as_int, normalize_axis
from ..tensor import Tensor, asarray, beside
from ..trace import bind
from .creation import iota, size_of
from .elementwise import astype, not_equal
from .gathering import add_along_axis_op, take, take_along_axis_op
from .movement import expand_dims, reshape
from .reduce import sum

__all__ = [
    "argmax",
    "argmin",
    "argsort",
    "count_nonzero",
    "nonzero",
    "searchsorted",
    "sort",
    "top_k",
]


def _first_where_best(combine: str) -> Any:
    """Position of the extreme: the least index among the elements that equal it (or are NaN, which wins as in
    NumPy)."""

    def body(x: Tensor, *, axis: int) -> Tensor:
        n = x.shape[axis]
        if isinstance(n, int) and n == 0:
            raise ShapeError(f"arg{combine}: axis {axis} must not be empty; got {x.shape}. Look at the size first")
        places = iota(tuple(n if a == axis else 1 for a in range(x.ndim)))
        best = bind(OPS[combine], (x,), {"axis": (axis,), "keepdims": True})
        hit = (x == best) | (x != x)
        beyond = n if isinstance(n, int) else size_of(n, np.int64)
        return bind(OPS["min"], (bind(OPS["where"], (hit, places, beyond)),), {"axis": (axis,), "keepdims": False})

    return body


_argmax = register(Composite("argmax", _first_where_best("max"), lambda *_, **__: None))
_argmin = register(Composite("argmin", _first_where_best("min"), lambda *_, **__: None))


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the greatest element along an axis (of all in order, for None), the first of equals; int64.
    Raises `ShapeError` for an empty axis."""
    return _place_of_extreme("argmax", _argmax, x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the least element along an axis (of all in order, for None), the first of equals; int64.
    Raises `ShapeError` for an empty axis."""
    return _place_of_extreme("argmin", _argmin, x, axis, keepdims)


def _place_of_extreme(who: str, op: Composite, x: Any, axis: Any, keepdims: Any) -> Tensor:
    tensor, keep = asarray(x), as_bool(who, "keepdims", keepdims)
    n = tensor.size if axis is None else tensor.shape[normalize_axis(who, axis, tensor.ndim)]
    if n == 0 and isinstance(n, int):
        raise ShapeError(f"{who}: axis {axis} must not be empty; got {tensor.shape}. Look at the size first")
    if axis is None:
        flat = bind(op, (reshape(tensor, (tensor.size,)),), {"axis": 0})
        return reshape(flat, (1,) * tensor.ndim) if keep else flat
    where = normalize_axis(who, axis, tensor.ndim)
    out = bind(op, (tensor,), {"axis": where})
    return expand_dims(out, where) if keep else out


def _eval_order(xp: Any, x: Any, *, axis: int, descending: bool) -> Any:
    """A stable order; downwards it is the order of the reversed axis, reversed, so that equals keep theirs."""
    if not descending:
        return xp.argsort(x, axis=axis, kind="stable").astype(np.int64, copy=False)
    turned = xp.argsort(xp.flip(x, axis), axis=axis, kind="stable").astype(np.int64, copy=False)
    return x.shape[axis] - 1 - xp.flip(turned, axis)


def _eval_sort(xp: Any, x: Any, *, axis: int, descending: bool) -> Any:
    out = xp.sort(x, axis=axis)  # equal values are the same in any order
    return xp.flip(out, axis) if descending else out


def _sort_rule(i: int, g: Any, out: Any, x: Any, *, axis: int, descending: bool) -> Any:
    order = bind(_argsort, (x,), {"axis": axis, "descending": descending})
    return bind(add_along_axis_op, (g, order), {"axis": axis, "size": x.shape[axis]})


def _ordered(who: str, x: Spec) -> Spec:
    if class_of(x.dtype) == "c":
        raise DTypeError(f"{who}: needs numbers that have an order; got {x.dtype}. Use abs(x) first")
    return x


_argsort = register(
    Opaque("argsort", lambda x, **_: Spec(_ordered("argsort", x).shape, np.dtype("int64")), _eval_order)
)
_sort = register(Opaque("sort", lambda x, **_: _ordered("sort", x), _eval_sort, _sort_rule))


def argsort(x: Any, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Tensor:
    """The positions that sort ``x`` along an axis, int64; equal elements keep their order. NaN counts as greatest.

    ``stable`` is taken for the standard's sake: every order here is stable. Raises `DTypeError` for complex numbers.
    """
    return bind(_argsort, *_sorting("argsort", x, axis, descending, stable))


def sort(x: Any, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in ascending (or descending) order along an axis. NaN counts as greatest.

    Raises `DTypeError` for complex numbers.
    """
    return bind(_sort, *_sorting("sort", x, axis, descending, stable))


def _sorting(who: str, x: Any, axis: Any, descending: Any, stable: Any) -> tuple[tuple[Tensor], dict[str, Any]]:
    tensor = asarray(x)
    as_bool(who, "stable", stable)
    _ordered(who, tensor.spec)
    down = as_bool(who, "descending", descending)
    return (tensor,), {"axis": normalize_axis(who, axis, tensor.ndim), "descending": down}


class TopK(NamedTuple):
    """What `top_k` gives."""

    values: Tensor
    indices: Tensor


def top_k(x: Any, k: int, /, *, axis: int | None = -1, mode: str = "largest") -> TopK:
    """The ``k`` greatest elements along an axis (of all in order, for None), or with ``mode="smallest"`` the least:
    best first, equal ones in their order, and their positions (int64).

    Raises `ShapeError` where ``k`` is more than the axis has, and for another mode.
    """
    if not isinstance(mode, str) or mode not in ("largest", "smallest"):
        raise ShapeError(f"top_k: mode must be 'largest' or 'smallest'; got {mode!r}")
    tensor, count = asarray(x), as_int("top_k", "k", k, 0)
    if axis is None:
        tensor, axis = reshape(tensor, (tensor.size,)), 0
    where = normalize_axis("top_k", axis, tensor.ndim)
    if isinstance(tensor.shape[where], int) and count > tensor.shape[where]:
        raise ShapeError(f"top_k: k must be at most the size of axis {axis}; got {k} for {tensor.shape}. Ask for fewer")
    order = argsort(tensor, where, descending=mode == "largest")
    first = order[(slice(None),) * where + (slice(0, count),)]
    return TopK(bind(take_along_axis_op, (tensor, first), {"axis": where}), first)


def _infer_search(x1: Spec, x2: Spec, *, side: str) -> Spec:
    if x1.ndim != 1:
        raise ShapeError(f"searchsorted: the sorted values must have one axis; got {x1}. Map it over rows with vmap")
    _ordered("searchsorted", x1), _ordered("searchsorted", x2)
    return Spec(x2.shape, np.dtype("int64"))


def _eval_search(xp: Any, x1: Any, x2: Any, *, side: str) -> Any:
    return xp.asarray(xp.searchsorted(x1, x2, side=side)).astype(np.int64, copy=False)


_searchsorted = register(Opaque("searchsorted", _infer_search, _eval_search))


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Tensor:
    """Where each element of ``x2`` would stand in the sorted 1-D ``x1``: int64 in the shape of ``x2``, which may be a
    number.

    ``side``: "left" gives i with ``x1[i-1] < v <= x1[i]``, "right" ``x1[i-1] <= v < x1[i]``. ``sorter``: positions
    that sort ``x1``, as of `argsort`. Raises `ShapeError` for another side or more axes.
    """
    if not isinstance(side, str) or side not in ("left", "right"):
        raise ShapeError(f"searchsorted: side must be 'left' or 'right'; got {side!r}")
    values = asarray(x1)
    wanted = beside(sought(x2, values.dtype), values)
    _infer_search(values.spec, wanted.spec, side=side)
    if sorter is not None:
        values = take(values, sorter, 0)
    return bind(_searchsorted, (values, wanted), {"side": side})


def sought(value: Any, among: np.dtype) -> Tensor:
    """What is looked for among values of a dtype: a number takes the dtype of floating ones, and otherwise one that
    holds it."""
    if type(value) in (bool, int):
        return asarray(value, np.uint64 if value > np.iinfo(np.int64).max else np.int64)
    if type(value) is float:
        return asarray(value, among if class_of(among) in "fc" else np.float64)
    return asarray(value)


def concrete(who: str, x: Any) -> Tensor:
    """A tensor whose values are there; the size of the result depends on them."""
    tensor = asarray(x)
    if tensor.symbolic:
        raise TraceError(
            f"{who}: the size of the result depends on the values; got the symbol {tensor.spec} of a traced "
            "function. Call it outside"
        )
    return tensor


def nonzero(x: Any) -> tuple[Tensor, ...]:
    """The positions of the elements that are not zero, in order: for each axis an int64 tensor.

    Raises `ShapeError` for a tensor without axes, `TraceError` while tracing.
    """
    tensor = concrete("nonzero", x)
    if tensor.ndim == 0:
        raise ShapeError(f"nonzero: needs at least one axis; got {tensor.spec}. Use reshape(x, (1,))")
    return tuple(Tensor(places) for places in module_of((tensor.data,)).nonzero(tensor.data))


def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The number of elements that are not zero over ``axis``; int64."""
    tensor = asarray(x)
    return sum(astype(not_equal(tensor, astype(asarray(0), tensor.dtype)), np.int64), axis, keepdims)
