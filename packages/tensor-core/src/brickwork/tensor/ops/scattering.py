"""Values put into, or combined with, elements by position: `scatter`, and ``x.at[key]``, which takes any key."""

from __future__ import annotations

from typing import Any

from ..dtypes import class_of, kind_rank, wide_of
from ..errors import DTypeError, ShapeError
from ..op import Opaque, Spec, register
from ..placing import UFUNCS, accumulate
from ..spec import broadcast_shapes, normalize_axis
from ..tensor import Tensor, asarray, beside
from ..trace import bind
from .creation import full, iota, ones_like, zeros
from .elementwise import astype, clip, where
from .gathering import gather_nd_op, put_op, take
from .indexing import getitem, set_items
from .movement import broadcast_to, concat, reshape, transpose

__all__ = ["At", "gather", "index_add", "scatter", "scatter_op"]

MODES = ("set", *UFUNCS)
BOUNDS = ("raise", "clip", "drop")


# x with values combined at the places that indices name, which are of the first axes
def _infer(x: Spec, updates: Spec, *indices: Spec, mode: str) -> Spec:
    for k in indices:
        if k.dtype.kind not in "iu":
            raise DTypeError(f"scatter: indices must be integers; got {k.dtype}. Cast with astype('int64')")
    if len(indices) > x.ndim:
        raise ShapeError(f"scatter: at most {x.ndim} arrays of indices for {x}; got {len(indices)}")
    places = Spec((*broadcast_shapes("scatter", *(k.shape for k in indices)), *x.shape[len(indices) :]), x.dtype)
    if updates != places:
        raise ShapeError(f"scatter: updates must be of the places; got {updates} for {places}. Broadcast and cast them")
    _check_order(x, mode)
    return x


def _check_order(x: Any, mode: str) -> None:
    if mode in ("min", "max") and class_of(x.dtype) == "c":
        raise DTypeError(f"scatter: {mode} needs numbers that have an order; got {x.dtype}. Scatter abs(x)")


def _eval(xp: Any, x: Any, updates: Any, *indices: Any, mode: str) -> Any:
    _check_order(x, mode)
    work = wide_of(x.dtype) if mode in ("add", "mul") else x.dtype
    out = xp.array(x, dtype=work, order="C")
    return accumulate(xp, mode, out, updates.astype(work, copy=False), indices).astype(x.dtype, copy=False)


def _rule(i: int, g: Any, out: Any, x: Any, updates: Any, *indices: Any, mode: str) -> Any:
    if i > 1:
        return None
    if mode == "add":
        return g if i == 0 else _gathered(g, indices)
    if mode == "mul":
        return g * _combined(ones_like(x), updates, indices, "mul") if i == 0 else _others(g, x, updates, indices)
    hit, hits = _same(x, out), _same(updates, _gathered(out, indices))
    share = g / clip(_combined(hit, hits, indices, "add"), 1.0)
    return share * hit if i == 0 else _gathered(share, indices) * hits


def _gathered(x: Any, indices: Any) -> Any:
    return bind(gather_nd_op, (x, *indices))


def _combined(x: Any, updates: Any, indices: Any, mode: str) -> Any:
    return bind(scatter_op, (x, updates, *indices), {"mode": mode})


def _same(x: Any, other: Any) -> Any:
    return astype(x == other, x.dtype, copy=False)


def _others(g: Any, x: Any, updates: Any, indices: Any) -> Any:
    """The gradient of a factor: the product of the others of its place, exact also where some are zero."""
    zero = updates == 0.0
    safe = where(zero, 1.0, updates)
    rest = _gathered(_combined(x, safe, indices, "mul"), indices)
    zeros_there = _gathered(_combined(zeros(x.shape, x.dtype), astype(zero, x.dtype), indices, "add"), indices)
    return _gathered(g, indices) * where(zeros_there == astype(zero, x.dtype), rest / safe, 0.0)


scatter_op = register(Opaque("scatter", _infer, _eval, _rule))


def _mode(who: str, mode: Any, known: tuple[str, ...] = MODES, what: str = "mode") -> str:
    if not isinstance(mode, str) or mode not in known:
        raise ShapeError(f"{who}: {what} must be one of {', '.join(known)}; got {mode!r}")
    return mode


def _updates_for(who: str, x: Tensor, updates: Any, shape: Any) -> Tensor:
    """The updates in the dtype of ``x``, stretched to the shape of the places."""
    known = isinstance(updates, Tensor) or hasattr(updates, "dtype")
    new = asarray(updates)
    if kind_rank(new.dtype) > kind_rank(x.dtype):
        raise DTypeError(f"{who}: updates must be of no wider kind than {x.dtype}; got {new.dtype}. Cast with astype")
    new = beside(astype(new, x.dtype, copy=False) if known else asarray(updates, x.dtype), x)
    if broadcast_shapes(who, new.shape, shape) != tuple(shape):
        raise ShapeError(f"{who}: updates must stretch to the places; got {new.shape} for {tuple(shape)}. Reshape them")
    return broadcast_to(new, shape)


def _places(who: str, indices: Any, x: Tensor) -> Tensor:
    found = asarray(indices)
    if found.dtype.kind not in "iu":
        raise DTypeError(f"{who}: indices must be integers; got {found.dtype}. Cast with astype('int64')")
    return beside(astype(found, "int64", copy=False), x)


def place(x: Tensor, updates: Tensor, indices: Tensor, mode: str) -> Tensor:
    """Updates into the rows of ``x`` that indices name; shapes and dtypes fit."""
    return bind(put_op, (x, updates, indices)) if mode == "set" else _combined(x, updates, (indices,), mode)


def gather(x: Any, indices: Any, axis: int = 0, bounds: str = "raise", fill: Any = 0) -> Tensor:
    """Elements by position along an axis, ``out[..., i, ...] = x[..., indices[i], ...]``; what `scatter` undoes.

    ``indices``: integers of any shape, which takes the place of the axis; negative ones count from the end. ``bounds``:
    for those out of range "raise" an error, "clip" them to the nearest, or "drop" them: the result is ``fill`` there.
    Gradients add up where an index stands several times. Raises `ShapeError` or `DTypeError` where something does not
    fit.
    """
    tensor, rule = asarray(x), _mode("gather", bounds, BOUNDS, "bounds")
    where_to, places = normalize_axis("gather", axis, tensor.ndim), _places("gather", indices, tensor)
    n = tensor.shape[where_to]
    if rule == "raise":
        return take(tensor, places, where_to)
    if rule == "clip":
        return take(tensor, clip(places, 0, n - 1), where_to)
    inside = (places >= -n) & (places < n)
    spread = reshape(inside, (*inside.shape, *(1,) * (tensor.ndim - where_to - 1)))
    known = full((), fill, tensor.dtype)
    if n == 0:
        return broadcast_to(known, (*tensor.shape[:where_to], *places.shape, *tensor.shape[where_to + 1 :]))
    return where(spread, take(tensor, where(inside, places, 0), where_to), beside(known, tensor))


def scatter(x: Any, indices: Any, updates: Any, mode: str = "set", axis: int = 0, bounds: str = "raise") -> Tensor:
    """A tensor like ``x`` with ``updates`` put at, or combined with, the elements at ``indices`` along an axis.

    ``out[..., indices[i], ...] = combine(x[..., indices[i], ...], updates[..., i, ...])``. ``indices``: integers of any
    shape, negative ones count from the end. ``updates``: stretches to the shape of ``x`` with that of the indices in
    place of the axis; takes the dtype of ``x``. ``mode``: "set", "add", "mul", "min" or "max". Several updates of one
    place are combined in their order, the same bits on every run; with "set" one of them stays. ``bounds``: what is out
    of range may "raise" an error, "clip" to the nearest place, or "drop". Ties of min and max share the gradient.
    Raises `ShapeError` or `DTypeError` where something does not fit.
    """
    tensor, how = asarray(x), _mode("scatter", mode)
    rule, where_to = _mode("scatter", bounds, BOUNDS, "bounds"), normalize_axis("scatter", axis, tensor.ndim)
    places, n = _places("scatter", indices, tensor), tensor.shape[where_to]
    shape = (*tensor.shape[:where_to], *places.shape, *tensor.shape[where_to + 1 :])
    new = _updates_for("scatter", tensor, updates, shape)
    front = range(where_to, where_to + places.ndim)
    rows = transpose(new, (*front, *(a for a in range(new.ndim) if a not in front))) if where_to else new
    order = (where_to, *(a for a in range(tensor.ndim) if a != where_to))
    base = transpose(tensor, order) if where_to else tensor
    if rule == "clip":
        places = clip(places, 0, n - 1)
    if rule == "drop":  # one more row takes what is out of range
        spare = beside(full((), 0, base.dtype), base)
        base = concat([base, broadcast_to(spare, (1, *base.shape[1:]))])
        places = where((places >= -n) & (places < n), where(places < 0, places + n, places), n)
    out = place(base, rows, places, how)
    out = out[:n] if rule == "drop" else out
    return transpose(out, tuple(order.index(a) for a in range(tensor.ndim))) if where_to else out


def index_add(x: Any, indices: Any, updates: Any, axis: int = 0) -> Tensor:
    """`scatter` with ``mode="add"``: a tensor like ``x`` with ``updates`` added at ``indices`` along an axis."""
    return scatter(x, indices, updates, "add", axis)


class At:
    """``x.at``: with a key as in ``x[key]`` it gives tensors like ``x``, changed at ``x[key]`` only; x stays as it is.

    ``x.at[key].set(v)``, ``.add(v)``, ``.multiply(v)``, ``.min(v)``, ``.max(v)`` and ``.get()``. ``v`` stretches to the
    places and takes the dtype of ``x``. Unlike ``x[key] += v``, a place that the key names several times gets every
    update.
    """

    __slots__ = ("x",)

    def __init__(self, x: Tensor):
        self.x = x

    def __getitem__(self, key: Any) -> Places:
        return Places(self.x, key)


class Places:
    """Elements of a tensor that a key names; see `At`."""

    __slots__ = ("key", "x")

    def __init__(self, x: Tensor, key: Any):
        self.x, self.key = x, key

    def get(self) -> Tensor:
        """``x[key]``."""
        return getitem(self.x, self.key)

    def set(self, values: Any) -> Tensor:
        """The values in place of ``x[key]``."""
        return set_items(self.x, self.key, values)

    def _combine(self, values: Any, mode: str) -> Tensor:
        x = asarray(self.x)
        places = getitem(beside(iota(x.shape), x), self.key)
        new = _updates_for("at", x, values, places.shape)
        return reshape(_combined(reshape(x, (x.size,)), new, (places,), mode), x.shape)

    def add(self, values: Any) -> Tensor:
        """``x[key]`` plus the values."""
        return self._combine(values, "add")

    def multiply(self, values: Any) -> Tensor:
        """``x[key]`` times the values."""
        return self._combine(values, "mul")

    def min(self, values: Any) -> Tensor:
        """The lesser of ``x[key]`` and the values."""
        return self._combine(values, "min")

    def max(self, values: Any) -> Tensor:
        """The greater of ``x[key]`` and the values."""
        return self._combine(values, "max")
