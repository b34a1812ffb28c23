"""What is learned of numbers and of booleans."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import numpy as np

from ..columns import WORDS, Column, as_booleans, as_numbers, parse_number
from ..state import demand
from ..statistics import Counts, Moments, Quantiles, Statistic, read_statistic

__all__ = ["Distinct", "Figures", "Truths"]

QUARTILES = (0.25, 0.5, 0.75)
KEPT = 1024  # hashes of which it is known how often each occurs


class Distinct(Statistic):
    """Whether numbers are all different: how often each value occurs whose hash is among the 1,024 least.

    A sample that depends on the values alone, so parts tell what the whole tells: Bar-Yossef et al., "Counting distinct
    elements in a data stream" (2002). A share r of repeated values stays unseen with chance (1 - r) ** 1024.
    """

    FIELDS: ClassVar = {"hashes": "tuple[count, ...]", "counts": "tuple[count, ...]"}

    def __init__(self) -> None:
        self.hashes = np.zeros(0, np.int64)
        self.counts = np.zeros(0, np.int64)

    @property
    def all_differ(self) -> bool:
        return bool((self.counts == 1).all())

    def update(self, column: Column, y: Any, who: str) -> None:
        self.add(as_numbers(column, who))

    def add(self, values: np.ndarray) -> None:
        """Adds numbers, float64 (n,)."""
        hashes = _mixed((values + 0.0).view(np.uint64))
        if len(self.hashes) == KEPT:
            hashes = hashes[hashes <= self.hashes[-1]]
        elif len(hashes) > 4 * KEPT:
            hashes = hashes[hashes <= np.partition(hashes, 2 * KEPT)[2 * KEPT]]
            if len(np.unique(hashes)) < KEPT:  # few values, often repeated
                hashes = _mixed((values + 0.0).view(np.uint64))
        self._join(*np.unique(hashes, return_counts=True))

    def merge(self, other: Self) -> None:
        self._join(other.hashes, other.counts)

    def _join(self, hashes: np.ndarray, counts: np.ndarray) -> None:
        joined, places = np.unique(np.concatenate([self.hashes, hashes]), return_inverse=True)
        summed = np.bincount(places, np.concatenate([self.counts, counts])).astype(np.int64)
        self.hashes, self.counts = joined[:KEPT], summed[:KEPT]

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        made = cls()
        made.hashes, made.counts = (np.array(values[name], np.int64) for name in ("hashes", "counts"))
        demand(
            len(made.hashes) == len(made.counts) <= KEPT, where, "counts must be as many as hashes", len(made.counts)
        )
        demand(bool((np.diff(made.hashes) > 0).all()), where, "hashes must rise", len(made.hashes))
        demand(bool((made.counts > 0).all()), where, "counts must be above 0", len(made.counts))
        return made


def _mixed(bits: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 of the bits, without the sign: Steele, Lea and Flood (2014)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((bits ^ (bits >> np.uint64(31))) >> np.uint64(1)).view(np.int64)


class Figures(Statistic):
    """Numbers: their `moments` and `quantiles`; whether all are `whole` and `distinct`; whether they count the rows.

    `first` and `last` are the ends of a run of steps of `step`, 1 or -1; 0 where it is no such run.
    """

    FIELDS: ClassVar = {"moments": "any", "quantiles": "any", "distinct": "any", "whole": "bool", "first": "float",
                        "last": "float", "step": "int"}  # fmt: skip

    def __init__(self) -> None:
        self.moments, self.quantiles, self.distinct = Moments(), Quantiles(QUARTILES), Distinct()
        self.whole = True
        self.first = self.last = 0.0
        self.step = 0

    def update(self, column: Column, y: Any, who: str) -> None:
        values = as_numbers(column, who)
        found = Figures()
        gaps = np.isnan(values)
        present = values[~gaps] if gaps.any() else values
        found.moments.add(present)
        found.quantiles.add(present)
        # Only whole numbers number rows, and most columns show at once that they are none.
        found.whole = bool((present[:64] == np.floor(present[:64])).all() and (present == np.floor(present)).all())
        if found.whole and len(present):
            found.distinct.add(present)
            found._run(present)
        self.merge(found)

    def _run(self, values: np.ndarray) -> None:
        self.first, self.last = float(values[0]), float(values[-1])
        step = float(values[1]) - self.first if len(values) > 1 else 0.0
        if abs(step) == 1 and (len(values) < 3 or bool((np.diff(values) == step).all())):
            self.step = int(step)

    @property
    def counts_rows(self) -> bool:
        """Whether the numbers are 0, 1, 2, ... or 1, 2, 3, ..., or these backwards."""
        return self.step != 0 and min(self.first, self.last) in (0, 1)

    def merge(self, other: Self) -> None:
        if not self.moments.n:
            self.first, self.last, self.step = other.first, other.last, other.step
        elif other.moments.n:
            gap = other.first - self.last
            one = abs(gap) == 1 and all(part.step == gap or part.moments.n == 1 for part in (self, other))
            self.step, self.last = (int(gap) if one else 0), other.last
        self.whole = self.whole and other.whole
        self.moments.merge(other.moments)
        self.quantiles.merge(other.quantiles)
        if self.whole:
            self.distinct.merge(other.distinct)
        else:
            self.distinct, self.step = Distinct(), 0

    @classmethod
    def of_counted(cls, values: np.ndarray, counts: np.ndarray) -> Self:
        """Of distinct values, float64 (k,), and how often each occurs, without an order."""
        made = cls()
        made.moments.add_counted(values, counts)
        made.quantiles.add_counted(values, counts)
        made.whole = False  # text that reads as a number is no numbering that a program wrote
        return made

    @classmethod
    def of_texts(cls, texts: Counts) -> Self | None:
        """Of texts that all read as numbers; None otherwise."""
        parsed = [parse_number(text) for text in texts.times]
        if any(value is None or math.isinf(value) for value in parsed):
            return None
        values, counts = np.array(parsed, np.float64), np.array(texts.counts, np.int64)
        there = ~np.isnan(values)
        return cls.of_counted(values[there], counts[there])

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        made = cls()
        for name, kind in (("moments", Moments), ("quantiles", Quantiles), ("distinct", Distinct)):
            setattr(made, name, read_statistic(values[name], f"{where}.{name}", kind))
        made.whole, made.first, made.last, made.step = (values[n] for n in ("whole", "first", "last", "step"))
        demand(made.step in (-1, 0, 1), where, "step must be -1, 0 or 1", made.step)
        demand(
            made.moments.n == made.quantiles.n > 0, where, "moments and quantiles must be of as many", made.moments.n
        )
        demand(made.quantiles.asked == QUARTILES, where, "quartiles must be asked for", made.quantiles.asked)
        return made


class Truths(Statistic):
    """How many values are true (`yes`) and false (`no`)."""

    FIELDS: ClassVar = {"yes": "count", "no": "count"}

    def __init__(self) -> None:
        self.yes = self.no = 0

    def update(self, column: Column, y: Any, who: str) -> None:
        values = as_booleans(column, who)
        self.yes += int(np.count_nonzero(values == 1))
        self.no += int(np.count_nonzero(values == 0))

    def merge(self, other: Self) -> None:
        self.yes, self.no = self.yes + other.yes, self.no + other.no

    def as_figures(self) -> Figures:
        """The same as numbers, 1 and 0."""
        pairs = [(value, count) for value, count in ((0.0, self.no), (1.0, self.yes)) if count]
        values, counts = zip(*pairs, strict=True)
        return Figures.of_counted(np.array(values), np.array(counts))

    @classmethod
    def of_texts(cls, texts: Counts) -> Self | None:
        """Of words that all say true or false; None otherwise."""
        made = cls()
        for text, count in texts.times.items():
            truth = WORDS.get(text.strip().casefold())
            if truth is None:
                return None
            made.yes, made.no = made.yes + count * (truth == 1), made.no + count * (truth == 0)
        return made
