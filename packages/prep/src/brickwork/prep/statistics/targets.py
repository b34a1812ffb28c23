"""What the target is in the rows of each category: how many of each label, or count, mean and variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ..columns import Column, as_texts
from ..state import demand
from .base import Statistic
from .counts import few_enough

__all__ = ["Grouped", "TargetCounts", "TargetMoments", "moments_by", "moments_of"]


@dataclass(frozen=True, slots=True)
class Grouped:
    """k groups of rows: `counts` (k,), and of each of c targets the `means` (k, c) and `spreads` (k, c).

    A spread is the sum of squared differences from the group's mean.
    """

    counts: np.ndarray
    means: np.ndarray
    spreads: np.ndarray

    def whole(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean (c,) and population variance (c,) of all rows."""
        weights = self.counts[:, None]
        n = max(int(self.counts.sum()), 1)
        mean = (weights * self.means).sum(axis=0) / n
        return mean, (self.spreads + weights * (self.means - mean) ** 2).sum(axis=0) / n


class ByCategory(Statistic):
    """Rows by the text of their category: `index` counts from 1, place 0 is the missing value's."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(self.index)

    def rows_of(self, column: Column, who: str) -> np.ndarray:
        """The place (n,) of each row's category; one not met before is added."""
        codes, vocabulary = as_texts(column, who)
        used = np.bincount(codes + 1, minlength=len(vocabulary) + 1)[1:] > 0
        index = self.index
        places = [index.setdefault(v, len(index) + 1) if u else 0 for v, u in zip(vocabulary, used, strict=True)]
        few_enough(column.name, len(index), who)
        return np.array([*places, 0], dtype=np.int64)[codes]

    @property
    def totals(self) -> np.ndarray:
        """How many rows there are at each place, int64 (k + 1,)."""
        raise NotImplementedError

    @property
    def times(self) -> Mapping[str, int]:
        """How often each category occurs."""
        return dict(zip(self.index, self.totals[1:].tolist(), strict=True))

    @property
    def missing(self) -> int:
        """In how many rows there is none."""
        return int(self.totals[0])

    @property
    def n(self) -> int:
        """In how many rows there is one."""
        return int(self.totals[1:].sum())

    def grouped(self) -> Grouped:
        """The moments of the target by category."""
        raise NotImplementedError

    def _places_for(self, texts: Sequence[str]) -> np.ndarray:
        """Where another's categories stand here, its missing value first."""
        return np.array([0, *(self.index.setdefault(text, len(self.index) + 1) for text in texts)], dtype=np.int64)


class TargetMoments(ByCategory):
    """Count, mean and spread of a target of numbers in each category; y is float64 (n,).

    Joined by the rule of Chan, Golub and LeVeque, as `Moments` are.
    """

    FIELDS: ClassVar = {"texts": "tuple[str, ...]", "counts": "tuple[count, ...]", "means": "tuple[float, ...]",
                        "spreads": "tuple[float, ...]"}  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.counts = np.zeros(1, np.int64)
        self.means = self.spreads = np.zeros(1)

    @property
    def totals(self) -> np.ndarray:
        return self.counts

    def update(self, column: Column, y: Any, who: str) -> None:
        rows = self.rows_of(column, who)
        found = moments_by(rows, y, len(self.index) + 1)
        self._join(np.arange(len(self.index) + 1), found.counts, found.means[:, 0], found.spreads[:, 0])

    def merge(self, other: Self) -> None:
        self._join(self._places_for(other.texts), other.counts, other.means, other.spreads)

    def grouped(self) -> Grouped:
        return Grouped(self.counts, self.means[:, None], self.spreads[:, None])

    def _join(self, places: np.ndarray, counts: np.ndarray, means: np.ndarray, spreads: np.ndarray) -> None:
        more = len(self.index) + 1 - len(self.counts)
        own = np.pad(self.counts, (0, more))
        mean, spread = np.pad(self.means, (0, more)), np.pad(self.spreads, (0, more))
        n, total = own[places], own[places] + counts
        part = counts / np.maximum(total, 1)
        gap = means - mean[places]
        mean[places] += gap * part
        spread[places] += spreads + gap * gap * n * part
        own[places] = total
        self.counts, self.means, self.spreads = own, mean, spread

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        made = cls()
        made.index = _index(values["texts"], where)
        made.counts = np.array(values["counts"], dtype=np.int64)
        made.means, made.spreads = np.array(values["means"]), np.array(values["spreads"])
        k = len(made.index) + 1
        fits = len(made.counts) == len(made.means) == len(made.spreads) == k
        demand(fits, where, "counts, means and spreads must be one more than texts", len(made.counts))
        demand(bool((made.spreads >= 0).all()), where, "spreads must be 0 or more", min(values["spreads"]))
        return made


class TargetCounts(ByCategory):
    """How often each label occurs in each category; y is (labels, codes (n,) into them)."""

    FIELDS: ClassVar = {"texts": "tuple[str, ...]", "labels": "tuple[label, ...]", "counts": "tuple[count, ...]"}

    def __init__(self) -> None:
        super().__init__()
        self.columns: dict[Any, int] = {}
        self.table = np.zeros((1, 0), np.int64)

    @property
    def labels(self) -> tuple[Any, ...]:
        return tuple(self.columns)

    @property
    def counts(self) -> np.ndarray:
        return self.table.ravel()

    @property
    def totals(self) -> np.ndarray:
        return self.table.sum(axis=1)

    def update(self, column: Column, y: Any, who: str) -> None:
        labels, codes = y
        rows = self.rows_of(column, who)
        k, c = len(self.index) + 1, len(labels)
        found = np.bincount(rows * c + codes, minlength=k * c).reshape(k, c)
        self._join(np.arange(k), labels, found)

    def merge(self, other: Self) -> None:
        self._join(self._places_for(other.texts), other.labels, other.table)

    def grouped(self) -> Grouped:
        """One target per label in `labels`' order: 1 in its rows, 0 in others."""
        return moments_of(self.table)

    def _join(self, places: np.ndarray, labels: Sequence[Any], table: np.ndarray) -> None:
        columns = np.array([self.columns.setdefault(label, len(self.columns)) for label in labels], dtype=np.int64)
        k, c = self.table.shape
        joined = np.pad(self.table, ((0, len(self.index) + 1 - k), (0, len(self.columns) - c)))
        joined[np.ix_(places, columns)] += table
        self.table = joined

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        made = cls()
        made.index = _index(values["texts"], where)
        made.columns = {label: place for place, label in enumerate(values["labels"])}
        k, c = len(made.index) + 1, len(made.columns)
        demand(c == len(values["labels"]), where, "labels must differ", values["labels"])
        demand(len(values["counts"]) == k * c, where, "counts must be of texts and labels", len(values["counts"]))
        made.table = np.array(values["counts"], dtype=np.int64).reshape(k, c)
        return made


def moments_by(rows: np.ndarray, y: np.ndarray, k: int) -> Grouped:
    """The moments of y (n,) by place (n,) in [0, k)."""
    counts = np.bincount(rows, minlength=k)
    means = np.bincount(rows, y, k) / np.maximum(counts, 1)
    gaps = y - means[rows]
    return Grouped(counts, means[:, None], np.bincount(rows, gaps * gaps, k)[:, None])


def moments_of(table: np.ndarray) -> Grouped:
    """The moments of being of a label, from counts (k, c): one target per label, 1 in its rows and 0 in others."""
    totals = table.sum(axis=1)
    means = table / np.maximum(totals, 1)[:, None]
    return Grouped(totals, means, totals[:, None] * means * (1 - means))


def _index(texts: Sequence[str], where: str) -> dict[str, int]:
    index = {text: place for place, text in enumerate(texts, start=1)}
    demand(len(index) == len(texts), where, "texts must differ", len(texts))
    return index
