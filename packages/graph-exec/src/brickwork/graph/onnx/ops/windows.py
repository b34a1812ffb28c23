"""Windows over the axes of space of ``(batch, channels, *space)``: how they step, and what is put around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import brickwork.tensor as bt
from brickwork.tensor import Tensor

from ..errors import ModelError

__all__ = ["Windows", "beside_channels", "first_last", "windows_of"]


@dataclass(frozen=True, slots=True)
class Windows:
    """``widths``: (before, after) of padding along each axis; ``beyond``: what a last window that sticks out reads
    more."""

    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    widths: tuple[tuple[int, int], ...]
    beyond: tuple[int, ...]

    def over(self, x: Tensor, fill: Any, beyond: Any = None) -> Tensor:
        """The windows of ``x`` (batch, channels, *space) as (batch, *places, channels, *window), channels last as
        convolutions leave them. ``fill``: what padding counts as, ``beyond`` too where that is None."""
        out, one = bt.moveaxis(x, 1, -1), (0, 0)
        if any(w != one for w in self.widths):
            out = bt.pad(out, (one, *self.widths, one), fill)
        if any(self.beyond):
            out = bt.pad(out, (one, *((0, n) for n in self.beyond), one), fill if beyond is None else beyond)
        return bt.sliding_window(out, range(1, x.ndim - 1), self.size, self.strides, self.dilations)


def windows_of(
    space: Sequence[int],
    size: Sequence[int],
    *,
    strides: Sequence[int] = (),
    dilations: Sequence[int] = (),
    pads: Sequence[int] = (),
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
) -> Windows:
    """The windows that attributes of the standard describe; ``pads``: first all before, then all after.

    With ``ceil_mode`` a last window may stick out, where it begins on x or on the padding before it.
    """
    n = len(space)
    steps, spread = tuple(strides) or (1,) * n, tuple(dilations) or (1,) * n
    spans = [(k - 1) * d + 1 for k, d in zip(size, spread, strict=True)]
    widths = tuple(
        _same(auto_pad, m, k, s) for m, k, s in zip(space, spans, steps, strict=True)
    ) if auto_pad.startswith("SAME") else first_last(pads, n)  # fmt: skip
    if auto_pad not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER", ""):
        raise ModelError(f"auto_pad: one of NOTSET, VALID, SAME_UPPER, SAME_LOWER; got {auto_pad!r}")
    beyond = [0] * n
    if ceil_mode:
        for a, (m, k, s, (before, after)) in enumerate(zip(space, spans, steps, widths, strict=True)):
            last = -(-(m + before + after - k) // s) * s
            if last >= m + before:
                last -= s
            beyond[a] = max(last + k - (m + before + after), 0)
    return Windows(tuple(size), steps, spread, widths, tuple(beyond))


def _same(auto_pad: str, size: int, span: int, stride: int) -> tuple[int, int]:
    """Padding that leaves a place for each stride; the odd one after, or before for SAME_LOWER."""
    total = max((-(-size // stride) - 1) * stride + span - size, 0)
    less = total // 2
    return (less, total - less) if auto_pad == "SAME_UPPER" else (total - less, less)


def first_last(pads: Sequence[int], n: int) -> tuple[tuple[int, int], ...]:
    """All before, then all after, as pairs."""
    given = tuple(pads) or (0,) * (2 * n)
    if len(given) != 2 * n:
        raise ModelError(f"pads: one before and one after for each of {n} axes; got {given}")
    return tuple(zip(given[:n], given[n:], strict=True))


def beside_channels(x: Tensor, like: Tensor) -> Tensor:
    """One number for each channel, in a shape that goes with ``(batch, channels, *space)``."""
    return bt.reshape(x, (-1, *(1,) * (like.ndim - 2)))
