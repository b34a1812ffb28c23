"""Which kind a column is, found from its values, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from .columns import Column, parse_number
from .errors import SHOWN, bad_values, quote, quote_rows
from .literals.dates import ISO, find_style, is_ambiguous

KINDS = ("numeric", "categorical", "boolean", "datetime", "identifier", "drop")  # what `kinds=` may ask for

ENOUGH = 20  # rows or values below which "all different" says nothing
_ID_NAME = re.compile(r"(^|.*[\W_])(id|ids|uuid|guid|index|idx|rowid|row|key|unnamed: ?\d+)", re.IGNORECASE)
_CAMEL_ID = re.compile(r".*[a-z](Id|ID)")
_CODE = re.compile(r"\s*0\d")  # 01234 is a postcode, not the number 1234


@dataclass(frozen=True, slots=True)
class Finding:
    """The kind of a column and the reason in a few words; `style` is that of dates in text."""

    kind: str
    why: str
    style: str = ISO


def find_kind(column: Column, who: str, *, named: bool) -> Finding:
    """The kind of a column at fit. SchemaError where numbers are spoilt by a few other texts, which nobody means.

    Kinds beyond `KINDS`: `empty` (all missing), `constant`, `unsupported` (holds objects prep cannot read).
    """
    if column.form == "other":
        rows = np.flatnonzero(column.values)
        return Finding("unsupported", f"{quote(column.types, len(rows))} in {quote_rows(rows)}")
    missing = column.missing
    if missing.all():
        return Finding("empty", "every value is missing")
    present = column.values[~missing]
    if not missing.any() and (present == present[0]).all():
        return Finding("constant", f"every value is {column.at(np.array([0]))[0]!r}")
    match column.form:
        case "number":
            return _of_numbers(column.name, present, named=named and not missing.any())
        case "boolean":
            return Finding("boolean", "true and false")
        case "datetime":
            return Finding("datetime", "dates")
    if column.declared:
        return Finding("categorical", "a pandas categorical")
    return _of_text(column, present, who)


def date_style(column: Column, who: str) -> tuple[str, str]:
    """The style of a column that is to be read as dates, and why; SchemaError where no style reads all its texts."""
    if column.form != "text":
        return ISO, "dates"
    texts = _texts(column)
    style = find_style(texts)
    if style is None:
        rows = np.flatnonzero(~column.missing)
        fix = "Give dates as 2024-12-31 or as datetime objects."
        raise bad_values(who, column.name, "must hold dates of one style", rows, column.at(rows), fix)
    why = f"text read as {style}"
    return style, why + (", though day first fits too" if is_ambiguous(texts, style) else "")


def is_identifier_name(name: str) -> bool:
    """Whether such a name numbers rows rather than describes them: `id`, `user_id`, `rowId`, `Unnamed: 0`."""
    return bool(_ID_NAME.fullmatch(name) or _CAMEL_ID.fullmatch(name))


def _of_numbers(name: str, values: np.ndarray, *, named: bool) -> Finding:
    # Only a named column can be an identifier: whoever passes a bare matrix has chosen its columns.
    if named and len(values) >= ENOUGH and (values == np.floor(values)).all():
        steps = np.diff(values)
        if len(np.unique(values)) == len(values):
            if is_identifier_name(name):
                return Finding("identifier", "whole numbers, all different, under an identifier's name")
            # From 0 or 1, so that a column of consecutive years stays a number.
            if values.min() in (0, 1) and abs(steps[0]) == 1 and (steps == steps[0]).all():
                return Finding("identifier", "whole numbers that count the rows")
    return Finding("numeric", "numbers")


def _of_text(column: Column, codes: np.ndarray, who: str) -> Finding:
    texts = _texts(column)
    parsed = [parse_number(text) for text in texts]
    n_numbers = sum(value is not None for value in parsed)
    if n_numbers == len(texts) and not any(_CODE.match(text) for text in texts):
        return Finding("numeric", "text, and every value reads as a number")
    if {text.strip().casefold() for text in texts} <= {"true", "false"}:
        return Finding("boolean", "the words true and false")
    if n_numbers < len(texts):
        _refuse_spoilt_numbers(column, n_numbers, len(texts), who)
    style = find_style(texts)
    if style is not None:
        return Finding("datetime", date_style(column, who)[1], style)
    share = len(texts) / len(codes)
    if len(codes) >= ENOUGH and (share > 0.9 or (share > 0.5 and is_identifier_name(column.name))):
        return Finding("identifier", f"text, {len(texts)} different values in {len(codes)} rows")
    return Finding("categorical", f"text, {len(texts)} different values")


def _texts(column: Column) -> list[str]:
    """The distinct texts that some row holds; a vocabulary may hold more, as a pandas categorical's does."""
    used = np.flatnonzero(np.bincount(column.values[column.values >= 0]))
    return [column.vocabulary[code] for code in used]


def _refuse_spoilt_numbers(column: Column, n_numbers: int, n_texts: int, who: str) -> None:
    if n_numbers < ENOUGH or n_numbers < 0.9 * n_texts:
        return
    spoilt = np.array([parse_number(text) is None for text in column.vocabulary] + [False])
    rows = np.flatnonzero(spoilt[column.values])
    name = column.name
    fix = f"Mend these or make them missing; if the column is not of numbers, pass kinds={{{name!r}: 'categorical'}}."
    raise bad_values(who, name, "mixes numbers with other text", rows, column.at(rows[:SHOWN]), fix)
