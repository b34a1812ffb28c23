"""A table as every other room sees it: names, a number of rows, and columns that are read when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..columns import Column
from ..errors import PrepError, SchemaError, quote


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose columns are read when asked for: a column that nobody needs costs nothing and cannot fail.

    `named` is False for arrays and lists of rows, whose columns are known by position and called x0, x1, ...
    `text_names` is False where a frame's column labels were not all text.
    """

    names: Sequence[str]
    n_rows: int
    sources: Sequence[Any]
    read: Callable[[str, Any], Column]
    named: bool = True
    text_names: bool = True

    def __len__(self) -> int:
        return self.n_rows

    def column(self, position: int) -> Column:
        """The column at this position. Its arrays may be memory of the table that was given: never write to them."""
        return self.read(self.names[position], self.sources[position])


def names_of(labels: Sequence[Any]) -> tuple[list[str], bool]:
    """The names of columns with these labels, and whether the labels were all text."""
    text = all(isinstance(label, str) for label in labels)
    return [str(label) for label in labels], text


def check(table: Table, who: str) -> None:
    """Refuses a table without columns or rows, or with two columns of one name."""
    shape = (table.n_rows, len(table.names))
    if not table.names:
        raise PrepError.of(who, "a table has columns", f"0 feature(s) (shape={shape}) while a minimum of 1 is required")
    if not table.n_rows:
        raise PrepError.of(who, "a table has rows", f"0 sample(s) (shape={shape}) while a minimum of 1 is required")
    if len(set(table.names)) < len(table.names):
        raise doubled([name for name, times in Counter(table.names).items() if times > 1], who)


def doubled(names: Sequence[str], who: str) -> SchemaError:
    """The error for column names that stand for several columns."""
    rule = "column names must differ from one another"
    return SchemaError.of(who, rule, f"{quote(names)} more than once", "Rename or drop one.", column=names[0])
