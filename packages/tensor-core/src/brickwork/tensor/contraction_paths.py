"""In which order to multiply several operands: a search over contractions of two, by the sizes of the axes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

__all__ = ["EinsumPath", "Letters", "Steps", "path_of"]

Letters = frozenset[str]
Steps = tuple[tuple[int, ...], ...]
Sizes = Mapping[str, int]

OPTIMAL_TO = 8
"""Operands up to which all orders are weighed: 3**n / 2 of them, some milliseconds, once for an equation and sizes."""


@dataclass(frozen=True, slots=True)
class EinsumPath:
    """An order of pairwise contractions, and what it costs.

    ``steps``: positions of the operands that are multiplied; they leave the list, and their product joins its end, as
    in `numpy.einsum_path`. ``flops``: floating-point operations of all steps: for each the product of the sizes of all
    its letters, twice where it sums; a sum that goes before counts once. ``naive_flops``: of one loop over all letters.
    ``largest``: elements of the largest intermediate or final result.
    """

    steps: Steps
    flops: int
    naive_flops: int
    largest: int

    def __str__(self) -> str:
        times = self.naive_flops / self.flops if self.flops else 1.0
        return (
            f"{len(self.steps)} steps {list(self.steps)}: {self.flops:.3g} FLOPs, 1/{times:.3g} of one loop's "
            f"{self.naive_flops:.3g}; largest result {self.largest:.3g} elements"
        )


def volume(letters: Letters, sizes: Sizes) -> int:
    """The number of points of a loop over letters."""
    return prod(sizes[c] for c in letters)


def pair_cost(a: Letters, b: Letters, result: Letters, sizes: Sizes) -> int:
    """FLOPs of one contraction: a product per point, and an addition where it sums."""
    every = a | b
    return volume(every, sizes) * (2 if every - result else 1)


def without_lone(terms: Sequence[Letters], out: Letters) -> list[Letters]:
    """Terms less the letters that no other term and not the result has: those are summed first."""
    return [t & out.union(*(o for k, o in enumerate(terms) if k != n)) for n, t in enumerate(terms)]


def result_of(a: Letters, b: Letters, rest: Sequence[Letters], out: Letters) -> Letters:
    """The letters of a product of two terms: those that somebody else still asks for."""
    return (a | b) & out.union(*rest)


def optimal(terms: Sequence[Letters], out: Letters, sizes: Sizes) -> Steps:
    """The order of the fewest FLOPs of all (ties: of the smallest results), by dynamic programming over the subsets of
    operands (Held and Karp, 1962)."""
    n = len(terms)
    letters: dict[int, Letters] = {}
    best: dict[int, tuple[int, int]] = {}  # FLOPs, and elements of all results
    split: dict[int, tuple[int, int]] = {}
    for s in sorted(range(1, 1 << n), key=int.bit_count):
        inside = frozenset[str]().union(*(terms[k] for k in range(n) if s >> k & 1))
        outside = out.union(*(terms[k] for k in range(n) if not s >> k & 1))
        letters[s] = inside & outside
        if s & (s - 1) == 0:
            best[s] = (0, 0)
            continue
        low = s & -s
        half = (s - 1) & s
        while half:
            if half & low:
                other = s ^ half
                cost = pair_cost(letters[half], letters[other], letters[s], sizes)
                total = (
                    best[half][0] + best[other][0] + cost,
                    best[half][1] + best[other][1] + volume(letters[s], sizes),
                )
                if s not in best or total < best[s]:
                    best[s], split[s] = total, (half, other)
            half = (half - 1) & s
    return _steps_of(split, n)


def _steps_of(split: Mapping[int, tuple[int, int]], n: int) -> Steps:
    """A tree of subsets as positions in the shrinking list of operands."""
    present = [1 << k for k in range(n)]
    steps = []

    def build(s: int) -> None:
        if s not in split:
            return
        for half in split[s]:
            build(half)
        pair = sorted(present.index(half) for half in split[s])
        steps.append(tuple(pair))
        for position in reversed(pair):
            present.pop(position)
        present.append(s)

    build((1 << n) - 1)
    return tuple(steps)


def greedy(terms: Sequence[Letters], out: Letters, sizes: Sizes, by_cost: bool) -> Steps:
    """The pair next whose product takes the least memory beside that of its two operands; or of the fewest FLOPs."""
    present = list(terms)
    steps = []
    while len(present) > 1:
        found: tuple[tuple[int, int], tuple[int, int], Letters] | None = None
        for j in range(1, len(present)):
            for i in range(j):
                a, b = present[i], present[j]
                result = result_of(a, b, [t for k, t in enumerate(present) if k not in (i, j)], out)
                memory = volume(result, sizes) - volume(a, sizes) - volume(b, sizes)
                cost = pair_cost(a, b, result, sizes)
                score = (cost, memory) if by_cost else (memory, cost)
                if found is None or score < found[0]:
                    found = score, (i, j), result
        assert found is not None
        (i, j), result = found[1:]
        present.pop(j)
        present.pop(i)
        present.append(result)
        steps.append((i, j))
    return tuple(steps)


def measured(steps: Steps, given: Sequence[Letters], out: Letters, sizes: Sizes) -> EinsumPath:
    """A path with its costs."""
    present = without_lone(given, out) if len(given) > 1 else list(given)
    flops = sum(volume(g, sizes) for g, t in zip(given, present, strict=True) if g != t)
    every: Letters = frozenset().union(*given)
    summed = bool(every - out)
    naive = volume(every, sizes) * max(len(given) - 1 + summed, 1)
    largest = volume(out, sizes)
    for step in steps:
        chosen = [present[k] for k in step]
        rest = [t for k, t in enumerate(present) if k not in step]
        if len(step) == 2:
            result = result_of(chosen[0], chosen[1], rest, out)
            flops += pair_cost(chosen[0], chosen[1], result, sizes)
        else:
            whole: Letters = frozenset().union(*chosen)
            result = whole & out.union(*rest)
            flops += volume(whole, sizes) * max(len(step) - 1 + bool(whole - result), 1)
        largest = max(largest, volume(result, sizes))
        present = [*rest, result]
    return EinsumPath(steps, flops, naive, largest)


@lru_cache(maxsize=1024)
def path_of(given: tuple[Letters, ...], out: Letters, lengths: tuple[tuple[str, int], ...], how: str) -> EinsumPath:
    """The path for terms without repeated letters: ``how`` is "optimal", "greedy", "auto" or "none" (one step)."""
    sizes, n = dict(lengths), len(given)
    if n == 1 or how == "none":
        return measured((tuple(range(n)),), given, out, sizes)
    terms = without_lone(given, out)
    if how == "optimal" or (how == "auto" and n <= OPTIMAL_TO):
        return measured(optimal(terms, out, sizes), given, out, sizes)
    both = [measured(greedy(terms, out, sizes, by), given, out, sizes) for by in (False, True)]
    return min(both, key=lambda p: (p.flops, p.largest))
