"""The categories of a column: in order, in their own types, counted, and the rare ones joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..cells import column_of
from ..column_wise import ColumnWise
from ..columns import Column, as_texts, number_text
from ..errors import PrepError, nearest, quote
from ..formula import Formula, number, one_hot
from ..schema import ColumnSchema
from ..statistics import Counts, Statistic

__all__ = [
    "RARE",
    "Categories",
    "CategoryEncoder",
    "check_dtype",
    "check_rarity",
    "common",
    "indicators",
    "text_of",
]

RARE = "infrequent_sklearn"
"""What stands for the joined rare categories, in names and in inverses, as scikit-learn's users know it."""


@dataclass(frozen=True, slots=True)
class Categories:
    """The k categories of one column, in order; the last is the missing value where fit saw one.

    `texts` are those that are values: k of them, or k - 1. `values` (k,) has their own types, `counts` int64 (k,).
    Where rare ones are joined, `rare` bool (k,) marks them; no mark means that there are none.
    """

    texts: tuple[str, ...]
    values: np.ndarray
    counts: np.ndarray
    missing: bool
    rare: np.ndarray

    @property
    def places(self) -> np.ndarray:
        """Int64 (k,): frequent categories from 0 on in order, the rare ones behind them in one place."""
        places = np.cumsum(~self.rare) - 1
        places[self.rare] = np.count_nonzero(~self.rare)
        return places

    @property
    def n_places(self) -> int:
        """How many places there are, the rare one's too."""
        return int(np.count_nonzero(~self.rare)) + bool(self.rare.any())

    def of_places(self) -> np.ndarray:
        """What stands at each place, (n_places,): categories, and `RARE` last where some are joined."""
        if not self.rare.any():
            return self.values
        out = np.empty(self.n_places, dtype=object)
        out[:-1], out[-1] = self.values[~self.rare], RARE
        return out

    def present(self) -> Categories:
        """The same without the missing one."""
        if not self.missing:
            return self
        return Categories(self.texts, self.values[:-1], self.counts[:-1], False, self.rare[:-1])

    def words(self) -> list[str]:
        """The text of each place, as names of columns have it."""
        kept = [word for word, rare in zip(self._all_words(), self.rare.tolist(), strict=True) if not rare]
        return [*kept, RARE] if self.rare.any() else kept

    def _all_words(self) -> list[str]:
        values = self.values.tolist() if self.values.dtype.kind in "if" else [*self.texts, *(["nan"] * self.missing)]
        return [str(value) for value in values]


class CategoryEncoder(ColumnWise):
    """The base of encoders whose statistic is how often each category occurs."""

    STATISTICS: ClassVar[tuple[type[Statistic], ...]] = (Counts,)
    JOINS_MISSING: ClassVar = True
    """Whether missing values are a category that may be rare."""

    categories: Any = "auto"
    handle_unknown: str = "error"
    min_frequency: Any = None
    max_categories: Any = None

    categories_: list[np.ndarray]

    def _gather(self, column: Column, who: str) -> Counts:
        return Counts()

    def _settle(self, statistics: Sequence[Any], schema: Sequence[ColumnSchema], who: str) -> None:
        self.kept_ = {o.name: self._categories_of(o, s, who) for o, s in zip(schema, statistics, strict=True)}
        super()._settle(statistics, schema, who)

    def _publish(self) -> None:
        self.categories_ = [one.values for one in self.kept_.values()]

    def _categories_of(self, schema: ColumnSchema, counts: Counts, who: str) -> Categories:
        given = self._given(schema, who)
        if given is None:
            texts, form = in_order(counts.times, schema.form), schema.form
            missing = counts.missing > 0
        else:
            texts, form, missing = _read_given(schema.name, given, who)
            if self.handle_unknown == "error":
                _refuse_beyond(schema.name, texts, missing, counts, who)
        times = counts.times
        found = np.array([*(times.get(text, 0) for text in texts), *([counts.missing] * missing)], np.int64)
        rare = np.zeros(len(found), dtype=bool)
        held = len(found) - (missing and not self.JOINS_MISSING)
        rare[:held] = rare_ones(found[:held], counts.n + counts.missing, self.min_frequency, self.max_categories)
        return Categories(tuple(texts), typed(texts, form, missing), found, missing, rare)

    def _given(self, schema: ColumnSchema, who: str) -> Sequence[Any] | None:
        if isinstance(self.categories, str):
            return None
        names = [one.name for one in self.schema_]
        if len(self.categories) != len(names):
            fix = "Give one list of categories for each column."
            raise PrepError.of(who, f"categories must be {len(names)} lists", f"{len(self.categories)}", fix)
        found: Sequence[Any] = self.categories[names.index(schema.name)]
        return found

    def _check_categories(self, who: str) -> None:
        given = self.categories
        if isinstance(given, str) and given != "auto":
            raise PrepError.of(who, "categories must be 'auto' or a list of lists", repr(given))
        if not isinstance(given, str) and not (
            isinstance(given, (list, tuple)) and all(isinstance(one, (list, tuple, np.ndarray)) for one in given)
        ):
            raise PrepError.of(who, "categories must be 'auto' or a list of lists", type(given).__name__)

    @property
    def infrequent_categories_(self) -> list[np.ndarray | None]:
        """The joined categories of each column, None where there are none."""
        self._need_fit(self._who("infrequent_categories_"))
        if self.min_frequency is None and self.max_categories is None:
            raise AttributeError("infrequent_categories_ is there where min_frequency or max_categories is set")
        return [one.values[one.rare] if one.rare.any() else None for one in self.kept_.values()]


def in_order(texts: Any, form: str) -> list[str]:
    """Texts of categories in the order of their values: numbers by size, others by text."""
    if form == "number" and (sizes := _numbers(texts)) is not None:
        return [text for _, text in sorted(zip(sizes, texts, strict=True))]
    return sorted(texts)


def typed(texts: Sequence[str], form: str, missing: bool) -> np.ndarray:
    """The categories in the type of their column, and a missing one behind: NaN, NaT for dates.

    Whole numbers without a gap are int64, other numbers float64, dates datetime64[us], booleans bool (object beside a
    gap); texts are objects.
    """
    sizes = _numbers(texts) if form == "number" else None
    if sizes is not None:
        whole = not missing and all(size.is_integer() and abs(size) < 1e15 for size in sizes)
        return np.array(sizes, np.int64) if whole else np.array([*sizes, *([np.nan] * missing)], np.float64)
    if form == "datetime" and (moments := _moments(texts)) is not None:
        return np.append(moments, np.datetime64("NaT", "us")) if missing else moments
    if form == "boolean" and set(texts) <= {"True", "False"}:
        truths: list[Any] = [text == "True" for text in texts]
        return np.array([*truths, np.nan], dtype=object) if missing else np.array(truths, dtype=bool)
    return np.array([*texts, *([np.nan] * missing)], dtype=object)


def rare_ones(counts: np.ndarray, total: int, least: Any, most: int | None) -> np.ndarray:
    """Bool (k,): which categories are joined, by scikit-learn's rule.

    Those of fewer than `least` rows (of a share `least` of the total, where it is a fraction), and then the rarest, so
    that `most` places remain with the joint one; of equal counts the first go first.
    """
    rare = np.zeros(len(counts), dtype=bool)
    if least is not None:
        rare = counts < (least if isinstance(least, (int, np.integer)) else least * total)
    if most is not None and most <= len(counts) - np.count_nonzero(rare):
        if most == 1:
            rare[:] = True
        else:
            rare[np.argsort(counts, kind="stable")[: -(most - 1)]] = True
    return rare


def indicators(width: int) -> tuple[Formula, ...]:
    """The formula that is 1 at the place of a code and 0 elsewhere; none for no place."""
    if width < 2:
        return (number().equals(0.0),) * width
    return (one_hot(number(), width),)


def text_of(value: Any) -> str | None:
    """The text that a value has as a category; None of a missing one."""
    codes, vocabulary = as_texts(column_of("category", [value]), "category")
    return None if codes[0] < 0 else vocabulary[codes[0]]


def common(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Columns (n,) side by side, of the type that holds them all: objects where numbers meet something else."""
    kinds = {column.dtype.kind for column in columns}
    plain = kinds <= set("iuf") or len({column.dtype for column in columns}) == 1
    out = np.empty((len(columns[0]), len(columns)), np.result_type(*columns) if plain else object)
    for place, column in enumerate(columns):
        out[:, place] = column
    return out


def check_rarity(min_frequency: Any, max_categories: Any, who: str) -> None:
    """Refuses what can not say which categories are rare."""
    least, most = min_frequency, max_categories
    whole = isinstance(least, (int, np.integer)) and not isinstance(least, bool) and least >= 1
    share = isinstance(least, (float, np.floating)) and 0 < least < 1
    if least is not None and not (whole or share):
        rule = "min_frequency must be a count of 1 or more, a share between 0 and 1, or None"
        raise PrepError.of(who, rule, repr(least))
    if most is not None and not (isinstance(most, (int, np.integer)) and not isinstance(most, bool) and most >= 1):
        raise PrepError.of(who, "max_categories must be a count of 1 or more, or None", repr(most))


def check_dtype(dtype: Any, who: str) -> None:
    """Refuses what is no type of numbers."""
    try:
        kind = np.dtype(dtype).kind
    except TypeError:
        kind = ""
    if kind not in ("b", "i", "u", "f"):
        raise PrepError.of(
            who, "dtype must be a type of numbers", repr(dtype), "Take np.float64, np.float32, np.int64."
        )


def _read_given(name: str, given: Sequence[Any], who: str) -> tuple[list[str], str, bool]:
    values = given.tolist() if isinstance(given, np.ndarray) and given.dtype.kind not in "mM" else list(given)
    column = column_of(name, values)
    codes, vocabulary = as_texts(column, who)
    gaps = np.flatnonzero(codes < 0)
    fix = "Mend categories=."
    if len(gaps) and gaps.tolist() != [len(codes) - 1]:
        rule = f"a missing value is the last of the categories of column {name!r}"
        raise PrepError.of(who, rule, quote(values), fix, column=name)
    texts = [vocabulary[code] for code in codes.tolist() if code >= 0]
    if len(set(texts)) < len(texts) or not len(codes):
        rule = f"the categories of column {name!r} are one or more that differ"
        raise PrepError.of(who, rule, quote(values), fix, column=name)
    return texts, column.form, len(gaps) > 0


def _refuse_beyond(name: str, texts: Sequence[str], missing: bool, counts: Counts, who: str) -> None:
    known = set(texts)
    beyond: list[Any] = [text for text in counts.times if text not in known]
    beyond += [None] if counts.missing and not missing else []
    if beyond:
        rule = f"column {name!r} holds only the categories given"
        fix = f"Add them to categories=, or set handle_unknown.{nearest(beyond[0], texts[:1000])}"
        raise PrepError.of(who, rule, quote(beyond), fix, column=name, values=beyond[:5])


def _numbers(texts: Any) -> list[float] | None:
    """The numbers of texts that `number_text` wrote; None where one is another's."""
    try:
        sizes = [float(text) for text in texts]
    except ValueError:
        return None
    return sizes if all(number_text(size) == text for size, text in zip(sizes, texts, strict=True)) else None


def _moments(texts: Sequence[str]) -> np.ndarray | None:
    try:
        moments = np.array(texts, dtype="datetime64[us]")
    except ValueError:
        return None
    same = not np.isnat(moments).any() and [str(moment) for moment in moments] == list(texts)
    return moments if same else None
