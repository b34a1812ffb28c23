"""``x[key]`` and ``x[key] = value``: basic keys are movement; arrays of indices gather, and their gradient scatters."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from ..dim import Dim
from ..dtypes import kind_rank
from ..eager import EagerTrace
from ..errors import DTypeError, IndexingError, ShapeError, TraceError
from ..memory import ledger
from ..op import OPS, Opaque, Spec, register
from ..spec import broadcast_shapes
from ..tensor import Tensor, asarray, beside
from ..trace import bind, current
from ..variable import Variable
from .creation import iota, zeros_like
from .elementwise import astype, where
from .gathering import gather_nd_op, put_op
from .movement import broadcast_to, reshape, transpose
from .views import slice_op

__all__ = ["getitem", "set_items"]

_NUMPYS = frozenset((int, slice, type(None), type(Ellipsis)))
"""Keys that mean to NumPy what they mean here."""


class Pick:
    """An array of positions as a key: of one axis, or, for a lone True or False, of a new axis of size 1."""

    __slots__ = ("of_new_axis", "places")

    def __init__(self, places: Tensor, of_new_axis: bool = False):
        self.places, self.of_new_axis = places, of_new_axis


def _infer_set(x: Spec, value: Spec, *, start: Any, size: Any, step: Any) -> Spec:
    if value != Spec(size, x.dtype):
        raise ShapeError(f"set_slice: the value must be of the places; got {value} for {Spec(size, x.dtype)}")
    return x


def _eval_set(xp: Any, x: Any, value: Any, *, start: Any, size: Any, step: Any) -> Any:
    out = x.copy()
    slice_op.eval(xp, out, start=start, size=size, step=step)[...] = value
    return out


def _set_rule(i: int, g: Any, out: Any, x: Any, value: Any, **window: Any) -> Any:
    return bind(_set_slice, (g, zeros_like(value)), window) if i == 0 else bind(slice_op, (g,), window)


_set_slice = register(Opaque("set_slice", _infer_set, _eval_set, _set_rule))


def getitem(x: Any, key: Any) -> Tensor:
    """``x[key]`` as in NumPy: integers, slices, ``...``, None, boolean masks and arrays of integers, in any mix.

    Arrays of indices broadcast together; their axes stand where the first of them stood when all (and the integers
    among them) are neighbours, else first. Raises `IndexingError` for positions out of range and keys that do not fit
    the axes, `ShapeError` for slices that are none, `TraceError` for a mask whose values are not known while tracing.
    """
    if type(x) is Tensor and type(x.data) is np.ndarray and type(current()) is EagerTrace and ledger.limit is None:
        at_once = _by_numpy(x.data, key)
        if at_once is not None:
            return at_once
    tensor = asarray(x)
    keys = _keys_of(tensor, key)
    picks = [k for k in keys if isinstance(k, Pick)]
    out = _basic(tensor, keys)
    return _picked(out, keys, picks) if picks else out


def _by_numpy(x: np.ndarray, key: Any) -> Tensor | None:
    """The same in one call of NumPy, where nothing records or traces; None for keys that `_keys_of` is to judge."""
    keys = (
        tuple([k.data if type(k) is Tensor else k for k in key])
        if type(key) is tuple
        else (key.data if type(key) is Tensor else key,)
    )
    if not all(type(k) in _NUMPYS or (type(k) is np.ndarray and k.dtype.kind in "iub" and k.size) for k in keys):
        return None
    try:
        return Tensor(np.asarray(x[keys]))
    except (IndexError, TypeError, ValueError, MemoryError):
        return None


def set_items(x: Any, key: Any, value: Any) -> Tensor:
    """A tensor like ``x`` with ``value`` at ``x[key]``; ``value`` broadcasts, and takes the dtype of ``x``.

    Where arrays of indices name a place several times, one of the values stays, and it alone has a gradient.
    Raises as `getitem`, and `DTypeError` where the value is of a wider kind (real into integers).
    """
    tensor = asarray(x)
    new = _value_for(tensor, value)
    mask = key[0] if isinstance(key, tuple) and len(key) == 1 else key
    one_mask = isinstance(mask, Tensor) and mask.dtype.kind == "b" and 0 < mask.ndim <= tensor.ndim - new.ndim
    if one_mask and mask.shape == tensor.shape[: mask.ndim]:
        wide = reshape(beside(mask, tensor), (*mask.shape, *(1,) * (tensor.ndim - mask.ndim)))
        _fit(new, tensor.shape[mask.ndim :])
        return where(wide, new, tensor)
    keys = _keys_of(tensor, key)
    if any(isinstance(k, Pick) for k in keys):
        return _set_places(tensor, key, new)
    window, shape = _window(tensor, keys)
    places = reshape(_fit(new, shape), window["size"])
    return bind(_set_slice, (tensor, places), window)


def setitem(x: Tensor, key: Any, value: Any) -> None:
    """``x[key] = value``: the handle gets new data; the array that it had, and who shares it, stay as they were."""
    new = set_items(x, key, value)
    if isinstance(x, Variable):
        x.assign(new)
    elif new.symbolic and not x.symbolic:
        raise TraceError(
            f"index: a tensor from outside a traced function must stay as it is; got an assignment to {x.spec}. "
            "Use a Variable, or make it inside"
        )
    else:
        x.data = new.data


def _value_for(x: Tensor, value: Any) -> Tensor:
    known = isinstance(value, Tensor) or hasattr(value, "dtype")
    new = asarray(value)
    if kind_rank(new.dtype) > kind_rank(x.dtype):
        raise DTypeError(f"index: a value must be of no wider kind than {x.dtype}; got {new.dtype}. Cast with astype")
    new = astype(new, x.dtype) if known else asarray(value, x.dtype)
    return beside(new, x)


def _fit(value: Tensor, shape: Any) -> Tensor:
    """The value stretched to the shape of the places; it may have more axes of size 1 in front, as in NumPy."""
    extra = value.ndim - len(shape)
    if extra > 0 and all(n == 1 for n in value.shape[:extra]):
        value = reshape(value, value.shape[extra:])
    if broadcast_shapes("index", value.shape, shape) != shape:
        raise ShapeError(f"index: the value must stretch to the places; got {value.shape} for {shape}. Reshape it")
    return broadcast_to(value, shape)


def _set_places(x: Tensor, key: Any, value: Tensor) -> Tensor:
    """By flat positions: those that the same key reads from a tensor of positions."""
    places = getitem(beside(iota(x.shape), x), key)
    flat = bind(put_op, (reshape(x, (x.size,)), _fit(value, places.shape), places))
    return reshape(flat, x.shape)


# ---- keys
def _keys_of(x: Tensor, key: Any) -> list[Any]:
    """Integers, slices, None and `Pick`, which together say what becomes of each axis; an ellipsis is only a mark."""
    given = list(key) if isinstance(key, tuple) else [key]
    if sum(k is Ellipsis for k in given) > 1:
        raise IndexingError(f"index: at most one ellipsis; got {key}. Leave one out")
    if not any(k is Ellipsis for k in given):
        given.append(Ellipsis)
    arrays = [_array_of(k, x) for k in given]
    used = sum(_axes_of(k) for k in arrays)
    if used > x.ndim:
        raise IndexingError(f"index: at most {x.ndim} indices for shape {x.shape}; got {used}. Leave some out")
    out: list[Any] = []
    axis = 0
    for k in arrays:
        if k is Ellipsis:
            out += [Ellipsis, *[slice(None)] * (x.ndim - used)]  # it parts the arrays beside it even where it is empty
            axis += x.ndim - used
        else:
            out += _mask(k, x, axis) if isinstance(k, Tensor) and k.dtype.kind == "b" else [_key(k)]
            axis += _axes_of(k)
    return out


def _array_of(k: Any, x: Tensor) -> Any:
    """Arrays, lists and lone booleans as tensors beside ``x``; an array of one integer as that integer."""
    if isinstance(k, (bool, np.bool_)):
        return beside(asarray(np.asarray(k)), x)
    if not isinstance(k, (Tensor, np.ndarray, list)):
        return k
    found = k if isinstance(k, Tensor) else asarray(np.zeros(0, np.int64) if isinstance(k, list) and not k else k)
    found = asarray(found)
    if found.dtype.kind not in "iub":
        raise DTypeError(f"index: arrays must be of integers or booleans; got {found.spec}. Cast with astype('int64')")
    if found.shape == () and isinstance(found.data, np.ndarray) and found.dtype.kind != "b":
        return int(found.data)
    return beside(found, x)


def _axes_of(k: Any) -> int:
    """How many axes of the tensor a key speaks of."""
    if k is None or k is Ellipsis:
        return 0
    return k.ndim if isinstance(k, Tensor) and k.dtype.kind == "b" else 1


def _key(k: Any) -> Any:
    return Pick(k) if isinstance(k, Tensor) else k


def _check_mask(shape: Any, x: Tensor, axis: int) -> None:
    """Each size as that of the axis, or 0 (Array API standard, boolean indexing): the mask then picks nothing."""
    axes = x.shape[axis : axis + len(shape)]
    if shape != axes and any(m not in (n, 0) for m, n in zip(shape, axes, strict=True)):
        raise IndexingError(
            f"index: a mask must have the shape of its axes; got {shape} at axis {axis} of {x.shape}. "
            "Is it the mask of another tensor?"
        )


def _mask(mask: Tensor, x: Tensor, axis: int) -> list[Any]:
    """The positions that a mask picks, an array for each of its axes."""
    _check_mask(mask.shape, x, axis)
    if mask.symbolic:
        raise TraceError(
            "index: a mask must be known to say how many elements it picks; got the symbol "
            f"{mask.spec} of a traced function. Use where(mask, x, other)"
        )
    if mask.ndim == 0:
        return [Pick(beside(asarray(np.zeros(int(mask.numpy()), np.int64)), x), of_new_axis=True)]
    return [Pick(beside(asarray(p), x)) for p in np.nonzero(mask.numpy())]


def _window(x: Tensor, keys: list[Any]) -> tuple[dict[str, Any], Any]:
    """The parameters of the slice that the basic keys ask for, and the shape after None and integers."""
    start, size, step = [], [], []
    shape: list[Any] = []
    axis = 0
    for k in keys:
        if k is Ellipsis:
            continue
        if k is None or (isinstance(k, Pick) and k.of_new_axis):
            shape.append(1)
            continue
        n = x.shape[axis]
        if isinstance(k, (slice, Pick)):
            b, count, s = (0, n, 1) if isinstance(k, Pick) else _slice_of(k, n, axis)
            shape.append(count)
        else:
            b, count, s = _place_of(k, n, axis), 1, 1
        start.append(b)
        size.append(count)
        step.append(s)
        axis += 1
    return {"start": tuple(start), "size": tuple(size), "step": tuple(step)}, tuple(shape)


def _basic(x: Tensor, keys: list[Any]) -> Tensor:
    window, shape = _window(x, keys)
    whole = window["size"] == x.shape and not any(window["start"]) and set(window["step"]) <= {1}
    out = x if whole else bind(OPS["slice"], (x,), window)
    return reshape(out, shape)


def _picked(x: Tensor, keys: list[Any], picks: list[Pick]) -> Tensor:
    """Gather along the axes of the picks, brought to the front, and put the axes that come of it in their place."""
    left = [k for k in keys if k is None or isinstance(k, (slice, Pick))]
    front = [a for a, k in enumerate(left) if isinstance(k, Pick)]
    rest = [a for a in range(x.ndim) if a not in front]
    moved = x if front == list(range(len(front))) else transpose(x, (*front, *rest))
    out = bind(gather_nd_op, (moved, *(p.places for p in picks)))
    lead = out.ndim - len(rest)
    before = _axes_before(keys)
    if before == 0 or lead == 0:
        return out
    places = list(range(lead))
    others = list(range(lead, out.ndim))
    return transpose(out, (*others[:before], *places, *others[before:]))


def _axes_before(keys: list[Any]) -> int:
    """The number of axes before those of the arrays: 0 unless arrays and integers are neighbours."""
    fancy = [n for n, k in enumerate(keys) if not (k is None or k is Ellipsis or isinstance(k, slice))]
    together = fancy[-1] - fancy[0] == len(fancy) - 1
    return sum(k is not Ellipsis for k in keys[: fancy[0]]) if together else 0


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
    if not hasattr(type(k), "__index__"):
        raise IndexingError(
            f"index: must be integers, slices, None, ... or arrays; got {k!r} at axis {axis}. Convert it first"
        )
    place = index(k)
    if isinstance(n, Dim):
        return place if place >= 0 else n + place
    if not -n <= place < n:
        raise IndexingError(f"index: must be in [{-n}, {n}) on axis {axis}; got {place}")
    return place % n
