"""Functions that move elements and change none: reshape, transpose, broadcast, slice, pad, windows, joining."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..dim import Dim, Size
from ..errors import DTypeError, ShapeError
from ..op import Opaque, Spec, register
from ..spec import normalize_axis
from ..tensor import Tensor, asarray
from ..trace import bind
from .views import (
    broadcast_to_op,
    identity_op,
    pad_op,
    reshape_op,
    slice_op,
    sliding_window_op,
    stop_gradient_op,
    transpose_op,
)

__all__ = [
    "broadcast_to",
    "concat",
    "expand_dims",
    "flip",
    "identity",
    "pad",
    "permute_dims",
    "reshape",
    "sliding_window",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "transpose",
]


def _infer_concat(*xs: Spec, axis: int) -> Spec:
    first = xs[0]
    for x in xs[1:]:
        if x.dtype != first.dtype:
            raise DTypeError(f"concat: dtypes must agree; got {first.dtype} and {x.dtype}. Cast with astype first")
        if x.ndim != first.ndim or any(
            a != axis and m != n for a, (m, n) in enumerate(zip(x.shape, first.shape, strict=False))
        ):
            raise ShapeError(f"concat: shapes must agree but for axis {axis}; got {first.shape} and {x.shape}")
    total: Size = 0
    for x in xs:
        total = x.shape[axis] + total
    return Spec(first.shape[:axis] + (total,) + first.shape[axis + 1 :], first.dtype)


def _concat_rule(i: int, g: Any, out: Any, *xs: Any, axis: int) -> Any:
    start: Size = 0
    for x in xs[:i]:
        start = x.shape[axis] + start
    return bind(
        slice_op,
        (g,),
        {
            "start": tuple(start if a == axis else 0 for a in range(len(g.shape))),
            "size": xs[i].shape,
            "step": (1,) * len(g.shape),
        },
    )


_concat = register(Opaque("concat", _infer_concat, lambda xp, *xs, axis: xp.concatenate(xs, axis=axis), _concat_rule))


def reshape(x: Any, shape: int | Sequence[Any]) -> Tensor:
    """The same elements in another shape; one size may be -1. Raises `ShapeError` when the numbers of elements differ."""
    tensor = asarray(x)
    wanted = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if sum(isinstance(n, int) and n == -1 for n in wanted) > 1:
        raise ShapeError(f"reshape: at most one size can be -1; got {wanted}")
    if -1 in wanted:
        known = prod(n for n in wanted if isinstance(n, Dim) or n != -1)
        if not isinstance(known, Dim) and not isinstance(tensor.size, Dim) and (known == 0 or tensor.size % known):
            raise ShapeError(
                f"reshape: the number of elements must stay; got {tensor.shape} -> {wanted}: {tensor.size} does not divide by {known}"
            )
        wanted = tuple(tensor.size // known if not isinstance(n, Dim) and n == -1 else n for n in wanted)
    return tensor if wanted == tensor.shape else bind(reshape_op, (tensor,), {"shape": wanted})


def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order; reversed by default."""
    tensor = asarray(x)
    order = (
        tuple(range(tensor.ndim))[::-1]
        if axes is None
        else tuple(normalize_axis("transpose", a, tensor.ndim) for a in axes)
    )
    if sorted(order) != list(range(tensor.ndim)):
        raise ShapeError(f"transpose: axes must name each axis once; got {axes} for {tensor.ndim} axes")
    return bind(transpose_op, (tensor,), {"axes": order})


permute_dims = transpose


def broadcast_to(x: Any, shape: Sequence[Any]) -> Tensor:
    """Stretch axes of size 1 (and add leading ones) to a shape."""
    return bind(broadcast_to_op, (asarray(x),), {"shape": tuple(shape)})


def expand_dims(x: Any, axis: int = 0) -> Tensor:
    """A new axis of size 1 at ``axis``."""
    tensor = asarray(x)
    place = normalize_axis("expand_dims", axis, tensor.ndim + 1)
    return reshape(tensor, tensor.shape[:place] + (1,) + tensor.shape[place:])


def squeeze(x: Any, axis: int | Sequence[int]) -> Tensor:
    """Without the axes named, which must have size 1."""
    tensor = asarray(x)
    drop = {normalize_axis("squeeze", a, tensor.ndim) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))}
    if any(tensor.shape[a] != 1 for a in drop):
        raise ShapeError(f"squeeze: axes must have size 1; got {axis} of {tensor.shape}")
    return reshape(tensor, tuple(n for a, n in enumerate(tensor.shape) if a not in drop))


def flip(x: Any, axis: int | Sequence[int] | None = None) -> Tensor:
    """The order reversed along axes; all by default."""
    tensor = asarray(x)
    axes = range(tensor.ndim) if axis is None else (axis if isinstance(axis, (tuple, list)) else (axis,))
    turned = {normalize_axis("flip", a, tensor.ndim) for a in axes}
    start = tuple(n - 1 if a in turned else 0 for a, n in enumerate(tensor.shape))
    return bind(
        slice_op,
        (tensor,),
        {"start": start, "size": tensor.shape, "step": tuple(-1 if a in turned else 1 for a in range(tensor.ndim))},
    )


def pad(x: Any, pad_width: Any, value: float = 0.0) -> Tensor:
    """Elements of one value around: ``pad_width`` is a pair for all axes, or one (before, after) pair per axis."""
    tensor = asarray(x)
    widths = np.broadcast_to(np.asarray(pad_width), (tensor.ndim, 2)).tolist()
    if any(w < 0 for pair in widths for w in pair):
        raise ShapeError(f"pad: widths must not be negative; got {pad_width}. Slice to cut elements off")
    return bind(pad_op, (tensor,), {"widths": tuple((int(a), int(b)) for a, b in widths), "value": float(value)})


def sliding_window(
    x: Any, axes: Sequence[int], sizes: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Tensor:
    """Windows along axes, as new axes at the end; nothing is copied."""
    tensor = asarray(x)
    where = tuple(normalize_axis("sliding_window", a, tensor.ndim) for a in axes)
    return bind(
        sliding_window_op,
        (tensor,),
        {"axes": where, "sizes": tuple(sizes), "strides": tuple(strides), "dilations": tuple(dilations)},
    )


def concat(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Tensors joined along an axis; the others must agree."""
    tensors = tuple(asarray(x) for x in xs)
    if not tensors:
        raise ShapeError("concat: needs at least one tensor; got none")
    return bind(_concat, tensors, {"axis": normalize_axis("concat", axis, tensors[0].ndim)})


def stack(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis."""
    return concat([expand_dims(x, axis) for x in xs], axis)


def split(x: Any, parts: int, axis: int = 0) -> tuple[Tensor, ...]:
    """Equal parts along an axis."""
    tensor = asarray(x)
    where = normalize_axis("split", axis, tensor.ndim)
    if tensor.shape[where] % parts:
        raise ShapeError(f"split: axis {axis} must divide into {parts}; got {tensor.shape}")
    size = tensor.shape[where] // parts
    shape = tensor.shape[:where] + (size,) + tensor.shape[where + 1 :]
    return tuple(
        bind(
            slice_op,
            (tensor,),
            {
                "start": tuple(size * k if a == where else 0 for a in range(tensor.ndim)),
                "size": shape,
                "step": (1,) * tensor.ndim,
            },
        )
        for k in range(parts)
    )


def identity(x: Any) -> Tensor:
    """The same values, as a tensor of its own to a gradient tape."""
    return bind(identity_op, (asarray(x),))


def stop_gradient(x: Any) -> Tensor:
    """The same values, through which no gradient flows."""
    return bind(stop_gradient_op, (asarray(x),))
