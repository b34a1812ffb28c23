"""Windows laid out as rows of channels, and back: what a convolution sums over, for one's own arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..errors import ShapeError
from ..ops.contraction import contract
from ..ops.movement import pad, reshape, sliding_window, transpose
from ..spec import as_ints
from ..tensor import Tensor, asarray
from ..trace import bind
from ..view import Affine, Form
from .convolution import padding_widths

__all__ = ["fold", "unfold"]


def unfold(
    x: Any,
    size: Any,
    strides: Any = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    dilations: Any = 1,
) -> Tensor:
    """Every window of ``x`` (batch, *space, channels) as a row: (batch, *places, prod(size) * channels), in the order
    (*window, channel).

    ``size``, ``strides``, ``dilations``: an int, or one per axis of space. ``padding``: as `conv` takes it, with zeros.
    ``conv(x, w)`` is ``unfold(x, size) @ w.reshape((-1, filters))``. Raises `ShapeError` where a window does not fit.
    """
    tensor, who = asarray(x), "unfold"
    if tensor.ndim < 3:
        raise ShapeError(
            f"unfold: x must be (batch, *space, channels); got {tensor.shape}. Add the missing axes with reshape"
        )
    space = tensor.ndim - 2
    sizes, steps, spread = _window(who, space, size, strides, dilations)
    widths = padding_widths(who, padding, tensor.shape[1:-1], sizes, steps, spread)
    if any(w != (0, 0) for w in widths):
        tensor = pad(tensor, ((0, 0), *widths, (0, 0)))
    views = sliding_window(tensor, range(1, 1 + space), sizes, steps, spread)
    rows = transpose(views, (*range(1 + space), *range(2 + space, views.ndim), 1 + space))
    return reshape(rows, (*rows.shape[: 1 + space], prod(sizes) * tensor.shape[-1]))


def fold(
    rows: Any,
    space: Any,
    size: Any,
    strides: Any = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    dilations: Any = 1,
) -> Tensor:
    """The transpose of `unfold`: every row adds its window to the places it was taken from.

    ``rows``: (batch, *places, prod(size) * channels). ``space``: the sizes of space of the result, (batch, *space,
    channels). Other arguments as of `unfold`. Raises `ShapeError` where there are not as many places as windows fit, or
    the rows do not divide into windows.
    """
    tensor, who = asarray(rows), "fold"
    count = tensor.ndim - 2
    if count < 1:
        raise ShapeError(
            f"fold: rows must be (batch, *places, window * channels); got {tensor.shape}. "
            "Add the missing axes with reshape"
        )
    wanted = as_ints(who, "space", space, count, 1)
    sizes, steps, spread = _window(who, count, size, strides, dilations)
    widths = padding_widths(who, padding, wanted, sizes, steps, spread)
    places = tuple(
        (n + sum(w) - (k - 1) * d - 1) // s + 1
        for n, w, k, d, s in zip(wanted, widths, sizes, spread, steps, strict=True)
    )
    if places != tensor.shape[1:-1] or tensor.shape[-1] % prod(sizes):
        raise ShapeError(f"fold: rows must be (batch, *{places}, {prod(sizes)} * channels) for space {wanted}; got "
                         f"{tensor.shape}. "
                         "Give the arguments that unfold was given")  # fmt: skip
    channels = tensor.shape[-1] // prod(sizes)
    n = 2 + 2 * count  # loops over batch, space, channel, window
    taken = [Affine.of(n, {1 + d: 1, 2 + count + d: -spread[d]}, widths[d][0], steps[d]) for d in range(count)]
    taps = [Affine.axis(2 + count + d, n) for d in range(count)]
    maps = (Affine.axis(0, n), *taken, *taps, Affine.axis(1 + count, n))
    form = Form((tensor.shape[0], *wanted, channels, *sizes), (maps,), tuple(range(2 + count)))
    windows = reshape(tensor, (*tensor.shape[:-1], *sizes, channels))
    return bind(contract, (windows,), {"form": form})


def _window(who: str, space: int, size: Any, strides: Any, dilations: Any) -> tuple[tuple[int, ...], ...]:
    given = {"size": size, "strides": strides, "dilations": dilations}
    return tuple(as_ints(who, what, value, space, 1) for what, value in given.items())
