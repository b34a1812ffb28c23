"""Statistics of ranges of a series, of any lengths, without subtracting what has left the range.

Running sums that add what comes and subtract what goes lose digits for good once a large value has passed through. Here
summaries of 1, 2, 4, 8, ... values that end at each place are merged to the range that is asked for: log2(length) steps
over all places at once. What a range gives depends on its own values alone, bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["STATISTICS", "range_statistics"]

CELLS = 1 << 20  # values of ranges laid side by side for a median

Parts = tuple[np.ndarray, ...]


def range_statistics(values: np.ndarray, lower: np.ndarray, names: Sequence[str], least: int) -> list[np.ndarray]:
    """For each place i the statistics of values[lower[i] : i + 1], float64 (n,) with NaN where missing.

    Missing values are left out; where fewer than `least` are present the statistic is NaN (counts never are).
    mean = sum / count; std = sqrt(sum((x - mean)**2) / (count - 1)), NaN of a single value, as pandas has it.
    """
    there = ~np.isnan(values)
    total = np.concatenate([[0], np.cumsum(there)])
    count = total[1:] - total[lower]
    found = {name: STATISTICS[name](values, there, lower, count) for name in dict.fromkeys(names)}
    for name, result in found.items():
        if name != "count":
            result[count < least] = np.nan
    return [found[name] for name in names]


def _merged(parts: Parts, merge: Callable[[Parts, Parts], Parts], nothing: Sequence[float], lower: np.ndarray) -> Parts:
    """The merged summaries of the places from lower[i] to i; `nothing` is the summary of no place."""
    places = np.arange(len(lower))
    length, at, level = places - lower + 1, places.copy(), 1
    done = tuple(np.full(len(lower), one) for one in nothing)
    while True:
        here = np.flatnonzero(length & level)
        if len(here):
            older, newer = tuple(part[at[here]] for part in parts), tuple(part[here] for part in done)
            for out, new in zip(done, merge(older, newer), strict=True):
                out[here] = new
            at[here] -= level
        if 2 * level > length.max():
            return done
        # Summaries of the first places are of fewer values than `level`; no range is so long that it reads them.
        joined = merge(tuple(part[:-level] for part in parts), tuple(part[level:] for part in parts))
        parts = tuple(np.concatenate([part[:level], new]) for part, new in zip(parts, joined, strict=True))
        level *= 2


def _sum(values: np.ndarray, there: np.ndarray, lower: np.ndarray, count: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return _merged((np.where(there, values, 0.0),), lambda a, b: (a[0] + b[0],), (0.0,), lower)[0]


def _mean(values: np.ndarray, there: np.ndarray, lower: np.ndarray, count: np.ndarray) -> np.ndarray:
    return _sum(values, there, lower, count) / np.maximum(count, 1)


def _std(values: np.ndarray, there: np.ndarray, lower: np.ndarray, count: np.ndarray) -> np.ndarray:
    parts = (there.astype(np.float64), np.where(there, values, 0.0), np.zeros(len(values)))
    with np.errstate(all="ignore"):
        spread = _merged(parts, _join_spreads, (0.0, 0.0, 0.0), lower)[2]
        return np.sqrt(np.where(count > 1, spread, np.nan) / (count - 1))


def _join_spreads(a: Parts, b: Parts) -> Parts:
    """Counts, means, sums of squared differences from the mean, by the rule of Chan, Golub and LeVeque (1979)."""
    n = a[0] + b[0]
    share = b[0] / np.maximum(n, 1)
    gap = b[1] - a[1]
    return n, a[1] + gap * share, a[2] + b[2] + gap * gap * a[0] * share


def _extreme(pick: np.ufunc, nothing: float) -> Callable[..., np.ndarray]:
    def extreme(values: np.ndarray, there: np.ndarray, lower: np.ndarray, count: np.ndarray) -> np.ndarray:
        return _merged((np.where(there, values, nothing),), lambda a, b: (pick(a[0], b[0]),), (nothing,), lower)[0]

    return extreme


def _median(values: np.ndarray, there: np.ndarray, lower: np.ndarray, count: np.ndarray) -> np.ndarray:
    """By sorting each range, so at a cost that grows with its length."""
    out, widest = np.empty(len(values)), int((np.arange(len(lower)) - lower).max()) + 1
    rows = max(1, CELLS // widest)
    for start in range(0, len(values), rows):
        places = np.arange(start, min(start + rows, len(values)))
        cells = places[:, None] - np.arange(widest)
        ranked = np.sort(
            np.where(cells >= lower[places, None], values[np.maximum(cells, 0)], np.nan), axis=1
        )  # NaN last
        middle, line = np.maximum(count[places] - 1, 0), np.arange(len(places))
        # Half of each, since the sum of two values near 1e308 is infinite.
        out[places] = ranked[line, middle // 2] / 2 + ranked[line, (middle + 1) // 2] / 2
    return out


def _count(values: np.ndarray, there: np.ndarray, lower: np.ndarray, count: np.ndarray) -> np.ndarray:
    return count.astype(np.float64)


STATISTICS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "mean": _mean,
    "std": _std,
    "min": _extreme(np.minimum, np.inf),
    "max": _extreme(np.maximum, -np.inf),
    "sum": _sum,
    "median": _median,
    "count": _count,
}
