"""How often each category occurs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from ..columns import Column, as_texts
from ..errors import SchemaError
from ..state import demand
from .base import Statistic

__all__ = ["Counts"]

MOST = 2**22  # distinct texts of one column, beyond which counting them is refused


class Counts(Statistic):
    """`times`: how often each text occurs, in the order of its first appearance; `missing` gaps.

    Numbers, booleans and dates count as their text (see `columns.as_texts`).
    """

    FIELDS: ClassVar = {"texts": "tuple[str, ...]", "counts": "tuple[count, ...]", "missing": "count"}

    def __init__(self) -> None:
        self.times: dict[str, int] = {}
        self.missing = 0

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(self.times)

    @property
    def counts(self) -> tuple[int, ...]:
        return tuple(self.times.values())

    @property
    def n(self) -> int:
        """How many values were there."""
        return sum(self.times.values())

    def update(self, column: Column, y: Any, who: str) -> None:
        codes, vocabulary = as_texts(column, who)
        # Codes are from -1, the missing; a shift by one costs less than a look at each.
        counts = np.bincount(codes + 1, minlength=len(vocabulary) + 1)
        self.missing += int(counts[0])
        seen = np.flatnonzero(counts[1:])
        self._add(dict_of(vocabulary, seen, counts[1:]))
        few_enough(column.name, len(self.times), who)

    def merge(self, other: Self) -> None:
        self.missing += other.missing
        self._add(other.times)

    def _add(self, times: Mapping[str, int]) -> None:
        if not self.times:
            self.times = dict(times)
            return
        for text, count in times.items():
            self.times[text] = self.times.get(text, 0) + count

    def ranked(self) -> list[str]:
        """The texts by count, the most frequent first; equal counts in the order of the text."""
        return sorted(self.times, key=lambda text: (-self.times[text], text))

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        texts, counts = values["texts"], values["counts"]
        demand(len(texts) == len(counts), where, "counts must be as many as texts", len(counts))
        made = cls()
        made.times, made.missing = dict(zip(texts, counts, strict=True)), values["missing"]
        demand(len(made.times) == len(texts), where, "texts must differ", len(texts))
        return made


def few_enough(name: str, n: int, who: str) -> None:
    """Refuses a column of more categories than are counted."""
    if n > MOST:
        rule, fix = f"column {name!r} must have at most {MOST} categories", "Drop it, or hash it (HashingEncoder)."
        raise SchemaError.of(who, rule, f"{n}", fix, column=name)


def dict_of(vocabulary: Any, seen: np.ndarray, counts: np.ndarray) -> dict[str, int]:
    """Counts by text; distinct codes may share one (1 and "1" in one column), so they are summed."""
    times: dict[str, int] = {}
    for code, count in zip(seen.tolist(), counts[seen].tolist(), strict=True):
        text = vocabulary[code]
        times[text] = times.get(text, 0) + count
    return times
