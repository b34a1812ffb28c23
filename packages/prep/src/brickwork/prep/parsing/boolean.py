"""`BooleanParser`: words that stand for true and false."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..column_wise import ColumnWise
from ..columns import Column, as_booleans, as_texts
from ..encoder import Encoder
from ..errors import PrepError, bad_values, quote
from ..formula import number
from ..literals.booleans import FALSE, TRUE
from ..params import choice
from ..readings import Reading
from ..schema import ColumnSchema
from ..state import demand
from ..statistics import Nothing

__all__ = ["BooleanParser", "ParsedBooleans"]


@dataclass(frozen=True, slots=True)
class ParsedBooleans(Reading):
    """1 for the words of `true`, 0 for those of `false`, without regard to case; NaN where missing.

    Other words are refused, or NaN too where `lenient`.
    """

    true: tuple[str, ...] = TRUE
    false: tuple[str, ...] = FALSE
    lenient: bool = False
    kind: ClassVar = "boolean"

    def check(self, where: str) -> None:
        both = {word.casefold() for word in self.true} & {word.casefold() for word in self.false}
        demand(not both, where, "a word is true or false", sorted(both))

    def read(self, column: Column, who: str) -> np.ndarray:
        if column.form == "boolean":
            return as_booleans(column, who)
        if column.form in ("datetime", "other") and not self.lenient:
            return as_booleans(column, who)  # which refuses any value there is
        codes, vocabulary = as_texts(column, who)
        words = {word.casefold(): 1.0 for word in self.true} | {word.casefold(): 0.0 for word in self.false}
        parsed = [words.get(text.strip().casefold()) for text in vocabulary]
        unread = np.array([*(value is None for value in parsed), False])[codes]
        if not self.lenient and unread.any():
            rows = np.flatnonzero(unread)
            fix = "Mend these, add words by true= and false=, or pass errors='missing'."
            raise bad_values(who, column.name, "must hold words for true or false", rows, column.at(rows), fix)
        return np.array([*(math.nan if value is None else value for value in parsed), math.nan])[codes]

    def one(self, name: str, value: Any, who: str) -> float:
        return float(value) if type(value) is bool else Reading.one(self, name, value, who)


class BooleanParser(ColumnWise):
    """0 or 1 for words that stand for false and true, one column each; NaN where missing.

    Booleans stay as they are, numbers count as their text (1 is "1").

    Parameters
    ----------
    true, false : list of str
        Words, without regard to case and to spaces around them. By default those of ten languages: true, t, yes, y, on,
        1, ja, oui, si, ... and false, f, no, n, off, 0, nein, non, ...
    errors : {"raise", "missing"}
        What becomes of another word: an error that names its rows, or NaN.

    Raises
    ------
    SchemaError, with column and rows, where a word stands for neither.

    Examples
    --------
    >>> from brickwork.prep import BooleanParser
    >>> BooleanParser().fit_transform({"paid": ["yes", "Nein", None], "open": ["on", "off", "1"]}).tolist()
    [[1.0, 1.0], [0.0, 0.0], [nan, 1.0]]
    """

    STATISTICS: ClassVar = (Nothing,)

    def __init__(self, *, true: Sequence[str] = TRUE, false: Sequence[str] = FALSE, errors: str = "raise"):
        self.true = true
        self.false = false
        self.errors = errors

    def _check_params(self, who: str) -> None:
        choice(who, ("raise", "missing"), errors=self.errors)
        for name in ("true", "false"):
            words = getattr(self, name)
            if isinstance(words, str) or not len(words) or not all(isinstance(word, str) for word in words):
                raise PrepError.of(who, f"{name} must be a list of words", quote([words]))
        both = {word.casefold() for word in self.true} & {word.casefold() for word in self.false}
        if both:
            raise PrepError.of(who, "a word is true or false", f"{quote(sorted(both))} for both")

    def _reading(self) -> ParsedBooleans:
        true, false = (tuple(word.strip() for word in words) for words in (self.true, self.false))
        return ParsedBooleans(true, false, self.errors == "missing")

    def _gather(self, column: Column, who: str) -> Nothing:
        self._reading().read(column, who)  # a word that is neither is told of at fit
        return Nothing()

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        return Encoder(schema.name, ("",), (number(),), self._reading())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = self.errors == "missing"  # numbers other than 0 and 1 are no words
        return tags
