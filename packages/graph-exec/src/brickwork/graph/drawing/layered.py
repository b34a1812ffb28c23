"""Places for boxes in layers, arrows pointing down.

Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures", 1981: layers by the
longest way from a source; a long arrow has a bend in each layer that it passes; boxes of a layer are ordered by the
mean place of their neighbours; then each layer is moved as near to its neighbours as order and gaps allow, which is a
regression under order, solved exactly by pooling neighbours that clash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Layout", "layered"]

SWEEPS = 12
GAP, BEND = 28.0, 14.0


@dataclass(frozen=True, slots=True)
class Layout:
    """``layer`` and ``x`` (the middle) of each name; ``bends``: of each arrow, the (layer, x) that it passes."""

    layer: Mapping[str, int]
    x: Mapping[str, float]
    bends: Mapping[tuple[str, str], tuple[tuple[int, float], ...]]


def layered(widths: Mapping[str, float], arrows: Sequence[tuple[str, str]]) -> Layout:
    """Places for boxes of these widths. Arrows must go from earlier names to later ones; others are left out."""
    order = {name: k for k, name in enumerate(widths)}
    arrows = [(a, b) for a, b in arrows if a in order and b in order and order[a] < order[b]]
    layer = _layers(list(widths), arrows)
    size = dict(widths)
    chains: dict[tuple[str, str], list[str]] = {}
    links: list[tuple[str, str]] = []
    for a, b in arrows:
        bends = [f"{a}\0{b}\0{k}" for k in range(layer[a] + 1, layer[b])]
        for k, bend in enumerate(bends, layer[a] + 1):
            layer[bend], size[bend] = k, 0.0
        chains[a, b] = bends
        way = [a, *bends, b]
        links += pairwise(way)
    rows: list[list[str]] = [[] for _ in range(1 + max(layer.values(), default=0))]
    for name, k in layer.items():
        rows[k].append(name)
    above: dict[str, list[str]] = {n: [] for n in layer}
    below: dict[str, list[str]] = {n: [] for n in layer}
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    _order(rows, above, below)
    x = _places(rows, above, below, size)
    return Layout(
        {n: layer[n] for n in widths},
        {n: x[n] for n in widths},
        {key: tuple((layer[b], x[b]) for b in bends) for key, bends in chains.items()},
    )


def _layers(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The longest way from a source; a source itself stands right above what first reads it."""
    into: dict[str, list[str]] = {n: [] for n in names}
    out: dict[str, list[str]] = {n: [] for n in names}
    for a, b in arrows:
        into[b].append(a)
        out[a].append(b)
    layer: dict[str, int] = {}
    for n in names:
        layer[n] = 1 + max((layer[a] for a in into[n]), default=-1)
    for n in names:
        if not into[n] and out[n]:
            layer[n] = min(layer[b] for b in out[n]) - 1
    return layer


def _order(rows: list[list[str]], above: Mapping[str, list[str]], below: Mapping[str, list[str]]) -> None:
    """Order each row by the mean place of its neighbours, down and up in turn; what crosses least stays."""
    best, least = [list(r) for r in rows], _crossings(rows, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        near = above if down else below
        for k in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            other = {n: p for p, n in enumerate(rows[k - 1 if down else k + 1])}
            place = {n: p for p, n in enumerate(rows[k])}
            rows[k].sort(key=lambda n, o=other, p=place: _mean([o[m] for m in near[n]], p[n]))  # type: ignore[misc]
        found = _crossings(rows, below)
        if found < least:
            best, least = [list(r) for r in rows], found
    rows[:] = best


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(rows: Sequence[Sequence[str]], below: Mapping[str, list[str]]) -> int:
    """How many pairs of links cross between neighbouring rows: inversions, counted in a tree of sums."""
    total = 0
    for k in range(len(rows) - 1):
        place = {n: p for p, n in enumerate(rows[k + 1])}
        sums, seen = [0] * (len(place) + 1), 0
        for n in rows[k]:
            ends = sorted(place[m] for m in below[n])
            for p in ends:
                i, before = p + 1, 0
                while i:
                    before, i = before + sums[i], i & (i - 1)
                total += seen - before
            for p in ends:
                i = p + 1
                while i <= len(place):
                    sums[i] += 1
                    i += i & -i
            seen += len(ends)
    return total


def _places(
    rows: Sequence[Sequence[str]],
    above: Mapping[str, list[str]],
    below: Mapping[str, list[str]],
    size: Mapping[str, float],
) -> dict[str, float]:
    x: dict[str, float] = {}
    for row in rows:
        x.update(zip(row, _spread(row, [0.0] * len(row), size), strict=True))
    for sweep in range(SWEEPS):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = [_mean([x[m] for m in near[n]] or [x[m] for m in (*above[n], *below[n])], x[n]) for n in row]
            x.update(zip(row, _spread(row, wanted, size), strict=True))
    return x


def _spread(row: Sequence[str], wanted: Sequence[float], size: Mapping[str, float]) -> list[float]:
    """Places in order, with gaps, as near as can be to the wanted ones in the mean square."""
    starts = [0.0]
    for a, b in pairwise(row):
        gap = GAP if size[a] and size[b] else BEND
        starts.append(starts[-1] + size[a] / 2 + gap + size[b] / 2)
    blocks: list[list[float]] = []  # mean, count
    for want, start in zip(wanted, starts, strict=False):
        blocks.append([want - start, 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (m1, c1), (m2, c2) = blocks[-2:]
            blocks[-2:] = [[(m1 * c1 + m2 * c2) / (c1 + c2), c1 + c2]]
    means = [m for m, c in blocks for _ in range(int(c))]
    return [m + s for m, s in zip(means, starts, strict=False)]
