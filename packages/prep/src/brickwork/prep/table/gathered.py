"""What is gathered of a column while nobody knows yet what it is: the least that any kind of its form will ask for."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar, Self

import numpy as np

from ..columns import Column, as_booleans, as_datetimes, as_numbers, date_style
from ..errors import SHOWN, SchemaError, quote
from ..literals.dates import ISO, find_style, read_dates
from ..state import demand
from ..statistics import Counts, Statistic, read_statistic
from .figures import Figures, Truths
from .instants import Instants
from .kinds import KINDS, refuse_spoilt_numbers

__all__ = ["Gathered", "Strangers"]


class Strangers(Statistic):
    """How many rows hold objects that prep can not read, and the first of them with the types met there."""

    FIELDS: ClassVar = {"count": "count", "rows": "tuple[count, ...]", "types": "tuple[str, ...]"}

    def __init__(self) -> None:
        self.count = 0
        self.rows: tuple[int, ...] = ()
        self.types: tuple[str, ...] = ()

    def update(self, column: Column, y: Any, who: str) -> None:
        rows = np.flatnonzero(column.values)
        self.count += len(rows)
        self.rows = (*self.rows, *rows[:SHOWN].tolist())[:SHOWN]
        self.types = (*self.types, *column.types)[:SHOWN]

    def merge(self, other: Self) -> None:
        self.count += other.count
        self.rows = (*self.rows, *other.rows)[:SHOWN]
        self.types = (*self.types, *other.types)[:SHOWN]

    def __str__(self) -> str:
        many = f" (and {self.count - SHOWN} more)" if self.count > SHOWN else ""
        rows = f"{'row' if self.count == 1 else 'rows'} {', '.join(map(str, self.rows))}{many}"
        return f"{quote(self.types, self.count)} in {rows}"


PARTS: dict[str, Callable[[], Statistic]] = {
    "number": Figures,
    "boolean": Truths,
    "datetime": Instants,
    "text": Counts,
    "other": Strangers,
}
"""What is learned of values of each form."""

ASKED = {"numeric": "number", "boolean": "boolean", "datetime": "datetime", "categorical": "text"}
READ: dict[str, Callable[[Column, str], Any]] = {"numeric": as_numbers, "boolean": as_booleans}


class Gathered(Statistic):
    """A column as seen so far: `part`, a statistic of its values in one `form` ("" until a value was seen).

    Rows that hold no value at all say nothing of the form. Text stays text, each distinct one with its count, until it
    is known what it stands for; numbers, booleans and dates that come beside text of their kind join it.

    `asked` is the kind that the owner of the table gave, or "". `declared`: every value was of a declared category.
    `beside` is what a transformer that is to take columns of many categories learns, should this become one.
    """

    FIELDS: ClassVar = {"name": "str", "asked": "str", "form": "str", "declared": "bool", "n": "count",
                        "missing": "count", "part": "any", "beside": "any"}  # fmt: skip

    def __init__(self, name: str, asked: str = "") -> None:
        self.name, self.asked = name, asked
        self.form = ""
        self.declared = False
        self.n = self.missing = 0
        self.part: Any = None
        self.beside: Any = None

    def update(self, column: Column, y: Any, who: str) -> None:
        found = Gathered(self.name, self.asked)
        found._see(column, who)
        if self.beside is not None:
            self.beside.update(column, y, who)
        self._join(found)

    def _see(self, column: Column, who: str) -> None:
        self.n, self.missing = len(column.values), int(np.count_nonzero(column.missing))
        if self.missing == len(column.values) or self.asked in ("drop", "identifier"):
            return
        self._check(column, who)
        # What is asked for decides how values are kept; text is kept as it is, and read once all of it is there.
        self.form = column.form if column.form == "text" or not self.asked else ASKED[self.asked]
        self.declared = column.declared
        self.part = PARTS[self.form]()
        self.part.update(column, None, who)

    def _check(self, column: Column, who: str) -> None:
        """Refuses, with its rows, what can not be of the kind that was asked for."""
        if self.asked in READ:
            READ[self.asked](column, who)
        elif self.asked == "datetime" and column.form == "text":
            date_style(column, who)
        elif self.asked == "datetime":
            as_datetimes(column, who, ISO)
        elif not self.asked and column.form == "text" and not column.declared:
            refuse_spoilt_numbers(column, who)

    def merge(self, other: Self) -> None:
        self._join(deepcopy(other))
        if self.beside is not None:
            self.beside.merge(other.beside)

    @property
    def times(self) -> dict[str, int] | None:
        """How often each text occurs; None where the column holds none."""
        return self.part.times if isinstance(self.part, Counts) else None

    def _join(self, other: Gathered) -> None:
        """Takes what another holds, and leaves that unfit for use."""
        before = self.n
        self.n, self.missing = self.n + other.n, self.missing + other.missing
        if other.part is None:
            return
        if isinstance(other.part, Strangers):
            other.part.rows = tuple(row + before for row in other.part.rows)
        if self.part is None:
            self.form, self.part, self.declared = other.form, other.part, other.declared
            return
        self.declared = self.declared and other.declared
        if self.form != other.form:
            self._turn(other)
        self.part.merge(other.part)

    def _turn(self, other: Gathered) -> None:
        """Brings both to one form, as a whole column of such values would have it."""
        forms = {self.form, other.form}
        if "other" in forms:
            wanted = "other"
        elif forms == {"boolean", "number"}:
            wanted = "number"
        else:
            (wanted,) = forms - {"text"} if len(forms - {"text"}) == 1 else ("",)
        for one in (self, other):
            if one.form != wanted:
                one.part = _turned(one, wanted)
                if one.part is None:
                    rule = f"column {self.name!r} must hold values of one form in all parts of a table"
                    got = f"{self.form or 'nothing'} and then {other.form}"
                    fix = "Read all parts with one type for it, or say what it is: kinds={...: 'categorical'}."
                    raise SchemaError.of("TablePrep", rule, got, fix, column=self.name)
        self.form = wanted

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        made = cls(values["name"], values["asked"])
        made.form, made.declared = values["form"], values["declared"]
        made.n, made.missing = values["n"], values["missing"]
        if values["beside"] is not None:
            made.beside = read_statistic(values["beside"], f"{where}.beside")
        demand(made.missing <= made.n, where, "missing must be at most n", made.missing)
        demand(made.form in ("", *PARTS), where, "form must be a known one", made.form)
        demand(made.asked in ("", *KINDS), where, "asked must be a known kind", made.asked)
        if made.asked:
            fits = made.form in ("", "text", ASKED.get(made.asked, ""))
            demand(fits, where, "form must be that of the kind that was asked for", made.form)
        if made.form:
            made.part = read_statistic(values["part"], f"{where}.part", PARTS[made.form])  # type: ignore[arg-type]
            demand(made.n > made.missing and _is_filled(made.part), where, "part must hold values", made.form)
        else:
            demand(values["part"] is None, where, "part needs a form", made.form)
        return made


def _is_filled(part: Any) -> bool:
    match part:
        case Truths():
            return part.yes + part.no > 0
        case Counts():
            return part.n > 0
        case Strangers():
            return part.count > 0
    return True


def _turned(gathered: Gathered, form: str) -> Statistic | None:
    """What the part of a column is in another form; None where its values can not be had in that."""
    part = gathered.part
    if form == "other":
        return Strangers()
    if isinstance(part, Truths) and form == "number":
        return part.as_figures()
    if not isinstance(part, Counts):
        return None
    if form == "number":
        return Figures.of_texts(part)
    if form == "boolean":
        return Truths.of_texts(part)
    if form == "datetime":
        style = find_style(part.times)
        return Instants.of_ticks(read_dates(part.texts, style), part.counts) if style else None
    return None
