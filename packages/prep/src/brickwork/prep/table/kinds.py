"""Which kind a column is, found from what was gathered of it, and why."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..columns import Column, as_numbers, number_text, parse_number, told_style, used_texts
from ..errors import SHOWN, SchemaError, bad_values
from ..literals.dates import ISO, find_style
from ..statistics import Counts

__all__ = ["DROPPED", "KINDS", "Finding", "find_kind", "refuse_spoilt_numbers"]

KINDS = ("numeric", "categorical", "boolean", "datetime", "identifier", "drop")
"""What `kinds=` may ask for."""

DROPPED = ("identifier", "constant", "empty", "text", "unsupported", "drop")
"""Kinds of which nothing comes out."""

ENOUGH = 20  # rows or values below which "all different" says nothing
WORDY = 5  # words a value, from which text that is mostly different is meant to be read by people
LOOKED_AT = 1000  # texts that decide how many words a value has
_ID_NAME = re.compile(r"(^|.*[\W_])(id|ids|uuid|guid|index|idx|rowid|row|key|unnamed: ?\d+)", re.IGNORECASE)
_CAMEL_ID = re.compile(r".*[a-z](Id|ID)")
_CODE = re.compile(r"\s*0\d")  # 01234 is a postcode, not the number 1234


@dataclass(frozen=True, slots=True)
class Finding:
    """The kind of a column and the reason in a few words; `style` is that of dates in text."""

    kind: str
    why: str
    style: str = ISO


def find_kind(gathered: Any, *, named: bool) -> Finding:
    """The kind of a column of this `Gathered`; one that was asked for is taken.

    Kinds beyond `KINDS`: `empty` (all missing), `constant`, `text` (free text), `unsupported` (objects that prep cannot
    read). SchemaError where the kind that was asked for has no value to learn from.
    """
    if gathered.asked:
        return _as_asked(gathered)
    part = gathered.part
    match gathered.form:
        case "":
            return Finding("empty", "every value is missing")
        case "other":
            return Finding("unsupported", str(part))
        case "number":
            only = number_text(part.moments.low) if part.moments.low == part.moments.high else None
            found = _of_numbers(gathered, named=named)
        case "boolean":
            only = repr(part.yes > 0) if 0 in (part.yes, part.no) else None
            found = Finding("boolean", "true and false")
        case "datetime":
            low, high = part.ticks.keys[[0, -1]]
            time = part.parts[0]
            only = str(np.timedelta64(round(time.low * 8.64e10), "us") + np.datetime64(0, "us"))
            only = only if low == high and time.low == time.high else None
            found = Finding("datetime", "dates")
        case _:
            only = repr(next(iter(part.times))) if len(part.times) == 1 else None
            if only is None or gathered.missing:
                found = Finding("categorical", "a declared category") if gathered.declared else _of_text(gathered)
    if only is not None and not gathered.missing:
        return Finding("constant", f"every value is {only}")
    return found


def refuse_spoilt_numbers(column: Column, who: str) -> None:
    """SchemaError where a column of text is numbers but for a few texts, which nobody means."""
    texts = used_texts(column)
    others = _others(texts, len(texts) // 10)
    if not others and not any(map(_CODE.match, texts)):
        as_numbers(column, who)  # which refuses infinities
    if not others or others > len(texts) // 10 or len(texts) - others < ENOUGH:
        return
    spoilt = np.array([parse_number(text) is None for text in column.vocabulary] + [False])
    rows = np.flatnonzero(spoilt[column.values])
    name = column.name
    fix = f"Mend these or make them missing; if the column is not of numbers, pass kinds={{{name!r}: 'categorical'}}."
    raise bad_values(who, name, "mixes numbers with other text", rows, column.at(rows[:SHOWN]), fix)


def _others(texts: Sequence[str], enough: int) -> int:
    """How many texts are no numbers; of those that are more than `enough`, one more."""
    others = 0
    for text in texts:
        others += parse_number(text) is None
        if others > enough:
            break
    return others


def is_identifier_name(name: str) -> bool:
    """Whether such a name numbers rows rather than describes them: `id`, `user_id`, `rowId`, `Unnamed: 0`."""
    return bool(_ID_NAME.fullmatch(name) or _CAMEL_ID.fullmatch(name))


def _as_asked(gathered: Any) -> Finding:
    why = "as asked by kinds="
    if gathered.asked in DROPPED:
        return Finding(gathered.asked, why)
    if gathered.part is None:
        rule = f"column {gathered.name!r} needs a value to learn from"
        fix = "Leave it out of kinds=, and it is dropped."
        raise SchemaError.of("TablePrep", rule, "only missing ones", fix, column=gathered.name)
    if gathered.asked == "datetime" and gathered.form == "text":
        style, told = _style_of(gathered.part.texts)
        return Finding("datetime", f"{why}; {told}", style)
    return Finding(gathered.asked, f"{why}; dates" if gathered.asked == "datetime" else why)


def _of_numbers(gathered: Any, *, named: bool) -> Finding:
    figures = gathered.part
    # Only a named column can be an identifier: whoever passes a bare matrix has chosen its columns.
    if named and not gathered.missing and figures.moments.n >= ENOUGH and figures.whole:
        if is_identifier_name(gathered.name) and figures.distinct.all_differ:
            return Finding("identifier", "whole numbers, all different, under an identifier's name")
        if figures.counts_rows:  # from 0 or 1, so that a column of consecutive years stays a number
            return Finding("identifier", "whole numbers that count the rows")
    return Finding("numeric", "numbers")


def _of_text(gathered: Any) -> Finding:
    counts: Counts = gathered.part
    texts = counts.texts
    if not _others(texts, 0) and not any(map(_CODE.match, texts)):
        if all(math.isnan(float(text)) for text in texts):
            return Finding("empty", "every value is missing")
        return Finding("numeric", "text, and every value reads as a number")
    if {text.strip().casefold() for text in texts[:10]} <= {"true", "false"} and len(texts) <= 10:
        return Finding("boolean", "the words true and false")
    if find_style(texts) is not None:
        style, why = _style_of(texts)
        return Finding("datetime", why, style)
    n, share = counts.n, len(texts) / counts.n
    if n >= ENOUGH and share > 0.5:
        looked = texts[:LOOKED_AT]
        words = sum(len(text.split()) for text in looked) / len(looked)
        if words >= WORDY:
            return Finding("text", f"free text of about {round(words)} words a value")
        if share > 0.9 or is_identifier_name(gathered.name):
            return Finding("identifier", f"text, {len(texts)} different values in {n} rows")
    return Finding("categorical", f"text, {len(texts)} different values")


def _style_of(texts: Sequence[str]) -> tuple[str, str]:
    """The style of dates in these texts, and how it was found; SchemaError where none reads them all."""
    style = find_style(texts)
    if style is None:
        fix = "Give dates as 2024-12-31 or as datetime objects."
        raise SchemaError.of("TablePrep", "dates of one column must be of one style", repr(texts[0]), fix)
    return style, told_style(texts, style)
