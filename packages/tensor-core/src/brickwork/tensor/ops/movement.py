"""Movement: reshape, transpose, broadcast, slice, pad, windows. Each is an index map, so that a compiled kernel reads through it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..dim import Dim, Size
from ..errors import DTypeError, ShapeError
from ..op import OPS, Movement, Opaque, Spec, register, sum_to
from ..spec import Shape, broadcast_shapes, normalize_axis
from ..tensor import Tensor, asarray
from ..trace import bind
from ..view import Affine, Form, IndexMap

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


class Reshape(Movement):
    def infer(self, x: Spec, *, shape: Shape) -> Spec:  # type: ignore[override]
        if prod(shape) != x.size:
            raise ShapeError(
                f"reshape: the number of elements must stay; got {x.shape} -> {shape}: {x.size} != {prod(shape)}"
            )
        return Spec(shape, x.dtype)

    def eval(self, xp: Any, x: Any, *, shape: Shape) -> Any:  # type: ignore[override]
        return x.reshape(shape)

    def view(self, x: Spec, **params: Any) -> IndexMap | None:
        return None

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, shape: Shape) -> Any:  # type: ignore[override]
        return bind(self, (g,), {"shape": x.shape})


class Identity(Movement):
    """The same values; ``stop_gradient`` is the one without a gradient."""

    def infer(self, x: Spec) -> Spec:  # type: ignore[override]
        return x

    def eval(self, xp: Any, x: Any) -> Any:  # type: ignore[override]
        return x.view() if hasattr(x, "view") else x

    def view(self, x: Spec, **params: Any) -> IndexMap | None:
        return None

    def vjp(self, i: int, g: Any, out: Any, x: Any) -> Any:  # type: ignore[override]
        return g if self.name == "identity" else None


class Transpose(Movement):
    def infer(self, x: Spec, *, axes: tuple[int, ...]) -> Spec:  # type: ignore[override]
        return Spec(tuple(x.shape[a] for a in axes), x.dtype)

    def eval(self, xp: Any, x: Any, *, axes: tuple[int, ...]) -> Any:  # type: ignore[override]
        return x.transpose(axes)

    def view(self, x: Spec, *, axes: tuple[int, ...]) -> IndexMap:  # type: ignore[override]
        return IndexMap(tuple(Affine.axis(axes.index(d), x.ndim) for d in range(x.ndim)))

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, axes: tuple[int, ...]) -> Any:  # type: ignore[override]
        return bind(self, (g,), {"axes": tuple(axes.index(d) for d in range(len(axes)))})


class BroadcastTo(Movement):
    def infer(self, x: Spec, *, shape: Shape) -> Spec:  # type: ignore[override]
        if broadcast_shapes("broadcast_to", x.shape, shape) != shape:
            raise ShapeError(f"broadcast_to: the shape must be one that {x.shape} stretches to; got {shape}")
        return Spec(shape, x.dtype)

    def eval(self, xp: Any, x: Any, *, shape: Shape) -> Any:  # type: ignore[override]
        return xp.broadcast_to(x, shape)

    def view(self, x: Spec, *, shape: Shape) -> IndexMap:  # type: ignore[override]
        n, lead = len(shape), len(shape) - x.ndim
        return IndexMap(
            tuple(Affine((0,) * n) if size == 1 else Affine.axis(lead + d, n) for d, size in enumerate(x.shape))
        )

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, shape: Shape) -> Any:  # type: ignore[override]
        return sum_to(g, x.shape)


class Slice(Movement):
    """Per axis ``start``, ``size`` and ``step`` (negative steps walk back)."""

    def infer(self, x: Spec, *, start: Shape, size: Shape, step: tuple[int, ...]) -> Spec:  # type: ignore[override]
        return Spec(size, x.dtype)

    def eval(self, xp: Any, x: Any, *, start: Any, size: Any, step: Any) -> Any:  # type: ignore[override]
        keys = []
        for b, n, s in zip(start, size, step, strict=True):
            end = b + n * s
            keys.append(slice(b, end if s > 0 or end >= 0 else None, s) if n else slice(0, 0))
        return x[tuple(keys)]

    def view(self, x: Spec, *, start: Shape, size: Shape, step: tuple[int, ...]) -> IndexMap:  # type: ignore[override]
        return IndexMap(tuple(Affine.axis(d, x.ndim, s, b) for d, (b, s) in enumerate(zip(start, step, strict=True))))

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, start: Any, size: Any, step: Any) -> Any:  # type: ignore[override]
        n = len(size)
        maps = tuple(Affine(tuple(1 if a == d else 0 for a in range(n)), -b, s) if s > 0
                     else Affine(tuple(-1 if a == d else 0 for a in range(n)), b, -s)
                     for d, (b, s) in enumerate(zip(start, step, strict=True)))  # fmt: skip
        return bind(OPS["contract"], (g,), {"form": Form(x.shape, (maps,), tuple(range(n)))})


class Pad(Movement):
    """Per axis so many elements of one value before and after."""

    def infer(self, x: Spec, *, widths: tuple[tuple[int, int], ...], value: float) -> Spec:  # type: ignore[override]
        return Spec(tuple(n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)), x.dtype)

    def eval(self, xp: Any, x: Any, *, widths: Any, value: float) -> Any:  # type: ignore[override]
        return xp.pad(x, widths, constant_values=x.dtype.type(value))

    def view(self, x: Spec, *, widths: Any, value: float) -> IndexMap:  # type: ignore[override]
        return IndexMap(tuple(Affine.axis(d, x.ndim, 1, -before) for d, (before, _) in enumerate(widths)), value)

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, widths: Any, value: float) -> Any:  # type: ignore[override]
        return bind(
            OPS["slice"], (g,), {"start": tuple(a for a, _ in widths), "size": x.shape, "step": (1,) * len(x.shape)}
        )


class SlidingWindow(Movement):
    """Axis ``axes[k]`` of size n becomes ``(n - (size - 1) * dilation - 1) // stride + 1`` places, and the window an axis at the end."""

    def _places(self, x: Spec, axes: Any, sizes: Any, strides: Any, dilations: Any) -> Shape:
        out = list(x.shape)
        for a, k, s, d in zip(axes, sizes, strides, dilations, strict=True):
            span = (k - 1) * d + 1
            if not isinstance(out[a], Dim) and out[a] < span:
                raise ShapeError(
                    f"sliding_window: the window must fit; got size {k} (span {span}) on axis {a} of {x.shape}. Pad first"
                )
            out[a] = (out[a] - span) // s + 1
        return tuple(out)

    def infer(self, x: Spec, *, axes: Any, sizes: Any, strides: Any, dilations: Any) -> Spec:  # type: ignore[override]
        return Spec(self._places(x, axes, sizes, strides, dilations) + tuple(sizes), x.dtype)

    def eval(self, xp: Any, x: Any, *, axes: Any, sizes: Any, strides: Any, dilations: Any) -> Any:  # type: ignore[override]
        shape = self.infer(Spec(x.shape, x.dtype), axes=axes, sizes=sizes, strides=strides, dilations=dilations).shape
        steps = list(x.strides)
        for a, s in zip(axes, strides, strict=True):
            steps[a] *= s
        steps += [x.strides[a] * d for a, d in zip(axes, dilations, strict=True)]
        return xp.lib.stride_tricks.as_strided(x, shape, steps)

    def view(self, x: Spec, *, axes: Any, sizes: Any, strides: Any, dilations: Any) -> IndexMap:  # type: ignore[override]
        n = x.ndim + len(axes)
        dims = []
        for d in range(x.ndim):
            coeffs = [0] * n
            coeffs[d] = 1
            if d in axes:
                k = axes.index(d)
                coeffs[d], coeffs[x.ndim + k] = strides[k], dilations[k]
            dims.append(Affine(tuple(coeffs)))
        return IndexMap(tuple(dims))

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, axes: Any, sizes: Any, strides: Any, dilations: Any) -> Any:  # type: ignore[override]
        ndim, n = len(x.shape), len(x.shape) + len(axes)
        maps = []
        for d in range(ndim):
            coeffs = [0] * n
            coeffs[d] = 1
            div = 1
            if d in axes:
                k = axes.index(d)
                coeffs[ndim + k], div = -dilations[k], strides[k]
            maps.append(Affine(tuple(coeffs), 0, div))
        maps += [Affine.axis(ndim + k, n) for k in range(len(axes))]
        return bind(OPS["contract"], (g,), {"form": Form(x.shape + tuple(sizes), (tuple(maps),), tuple(range(ndim)))})


_reshape = register(Reshape("reshape"))
_identity = register(Identity("identity"))
_stop_gradient = register(Identity("stop_gradient"))
_transpose = register(Transpose("transpose"))
_broadcast_to = register(BroadcastTo("broadcast_to"))
_slice = register(Slice("slice"))
_pad = register(Pad("pad"))
_sliding_window = register(SlidingWindow("sliding_window"))


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
        _slice,
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
    return tensor if wanted == tensor.shape else bind(_reshape, (tensor,), {"shape": wanted})


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
    return bind(_transpose, (tensor,), {"axes": order})


permute_dims = transpose


def broadcast_to(x: Any, shape: Sequence[Any]) -> Tensor:
    """Stretch axes of size 1 (and add leading ones) to a shape."""
    return bind(_broadcast_to, (asarray(x),), {"shape": tuple(shape)})


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
        _slice,
        (tensor,),
        {"start": start, "size": tensor.shape, "step": tuple(-1 if a in turned else 1 for a in range(tensor.ndim))},
    )


def pad(x: Any, pad_width: Any, value: float = 0.0) -> Tensor:
    """Elements of one value around: ``pad_width`` is a pair for all axes, or one (before, after) pair per axis."""
    tensor = asarray(x)
    widths = np.broadcast_to(np.asarray(pad_width), (tensor.ndim, 2)).tolist()
    if any(w < 0 for pair in widths for w in pair):
        raise ShapeError(f"pad: widths must not be negative; got {pad_width}. Slice to cut elements off")
    return bind(_pad, (tensor,), {"widths": tuple((int(a), int(b)) for a, b in widths), "value": float(value)})


def sliding_window(
    x: Any, axes: Sequence[int], sizes: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Tensor:
    """Windows along axes, as new axes at the end; nothing is copied."""
    tensor = asarray(x)
    where = tuple(normalize_axis("sliding_window", a, tensor.ndim) for a in axes)
    return bind(
        _sliding_window,
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
            _slice,
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
    return bind(_identity, (asarray(x),))


def stop_gradient(x: Any) -> Tensor:
    """The same values, through which no gradient flows."""
    return bind(_stop_gradient, (asarray(x),))
