"""`make_windows`: a series as the many short ones that a network is trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..columns import as_numbers
from ..errors import PrepError
from ..frame import open_table
from ..params import whole
from ..selectors import as_selector

__all__ = ["make_windows"]


def make_windows(
    series: Any, length: int, horizon: int = 1, stride: int = 1, *, target: Any = None, gap: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Windows of a series, `X (n, length, k)`, and what follows each, `y (n, horizon, m)`, as views that copy nothing.

    Window i holds the points from i * stride on; its answer begins `gap` points after its end. There are
    n = (points - length - gap - horizon) // stride + 1 of them.

    - series: an array of points (t,) or (t, k), in order of time, of which the windows are views, of its dtype; or a
      table of k columns of numbers, which are put together as float64 once.
    - length, horizon, stride: points of 1 or more; gap: of 0 or more.
    - target: what is to be told: a position or (of a table) a name, and y is (n, horizon); a list or a selector of
      them, m columns; None for all k.

    A network takes rows of a view as it takes those of an array; what it takes at a time is copied then. The views can
    not be written to, since their rows overlap. Raises PrepError where the series is too short or a parameter out of
    range, SchemaError where a column holds no numbers.

    >>> X, y = make_windows([1, 2, 3, 4, 5], length=3)
    >>> X[:, :, 0].tolist(), y[:, :, 0].tolist()
    ([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]], [[4.0], [5.0]])
    """
    who = "make_windows"
    whole(who, length=length, horizon=horizon, stride=stride)
    whole(who, 0, gap=gap)
    points, chosen = _points(series, target, who)
    n = (len(points) - length - gap - horizon) // stride + 1
    if n < 1:
        got = f"{len(points)} points for length={length}, gap={gap}, horizon={horizon}"
        raise PrepError.of(who, "a window and what follows it need points", got, "Give a longer series.")
    X = sliding_window_view(points, length, axis=0)[: n * stride : stride]
    y = sliding_window_view(points[length + gap :], horizon, axis=0)[: n * stride : stride]
    y = y[:, chosen] if isinstance(chosen, (int, slice)) else y[:, chosen, :]
    return np.moveaxis(X, -1, 1), y if isinstance(chosen, int) else np.moveaxis(y, -1, 1)


def _points(series: Any, target: Any, who: str) -> tuple[np.ndarray, int | slice | list[int]]:
    """The series as (t, k), a view where it is an array of numbers; and which of the k columns are to be told."""
    if isinstance(series, np.ndarray) and series.dtype.kind in "biuf" and series.ndim in (1, 2):
        points, table = series.reshape(len(series), -1), None
    else:
        one = getattr(series, "ndim", 0) == 1 or (
            isinstance(series, list) and series and not hasattr(series[0], "__len__")
        )
        table = open_table({"value": series} if one else series, who)
        points = np.stack([as_numbers(table.column(i), who) for i in range(len(table.names))], axis=1)
    if target is None:
        return points, slice(None)
    chosen = as_selector(target).positions(table or open_table(points[:1], who), who)
    return points, chosen[0] if isinstance(target, (str, int, np.integer)) else chosen
