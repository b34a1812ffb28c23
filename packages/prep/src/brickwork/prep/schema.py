"""What a table was at fit: the name, form, range, categories and missing rate of each column, gathered and merged."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import numpy as np

from .columns import Column
from .state import demand, read_fields
from .statistics import Profile, read_statistic

__all__ = ["ColumnSchema"]

FORMS = ("number", "boolean", "datetime", "text", "other")
FEW = 256  # categories whose counts are kept


class ColumnSchema:
    """One column as fit saw it: `n` rows, `missing` of them without a value.

    `low` and `high` bound numbers, booleans (0 and 1) and datetimes (microseconds since 1970, UTC); None where no value
    was seen and for other forms; `profile` says how they are spread between. `categories` counts up to 256 texts, the
    most frequent.
    """

    FIELDS: ClassVar = {"name": "str", "form": "str", "n": "count", "missing": "count", "low": "optional float",
                        "high": "optional float", "categories": "any", "profile": "any"}  # fmt: skip

    def __init__(self, name: str, form: str) -> None:
        self.name, self.form = name, form
        self.n = self.missing = 0
        self.low: float | None = None
        self.high: float | None = None
        self.categories: dict[str, int] = {}
        self.profile = Profile()

    @property
    def missing_rate(self) -> float:
        """The share of rows without a value."""
        return self.missing / self.n if self.n else 0.0

    @property
    def others(self) -> int:
        """Rows whose text is none of `categories`: 0 where all texts that were seen are counted."""
        return self.n - self.missing - sum(self.categories.values()) if self.form == "text" else 0

    def update(self, column: Column) -> None:
        """Adds the rows of a column."""
        found = ColumnSchema(self.name, column.form)
        found.n = len(column.values)
        gaps = column.missing
        found.missing = int(np.count_nonzero(gaps))
        if column.form == "text":
            counts = np.bincount(column.values + 1, minlength=len(column.vocabulary) + 1)[1:]
            top = np.argsort(-counts, kind="stable")[:FEW]
            found.categories = {column.vocabulary[code]: int(counts[code]) for code in top.tolist() if counts[code]}
        elif column.form != "other" and found.missing < found.n:
            values = column.values.view(np.int64) if column.form == "datetime" else column.values
            present = values[~gaps] if found.missing else values
            low, high = float(present.min()), float(present.max())
            if math.isfinite(low) and math.isfinite(high):
                found.low, found.high = low, high
                found.profile.add(column.values)
            else:
                _update_finite(found, present)
        self.merge(found)

    def merge(self, other: Self) -> None:
        """Adds the rows that another has seen."""
        if self.missing == self.n:  # what holds no value has no form of its own
            self.form = other.form
        self.n, self.missing = self.n + other.n, self.missing + other.missing
        if other.low is not None and other.high is not None:
            self.low = other.low if self.low is None else min(self.low, other.low)
            self.high = other.high if self.high is None else max(self.high, other.high)
        self.profile.merge(other.profile)
        joined = dict(self.categories)
        for text, count in other.categories.items():
            joined[text] = joined.get(text, 0) + count
        self.categories = dict(sorted(joined.items(), key=lambda pair: -pair[1])[:FEW])

    def to_state(self) -> dict[str, Any]:
        """The record as plain data."""
        plain = {name: getattr(self, name) for name in self.FIELDS}
        categories = [list(pair) for pair in self.categories.items()]
        return plain | {"categories": categories, "profile": self.profile.to_state()}

    @classmethod
    def from_state(cls, state: Any, where: str) -> Self:
        """The record of a state, or StateError."""
        values = read_fields(state, cls.FIELDS, where)
        demand(values["form"] in FORMS, where, "form must be a known one", values["form"])
        demand(values["missing"] <= values["n"], where, "missing must be at most n", values["missing"])
        pairs = values["categories"]
        fits = isinstance(pairs, (list, tuple)) and all(
            isinstance(p, (list, tuple)) and len(p) == 2 and isinstance(p[0], str) and isinstance(p[1], int)
            for p in pairs
        )
        demand(fits, where, "categories must pair text and count", pairs)
        made = cls(values["name"], values["form"])
        for name in ("n", "missing", "low", "high"):
            setattr(made, name, values[name])
        made.categories = dict(pairs)
        profile: Any = read_statistic(values["profile"], f"{where}.profile", Profile)
        made.profile = profile
        return made


def _update_finite(found: ColumnSchema, present: np.ndarray) -> None:
    """The range and spread of what is finite, for whoever does not read the column as numbers."""
    finite = present[np.isfinite(present)]
    if len(finite):
        found.low, found.high = float(finite.min()), float(finite.max())
        found.profile.add(finite)
