"""Which rows go where: by shares of strata, by whole groups, or by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import PrepError


def by_shares(strata: np.ndarray, sizes: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Row positions of the rest and of a part for each size, shuffled; each part keeps the shares of the strata.

    The last part is drawn first, so the rows of a test part do not depend on the size of the parts before it.
    """
    order = rng.permutation(len(strata))
    parts = []
    for size in reversed(sizes):
        chosen = np.zeros(len(strata), dtype=bool)
        here = strata[order]
        for stratum, rows in enumerate(quota(np.bincount(here), size)):
            chosen[order[here == stratum][:rows]] = True
        parts.append(order[chosen[order]])
        order = order[~chosen[order]]
    return [order, *reversed(parts)]


def by_groups(
    groups: np.ndarray, strata: np.ndarray, sizes: Sequence[int], rng: np.random.Generator, who: str
) -> list[np.ndarray]:
    """As `by_shares`, of whole groups: sizes and shares are met as nearly as the groups allow."""
    n, n_groups, n_strata = len(groups), int(groups.max()) + 1, int(strata.max()) + 1
    if n_groups <= len(sizes):
        fix = "Give more groups, or split without groups=."
        raise PrepError.of(who, f"{len(sizes) + 1} parts need a group each", f"{n_groups} groups", fix)
    cells, counts = np.unique(groups * n_strata + strata, return_counts=True)
    starts = np.searchsorted(cells, np.arange(n_groups + 1) * n_strata).tolist()
    table = Held(starts, (cells % n_strata).tolist(), counts.tolist())
    totals = np.bincount(strata, minlength=n_strata)
    left = rng.permutation(n_groups).tolist()
    part_of = np.zeros(n_groups, dtype=np.int64)
    for part in range(len(sizes), 0, -1):
        chosen = _nearest_groups(left, table, (totals * (sizes[part - 1] / n)).tolist(), len(left) - part)
        part_of[list(chosen)] = part
        left = [group for group in left if group not in chosen]
    rows = rng.permutation(n)
    part_of_row = part_of[groups[rows]]
    return [rows[part_of_row == part] for part in range(len(sizes) + 1)]


def by_time(times: np.ndarray, sizes: Sequence[int]) -> list[np.ndarray]:
    """The earliest rows, then a part for each size, in order of time; rows of one time stay in the order given."""
    order = np.argsort(times, kind="stable")
    stops = len(times) - np.cumsum([0, *sizes[::-1]])[::-1]
    return np.split(order, stops[:-1])


def quota(sizes: np.ndarray, n_part: int) -> np.ndarray:
    """How many rows of each stratum go to a part: its share, rounded by largest remainder, at most all but one."""
    shares = sizes * (n_part / sizes.sum())
    most = np.maximum(sizes - 1, 0)
    given = np.minimum(np.floor(shares).astype(np.int64), most)
    for stratum in np.argsort(-(shares - given), kind="stable"):
        if given.sum() == n_part:
            break
        given[stratum] += given[stratum] < most[stratum]
    while (
        given.sum() < n_part
    ):  # strata too small to give their share: the largest give more, their last row if need be
        given[np.argmax(sizes - given)] += 1
    return given


@dataclass(frozen=True, slots=True)
class Held:
    """What each group holds: counts[a:b] rows of strata[a:b], where a and b are starts[group] and starts[group + 1]."""

    starts: list[int]
    strata: list[int]
    counts: list[int]

    def added(self, group: int, have: list[float], wanted: list[float]) -> float:
        """What the group adds to the chi-squared distance sum((have - wanted)**2 / wanted)."""
        cells = range(self.starts[group], self.starts[group + 1])
        held = ((self.strata[i], self.counts[i]) for i in cells)
        return sum(c * (2 * (have[s] - wanted[s]) + c) / wanted[s] for s, c in held)


def _nearest_groups(order: list[int], table: Held, wanted: list[float], most: int) -> set[int]:
    """At most `most` groups: each that brings the counts per stratum nearer to those wanted, in the order given.

    Distance is chi-squared, so that rare strata weigh as much as common ones.
    """
    have = [0.0] * len(wanted)
    starts, strata, counts = table.starts, table.strata, table.counts
    chosen: set[int] = set()
    for group in order:
        if len(chosen) == most:
            break
        first, stop = starts[group], starts[group + 1]
        if stop - first == 1:  # of one stratum, as most are where there are millions
            s = strata[first]
            nearer = have[s] + counts[first] / 2 < wanted[s]
        else:
            nearer = table.added(group, have, wanted) < 0
        if nearer:
            chosen.add(group)
            for i in range(first, stop):
                have[strata[i]] += counts[i]
    return chosen or {min(order, key=lambda group: table.added(group, have, wanted))}
