"""Convolution, its transpose, and what is made of them; channels come first here, and last where they are computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor, nn

from ..errors import ModelError, UnsupportedError
from ..registry import translator
from .quantization import centered, requantized
from .windows import beside_channels, first_last, windows_of

Ints = Sequence[int]
_SETTINGS = "auto_pad dilations group kernel_shape pads strides"


def _last(x: Tensor) -> Tensor:
    return bt.moveaxis(x, 1, -1)


def _first(x: Tensor) -> Tensor:
    return bt.moveaxis(x, -1, 1)


@translator("Conv")
def conv(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Ints = (),
    group: int = 1,
    kernel_shape: Ints = (),
    pads: Ints = (),
    strides: Ints = (),
) -> Tensor:
    n = x.ndim - 2
    found = windows_of(x.shape[2:], w.shape[2:], strides=strides, dilations=dilations, pads=pads, auto_pad=auto_pad)
    filters = bt.transpose(w, (*range(2, 2 + n), 1, 0))
    out = _first(nn.conv(_last(x), filters, found.strides, found.widths, found.dilations, group))
    return out if b is None else out + beside_channels(b, out)


@translator("ConvTranspose")
def conv_transpose(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Ints = (),
    group: int = 1,
    kernel_shape: Ints = (),
    output_padding: Ints = (),
    output_shape: Ints = (),
    pads: Ints = (),
    strides: Ints = (),
) -> Tensor:
    n = x.ndim - 2
    steps, spread = tuple(strides) or (1,) * n, tuple(dilations) or (1,) * n
    extra = tuple(output_padding) or (0,) * n
    widths = list(first_last(pads, n))
    if output_shape or auto_pad.startswith("SAME"):
        wanted = tuple(output_shape)[-n:] or tuple(m * s for m, s in zip(x.shape[2:], steps, strict=True))
        for a, (m, s, k, d) in enumerate(zip(x.shape[2:], steps, w.shape[2:], spread, strict=True)):
            total = s * (m - 1) + extra[a] + (k - 1) * d + 1 - wanted[a]
            less = total // 2
            widths[a] = (less, total - less) if auto_pad == "SAME_UPPER" else (total - less, less)
    more = tuple(e + max(-after, 0) for e, (_, after) in zip(extra, widths, strict=True))
    cuts = [(max(before, 0), max(after, 0)) for before, after in widths]
    filters = bt.transpose(w, (*range(2, 2 + n), 1, 0))
    out = _first(nn.conv_transpose(_last(x), filters, steps, cuts, more, spread, group))
    if any(before < 0 for before, _ in widths):
        out = bt.pad(out, ((0, 0), (0, 0), *((max(-before, 0), 0) for before, _ in widths)))
    return out if b is None else out + beside_channels(b, out)


@translator("CausalConvWithState", 27)
def causal_conv_with_state(
    x: Tensor, w: Tensor, b: Tensor | None = None, past: Tensor | None = None, *, activation: str = "none"
) -> tuple[Tensor, Tensor]:
    """Each channel with a filter of its own over what came before; the state is the last ``k - 1`` steps."""
    keep = w.shape[-1] - 1
    before = bt.zeros((*x.shape[:2], keep), x.dtype) if past is None else past.astype(x.dtype)
    whole = bt.concat([before, x], -1)
    out = conv(whole, w, b, group=x.shape[1])
    if activation not in ("none", "silu", "swish"):
        raise ModelError(f"CausalConvWithState: the activation is none, silu or swish; got {activation!r}")
    state = whole[:, :, whole.shape[-1] - keep :]
    return out if activation == "none" else nn.silu(out), state


@translator("ConvInteger", 10, others=_SETTINGS)
def conv_integer(
    x: Tensor, w: Tensor, x_zero_point: Tensor | None = None, w_zero_point: Tensor | None = None, **settings: Any
) -> Tensor:
    """Exact, in int32. Zeros around x are its zero point."""
    return conv(centered(x, x_zero_point), centered(w, _of_filters(w_zero_point, w)), **settings)


@translator("QLinearConv", 10, others=_SETTINGS)
def qlinear_conv(
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor,
    w: Tensor,
    w_scale: Tensor,
    w_zero_point: Tensor,
    y_scale: Tensor,
    y_zero_point: Tensor,
    b: Tensor | None = None,
    **settings: Any,
) -> Tensor:
    exact = conv(centered(x, x_zero_point), centered(w, _of_filters(w_zero_point, w)), b, **settings)
    scale = x_scale * w_scale / y_scale
    scale = beside_channels(scale, exact) if scale.size > 1 else scale
    return requantized(exact.astype("float32") * scale, y_zero_point, y_zero_point.dtype)


def _of_filters(zero_point: Tensor | None, w: Tensor) -> Tensor | None:
    """A zero point for each filter stands along the first axis."""
    if zero_point is None or zero_point.size == 1:
        return zero_point
    return bt.reshape(zero_point, (-1, *(1,) * (w.ndim - 1)))


@translator("Col2Im", 18, static="image_shape block_shape")
def col2im(
    x: Tensor, image_shape: Any, block_shape: Any, *, dilations: Ints = (), pads: Ints = (), strides: Ints = ()
) -> Tensor:
    """Every column adds its window to the places it was taken from."""
    n = len(image_shape)
    image, block = tuple(map(int, image_shape)), tuple(map(int, block_shape))
    found = windows_of(image, block, strides=strides, dilations=dilations, pads=pads)
    places = [
        (m + sum(p) - (k - 1) * d - 1) // s + 1
        for m, p, k, d, s in zip(image, found.widths, block, found.dilations, found.strides, strict=True)
    ]
    rows = bt.reshape(x, (x.shape[0], -1, *block, *places))
    rows = bt.transpose(rows, (0, *range(2 + n, 2 + 2 * n), *range(2, 2 + n), 1))
    rows = bt.reshape(rows, (x.shape[0], *places, -1))
    return _first(nn.fold(rows, image, block, found.strides, found.widths, found.dilations))


@translator("DeformConv", 19)
def deform_conv(
    x: Tensor,
    w: Tensor,
    offset: Tensor,
    b: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    dilations: Ints = (),
    group: int = 1,
    kernel_shape: Ints = (),
    offset_group: int = 1,
    pads: Ints = (),
    strides: Ints = (),
) -> Tensor:
    """Convolution whose taps are moved by offsets, between the elements by linear interpolation (Dai et al. 2017)."""
    if x.ndim != 4:
        raise UnsupportedError(f"DeformConv: pictures only; got {x.ndim - 2} axes of space")
    found = windows_of(x.shape[2:], w.shape[2:], strides=strides, dilations=dilations, pads=pads)
    batch, channels = x.shape[:2]
    taps, places = int(np.prod(found.size)), offset.shape[2:]
    moves = bt.reshape(offset, (batch, offset_group, taps, 2, *places))
    axes = []
    for a in range(2):
        tap = np.indices(found.size)[a].reshape(-1, 1, 1) * found.dilations[a]
        start = np.indices(places)[a] * found.strides[a] - found.widths[a][0]
        axes.append(moves[:, :, :, a] + bt.asarray((tap + start).astype(x.dtype)))
    groups = bt.reshape(x, (batch, offset_group, channels // offset_group, *x.shape[2:]))
    samples = _between(groups, *axes)
    if mask is not None:
        samples = samples * bt.reshape(mask, (batch, offset_group, 1, taps, *places))
    columns = bt.reshape(samples, (batch, group, channels // group * taps, -1))
    filters = bt.reshape(w, (group, w.shape[0] // group, -1))
    out = bt.reshape(bt.matmul(filters, columns), (batch, w.shape[0], *places))
    return out if b is None else out + beside_channels(b, out)


def _between(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Values of ``x`` (batch, group, channels, height, width) at places (batch, group, taps, *out), 0 outside."""
    height, width = x.shape[3:]
    flat = bt.moveaxis(bt.reshape(x, (*x.shape[:3], -1)), 2, -1)
    lead = [
        bt.reshape(bt.iota((n,)), [n if a == k else 1 for a in range(rows.ndim)]) for k, n in enumerate(x.shape[:2])
    ]
    top, left = bt.floor(rows), bt.floor(columns)
    out: Any = 0
    for down in (0, 1):
        for right in (0, 1):
            y, z = top + down, left + right
            weight = (1 - bt.abs(rows - y)) * (1 - bt.abs(columns - z))
            inside = (y >= 0) & (y < height) & (z >= 0) & (z < width)
            place = bt.clip(y, 0, height - 1).astype("int64") * width + bt.clip(z, 0, width - 1).astype("int64")
            out = out + flat[(*lead, place)] * bt.expand_dims(bt.where(inside, weight, 0), -1)
    return bt.moveaxis(out, -1, 2)
