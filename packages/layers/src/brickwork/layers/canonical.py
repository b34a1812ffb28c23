"""Training rows in one order and each once, so that a weight of 3 and three copies of a row are the same training set.

scikit-learn asks that of every estimator. Gradient descent in batches does not grant it by itself; it holds when what
it is given depends only on the weighted set of rows, and then their order means nothing either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["WeightedRows", "canonical", "held_out"]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio


@dataclass(frozen=True, slots=True)
class WeightedRows:
    """Distinct rows: ``x`` float32 (n, p), ``y`` (n,) or (n, k), ``weight`` float32 (n,) of mean 1, or None where all
    are alike.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None

    def take(self, rows: np.ndarray) -> WeightedRows:
        """Some of the rows."""
        return WeightedRows(self.x[rows], self.y[rows], None if self.weight is None else self.weight[rows])


def canonical(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> WeightedRows:
    """Merge equal rows of (x, y) into one of their summed weight, drop those of weight 0, and order them by a hash.

    Sorting 64-bit hashes costs far less than sorting rows. Two different rows of one hash (chance 2**-64 a pair) stay
    apart.
    """
    columns = [*_bits(x), *_bits(y)]
    hashes = _hash(columns, len(x))
    order = np.argsort(hashes, kind="stable")
    hashes = hashes[order]
    start = np.ones(len(order), dtype=bool)
    start[1:] = hashes[1:] != hashes[:-1]
    for column in columns:  # equal hashes are trusted only where the rows are equal
        same = np.flatnonzero(~start)
        if not len(same):
            break
        start[same] = column[order[same]] != column[order[same - 1]]
    total = np.add.reduceat(np.ones(len(x)) if weight is None else weight[order], np.flatnonzero(start))
    rows, total = order[start][total > 0], total[total > 0]
    alike = (total == total[:1]).all()
    return WeightedRows(x[rows], y[rows], None if alike else (total / total.mean()).astype(np.float32))


def held_out(groups: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Bool (n,): the rows to validate on, ``fraction`` of each group rounded down, so each keeps one to learn from."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(groups))
    order = order[np.argsort(groups[order], kind="stable")]
    _, start, count = np.unique(groups[order], return_index=True, return_counts=True)
    place = np.arange(len(groups)) - np.repeat(start, count)  # of a row in its group
    chosen = np.zeros(len(groups), dtype=bool)
    chosen[order[place < np.repeat((fraction * count).astype(np.int64), count)]] = True
    return chosen


def _bits(array: np.ndarray) -> list[np.ndarray]:
    """The columns of an array as unsigned integers; -0.0 counts as 0.0."""
    columns = array.reshape(len(array), -1).T
    if columns.dtype.kind == "f":
        columns = columns + np.zeros((), columns.dtype)
    return [np.ascontiguousarray(column).view(f"u{column.itemsize}") for column in columns]


def _hash(columns: list[np.ndarray], n: int) -> np.ndarray:
    """Uint64 (n,): the columns in turn through the mixing steps of splitmix64 (Steele, Lea and Flood 2014)."""
    out = np.zeros(n, dtype=np.uint64)
    for column in columns:
        out += column.astype(np.uint64)
        out += _MULTIPLIER
        out ^= out >> np.uint64(30)
        out *= np.uint64(0xBF58476D1CE4E5B9)
        out ^= out >> np.uint64(27)
        out *= np.uint64(0x94D049BB133111EB)
        out ^= out >> np.uint64(31)
    return out
