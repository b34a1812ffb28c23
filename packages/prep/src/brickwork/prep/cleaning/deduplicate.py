"""`Deduplicate`: spelling variants of a category become the most frequent one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ..column_wise import ColumnWise
from ..columns import Column, as_texts
from ..encoder import Replacer
from ..errors import SchemaError
from ..frame import Table
from ..frame.choosing import put_texts, take_columns
from ..frame.output import text_block
from ..schema import ColumnSchema
from ..selectors import as_selector
from ..statistics import Counts, Nothing, Statistic
from .constant import need_share
from .spelling import normal_form, spellings

__all__ = ["Deduplicate"]


class Deduplicate(ColumnWise):
    """Replaces texts by the most frequent of their spellings; other columns stay as they are.

    Texts are one where they differ in case, accents, spaces and punctuation alone. Of what is left a rarer one joins a
    more frequent one whose n-grams are alike: the cosine of tf-idf weighted n-grams of 2 to 4 letters is at least
    `threshold`, it is at most `rarer` times as frequent, and both hold the same numbers ("size 10" is not "size 11").
    A column of more than 20,000 normal forms is not compared by n-grams. A text not seen at fit becomes the category
    whose normal form it has, or stays. What comes out is of the kind that went in; `set_output` overrides that.

    Parameters
    ----------
    columns : a selector, a name, a position or a list of these: text to look at; None for all text
    threshold : in (0, 1], default 0.5; 1.0 compares normal forms alone, or all but
    rarer : in (0, 1], default 0.5

    Attributes
    ----------
    mapping_ : dict from column name to a dict from each text that is replaced to what stands for it

    Examples
    --------
    >>> from brickwork.prep import Deduplicate
    >>> places = ["São Paulo"] * 9 + ["sao-paulo", "São Paullo", "Santos", "Santos"]
    >>> Deduplicate().fit({"place": places}).mapping_
    {'place': {'sao-paulo': 'São Paulo', 'São Paullo': 'São Paulo'}}
    """

    STATISTICS: ClassVar = (Counts, Nothing)

    def __init__(self, columns: Any = None, *, threshold: float = 0.5, rarer: float = 0.5):
        self.columns = columns
        self.threshold = threshold
        self.rarer = rarer

    def _check_params(self, who: str) -> None:
        need_share("threshold", self.threshold, who)
        need_share("rarer", self.rarer, who)
        if self.columns is not None:
            as_selector(self.columns)

    def _learn(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> None:
        texts = {i for i, column in enumerate(columns) if column.form == "text"}
        chosen = texts if self.columns is None else set(as_selector(self.columns).positions(table, who))
        if odd := sorted(chosen - texts):
            column = columns[odd[0]]
            raise SchemaError.of(who, f"column {column.name!r} must hold text", column.form, column=column.name)
        statistics: list[Statistic] = [Counts() if i in chosen else Nothing() for i in range(len(columns))]
        for statistic, column in zip(statistics, columns, strict=True):
            statistic.update(column, None, who)
        self._settle(statistics, self.schema_, who)

    def _encoder(self, schema: ColumnSchema, statistic: Statistic, who: str) -> Replacer:
        return Replacer(schema.name, ("",), _as_it_is)

    def _publish(self) -> None:
        self.mapping_, self._forms = {}, {}
        for one, found in zip(self.schema_, self.statistics_, strict=True):
            if isinstance(found, Counts):
                mapping = spellings(found.times, self.threshold, self.rarer)
                self.mapping_[one.name] = mapping
                self._forms[one.name] = {normal_form(text): mapping.get(text, text) for text in found.times}

    def _give(self, table: Table, positions: Sequence[int], X: Any, who: str) -> Any:
        replaced = {}
        for one, found, position in zip(self.schema_, self.statistics_, positions, strict=True):
            if isinstance(found, Counts):
                codes, vocabulary = as_texts(table.column(position), who)
                spelled = np.array([self._spelled(text, one.name, found.times) for text in vocabulary], dtype=object)
                other = np.array([*(new != old for new, old in zip(spelled, vocabulary, strict=True)), False])
                if other.any():
                    rows = np.flatnonzero(other[codes])
                    replaced[position] = (rows, spelled[codes[rows]])
        return take_columns(put_texts(X, replaced) if replaced else X, positions)

    def _spelled(self, text: str, column: str, seen: Mapping[str, int]) -> str:
        if text in seen:
            return self.mapping_[column].get(text, text)
        return self._forms[column].get(normal_form(text), text)


def _as_it_is(column: Column, who: str) -> list[np.ndarray]:
    return [text_block(*as_texts(column, who))]
