"""Convolution over one or more axes, channels last, and its transpose: contractions, closed under differentiation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dim import Dim
from ..errors import ShapeError
from ..op import Spec, register
from ..ops.contraction import Contract, contract
from ..spec import as_int, as_ints
from ..tensor import Tensor, asarray
from ..trace import bind
from ..view import Affine, Form

__all__ = ["conv", "conv_transpose", "depthwise_conv", "padding_widths", "separable_conv"]


class Conv(Contract):
    """Convolution (cross-correlation) of ``(batch, *space, channels)`` with ``(*window, channels / groups,
    filters)``."""

    def form(self, x: Spec, w: Spec, *, strides: Any, padding: Any, dilations: Any, groups: int) -> Form:
        space = x.ndim - 2
        if w.ndim != x.ndim or space < 1:
            raise ShapeError(
                "conv: needs x (batch, *space, channels) and w (*window, channels, filters); "
                f"got {x.shape}, {w.shape}. Add the missing axes with reshape"
            )
        places = _places(x, w, strides, padding, dilations, groups)
        split = (w.shape[-1],) if groups == 1 else (groups, w.shape[-1] // groups)
        extents = (x.shape[0], *places, *split, *w.shape[:space], w.shape[-2])
        n, first = len(extents), 1 + space + len(split)
        spatial = [Affine.of(n, {1 + d: strides[d], first + d: dilations[d]}, -padding[d][0]) for d in range(space)]
        window = [Affine.axis(first + d, n) for d in range(space)]
        filters = [Affine.axis(a, n) for a in range(1 + space, first)]
        group, channel = filters[:-1], Affine.axis(n - 1, n)  # one group for all is no axis
        maps = (Affine.axis(0, n), *spatial, *group, channel), (*window, channel, *filters)
        return Form(extents, maps, tuple(range(first)))


def _places(x: Spec, w: Spec, strides: Any, padding: Any, dilations: Any, groups: int) -> list[Any]:
    """How many places each axis of space has. Raises `ShapeError` where channels or windows do not fit."""
    if x.shape[-1] != w.shape[-2] * groups or w.shape[-1] % groups:
        raise ShapeError(
            "conv: channels of x must be channels of w times groups, and filters a multiple of groups; "
            f"got x {x.shape}, w {w.shape}, groups {groups}. Is w laid out as (*window, channels, filters)?"
        )
    places = []
    for d in range(x.ndim - 2):
        span = (w.shape[d] - 1) * dilations[d] + 1
        total = x.shape[1 + d] + sum(padding[d])
        if not isinstance(total, Dim) and total < span:
            raise ShapeError(
                f"conv: the window must fit; got size {w.shape[d]} (span {span}) on axis {1 + d} of {x.shape} "
                f'padded by {padding[d]}. Pad more, or take padding="same"'
            )
        places.append((total - span) // strides[d] + 1)
    return places


_conv = register(Conv("conv"))


def conv(
    x: Any,
    w: Any,
    strides: Sequence[int] | int = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    dilations: Sequence[int] | int = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution (cross-correlation) over one or more axes, channels last.

    ``x``: (batch, *space, channels). ``w``: (*window, channels / groups, filters). ``padding``: "valid", "same" (as
    TensorFlow splits it: the odd one after), "causal" (one axis: all before) or (before, after) per axis. Result:
    (batch, *places, filters) with ``(n + before + after - ((k - 1) * dilation + 1)) // stride + 1`` places per axis, of
    the promoted dtype. Raises `ShapeError` where channels do not match or the window does not fit.
    """
    x, w, groups = asarray(x), asarray(w), as_int("conv", "groups", groups, 1)
    space = max(x.ndim - 2, 0)
    steps = as_ints("conv", "strides", strides, space, 1)
    spread = as_ints("conv", "dilations", dilations, space, 1)
    widths = padding_widths("conv", padding, x.shape[1:-1], w.shape[:space], steps, spread)
    settings: dict[str, Any] = {"strides": steps, "padding": widths, "dilations": spread, "groups": groups}
    if groups == 1:
        return bind(_conv, (x, w), settings)
    form = _conv.form(x.spec, w.spec, **settings)
    split_x = x.reshape((*x.shape[:-1], groups, w.shape[-2]))
    split_w = w.reshape((*w.shape[:-1], groups, w.shape[-1] // groups))
    out = bind(contract, (split_x, split_w), {"form": form})
    return out.reshape((*out.shape[:-2], w.shape[-1]))


def padding_widths(
    who: str,
    padding: Any,
    space: Sequence[Any],
    window: Sequence[Any],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tuple[tuple[int, ...], ...]:
    """(before, after) per axis for "valid", "same", "causal" (one axis) or explicit pairs. Raises `ShapeError` for
    anything else."""
    if isinstance(padding, str) and padding == "valid":
        return ((0, 0),) * len(space)
    if isinstance(padding, str) and padding == "same":
        out = []
        for n, k, s, d in zip(space, window, strides, dilations):
            total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            out.append((total // 2, total - total // 2))
        return tuple(out)
    if isinstance(padding, str) and padding == "causal" and len(space) == 1:
        return (((window[0] - 1) * dilations[0], 0),)
    if isinstance(padding, (tuple, list)) and len(padding) == len(space):
        return tuple(as_ints(who, "padding", pair, 2, 0) for pair in padding)
    raise ShapeError(
        f'{who}: padding must be "valid", "same", "causal" (of one axis) or a (before, after) pair per axis; '
        f"got {padding!r}"
    )


def _cuts(padding: Any, space: int) -> Sequence[Any]:
    """The padding of each axis: a word or a pair."""
    if isinstance(padding, str) and padding in ("valid", "same"):
        return (padding,) * space
    if isinstance(padding, (tuple, list)) and len(padding) == space:
        return tuple(as_ints("conv_transpose", "padding", pair, 2, 0) for pair in padding)
    raise ShapeError(
        f'conv_transpose: padding must be "valid", "same" or a (before, after) pair per axis; got {padding!r}'
    )


def _transposed_padding(n: Any, span: int, stride: int, padding: Any, extra: int | None) -> tuple[int, Any]:
    """How much is cut before, and the size of the result, of one axis: Keras's rules for "valid" and "same"."""
    whole = (n - 1) * stride + span
    if not isinstance(padding, str):
        return padding[0], whole - padding[0] - padding[1] + (extra or 0)
    if padding == "valid":
        return 0, whole + (max(stride - span, 0) if extra is None else extra)
    total = span + stride - 2 if extra is None else span + span % 2 - 2 + extra
    return span - 1 - min(total // 2 + total % 2, span - 1), whole - 2 * (span - 1) + total


def conv_transpose(
    x: Any,
    w: Any,
    strides: Sequence[int] | int = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    output_padding: Sequence[int] | int | None = None,
    dilations: Sequence[int] | int = 1,
    groups: int = 1,
) -> Tensor:
    """The transpose of `conv` as a linear map: what its gradient by ``x`` is, as a layer that enlarges.

    ``x``: (batch, *space, channels). ``w``: (*window, filters / groups, channels). Result: (batch, *places, filters),
    of the promoted dtype. Places per axis, with ``span = (k - 1) * dilation + 1`` (Keras's rules): "valid" gives
    ``(n - 1) * stride + max(span, stride)``, "same" ``n * stride``; with ``output_padding`` p they are
    ``(n - 1) * stride + span + p`` and ``(n - 1) * stride + span % 2 + p``. Pairs (before, after) are cut from
    ``(n - 1) * stride + span + p``. Raises `ShapeError` where channels do not match or nothing is left.
    """
    x, w, groups = asarray(x), asarray(w), as_int("conv_transpose", "groups", groups, 1)
    space = _space_of(x, w, groups)
    steps = as_ints("conv_transpose", "strides", strides, space, 1)
    spread = as_ints("conv_transpose", "dilations", dilations, space, 1)
    extra: Sequence[int | None] = (None,) * space
    if output_padding is not None:
        extra = as_ints("conv_transpose", "output_padding", output_padding, space, 0)
    spans = [(k - 1) * d + 1 for k, d in zip(w.shape, spread)]
    pairs = _cuts(padding, space)
    cuts = [_transposed_padding(*a) for a in zip(x.shape[1:-1], spans, steps, pairs, extra, strict=True)]
    if any(isinstance(size, int) and size < 1 for _, size in cuts):
        raise ShapeError(
            f"conv_transpose: a place must be left; got x {x.shape}, w {w.shape}, padding {padding!r}. Cut off less"
        )
    shape_w = (*w.shape[:space], w.shape[-2], groups, w.shape[-1] // groups)
    form = _transposed(x.shape[0], shape_w, [b for b, _ in cuts], [n for _, n in cuts], steps, spread)
    split_x = x.reshape((*x.shape[:-1], groups, x.shape[-1] // groups))
    out = bind(contract, (split_x, w.reshape(shape_w)), {"form": form})
    return out.reshape((*out.shape[:-2], w.shape[-2] * groups))


def _space_of(x: Tensor, w: Tensor, groups: int) -> int:
    """How many axes of space `conv_transpose` has. Raises `ShapeError` where its operands do not fit."""
    if w.ndim != x.ndim or x.ndim < 3:
        raise ShapeError(
            "conv_transpose: needs x (batch, *space, channels) and w (*window, filters, channels); "
            f"got {x.shape}, {w.shape}. Add the missing axes with reshape"
        )
    if x.shape[-1] != w.shape[-1] or x.shape[-1] % groups:
        raise ShapeError(
            "conv_transpose: channels of x must be the last size of w, and a multiple of groups; "
            f"got x {x.shape}, w {w.shape}, groups {groups}. Is w laid out as (*window, filters, channels)?"
        )
    return x.ndim - 2


def _transposed(
    batch: Any, w: Sequence[Any], before: Sequence[int], places: Sequence[Any], strides: Any, dilations: Any
) -> Form:
    """Place o of the result takes tap k of place ``(o + before - k * dilation) / stride``, where that is one."""
    space = len(places)
    filters, groups, channels = w[space:]
    extents = (batch, *places, groups, filters, *w[:space], channels)
    n, first = len(extents), 3 + space
    inputs = [Affine.of(n, {1 + d: 1, first + d: -dilations[d]}, before[d], strides[d]) for d in range(space)]
    group, channel = Affine.axis(1 + space, n), Affine.axis(n - 1, n)
    window = [Affine.axis(first + d, n) for d in range(space)]
    maps = (
        (Affine.axis(0, n), *inputs, group, channel),
        (*window, Affine.axis(2 + space, n), group, channel),
    )
    return Form(extents, maps, tuple(range(first)))


def depthwise_conv(
    x: Any,
    w: Any,
    strides: Sequence[int] | int = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    dilations: Sequence[int] | int = 1,
) -> Tensor:
    """Each channel convolved with filters of its own: `conv` with a channel a group.

    ``x``: (batch, *space, channels). ``w``: (*window, channels, multiplier). Result: (batch, *places, channels *
    multiplier), those of a channel side by side. Other arguments and errors as of `conv`.
    """
    x, w = asarray(x), asarray(w)
    if w.ndim != x.ndim or x.ndim < 3 or w.shape[-2] != x.shape[-1]:
        raise ShapeError(
            "depthwise_conv: needs x (batch, *space, channels) and w (*window, channels, multiplier); "
            f"got {x.shape}, {w.shape}. Is w laid out as (*window, channels, multiplier)?"
        )
    channels, multiplier = w.shape[-2:]
    filters = w.reshape((*w.shape[:-2], 1, channels * multiplier))
    return conv(x, filters, strides, padding, dilations, channels)


def separable_conv(
    x: Any,
    depthwise: Any,
    pointwise: Any,
    strides: Sequence[int] | int = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    dilations: Sequence[int] | int = 1,
) -> Tensor:
    """`depthwise_conv`, then channels mixed at each place by ``pointwise`` (1, ..., 1, channels * multiplier,
    filters)."""
    return conv(depthwise_conv(x, depthwise, strides, padding, dilations), pointwise)
