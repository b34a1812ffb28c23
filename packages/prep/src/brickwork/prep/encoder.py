"""What a fitted transformer does to one column: a reading and formulas, or values that are no numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .columns import Column
from .formula import Formula, evaluate
from .readings import Numbers, Reading

__all__ = ["Encoder", "Replacer"]

ROWS = 8192  # at once: their values stay in the cache from one step of a formula to the next


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
        values = self.reading.read(column, who)
        with np.errstate(all="ignore"):
            if (
                len(self.formulas) == 1
                and self.formulas[0].op == "one_hot"
                and self.formulas[0].inputs[0].op == "input"
            ):
                _scatter(values, out)
                return
            for start in range(0, len(values), ROWS):
                block, rows = out[start : start + ROWS], values[start : start + ROWS]
                place = 0
                for formula, value in zip(self.formulas, evaluate(self.formulas, [rows]), strict=True):
                    if formula.width == 1:
                        block[:, place] = value
                    else:
                        block[:, place : place + formula.width] = value
                    place += formula.width


@dataclass(frozen=True, slots=True)
class Replacer:
    """A column to columns that are not all numbers: `give(column, who)` is a list of arrays (n,), one per suffix."""

    name: str
    suffixes: Sequence[str]
    give: Callable[[Column, str], list[np.ndarray]]


def _scatter(codes: np.ndarray, out: np.ndarray) -> None:
    """Ones at the places that codes name; a code outside has none."""
    width = out.shape[1]
    inside = np.flatnonzero((codes >= 0) & (codes < width))
    out[inside, codes[inside].astype(np.int64)] = 1


def blocks_of(encoder: Encoder | Replacer, column: Column, who: str) -> list[Any]:
    """The columns that come of one, as arrays (n,)."""
    if isinstance(encoder, Replacer):
        return encoder.give(column, who)
    out = np.zeros((len(column.values), len(encoder.suffixes)))
    encoder.encode(column, out, who)
    return list(out.T)
