"""Shapes: what they are, constants of a shape, and values in another shape or order."""

from __future__ import annotations

from math import ceil, prod
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Dim, Tensor

from ..errors import ModelError
from ..foreign import settled, value_of
from ..proto import dtype_of
from ..registry import translator


def _ints(values: Any) -> tuple[Any, ...]:
    """The numbers of a static input; a size that is open stays what it is."""
    return tuple(v if isinstance(v, Dim) else int(v) for v in np.asarray(values).reshape(-1))


@translator("Shape", of_shape=True)
def shape(x: Any, *, start: int = 0, end: int | None = None) -> Any:
    return settled(x.shape[start:end])


@translator("Size", of_shape=True)
def size(x: Any) -> Any:
    return settled(prod(x.shape))


@translator("Identity", moves=True)
def identity(x: Any) -> Any:
    return x


@translator("Constant")
def constant(
    *,
    value: Any = None,
    sparse_value: Any = None,
    value_float: float | None = None,
    value_floats: Any = None,
    value_int: int | None = None,
    value_ints: Any = None,
    value_string: str | None = None,
    value_strings: Any = None,
) -> Any:
    given = [
        value,
        sparse_value,
        *(None if v is None else np.array(v, "float32") for v in (value_float, value_floats)),
        *(None if v is None else np.array(v, "int64") for v in (value_int, value_ints)),
        *(None if v is None else np.array(v, object) for v in (value_string, value_strings)),
    ]
    found = [v for v in given if v is not None]
    if len(found) != 1:
        raise ModelError(f"Constant: one attribute holds the value; got {len(found)}")
    return value_of(found[0])


@translator("ConstantOfShape", 9, static="sizes")
def constant_of_shape(sizes: Any, *, value: Any = None) -> Any:
    scalar = np.zeros((), "float32") if value is None else np.asarray(value).reshape(())
    shape = _ints(sizes)
    if any(isinstance(n, Dim) for n in shape):
        return bt.full(shape, scalar)
    return value_of(np.full(shape, scalar, scalar.dtype))


@translator("EyeLike", 9, of_shape=True)
def eye_like(x: Tensor, *, dtype: int | None = None, k: int = 0) -> Tensor:
    rows, columns = x.shape
    return bt.eye(rows, columns, x.dtype if dtype is None else dtype_of(dtype), k=k)


@translator("Range", 11, static="start limit delta")
def range_(start: Any, limit: Any, delta: Any, *, stash_type: int = 1) -> Tensor:
    first, last, step = (np.asarray(v).reshape(()) for v in (start, limit, delta))
    wide = np.float64 if first.dtype.kind not in "iu" else np.int64
    count = max(ceil((wide(last) - wide(first)) / wide(step)), 0)
    work = np.float64 if first.dtype == np.float64 else np.float32 if wide is np.float64 else np.int64
    return bt.asarray((work(first) + np.arange(count, dtype=work) * work(step)).astype(first.dtype))


# the same values in another shape
@translator("Reshape", moves=True)
def reshape_by_attribute(x: Tensor, *, shape: Any = (), consumed_inputs: Any = ()) -> Tensor:
    return reshape(x, shape)


@translator("Reshape", 5, static="shape", moves=True)
def reshape(x: Tensor, shape: Any, *, allowzero: int = 0) -> Tensor:
    """A size of 0 stands for the one that x has there, unless ``allowzero``; -1 for what is left."""
    sizes = _ints(shape)
    return bt.reshape(x, [x.shape[a] if n == 0 and not allowzero else n for a, n in enumerate(sizes)])


@translator("Flatten", moves=True)
def flatten(x: Tensor, *, axis: int = 1) -> Tensor:
    at = axis + x.ndim if axis < 0 else axis
    return bt.reshape(x, (prod(x.shape[:at]), prod(x.shape[at:])))


@translator("Squeeze", moves=True)
def squeeze_by_attribute(x: Tensor, *, axes: Any = None) -> Tensor:
    return squeeze(x, axes)


@translator("Squeeze", 13, static="axes", moves=True)
def squeeze(x: Tensor, axes: Any = None) -> Tensor:
    given = tuple(a for a, n in enumerate(x.shape) if n == 1) if axes is None else _ints(axes)
    return bt.squeeze(x, given)


@translator("Unsqueeze", moves=True)
def unsqueeze_by_attribute(x: Tensor, *, axes: Any) -> Tensor:
    return unsqueeze(x, axes)


@translator("Unsqueeze", 13, static="axes", moves=True)
def unsqueeze(x: Tensor, axes: Any) -> Tensor:
    return bt.expand_dims(x, _ints(axes))


@translator("Transpose", moves=True)
def transpose(x: Tensor, *, perm: Any = None) -> Tensor:
    return bt.transpose(x, perm)


@translator("Expand", 8, static="shape", moves=True)
def expand(x: Tensor, shape: Any) -> Tensor:
    return bt.broadcast_to(x, bt.broadcast_shapes(x.shape, _ints(shape)))


@translator("Tile", moves=True, static="tiles axis")
def tile_along(x: Tensor, tiles: Any, axis: Any) -> Tensor:
    repeats = [1] * x.ndim
    repeats[int(np.asarray(axis).reshape(()))] = int(np.asarray(tiles).reshape(()))
    return bt.tile(x, repeats)


@translator("Tile", 6, static="repeats", moves=True)
def tile(x: Tensor, repeats: Any) -> Tensor:
    return bt.tile(x, _ints(repeats))


# several in one, one in several
@translator("Concat", moves=True)
def concat(*xs: Tensor, axis: int = 1) -> Tensor:
    return bt.concat(xs, axis)


@translator("Split", static="split", moves=True)
def split_by_attribute(x: Tensor, split: Any = None, *, axis: int = 0, outputs: int) -> tuple[Tensor, ...]:
    return split_parts(x, split, axis=axis, outputs=outputs)


@translator("Split", 2, moves=True)
def split_in_sizes(x: Tensor, *, split: Any = None, axis: int = 0, outputs: int) -> tuple[Tensor, ...]:
    return split_parts(x, split, axis=axis, outputs=outputs)


@translator("Split", 13, static="split", moves=True)
def split_parts(
    x: Tensor, split: Any = None, *, axis: int = 0, num_outputs: int | None = None, outputs: int
) -> tuple[Tensor, ...]:
    """Parts of the given sizes, else equal ones, the last of which may be smaller."""
    count, total = num_outputs or outputs, x.shape[axis]
    part = -(-total // count)
    sizes = [min(part, max(total - k * part, 0)) for k in range(count)] if split is None else list(_ints(split))
    if sum(sizes) != total:
        raise ModelError(f"Split: sizes add up to that of the axis; got {sizes} for {total}")
    ends = np.cumsum(sizes)
    keys = (slice(None),) * (axis % x.ndim)
    return tuple(x[(*keys, slice(int(e) - n, int(e)))] for n, e in zip(sizes, ends, strict=True))


@translator("DepthToSpace")
def depth_to_space(x: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    n, c, h, w = x.shape
    b, depth = blocksize, c // blocksize**2
    if mode == "CRD":
        moved = bt.transpose(bt.reshape(x, (n, depth, b, b, h, w)), (0, 1, 4, 2, 5, 3))
    else:
        moved = bt.transpose(bt.reshape(x, (n, b, b, depth, h, w)), (0, 3, 4, 1, 5, 2))
    return bt.reshape(moved, (n, depth, h * b, w * b))


@translator("SpaceToDepth")
def space_to_depth(x: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    n, c, h, w = x.shape
    b = blocksize
    parts = bt.reshape(x, (n, c, h // b, b, w // b, b))
    order = (0, 1, 3, 5, 2, 4) if mode == "CRD" else (0, 3, 5, 1, 2, 4)
    return bt.reshape(bt.transpose(parts, order), (n, c * b * b, h // b, w // b))
