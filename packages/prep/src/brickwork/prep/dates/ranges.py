"""What fit learns of a column of dates: in which styles its texts read, and from where to where each part goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from ..columns import Column
from ..errors import PrepError, StateError, bad_values
from ..evaluation import evaluate
from ..literals.dates import ISO, SOME, STYLES, read_all
from ..state import demand
from ..statistics import Statistic
from .parts import FORMULAS
from .timestamps import EPOCHS, Timestamps, refuse_calendar_numbers
from .zones import check_zone, parts_in

__all__ = ["DateRanges"]

ROWS = 8192  # at once: what formulas make of them stays in the cache
Bounds = tuple[tuple[float, ...], tuple[float, ...]]


class DateRanges(Statistic):
    """The least and the greatest value of some `parts` of dates, once for each style in which all texts can be read.

    Which of several styles was meant may come out only with later rows (the 13th of a month), so the ranges of all are
    kept until then; `low` and `high` are those of dates that were no text. Numbers count as `epoch` has it; None: as
    seconds, unless they read as years or as year, month and day. Parts are by the clocks of `zone` ("" is UTC).
    """

    FIELDS: ClassVar = {"n": "count", "n_texts": "count", "parts": "tuple[str, ...]", "epoch": "str", "zone": "str",
                        "low": "tuple[float, ...]", "high": "tuple[float, ...]", "styles": "tuple[str, ...]",
                        "lows": "tuple[tuple[float, ...], ...]", "highs": "tuple[tuple[float, ...], ...]"}  # fmt: skip

    def __init__(
        self, parts: Sequence[str], style: str = "auto", epoch: str | None = None, zone: str | None = None
    ) -> None:
        self.parts, self.epoch, self.zone = tuple(parts), epoch or "", zone or ""
        self.n = self.n_texts = 0
        self.low: tuple[float, ...] = ()
        self.high: tuple[float, ...] = ()
        self.styles = tuple(STYLES) if style == "auto" else (style,)
        self.lows: tuple[tuple[float, ...], ...] = ()
        self.highs: tuple[tuple[float, ...], ...] = ()

    @property
    def style(self) -> str:
        """The style of texts: the first that reads all; ISO 8601 where there was no text to tell."""
        return self.styles[0] if self.n_texts or len(self.styles) == 1 else ISO

    def range(self, part: str) -> tuple[float, float] | None:
        """The least and the greatest value of a part, None where no date was seen."""
        place = self.parts.index(part)
        bounds = [(self.low, self.high)] if self.n else []
        bounds += [(self.lows[0], self.highs[0])] if self.n_texts else []
        if not bounds:
            return None
        return min(low[place] for low, _ in bounds), max(high[place] for _, high in bounds)

    def varies(self, part: str) -> bool:
        """Whether a part has two values."""
        found = self.range(part)
        return found is not None and found[0] < found[1]

    def update(self, column: Column, y: Any, who: str) -> None:
        if column.form == "text":
            self._add_texts(column, who)
            return
        if column.form == "number" and not self.epoch:
            refuse_calendar_numbers(column, who)
        ticks = Timestamps(ISO, self.epoch or "s").read(column, who)
        present = ticks[~np.isnan(ticks)]
        if len(present):
            bounds = self._bounds(present)
            self.low, self.high = _joined((self.low, self.high), bounds) if self.n else bounds
            self.n += len(present)

    def merge(self, other: Self) -> None:
        if other.n:
            theirs = (other.low, other.high)
            self.low, self.high = _joined((self.low, self.high), theirs) if self.n else theirs
            self.n += other.n
        if other.n_texts:
            found = dict(zip(other.styles, zip(other.lows, other.highs, strict=True), strict=True))
            if not self._keep({style: found[style] for style in self.styles if style in found}, other.n_texts):
                rule = "dates in text must be of one style"
                raise PrepError.of("merge", rule, f"{self.style} in one part, {other.style} in another")

    def _add_texts(self, column: Column, who: str) -> None:
        counts = np.bincount(column.values + 1, minlength=len(column.vocabulary) + 1)[1:]
        used = np.flatnonzero(counts)
        if not len(used):
            return
        texts = [column.vocabulary[code] for code in used.tolist()]
        likely = [style for style in self.styles if None not in read_all(texts[:SOME], style)]
        read = {style: read_all(texts, style) for style in likely}
        whole = {style: ticks for style, ticks in read.items() if None not in ticks}
        found = {style: self._bounds(np.array(ticks, dtype=np.float64)) for style, ticks in whole.items()}
        if not self._keep(found, int(counts.sum())):
            raise _unread(column, used, {style: read_all(texts, style) for style in self.styles}, who)

    def _keep(self, found: dict[str, Bounds], n: int) -> bool:
        """Joins the bounds of the styles that are left; False, and nothing changed, where none is."""
        if not found:
            return False
        if self.n_texts:
            own = dict(zip(self.styles, zip(self.lows, self.highs, strict=True), strict=True))
            found = {style: _joined(own[style], bounds) for style, bounds in found.items()}
        self.styles = tuple(found)
        self.lows, self.highs = (tuple(bounds[i] for bounds in found.values()) for i in (0, 1))
        self.n_texts += n
        return True

    def _bounds(self, ticks: np.ndarray) -> Bounds:
        formulas = [parts_in(self.zone)[part] for part in self.parts]
        low, high = [], []
        for start in range(0, len(ticks), ROWS):
            values = evaluate(formulas, [ticks[start : start + ROWS]])
            low.append([float(value.min()) for value in values])
            high.append([float(value.max()) for value in values])
        return tuple(map(min, zip(*low, strict=True))), tuple(map(max, zip(*high, strict=True)))

    def check(self, where: str) -> None:
        demand(set(self.parts) <= set(FORMULAS), where, "parts must be known ones", self.parts)
        demand(self.epoch in ("", *EPOCHS), where, "epoch must be a known one", self.epoch)
        try:
            check_zone(self.zone or None, where)
        except PrepError as cause:
            raise StateError(str(cause)) from None
        known = 0 < len(set(self.styles)) == len(self.styles) and set(self.styles) <= set(STYLES)
        demand(known, where, "styles must be known ones", self.styles)
        sides = [(self.low, self.high)] if self.n else []
        if self.n_texts:
            fits = len(self.lows) == len(self.highs) == len(self.styles)
            demand(fits, where, "lows and highs must be as many as styles", len(self.lows))
            sides += zip(self.lows, self.highs, strict=True)
        for low, high in sides:
            rise = len(low) == len(high) == len(self.parts) and all(a <= b for a, b in zip(low, high, strict=True))
            demand(rise, where, "low must be at most high, for each part", low)


def _joined(a: Bounds, b: Bounds) -> Bounds:
    return tuple(map(min, a[0], b[0])), tuple(map(max, a[1], b[1]))


def _unread(column: Column, used: np.ndarray, read: dict[str, list[int | None]], who: str) -> PrepError:
    """The error for texts that no style reads: told of the style that reads most of them."""
    style = min(read, key=lambda name: read[name].count(None))
    odd = [code for code, moment in zip(used.tolist(), read[style], strict=True) if moment is None]
    rows = np.flatnonzero(np.isin(column.values, odd))
    rule = f"must hold dates of one style (most like {style})"
    return bad_values(who, column.name, rule, rows, column.at(rows), "Mend these, or name the style by style=.")
