"""What prep raises, and the one form its sentences take: `who: rule; got values. fix`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, Self

import numpy as np

SHOWN = 5  # rows, values or names quoted in one sentence


class PrepError(ValueError):
    """A table, a target, a parameter or a state that prep cannot use.

    Attributes: `column` (str or None), `rows` (the first few 0-based row positions), `values` (what stood there).
    """

    def __init__(
        self, message: str, *, column: str | None = None, rows: Sequence[int] = (), values: Sequence[Any] = ()
    ):
        # One positional argument: that is what lets joblib pickle the error on its way out of a worker.
        super().__init__(message)
        self.column = column
        self.rows = tuple(rows)
        self.values = tuple(values)

    @classmethod
    def of(cls, who: str, rule: str, got: str = "", fix: str = "", **where: Any) -> Self:
        """The error whose text is `who: rule; got values. fix`."""
        text = f"{who}: {rule}" + (f"; got {got}" if got else "") + "." + (f" {fix}" if fix else "")
        return cls(text, **where)


class SchemaError(PrepError):
    """The table does not hold what it must: a column is missing, doubled or retyped, or a value cannot be read."""


class TargetError(PrepError):
    """The target cannot be learned from, or holds a label never seen."""


class StateError(PrepError):
    """A saved state is damaged, tampered with, or from another version."""


def quote(items: Iterable[Any], total: int | None = None) -> str:
    """The first few items for a sentence: `'a', 'b' (and 7 more)`."""
    items = list(items)
    total = len(items) if total is None else total
    shown = ", ".join(_short(item) for item in items[:SHOWN])
    return shown + (f" (and {total - SHOWN} more)" if total > SHOWN else "")


def quote_rows(rows: np.ndarray) -> str:
    """`row 3` or `rows 3, 8, 9 (and 2 more)`, from row positions."""
    return ("row " if len(rows) == 1 else "rows ") + quote(rows[:SHOWN].tolist(), len(rows))


def nearest(name: object, names: Iterable[object]) -> str:
    """` (nearest: 'island')`, or nothing where no name is near."""
    by_text = {str(other).casefold(): other for other in names}
    found = get_close_matches(str(name).casefold(), list(by_text), n=1)
    return f" (nearest: {by_text[found[0]]!r})" if found else ""


def bad_values(
    who: str,
    column: str,
    rule: str,
    rows: np.ndarray,
    values: Sequence[Any],
    fix: str,
    error: type[PrepError] = SchemaError,
) -> PrepError:
    """The error for a column where `rows` hold `values` that break `rule`; both are as long as there are bad rows."""
    first = rows[:SHOWN].tolist()
    return error.of(
        who, f"column {column!r} {rule}", f"{quote(_distinct(values[:SHOWN]))} in {quote_rows(rows)}", fix,
        column=column, rows=first, values=list(values[:SHOWN]),
    )  # fmt: skip


def _distinct(values: Sequence[Any]) -> list[Any]:
    return list({repr(value): value for value in values}.values())


def _short(item: Any) -> str:
    text = repr(item)
    return text if len(text) <= 60 else text[:57] + "..."
