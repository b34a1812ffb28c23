"""What stands in place of missing values, by the form of a column."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..columns import Column, as_datetimes, as_texts
from ..errors import PrepError
from ..frame import text_block

__all__ = ["INDICATOR", "fill_of", "filled_text", "replaced", "ticks_of"]

INDICATOR = "missingindicator"
DEFAULTS = {"text": "missing_value", "datetime": "1970-01-01"}


def ticks_of(column: Column) -> Column:
    """Dates as the numbers they are reckoned with: microseconds since 1970 in UTC; other columns as they are."""
    if column.form != "datetime":
        return column
    ticks = column.values.astype("datetime64[us]").view(np.int64).astype(np.float64)
    ticks[column.missing] = np.nan
    return Column(column.name, "number", ticks)


def fill_of(form: str, value: Any, name: str, who: str) -> Any:
    """A constant as a column of this form takes it: str for text, float for others (of dates microseconds)."""
    value = DEFAULTS.get(form, 0) if value is None else value
    if form == "text":
        if isinstance(value, str):
            return value
    elif form == "datetime":
        try:
            return float(np.datetime64(value, "us").astype(np.int64))
        except (TypeError, ValueError):
            pass
    elif isinstance(value, (int, float, np.integer, np.floating)) and math.isfinite(value):
        return float(value)
    needed = {"text": "text", "datetime": "a date in ISO 8601"}.get(form, "a finite number")
    raise PrepError.of(who, f"fill_value of column {name!r} must be {needed}", repr(value), column=name)


def filled_text(column: Column, fill: str, who: str) -> np.ndarray:
    """Objects (n,): the texts, `fill` where missing."""
    codes, vocabulary = as_texts(column, who)
    return text_block(codes, vocabulary, fill)


def replaced(column: Column, who: str, *, form: str, fill: Any, flagged: bool) -> list[np.ndarray]:
    """A column of text or dates without gaps, and 1 where they were if `flagged`."""
    if form == "text":
        values = filled_text(column, fill, who)
    else:
        moments = as_datetimes(column, who, "iso")
        values = np.where(np.isnat(moments), np.datetime64(int(fill), "us"), moments)
    return [values, column.missing.astype(np.float64)] if flagged else [values]
