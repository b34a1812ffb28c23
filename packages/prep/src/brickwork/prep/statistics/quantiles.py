"""Quantiles that merge: values counted by their leading bits, as many bits as fit a bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from ..columns import Column, as_numbers
from ..state import demand
from .base import Statistic

__all__ = ["Quantiles"]

MOST = 8192  # distinct keys that are kept
_LARGEST = np.int64(0x7FEF_FFFF_FFFF_FFFF)  # the key of the largest finite float64


class Quantiles(Statistic):
    """How many values share their leading bits: exact up to 8,192 distinct values, then to a part of a value.

    A float64 is taken as the whole number that orders like it, its `key`. Where more than 8,192 keys differ, the
    last `shift` bits of all are dropped, the fewest that will do. What is kept therefore depends on the values alone,
    not on their order and not on how the rows were cut: merged parts equal the whole. The same idea with logarithms
    in place of bits is Masson, Rim and Lee, "DDSketch" (2019).

    `asked`: quantiles that are kept exactly as well, as long as all values came in one piece (`at_asked`); these
    follow the rule of `numpy.quantile`, linear between ranks.
    """

    KEYS: ClassVar = MOST
    """How many distinct keys are kept."""

    FIELDS: ClassVar = {"values": "tuple[float, ...]", "counts": "tuple[count, ...]", "shift": "count",
                        "missing": "count", "asked": "tuple[float, ...]", "at_asked": "tuple[float, ...]"}  # fmt: skip

    def __init__(self, asked: Sequence[float] = ()) -> None:
        self.keys = np.zeros(0, np.int64)
        self.counts = np.zeros(0, np.int64)
        self.shift = self.missing = 0
        self.asked = tuple(map(float, asked))
        self.at_asked: tuple[float, ...] = ()

    @property
    def values(self) -> np.ndarray:
        """Float64 (k,): the least value of each key."""
        return _value(self.keys << self.shift)

    @property
    def n(self) -> int:
        """How many values were there."""
        return int(self.counts.sum())

    def update(self, column: Column, y: Any, who: str) -> None:
        self.add(as_numbers(column, who))

    def add(self, values: np.ndarray) -> None:
        """Adds numbers, float64 (n,), NaN where missing."""
        ranked = np.sort(values)  # NaN last
        n = len(ranked) - int(np.count_nonzero(np.isnan(values)))
        ranked = ranked[:n] + 0.0  # no negative zero
        first = not len(self.keys)
        self.missing += len(values) - n
        if n:
            self._join(*_fitted(*_counted(_key(ranked)), self.KEYS))
            self.at_asked = tuple(_exact(ranked, self.asked)) if first else ()

    def add_counted(self, values: np.ndarray, counts: np.ndarray) -> None:
        """Adds distinct numbers, float64 (k,) without NaN, and how often each occurs, int64 (k,) above 0."""
        order = np.argsort(values)
        ranked, counts = values[order] + 0.0, counts[order]
        first = not len(self.keys)
        if len(ranked):
            self._join(*_fitted(*_counted(_key(ranked), counts), self.KEYS))
            self.at_asked = tuple(_exact(ranked, self.asked, counts)) if first else ()

    def merge(self, other: Self) -> None:
        self.missing += other.missing
        if len(other.keys):
            self.at_asked = other.at_asked if not len(self.keys) and self.asked == other.asked else ()
            self._join(other.keys, other.counts, other.shift)

    def at(self, q: float) -> float:
        """The value that a share q of the values, in [0, 1], is at or below; linear between ranks."""
        return float(self.at_each([q])[0])

    def at_each(self, shares: Sequence[float]) -> np.ndarray:
        """`at` of each share, float64 (k,)."""
        known = dict(zip(self.asked, self.at_asked, strict=False))  # none are known where parts were joined
        if all(share in known for share in shares):
            return np.array([known[share] for share in shares])
        ranks = np.asarray(shares, np.float64) * (self.n - 1)
        low = np.floor(ranks).astype(np.int64)
        part = ranks - low
        a, b = self._ranked(low), self._ranked(np.minimum(low + 1, self.n - 1))
        with np.errstate(over="ignore", invalid="ignore"):
            gap = b - a
            found = np.where(np.isfinite(gap), a + gap * part, a * (1 - part) + b * part)
        return np.array([known.get(share, value) for share, value in zip(shares, found.tolist(), strict=True)])

    def share_below(self, x: np.ndarray) -> np.ndarray:
        """The share of values at or below each x, float64 of its shape; inside a key as if they were spread evenly."""
        edges = self.values
        total = np.concatenate([[0], np.cumsum(self.counts)]).astype(np.float64)
        place = np.searchsorted(edges, x, side="right") - 1
        held = np.maximum(place, 0)
        width = self.ends() - edges
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            inside = np.where(width[held] > 0, np.clip((x - edges[held]) / width[held], 0, 1), 1.0)
        return np.where(place < 0, 0.0, (total[held] + self.counts[held] * inside) / max(self.n, 1))

    def middles(self) -> np.ndarray:
        """Float64 (k,): a value of each key, between its least and its greatest."""
        return self.values / 2 + self.ends() / 2

    def _ranked(self, ranks: np.ndarray) -> np.ndarray:
        """The values of these ranks, inside a key as if its values were spread evenly."""
        last = np.cumsum(self.counts)
        place = np.searchsorted(last, ranks, side="right")
        starts = self.values[place]
        if not self.shift:
            return starts
        counts = self.counts[place]
        before = last[place] - counts
        return starts + (self.ends()[place] - starts) * ((ranks - before + 0.5) / counts)

    def ends(self) -> np.ndarray:
        """The greatest value of each key."""
        return _value((self.keys << self.shift) + ((1 << self.shift) - 1))

    def _join(self, keys: np.ndarray, counts: np.ndarray, shift: int) -> None:
        common = max(shift, self.shift)
        joined = np.concatenate([self.keys >> (common - self.shift), keys >> (common - shift)])
        order = np.argsort(joined, kind="stable")
        self.keys, self.counts, further = _fitted(
            *_counted(joined[order], np.concatenate([self.counts, counts])[order]), self.KEYS
        )
        self.shift = common + further

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        made = cls(values["asked"])
        demand(values["shift"] <= 62, where, "shift must be at most 62", values["shift"])
        keys = _key(np.array(values["values"], np.float64) + 0.0)
        made.shift, made.missing = values["shift"], values["missing"]
        made.keys, made.counts = keys >> made.shift, np.array(values["counts"], np.int64)
        demand(len(keys) == len(made.counts) <= cls.KEYS, where, "counts must be as many as values", len(keys))
        demand(bool((made.keys[1:] > made.keys[:-1]).all()), where, "values must rise", len(keys))
        demand(bool((made.counts > 0).all()), where, "counts must be above 0", len(keys))
        made.at_asked = values["at_asked"]
        fits = len(made.at_asked) in (0, len(made.asked))
        demand(fits, where, "at_asked must be as many as asked", len(made.at_asked))
        return made


def _key(values: np.ndarray) -> np.ndarray:
    """Whole numbers that order as the floats do: IEEE 754 bits, those of negative numbers turned round."""
    bits = values.view(np.int64)
    return bits ^ ((bits >> 63) & np.int64(0x7FFF_FFFF_FFFF_FFFF))


def _value(keys: np.ndarray) -> np.ndarray:
    keys = np.clip(keys, -_LARGEST - 1, _LARGEST)  # dropped bits must not make an infinity of a great number
    return (keys ^ ((keys >> 63) & np.int64(0x7FFF_FFFF_FFFF_FFFF))).view(np.float64)


def _counted(keys: np.ndarray, counts: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Distinct keys of sorted ones, and the sum of their counts (each 1 where none are given)."""
    starts = np.flatnonzero(keys[1:] != keys[:-1]) + 1
    starts = np.concatenate([np.zeros(min(len(keys), 1), np.int64), starts])
    if counts is None:
        return keys[starts], np.diff(np.append(starts, len(keys)))
    return keys[starts], np.add.reduceat(counts, starts) if len(starts) else counts


def _fitted(keys: np.ndarray, counts: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Sorted, distinct keys without their last bits, the fewest for which `most` differ; counts; how many bits."""
    if len(keys) <= most:
        return keys, counts, 0
    # Keys part at the highest bit in which neighbours differ: dropping s bits joins all whose bit is below s.
    bits = (keys[1:] ^ keys[:-1]).view(np.uint64)
    apart = np.minimum((bits.astype(np.float64).view(np.int64) >> 52) - 1022, 64)
    apart -= (bits >> (apart - 1).view(np.uint64)) == 0  # a float64 of many ones was rounded up to the next power
    parted = np.bincount(apart, minlength=66)[::-1].cumsum()[::-1]  # neighbours that part at bit s or above
    shift = next(s for s in range(64) if parted[s + 1] + 1 <= most)
    return (*_counted(keys >> shift, counts), shift)


def _exact(ranked: np.ndarray, asked: tuple[float, ...], counts: np.ndarray | None = None) -> list[float]:
    """Quantiles of sorted values, each as often as `counts` says; linear between ranks as `numpy.quantile` has it."""
    n = len(ranked) if counts is None else int(counts.sum())
    ranks = np.array(asked) * (n - 1)
    low = np.floor(ranks).astype(np.int64)
    high, part = np.minimum(low + 1, n - 1), ranks - low
    if counts is not None:
        low, high = (np.searchsorted(np.cumsum(counts), rank, side="right") for rank in (low, high))
    a, b = ranked[low], ranked[high]
    with np.errstate(over="ignore", invalid="ignore"):
        gap = b - a
        # From the nearer end, which is how NumPy keeps the answer between both.
        near = np.where(part < 0.5, a + gap * part, b - gap * (1 - part))
    return np.where(np.isfinite(gap), near, a * (1 - part) + b * part).tolist()
