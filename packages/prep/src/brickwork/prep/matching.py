"""Which columns of a table are those that were there at fit."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from .errors import SHOWN, SchemaError, nearest, quote
from .frame import Table

__all__ = ["find_columns"]


def find_columns(
    table: Table, names: Sequence[str], needed: Sequence[bool], named: bool, own: str, who: str
) -> list[int]:
    """Where each column of fit stands in this table: by name where both have names, by position otherwise.

    -1 for one that is not there and not needed; SchemaError for one that is. `own` is the class that was fitted, and
    `named` says whether it saw names.
    """
    if named and table.named:
        found = {name: i for i, name in enumerate(table.names)}
        positions = [found.get(name, -1) for name in names]
        lost = [n for n, i, need in zip(names, positions, needed, strict=True) if i < 0 and need]
        if lost:
            rule = f"column {lost[0]!r} was there at fit and is missing"
            got = f"columns {quote(table.names)}{nearest(lost[0], table.names)}"
            others = [f"{name!r}{nearest(name, table.names)}" for name in lost[1:SHOWN]]
            also = f" Also missing: {', '.join(others)}." if others else ""
            raise SchemaError.of(who, rule, got, f"Add or rename it.{also}", column=lost[0])
        return positions
    n = len(table.names)
    if n != len(names):
        rule = f"X has {n} features, but {own} is expecting {len(names)} features as input"
        raise SchemaError.of(who, rule, fix="Give the same columns in the same order, or a table with names.")
    if table.named != named and table.text_names:
        has, was = ("has", "without") if table.named else ("does not have valid", "with")
        text = f"X {has} feature names, but {own} was fitted {was} feature names"
        warnings.warn(text, UserWarning, stacklevel=5)
    return list(range(n))
