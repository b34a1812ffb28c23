"""Columns that repeat another one, and rows that repeat another one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..columns import Column
from ..errors import PrepError, nearest
from ..frame import Table, open_table
from ..hashing import column_bits, hash_columns, hash_rows, repeated
from ..selectors import as_selector
from .choice import ColumnChoice

__all__ = ["DropDuplicateColumns", "duplicate_rows"]

MATCHES = ("values", "codes")
KEEPS = ("first", "last", False)


class DropDuplicateColumns(ColumnChoice):
    """Drops columns that hold in every row what a column before them holds.

    Compared are values: 1, 1.0 and a boolean's 1 differ in kind and are not equal across forms (number, boolean,
    datetime, text); missing equals missing. Columns of objects that prep cannot read are kept.

    Parameters
    ----------
    match : "values" (default), or "codes"
        "codes" also drops text that is another column's text by other names, one to one ("DE" for "Germany"): for
        one-hot columns, the same columns again.

    Attributes
    ----------
    kept_, dropped_ : the positions of the columns kept, and of each dropped one the reason

    Examples
    --------
    >>> from brickwork.prep import DropDuplicateColumns
    >>> table = {"code": ["DE", "FR", "DE"], "land": ["Germany", "France", "Germany"], "again": ["DE", "FR", "DE"]}
    >>> DropDuplicateColumns().fit(table).dropped_
    {'again': "equals 'code'"}
    >>> DropDuplicateColumns(match="codes").fit(table).dropped_
    {'land': "is 'code' by other names", 'again': "equals 'code'"}
    """

    def __init__(self, match: str = "values"):
        self.match = match

    def _check_params(self, who: str) -> None:
        if not isinstance(self.match, str) or self.match not in MATCHES:
            raise PrepError.of(who, "match must be values or codes", f"{self.match!r}{nearest(self.match, MATCHES)}")

    def _drops(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> Mapping[int, str]:
        by_values: dict[bytes, str] = {}
        by_codes: dict[bytes, str] = {}
        drops: dict[int, str] = {}
        for i, column in enumerate(columns):
            if column.form == "other":
                continue
            # Of a column of gaps alone no library agrees with another what it would hold.
            form = "nothing" if column.missing.all() else column.form
            key = _digest(form, column_bits(column))
            if key in by_values:
                drops[i] = f"equals {by_values[key]!r}"
            elif (
                self.match == "codes"
                and column.form == "text"
                and (code := _digest("codes", _codes(column))) in by_codes
            ):
                drops[i] = f"is {by_codes[code]!r} by other names"
            else:
                by_values[key] = column.name
                if self.match == "codes" and column.form == "text":
                    by_codes[code] = column.name
        return drops


def duplicate_rows(X: Any, *, columns: Any = None, keep: str | bool = "first") -> np.ndarray:
    """Bool (n,): the rows that repeat another one; `keep` is "first" or "last" (not marked), or False (all marked).

    Takes any table, and arrays of any number of axes. Missing values equal one another. Rows are compared by 64-bit
    hashes: of a million rows two that differ are taken for equal in one of 37 million tables.

    - columns: a selector, a name, a position or a list of these: the columns that count; None for all.

    Raises PrepError where X is no table or keep is another word.

    >>> duplicate_rows({"x": [1, 2, 1, None, None]}).tolist()
    [False, False, True, False, True]
    """
    who = "duplicate_rows"
    if not any(keep is one or (keep == one and isinstance(keep, str)) for one in KEEPS):
        raise PrepError.of(who, 'keep is "first", "last" or False', repr(keep))
    if columns is None:
        hashes = hash_rows(X, who)
    else:
        table = open_table(X, who)
        chosen = as_selector(columns).positions(table, who)
        if not chosen:
            raise PrepError.of(who, "columns must choose a column", "none")
        hashes = hash_columns([table.column(i) for i in chosen])
    after, before = repeated(hashes), repeated(hashes[::-1])[::-1]
    return after if keep == "first" else before if keep == "last" else after | before


def _codes(column: Column) -> np.ndarray:
    """Int64 (n,): the codes of a text column, renumbered by first appearance; -1 where missing."""
    used, first = np.unique(column.values, return_index=True)
    rank = np.full(len(column.vocabulary) + 1, -1, dtype=np.int64)
    present = used >= 0
    rank[used[present]] = np.argsort(np.argsort(first[present]))
    return rank[column.values]


def _digest(form: str, values: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(values).data, key=form.encode(), digest_size=16).digest()
