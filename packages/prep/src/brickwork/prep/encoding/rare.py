"""`RareGrouper`: rare categories become one word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..columns import Column, as_numbers, as_texts
from ..encoder import Replacer
from ..errors import PrepError
from ..frame.output import text_block
from ..schema import ColumnSchema
from .categories import CategoryEncoder, check_rarity

__all__ = ["RareGrouper"]


class RareGrouper(CategoryEncoder):
    """Text in which rare categories, and those that fit has not seen, are one word; to stand before any encoder.

    Missing values stay missing. Columns that were not text at fit come out as they are: whole numbers that are codes of
    something are grouped where they are given as text.

    Parameters
    ----------
    min_frequency : int or float, default 0.01
        Categories of fewer rows, or of a smaller share of the rows, are joined; None for no such bound.
    max_categories : int, optional
        So many words come out at most, the joint one among them.
    other : str, default "other"
        The joint word. A category that is called so anyway joins too.

    Attributes
    ----------
    categories_ : list of arrays, all categories seen, in order
    infrequent_categories_ : list of arrays or None, those that are joined

    Examples
    --------
    >>> from brickwork.prep import RareGrouper
    >>> towns = [["Ulm"], ["Ulm"], ["Bonn"], ["Ulm"]]
    >>> RareGrouper(min_frequency=2).fit(towns).transform([["Ulm"], ["Bonn"], ["Trier"]]).ravel().tolist()
    ['Ulm', 'other', 'other']
    """

    JOINS_MISSING: ClassVar = False
    handle_unknown = "ignore"

    def __init__(self, *, min_frequency: Any = 0.01, max_categories: int | None = None, other: str = "other"):
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.other = other

    def _check_params(self, who: str) -> None:
        check_rarity(self.min_frequency, self.max_categories, who)
        if not isinstance(self.other, str) or not self.other.strip():
            raise PrepError.of(who, "other must be a word", repr(self.other))

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Replacer:
        if schema.form != "text":
            return Replacer(schema.name, ("",), as_it_is)
        kept = self.kept_[schema.name].present()
        words = {text: text for text, rare in zip(kept.texts, kept.rare.tolist(), strict=True) if not rare}
        return Replacer(schema.name, ("",), Words(words, self.other))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


@dataclass(frozen=True, slots=True)
class Words:
    """Each text's word: of `known` its own, of any other `other`; NaN where missing."""

    known: Mapping[str, str]
    other: str

    def __call__(self, column: Column, who: str) -> list[np.ndarray]:
        codes, vocabulary = as_texts(column, who)
        return [text_block(codes, [self.known.get(text, self.other) for text in vocabulary])]


def as_it_is(column: Column, who: str) -> list[np.ndarray]:
    """The values of a column: datetime64[us] of dates, str objects of text, float64 of all else."""
    if column.form == "datetime":
        return [column.values]
    return [text_block(*as_texts(column, who)) if column.form == "text" else as_numbers(column, who)]
