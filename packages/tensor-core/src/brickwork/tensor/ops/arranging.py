"""Functions that arrange elements, written in movement ops: repeat, roll, tile, triangles, grids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dim import Dim
from ..errors import BrickworkError, DTypeError, ShapeError
from ..op import OPS
from ..spec import Shape, as_int, as_ints, as_shape, normalize_axis
from ..spec import broadcast_shapes as common_shape
from ..tensor import Tensor, asarray, beside
from ..trace import bind
from .creation import iota
from .gathering import take
from .movement import broadcast_to, concat, expand_dims, reshape, transpose

__all__ = [
    "broadcast_arrays",
    "broadcast_shapes",
    "matrix_transpose",
    "meshgrid",
    "moveaxis",
    "repeat",
    "roll",
    "tile",
    "tril",
    "triu",
    "unstack",
]


def broadcast_shapes(*shapes: Any) -> Shape:
    """The shape that tensors of all these shapes broadcast to. Raises `ShapeError` where there is none."""
    return common_shape("broadcast_shapes", *(as_shape("broadcast_shapes", s) for s in shapes))


def broadcast_arrays(*arrays: Any) -> tuple[Tensor, ...]:
    """Each tensor stretched to the shape that all broadcast to. Raises `ShapeError` where there is none."""
    tensors = [asarray(x) for x in arrays]
    shape = common_shape("broadcast_arrays", *(t.shape for t in tensors))
    return tuple([broadcast_to(t, shape) for t in tensors])


def matrix_transpose(x: Any) -> Tensor:
    """The last two axes exchanged. Raises `ShapeError` below two axes."""
    tensor = asarray(x)
    if tensor.ndim < 2:
        raise ShapeError(f"matrix_transpose: needs at least two axes; got {tensor.spec}. Reshape it first")
    axes = tuple(range(tensor.ndim))
    return transpose(tensor, (*axes[:-2], axes[-1], axes[-2]))


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Axes moved to other places; the rest keep their order. Raises `ShapeError` unless each is named once."""
    tensor, who = asarray(x), "moveaxis"
    old, new = (
        [normalize_axis(who, a, tensor.ndim) for a in as_ints(who, "an axis", axes)] for axes in (source, destination)
    )
    if len(old) != len(new) or len(set(old)) != len(old) or len(set(new)) != len(new):
        raise ShapeError(
            f"moveaxis: as many distinct axes to as from; got {source} -> {destination}. Name each axis once"
        )
    order = [a for a in range(tensor.ndim) if a not in old]
    for place, axis in sorted(zip(new, old, strict=True)):
        order.insert(place, axis)
    return transpose(tensor, tuple(order))


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element (of an axis; of all in order, for None) ``repeats`` times, which is a number for all or an integer
    for each. Raises `ShapeError` for numbers below 0 or as many as do not fit, `TraceError` where they are symbols."""
    tensor = asarray(x)
    if axis is None:
        return repeat(reshape(tensor, (tensor.size,)), repeats, 0)
    where = normalize_axis("repeat", axis, tensor.ndim)
    n = tensor.shape[where]
    if hasattr(type(repeats), "__index__") and not isinstance(repeats, (Tensor, np.ndarray)):
        times = as_int("repeat", "repeats", repeats, 0)
        apart = expand_dims(tensor, where + 1)
        wide = broadcast_to(apart, (*tensor.shape[: where + 1], times, *tensor.shape[where + 1 :]))
        return reshape(wide, (*tensor.shape[:where], n * times, *tensor.shape[where + 1 :]))
    n = as_int("repeat", "the size of the axis", n)
    given = asarray(repeats).numpy()
    if given.dtype.kind not in "iu":
        raise DTypeError(f"repeat: repeats must be integers; got {given.dtype}. Cast with astype('int64')")
    counts = given.astype(np.int64)  # what uint64 has beyond comes out below 0
    if counts.ndim > 1 or (counts.ndim == 1 and counts.size not in (1, n)) or (counts < 0).any():
        raise ShapeError(
            f"repeat: repeats must be one for each of {n}, from 0 below 2**63; got {given.tolist()}. "
            "Give one for all, or one for each"
        )
    places = np.repeat(np.arange(n), np.broadcast_to(counts, (n,)))
    return take(tensor, places, where)


def roll(x: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved on by ``shift`` places along axes (in flat order, for None); those that fall off the end come
    back at the start. Raises `ShapeError` unless there is one shift for each axis."""
    tensor = asarray(x)
    if axis is None:
        flat = reshape(tensor, (tensor.size,))
        return reshape(_rolled(flat, as_int("roll", "shift", shift), 0), tensor.shape)
    axes = as_ints("roll", "an axis", axis)
    for a, by in zip(axes, as_ints("roll", "shift", shift, len(axes)), strict=True):
        tensor = _rolled(tensor, by, normalize_axis("roll", a, tensor.ndim))
    return tensor


def _rolled(x: Tensor, shift: int, axis: int) -> Tensor:
    n = x.shape[axis]
    if isinstance(n, Dim):
        raise ShapeError(f"roll: the size of axis {axis} must be known; got {x.shape}. Compile for a fixed batch size")
    if n == 0 or shift % n == 0:
        return x
    cut = n - shift % n
    lead = (slice(None),) * axis
    return concat([x[(*lead, slice(cut, None))], x[(*lead, slice(None, cut))]], axis)


def tile(x: Any, repetitions: int | Sequence[int]) -> Tensor:
    """The whole repeated along each axis: ``repetitions`` a number for each, counted from the last."""
    tensor, times = asarray(x), as_ints("tile", "a repetition", repetitions, least=0)
    ndim = max(tensor.ndim, len(times))
    sizes = (1,) * (ndim - tensor.ndim) + tensor.shape
    times = (1,) * (ndim - len(times)) + times
    apart = reshape(tensor, tuple(m for n in sizes for m in (1, n)))
    wide = broadcast_to(apart, tuple(m for pair in zip(times, sizes, strict=True) for m in pair))
    return reshape(wide, tuple(t * n for t, n in zip(times, sizes, strict=True)))


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis, without it. Raises `ShapeError` where the tensor has none."""
    tensor = asarray(x)
    where = normalize_axis("unstack", axis, tensor.ndim)
    count = as_int("unstack", "the number of slices", tensor.shape[where])
    return tuple(tensor[(slice(None),) * where + (k,)] for k in range(count))


def _triangle(who: str, x: Any, k: Any, lower: bool) -> Tensor:
    tensor, diagonal = asarray(x), as_int(who, "k", k)
    if tensor.ndim < 2:
        raise ShapeError(f"{who}: needs at least two axes; got {tensor.spec}. Reshape it first")
    rows, columns = tensor.shape[-2:]
    if not isinstance(rows, Dim):
        diagonal = max(diagonal, -rows)
    if not isinstance(columns, Dim):
        diagonal = min(diagonal, columns)
    down, across = (beside(iota(shape), tensor) for shape in ((rows, 1), (columns,)))
    edge = down + diagonal
    kept = across <= edge if lower else across >= edge
    zero = beside(asarray(np.zeros((), tensor.dtype)), tensor)
    return bind(OPS["where"], (kept, tensor, zero))


def tril(x: Any, /, *, k: int = 0) -> Tensor:
    """The lower triangle of matrices, with zeros above diagonal ``k`` (0 the main one, above it 1)."""
    return _triangle("tril", x, k, True)


def triu(x: Any, /, *, k: int = 0) -> Tensor:
    """The upper triangle of matrices, with zeros below diagonal ``k`` (0 the main one, above it 1)."""
    return _triangle("triu", x, k, False)


def meshgrid(*arrays: Any, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Coordinates of a grid from 1-D tensors, one for each: of shape (n1, n2, ...) for "ij", (n2, n1, ...) for "xy".

    Raises `ShapeError` for more axes or another order, `DTypeError` where the dtypes are not one.
    """
    if not isinstance(indexing, str) or indexing not in ("xy", "ij"):
        raise ShapeError(f"meshgrid: indexing must be 'xy' or 'ij'; got {indexing!r}")
    lines = [asarray(x) for x in arrays]
    if any(t.ndim > 1 for t in lines):
        raise ShapeError(
            f"meshgrid: takes tensors of one axis; got {', '.join(str(t.spec) for t in lines)}. Flatten them"
        )
    if len({t.dtype for t in lines}) > 1:
        raise DTypeError(f"meshgrid: dtypes must agree; got {', '.join(str(t.dtype) for t in lines)}. Cast with astype")
    lines = [reshape(t, (t.size,)) for t in lines]
    count = len(lines)
    place = list(range(count))
    if indexing == "xy" and count > 1:
        place[:2] = [1, 0]
    apart = [
        reshape(t, tuple(t.size if a == p else 1 for a in range(count))) for t, p in zip(lines, place, strict=True)
    ]
    if count > 32:
        raise BrickworkError(f"meshgrid: at most 32 axes; got {count}. Make the grid in parts")
    return broadcast_arrays(*apart)
