"""What a fitted transformer does to one column: a reading and formulas, or values that are no numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from .columns import Column
from .evaluation import compiled
from .formula import Formula
from .readings import Numbers, Reading
from .threads import each, number_of_threads

__all__ = ["Encoder", "Replacer", "blocks_of", "write"]

ROWS, LEAST, BYTES = 8192, 1024, 1 << 24
"""Rows at once, and bytes of what comes out: both stay in the cache from one step of a formula to the next."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """A column of numbers to numbers: `formulas` of what `reading` makes of it.

    `suffixes` names what comes out, in order: each is the column's name, `_`, and one suffix ("" for the plain name).
    `inverse`, where there is one, is the column again, of what came out.
    """

    name: str
    suffixes: Sequence[str]
    formulas: Sequence[Formula]
    reading: Reading = Numbers()  # noqa: RUF009 - immutable
    inverse: Formula | None = None

    def encode(self, column: Column, out: np.ndarray, who: str) -> None:
        """Writes (n, len(suffixes)) into `out`, which is full of zeros."""
        write([(self, column, 0)], out, who)


@dataclass(frozen=True, slots=True)
class Replacer:
    """A column to columns that are not all numbers: `give(column, who)` is a list of arrays (n,), one per suffix."""

    name: str
    suffixes: Sequence[str]
    give: Callable[[Column, str], list[np.ndarray]]


def write(parts: Sequence[tuple[Encoder, Column, int]], out: np.ndarray, who: str) -> None:
    """What each encoder makes of its column into `out` (n, k), full of zeros, from a first place on.

    All columns of some rows before any of the next, since these lie side by side in `out`.
    """
    n = len(out)
    opened = each(lambda part: part[0].reading.open(part[1], who), parts, n * len(parts))
    plans = [
        (_places(encoder.formulas, first), _values(encoder.formulas), read)
        for (encoder, _, first), read in zip(parts, opened, strict=True)
    ]
    rows = min(ROWS, max(LEAST, BYTES // max(1, out.itemsize * out.shape[1])))

    def fill(stretch: range) -> None:
        with np.errstate(all="ignore"):
            for start in stretch:
                block = slice(start, start + rows)
                for places, give, read in plans:
                    _fill(places, give([read(block)]), out[block])

    starts = range(0, n, rows)
    share = -(-len(starts) // number_of_threads()) or 1
    each(fill, [starts[i : i + share] for i in range(0, len(starts), share)], n * len(parts))


def blocks_of(encoder: Encoder | Replacer, column: Column, who: str) -> list[Any]:
    """The columns that come of one, as arrays (n,)."""
    if isinstance(encoder, Replacer):
        return encoder.give(column, who)
    out = np.zeros((len(column.values), len(encoder.suffixes)))
    encoder.encode(column, out, who)
    return list(out.T)


def _values(formulas: Sequence[Formula]) -> Callable[[Sequence[np.ndarray]], list[Any]]:
    # Of a one-hot only its code is computed: the ones are written where they belong, the zeros are there.
    return compiled([f.inputs[0] if f.op == "one_hot" else f for f in formulas])


def _places(formulas: Sequence[Formula], first: int) -> list[tuple[int, int, bool]]:
    """For each formula the place it begins at, its width, and whether it is a one-hot."""
    starts = accumulate((formula.width for formula in formulas), initial=first)
    return [(start, f.width, f.op == "one_hot") for start, f in zip(starts, formulas, strict=False)]


def _fill(places: Sequence[tuple[int, int, bool]], found: Sequence[Any], out: np.ndarray) -> None:
    for (place, width, hot), value in zip(places, found, strict=True):
        if hot:
            _scatter(value, out, place, width)
        elif width == 1:
            out[:, place] = value
        else:
            out[:, place : place + width] = value


def _scatter(codes: np.ndarray, out: np.ndarray, place: int, width: int) -> None:
    """Ones at the places that codes name; a code outside has none."""
    rows, codes = np.arange(len(out)), np.broadcast_to(codes, len(out)).astype(np.int64)
    inside = (codes >= 0) & (codes < width)
    if not inside.all():
        rows, codes = rows[inside], codes[inside]
    out[rows, codes + place] = 1
