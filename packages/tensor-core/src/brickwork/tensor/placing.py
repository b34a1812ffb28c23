"""Many values into an array at places that may coincide, combined in their order: the same bits on every run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .dtypes import wide_of
from .errors import ShapeError
from .spec import Shape

__all__ = ["UFUNCS", "accumulate", "row_numbers", "sums_at"]

UFUNCS = {"add": "add", "mul": "multiply", "min": "minimum", "max": "maximum"}
"""The NumPy function behind each way to combine."""


def row_numbers(xp: Any, indices: Sequence[Any], sizes: Sequence[int]) -> Any:
    """One number per place, counted over axes of these sizes. Negative indices count from the end; others that are
    out of range raise `ShapeError`."""
    flat: Any = None
    for axis, (k, n) in enumerate(zip(indices, sizes, strict=True)):
        wide = k.astype(np.int64)
        wide = xp.where(wide < 0, wide + n, wide)
        bad = (wide < 0) | (wide >= n)
        if bad.any():
            raise ShapeError(
                f"scatter: indices must be in [{-n}, {n}) on axis {axis}; got {int(k[bad][0])}. Clip them, or drop them"
            )
        flat = wide if flat is None else flat * n + wide
    return flat


def accumulate(xp: Any, mode: str, out: Any, values: Any, indices: Sequence[Any]) -> Any:
    """``out[indices] = combine(out[indices], values)`` in place, for all places also where several are the same.

    ``indices``: for the first axes of ``out``; ``values`` has their broadcast shape, then the other axes of ``out``.
    """
    rows = row_numbers(xp, xp.broadcast_arrays(*indices), out.shape[: len(indices)]).reshape(-1)
    width = int(np.prod(out.shape[len(indices) :], dtype=np.int64))
    flat = out.reshape(-1)
    places = (rows[:, None] * width + xp.arange(width)).reshape(-1) if width != 1 else rows
    if xp is np or mode != "mul":
        getattr(xp, UFUNCS[mode]).at(flat, places, values.reshape(-1))
    else:
        _multiply_in_rounds(xp, flat, places, values.reshape(-1))
    return out


def _multiply_in_rounds(xp: Any, flat: Any, places: Any, values: Any) -> None:
    """For array modules without ``multiply.at``: first the first value of each place, then the second, and so on."""
    order = xp.argsort(places, kind="stable")
    ordered = places[order]
    turn = xp.arange(ordered.size) - xp.searchsorted(ordered, ordered)
    for n in range(int(turn.max()) + 1 if ordered.size else 0):
        now = order[turn == n]
        flat[places[now]] = flat[places[now]] * values[now]


def sums_at(xp: Any, shape: Shape, values: Any, indices: Sequence[Any]) -> Any:
    """Zeros of a shape, plus values at places; two-byte floats are summed in float32."""
    work = wide_of(values.dtype)
    out = accumulate(xp, "add", xp.zeros(shape, work), values.astype(work, copy=False), indices)
    return out.astype(values.dtype, copy=False)
