"""Arguments of layers with windows: sizes per axis, and where the channels are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brickwork.tensor import transpose

from .errors import LayerError, unknown

__all__ = ["channels_first", "channels_last", "data_format_of", "per_axis", "window_places"]


def per_axis(who: str, name: str, value: Any, rank: int, allow_zero: bool = False) -> tuple[int, ...]:
    """A whole number for all axes, or one for each. Raises `LayerError` for anything else."""
    given = (value,) * rank if isinstance(value, int) else tuple(value) if isinstance(value, (tuple, list)) else ()
    low = 0 if allow_zero else 1
    if len(given) != rank or any(isinstance(n, bool) or not isinstance(n, int) or n < low for n in given):
        raise LayerError(f"{who}: {name} must be a whole number of at least {low}, or {rank} of them; got {value!r}")
    return given


def data_format_of(who: str, value: Any) -> str:
    """ "channels_last" by default."""
    text = "channels_last" if value is None else str(value).lower()
    if text not in ("channels_last", "channels_first"):
        raise unknown(f"{who} data_format", value, ("channels_last", "channels_first"))
    return text


def padding_of(who: str, value: Any) -> str:
    """ "valid" or "same"."""
    text = str(value).lower()
    if text not in ("valid", "same"):
        raise unknown(f"{who} padding", value, ("valid", "same"))
    return text


def channels_last(x: Any, data_format: str) -> Any:
    """``x`` with its channels on the last axis."""
    return x if data_format == "channels_last" else transpose(x, (0, *range(2, x.ndim), 1))


def channels_first(x: Any, data_format: str) -> Any:
    """Undo `channels_last`."""
    return x if data_format == "channels_last" else transpose(x, (0, x.ndim - 1, *range(1, x.ndim - 1)))


def window_places(
    space: Sequence[int | None], window: Sequence[int], strides: Sequence[int], padding: str, dilations: Sequence[int]
) -> tuple[int | None, ...]:
    """How many places a window has along each axis: ``ceil(n / stride)`` with "same", ``(n - span) // stride + 1`` with
    "valid".
    """
    out: list[int | None] = []
    for n, k, s, d in zip(space, window, strides, dilations, strict=True):
        out.append(None if n is None else -(-n // s) if padding == "same" else max(0, (n - (k - 1) * d - 1) // s + 1))
    return tuple(out)


def with_channels(shape: Sequence[Any], space: Sequence[Any], channels: Any, data_format: str) -> tuple[Any, ...]:
    """A batch shape from its parts."""
    return (shape[0], *space, channels) if data_format == "channels_last" else (shape[0], channels, *space)
