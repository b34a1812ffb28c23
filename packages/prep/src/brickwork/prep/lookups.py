"""The ops of formulas that look into a table, in any namespace of the Array API standard.

NumPy searches. In a graph that is compiled a search is a call out of the loop, and a few comparisons are part of it: so
elsewhere tables of up to `FEW` entries are compared with one by one, which gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["bucketed", "piecewise", "taken"]

FEW = 64

Table = Sequence[float]


def taken(table: Table, code: Any, xp: Any) -> Any:
    """The entries of a table (k,) at whole numbers in [0, k)."""
    if not _compares(table, xp):
        return xp.take(xp.asarray(table, dtype=xp.float64), xp.astype(code, xp.int64), axis=0)
    value = xp.full(code.shape, table[0], dtype=xp.float64)
    for place, one in enumerate(table[1:], 1):
        value = xp.where(code == float(place), one, value)
    return value


def bucketed(edges: Table, x: Any, xp: Any) -> Any:
    """How many of the edges (k,), in increasing order, are at or below x, float64; k of NaN."""
    if not _compares(edges, xp):
        return xp.astype(_searched(edges, x, xp), xp.float64)
    found = xp.zeros_like(x)
    for edge in edges:
        found = found + xp.astype(x >= edge, xp.float64)
    return xp.where(xp.isnan(x), float(len(edges)), found)


def piecewise(xs: Table, ys: Table, x: Any, xp: Any) -> Any:
    """Piecewise linear through points (k,); at an x that several share it is the last of their ys; NaN stays NaN."""
    last = xp.full(x.shape, ys[-1], dtype=xp.float64)
    if len(xs) == 1:
        return xp.where(xp.isnan(x), x, last)
    start, width, rise = np.array(ys[:-1]), np.diff(xs), np.diff(ys)
    width = np.where(width > 0, width, 1.0)
    # A part of the width, since the slope of two points that nearly meet may be infinite.
    if _compares(xs, xp):
        value = xp.full(x.shape, ys[0], dtype=xp.float64)
        for left, wide, low, up in zip(xs[:-1], width.tolist(), start.tolist(), rise.tolist(), strict=True):
            value = xp.where(x >= left, low + (x - left) / wide * up, value)
        return xp.where(xp.isnan(x), x, xp.where(x >= xs[-1], last, value))
    # The stretch that holds x is known by its left end; the ends' stretches are not left.
    place = xp.clip(_searched(xs, x, xp) - 1, 0, len(xs) - 2)
    lefts, widths, lows, rises = (
        xp.take(xp.asarray(list(table), dtype=xp.float64), place, axis=0) for table in (xs[:-1], width, start, rise)
    )
    inside = x - lefts
    inside = xp.where(x < xs[0], xp.zeros_like(inside), inside)
    return xp.where(x >= xs[-1], last, lows + inside / widths * rises)


def _compares(table: Table, xp: Any) -> bool:
    return xp is not np and len(table) <= FEW


def _searched(edges: Table, x: Any, xp: Any) -> Any:
    return xp.searchsorted(xp.asarray(edges, dtype=xp.float64), x, side="right")
