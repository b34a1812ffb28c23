"""`NumberParser`: numbers as people write them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ..column_wise import ColumnWise
from ..columns import Column, as_numbers
from ..encoder import Encoder
from ..errors import PrepError, bad_values, quote
from ..formula import number
from ..literals.numbers import MISSING, NumberFormat
from ..params import choice, finite, flags
from ..readings import Reading
from ..schema import ColumnSchema
from ..state import demand
from ..statistics import Statistic

__all__ = ["NumberParser", "NumberTexts", "ParsedNumbers"]

MARKS = (".", ",")


@dataclass(frozen=True, slots=True)
class ParsedNumbers(Reading):
    """Numbers as `format` reads their text, once per distinct text; NaN where missing.

    What is no number is refused, or NaN too where `lenient`.
    """

    format: NumberFormat = NumberFormat()  # noqa: RUF009 - immutable
    lenient: bool = False
    kind: ClassVar = "number"

    def check(self, where: str) -> None:
        demand(self.format.decimal in MARKS, where, "decimal must be a known mark", self.format.decimal)
        demand(all(factor for _, factor in self.format.units), where, "a unit is not 0", self.format.units)

    def read(self, column: Column, who: str) -> np.ndarray:
        if column.form != "text":
            return as_numbers(column, who)
        parsed = [self.format.read(text) for text in column.vocabulary]
        if not self.lenient:
            refuse_unread(column, parsed, self.format.decimal, who)
        table = np.array([*(math.nan if value is None else value for value in parsed), math.nan])
        return table[column.values]

    def one(self, name: str, value: Any, who: str) -> float:
        if type(value) is float and math.isfinite(value):
            return value
        if type(value) is str and (found := self.format.read(value)) is not None:
            return found
        return math.nan if value is None else Reading.one(self, name, value, who)


class NumberTexts(Statistic):
    """How many texts are no number, with a point and with a comma before the decimals; `n` texts in all."""

    FIELDS: ClassVar = {"n": "count", "unread": "tuple[count, ...]"}

    def __init__(self, formats: Sequence[NumberFormat], lenient: bool) -> None:
        self.formats, self.lenient = tuple(formats), lenient
        self.n, self.unread = 0, (0,) * len(MARKS)

    @property
    def decimal(self) -> str:
        """The mark with which fewer texts are no number; the point where both do as well."""
        return MARKS[self.unread.index(min(self.unread))]

    def update(self, column: Column, y: Any, who: str) -> None:
        if column.form != "text":
            as_numbers(column, who)
            return
        counts = np.bincount(column.values + 1, minlength=len(column.vocabulary) + 1)[1:]
        read = [[one.read(text) for text in column.vocabulary] for one in self.formats]
        odd = [int(counts[np.array([value is None for value in values], bool)].sum()) for values in read]
        unread = tuple(a + b for a, b in zip(self.unread, odd, strict=True))
        if min(unread) and not self.lenient:
            best = unread.index(min(unread))
            refuse_unread(column, read[best], self.formats[best].decimal, who)
        self.n, self.unread = self.n + int(counts.sum()), unread

    def merge(self, other: Self) -> None:
        self.n, self.unread = self.n + other.n, tuple(a + b for a, b in zip(self.unread, other.unread, strict=True))

    def check(self, where: str) -> None:
        fits = len(self.unread) == len(MARKS) and max(self.unread, default=0) <= self.n
        demand(fits, where, "unread must be two counts of at most n", self.unread)


class NumberParser(ColumnWise):
    """Numbers of free-form text, one column each; NaN where missing. Each distinct text is read once.

    Read are "1,200", "1 200.5", "1'200", "12,34,567", "1e3", "12%" (0.12), "$3.5k", "EUR 3.5", "3.5 Mio €", "-$5",
    "(42)" (-42), and with `units` "5 kg". Numbers and booleans stay as they are.

    Parameters
    ----------
    decimal : {"auto", ".", ","}
        The mark before the decimals; the other one may stand between thousands. "auto": of each column the one with
        which fewer of its texts are no number, the point where both do ("1,200" is 1200).
    units : dict of str to float, optional
        What may stand behind a number, and what it is multiplied by ({"kg": 1, "g": 0.001}). Beside these %, ‰, k,
        thousand, m, mn, mio, million, b, bn, billion and trillion are known; a unit of the same text goes before them.
    fractions : bool
        Whether "1/2", "3 1/2" and "½" are read.
    missing : list of str
        What stands for no value, without regard to case.
    errors : {"raise", "missing"}
        What becomes of a text that is no number: an error that names its rows, or NaN.

    Attributes
    ----------
    decimals_ : dict of column names to "." or ","

    Raises
    ------
    SchemaError, with column and rows, where a text is no number.

    Examples
    --------
    >>> from brickwork.prep import NumberParser
    >>> parser = NumberParser(units={"kg": 1, "g": 0.001})
    >>> parser.fit_transform({"load": ["1,200 kg", "500 g", "n/a"], "price": ["$3.5k", "(42)", "12%"]}).tolist()
    [[1200.0, 3500.0], [0.5, -42.0], [nan, 0.12]]
    >>> NumberParser().fit_transform({"price": ["1.200,50", "3,99"]}).ravel().tolist()
    [1200.5, 3.99]
    """

    STATISTICS: ClassVar = (NumberTexts,)

    def __init__(
        self,
        *,
        decimal: str = "auto",
        units: Mapping[str, float] | None = None,
        fractions: bool = False,
        missing: Sequence[str] = MISSING,
        errors: str = "raise",
    ):
        self.decimal = decimal
        self.units = units
        self.fractions = fractions
        self.missing = missing
        self.errors = errors

    def _check_params(self, who: str) -> None:
        choice(who, ("auto", *MARKS), decimal=self.decimal)
        choice(who, ("raise", "missing"), errors=self.errors)
        flags(who, fractions=self.fractions)
        if isinstance(self.missing, str) or not all(isinstance(word, str) for word in self.missing):
            raise PrepError.of(who, "missing must be a list of texts", quote([self.missing]))
        if self.units is not None and not (
            isinstance(self.units, Mapping) and all(isinstance(unit, str) and unit.strip() for unit in self.units)
        ):
            raise PrepError.of(who, "units must be a dict of texts to numbers", quote([self.units]))
        finite(who, **{f"units[{unit!r}]": factor for unit, factor in (self.units or {}).items()})
        if zero := [unit for unit, factor in (self.units or {}).items() if not factor]:
            raise PrepError.of(who, "a unit is not 0", quote(zero))

    def _formats(self) -> list[NumberFormat]:
        """The format of each mark, or the one that was asked for in the place of both."""
        units = tuple((unit.strip(), float(factor)) for unit, factor in (self.units or {}).items())
        marks = MARKS if self.decimal == "auto" else (self.decimal, self.decimal)
        return [NumberFormat(mark, units, self.fractions, tuple(self.missing)) for mark in marks]

    def _gather(self, column: Column, who: str) -> NumberTexts:
        return NumberTexts(self._formats(), self.errors == "missing")

    def _settle(self, statistics: Sequence[Any], schema: Sequence[ColumnSchema], who: str) -> None:
        for statistic in statistics:  # a state holds what was counted alone
            statistic.formats, statistic.lenient = tuple(self._formats()), self.errors == "missing"
        super()._settle(statistics, schema, who)

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        form = self._formats()[MARKS.index(statistic.decimal)]
        return Encoder(schema.name, ("",), (number(),), ParsedNumbers(form, self.errors == "missing"))

    def _publish(self) -> None:
        readings: Any = [encoder.reading for encoder in self.encoders_]
        self.decimals_ = {e.name: r.format.decimal for e, r in zip(self.encoders_, readings, strict=True)}


def refuse_unread(column: Column, parsed: Sequence[float | None], decimal: str, who: str) -> None:
    """SchemaError where a row holds a text that is no number."""
    unread = np.array([*(value is None for value in parsed), False])
    rows = np.flatnonzero(unread[column.values])
    if len(rows):
        rule = f"must hold numbers (with {decimal!r} before decimals)"
        fix = "Mend these, say how they are written (decimal=, units=, missing=), or pass errors='missing'."
        raise bad_values(who, column.name, rule, rows, column.at(rows), fix)
