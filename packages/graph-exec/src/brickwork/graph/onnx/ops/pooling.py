"""One number for each window, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor
from brickwork.tensor.dtypes import class_of

from ..errors import ModelError
from ..registry import translator
from .windows import Windows, first_last, windows_of

Ints = Sequence[int]


def _windowed(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """A translator that reduces windows, from what it does with them."""

    def translate(
        x: Tensor,
        *,
        kernel_shape: Ints,
        auto_pad: str = "NOTSET",
        ceil_mode: int = 0,
        count_include_pad: int = 0,
        dilations: Ints = (),
        p: int = 2,
        pads: Ints = (),
        storage_order: int = 0,
        strides: Ints = (),
        outputs: int,
    ) -> Any:
        windows = windows_of(
            x.shape[2:],
            kernel_shape,
            strides=strides,
            dilations=dilations,
            pads=pads,
            auto_pad=auto_pad,
            ceil_mode=ceil_mode,
        )
        settings = {"padded": bool(count_include_pad), "p": p, "by_columns": bool(storage_order), "outputs": outputs}
        return reduce(x, windows, settings)

    return translate


def _reduced(function: Callable[..., Tensor], windows: Tensor, ndim: int) -> Tensor:
    """The windows in one number each, channels first."""
    return bt.moveaxis(function(windows, tuple(range(ndim, windows.ndim))), -1, 1)


def _average(x: Tensor, windows: Windows, settings: dict[str, Any]) -> Tensor:
    """The mean of what is there: of x, and of the padding where that counts, never of what is beyond it."""
    total = _reduced(bt.sum, windows.over(x, 0), x.ndim)
    if not any(windows.beyond) and (settings["padded"] or not any(map(any, windows.widths))):
        return total / prod(windows.size)
    space = bt.ones((1, 1, *x.shape[2:]), x.dtype)
    return total / _reduced(bt.sum, windows.over(space, 1 if settings["padded"] else 0, 0), x.ndim)


def _norm(x: Tensor, windows: Windows, settings: dict[str, Any]) -> Tensor:
    p = settings["p"]
    total = _reduced(bt.sum, windows.over(bt.power(bt.abs(x), float(p)), 0), x.ndim)
    return bt.power(total, 1.0 / p).astype(x.dtype)


def _greatest(x: Tensor, windows: Windows, settings: dict[str, Any]) -> Any:
    """The greatest of each window and, where asked for, its place in the whole of x, counted by rows or by columns."""
    least = -np.inf if class_of(x.dtype) == "f" else int(bt.iinfo(x.dtype).min)
    spread = windows.over(x, least)
    best = _reduced(bt.max, spread, x.ndim)
    if settings["outputs"] < 2:
        return best
    sizes = x.shape[2:]
    places = bt.iota(sizes)
    if settings["by_columns"]:
        places = bt.transpose(bt.reshape(bt.iota(sizes), sizes[::-1]))
    table = bt.broadcast_to(windows.over(bt.reshape(places, (1, 1, *sizes)), 0), spread.shape)
    rows = (*spread.shape[: x.ndim], -1)
    which = bt.expand_dims(bt.argmax(bt.reshape(spread, rows), -1), -1)
    found = bt.moveaxis(bt.squeeze(bt.take_along_axis(bt.reshape(table, rows), which, -1), -1), -1, 1)
    start = bt.reshape(bt.iota(x.shape[:2]), (*x.shape[:2], *(1,) * len(sizes))) * prod(sizes)
    return best, (found + start).astype("int64")


translator("AveragePool")(_windowed(_average))
translator("MaxPool")(_windowed(_greatest))
translator("LpPool")(_windowed(_norm))


def _space(x: Tensor) -> tuple[int, ...]:
    return tuple(range(2, x.ndim))


translator("GlobalAveragePool")(lambda x: bt.mean(x, _space(x), True))
translator("GlobalMaxPool")(lambda x: bt.max(x, _space(x), True))
translator("GlobalLpPool")(
    lambda x, *, p=2: bt.power(bt.sum(bt.power(bt.abs(x), float(p)), _space(x), True), 1.0 / p).astype(x.dtype)
)


@translator("MaxUnpool", 9, static="output_shape")
def max_unpool(
    x: Tensor, places: Tensor, output_shape: Any = None, *, kernel_shape: Ints, pads: Ints = (), strides: Ints = ()
) -> Tensor:
    """Zeros, but x at the places that it came from, counted in the whole of what was pooled."""
    n = len(kernel_shape)
    steps = strides or (1,) * n
    sizes = [
        (m - 1) * s - before - after + k
        for m, s, k, (before, after) in zip(x.shape[2:], steps, kernel_shape, first_last(pads, n), strict=True)
    ]
    shape = (*x.shape[:2], *sizes)
    flat = bt.zeros((prod(shape),), x.dtype).at[bt.reshape(places, (-1,))].set(bt.reshape(x, (-1,)))
    out = bt.reshape(flat, shape)
    if output_shape is None:
        return out
    widths = [(0, int(m) - k) for m, k in zip(output_shape, shape, strict=True)]
    if min(after for _, after in widths) < 0:
        raise ModelError(f"MaxUnpool: the output holds {shape} at least; got {list(output_shape)}")
    return bt.pad(out, widths)
