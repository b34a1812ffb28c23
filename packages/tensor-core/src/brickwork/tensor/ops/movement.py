"""Functions that move elements and change none: reshape, transpose, broadcast, slice, pad, windows, joining."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..backend import module_of
from ..dim import Dim, Size
from ..dtypes import promote
from ..errors import DTypeError, ShapeError
from ..expr import arg
from ..op import Opaque, Spec, map_op, register
from ..spec import Shape, as_bool, as_float, as_int, as_ints, as_shape, normalize_axes, normalize_axis
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
            raise ShapeError(
                f"concat: shapes must agree but for axis {axis}; got {first.shape} and {x.shape}. Pad or broadcast one"
            )
    total: Size = 0
    for x in xs:
        total = x.shape[axis] + total
    return Spec((*first.shape[:axis], total, *first.shape[axis + 1 :]), first.dtype)


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


def reshape(x: Any, shape: Any, copy: bool | None = None) -> Tensor:
    """The same elements in another shape; one size may be -1.

    ``copy``: True for memory of its own, False for an error where that is needed, None for either.
    Raises `ShapeError` when the numbers of elements differ, or where the result must be a copy and may not.
    """
    if copy is not None:
        return _reshape_with(as_bool("reshape", "copy", copy), asarray(x), shape)
    tensor = asarray(x)
    sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
    wanted: Shape = tuple([n if isinstance(n, Dim) else as_int("reshape", "a size", n, -1) for n in sizes])
    if wanted == tensor.shape:
        return tensor
    return bind(reshape_op, (tensor,), {"shape": _whole(wanted, tensor) if -1 in wanted else wanted})


def _reshape_with(own: bool, x: Tensor, shape: Any) -> Tensor:
    out = reshape(x, shape)
    if x.symbolic or out.symbolic:  # a compiled function has values, and where they lie is the compiler's to say
        return out
    if own:
        return out if out.data is not x.data and not _shares(out, x) else copied(out)
    if out.size and not _shares(out, x):
        raise ShapeError(f"reshape: a view must be possible without copy; got {x.shape} -> {out.shape} of a strided "
                         "tensor. Leave copy out")  # fmt: skip
    return out


def copied(x: Tensor) -> Tensor:
    """The same values in memory of their own."""
    return bind(map_op, (x,), {"body": arg(0, x.dtype)})


def _shares(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors of a device lie in the same memory."""
    return bool(module_of((a.data,)).may_share_memory(a.data, b.data))


def _whole(wanted: Shape, x: Tensor) -> Shape:
    """The shape with its -1 worked out."""
    known = prod(n for n in wanted if n != -1)
    if wanted.count(-1) > 1:
        raise ShapeError(f"reshape: at most one size can be -1; got {wanted}. Work out the others")
    if not isinstance(known, Dim) and not isinstance(x.size, Dim) and (known == 0 or x.size % known):
        raise ShapeError(
            f"reshape: the number of elements must stay; got {x.shape} -> {wanted}: {x.size} does not divide by "
            f"{known}. Choose sizes that divide it"
        )
    return tuple(x.size // known if n == -1 else n for n in wanted)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order; reversed by default. Raises `ShapeError` unless each axis is named once."""
    tensor = asarray(x)
    if axes is None:
        return bind(transpose_op, (tensor,), {"axes": tuple(range(tensor.ndim))[::-1]})
    order = tuple(normalize_axis("transpose", a, tensor.ndim) for a in as_ints("transpose", "an axis", axes))
    if sorted(order) != list(range(tensor.ndim)):
        raise ShapeError(
            f"transpose: axes must name each axis once; got {axes} for {tensor.ndim} axes. Name each axis once"
        )
    return bind(transpose_op, (tensor,), {"axes": order})


permute_dims = transpose


def broadcast_to(x: Any, shape: Any) -> Tensor:
    """Stretch axes of size 1 (and add leading ones) to a shape. Raises `ShapeError` where the sizes do not allow it."""
    return bind(broadcast_to_op, (asarray(x),), {"shape": as_shape("broadcast_to", shape)})


def expand_dims(x: Any, axis: int | Sequence[int] = 0) -> Tensor:
    """A new axis of size 1 at ``axis``, or several. Raises `IndexingError` out of range."""
    tensor = asarray(x)
    given = as_ints("expand_dims", "an axis", axis)
    places = normalize_axes("expand_dims", given, tensor.ndim + len(given))
    sizes = iter(tensor.shape)
    return reshape(tensor, tuple(1 if a in places else next(sizes) for a in range(tensor.ndim + len(places))))


def squeeze(x: Any, axis: int | Sequence[int]) -> Tensor:
    """Without the axes named. Raises `ShapeError` where one has not size 1."""
    tensor = asarray(x)
    drop = {normalize_axis("squeeze", a, tensor.ndim) for a in as_ints("squeeze", "an axis", axis)}
    if any(tensor.shape[a] != 1 for a in drop):
        raise ShapeError(f"squeeze: axes must have size 1; got {axis} of {tensor.shape}. Use reshape to join axes")
    return reshape(tensor, tuple(n for a, n in enumerate(tensor.shape) if a not in drop))


def flip(x: Any, axis: int | Sequence[int] | None = None) -> Tensor:
    """The order reversed along axes; all by default. Raises `IndexingError` out of range."""
    tensor = asarray(x)
    turned = normalize_axes("flip", axis, tensor.ndim)
    start = tuple(n - 1 if a in turned else 0 for a, n in enumerate(tensor.shape))
    step = tuple(-1 if a in turned else 1 for a in range(tensor.ndim))
    return bind(slice_op, (tensor,), {"start": start, "size": tensor.shape, "step": step})


def pad(x: Any, pad_width: Any, value: float = 0.0) -> Tensor:
    """Elements of one value around: ``pad_width`` is a number or a pair for all axes, or a (before, after) pair per
    axis. Raises `ShapeError` for widths below 0 or of another number."""
    tensor = asarray(x)
    try:
        widths = np.broadcast_to(np.asarray(pad_width), (tensor.ndim, 2)).tolist()
    except (ValueError, TypeError):
        raise ShapeError(
            f"pad: pad_width must be a number, a pair, or a pair for each of {tensor.ndim} axes; got {pad_width!r}"
        ) from None
    pairs = tuple(as_ints("pad", "a width", pair, 2, 0) for pair in widths)
    return bind(pad_op, (tensor,), {"widths": pairs, "value": as_float("pad", "value", value)})


def sliding_window(x: Any, axes: Any, sizes: Any, strides: Any = 1, dilations: Any = 1) -> Tensor:
    """Windows along axes, as new axes at the end; nothing is copied.

    ``sizes``, ``strides``, ``dilations``: one for each of ``axes``, at least 1. An axis of size n becomes
    ``(n - (size - 1) * dilation - 1) // stride + 1`` places. Raises `ShapeError` where a window does not fit.
    """
    tensor, who = asarray(x), "sliding_window"
    where = tuple(normalize_axis(who, a, tensor.ndim) for a in as_ints(who, "an axis", axes))
    if len(set(where)) != len(where):
        raise ShapeError(f"sliding_window: axes must be distinct; got {axes}. Name each axis once")
    given = {"sizes": sizes, "strides": strides, "dilations": dilations}
    window = {name: as_ints(who, name, value, len(where), 1) for name, value in given.items()}
    return bind(sliding_window_op, (tensor,), {"axes": where, **window})


def concat(xs: Sequence[Any], axis: int | None = 0) -> Tensor:
    """Tensors joined along an axis (flattened first, for None), in their common dtype; the other sizes must agree.

    Raises `ShapeError`, or `DTypeError` where there is no common dtype.
    """
    tensors = _one_dtype(_several("concat", xs))
    if axis is None:
        return bind(_concat, tuple(reshape(t, (t.size,)) for t in tensors), {"axis": 0})
    return bind(_concat, tensors, {"axis": normalize_axis("concat", axis, tensors[0].ndim)})


def stack(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis, in their common dtype. Raises `ShapeError` or `DTypeError`."""
    tensors = _several("stack", xs)
    if any(t.shape != tensors[0].shape for t in tensors):
        raise ShapeError(
            f"stack: shapes must agree; got {', '.join(str(t.shape) for t in tensors)}. Broadcast or pad them"
        )
    return concat([expand_dims(x, axis) for x in tensors], axis)


def _one_dtype(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    dtypes = {t.data.dtype for t in tensors}
    if len(dtypes) == 1:
        return tensors
    common = promote(*[t.dtype for t in tensors])
    return tuple([t if t.dtype is common or t.dtype == common else t.astype(common) for t in tensors])


def _several(who: str, xs: Any) -> tuple[Tensor, ...]:
    if not isinstance(xs, (tuple, list)) or not xs:
        raise ShapeError(f"{who}: takes a list of at least one tensor; got {xs!r}. Put it in a list")
    return tuple([asarray(x) for x in xs])


def split(x: Any, parts: int, axis: int = 0) -> tuple[Tensor, ...]:
    """Equal parts along an axis. Raises `ShapeError` where its size does not divide."""
    tensor, parts = asarray(x), as_int("split", "the number of parts", parts, 1)
    where = normalize_axis("split", axis, tensor.ndim)
    if tensor.shape[where] % parts:
        raise ShapeError(
            f"split: axis {axis} must divide into {parts}; got {tensor.shape}. Pad it, or cut it with slices"
        )
    size = tensor.shape[where] // parts
    shape = (*tensor.shape[:where], size, *tensor.shape[where + 1 :])
    starts = (tuple(size * k if a == where else 0 for a in range(tensor.ndim)) for k in range(parts))
    return tuple(bind(slice_op, (tensor,), {"start": s, "size": shape, "step": (1,) * tensor.ndim}) for s in starts)


def identity(x: Any) -> Tensor:
    """The same values, as a tensor of its own to a gradient tape."""
    return bind(identity_op, (asarray(x),))


def stop_gradient(x: Any) -> Tensor:
    """The same values, through which no gradient flows."""
    return bind(stop_gradient_op, (asarray(x),))
