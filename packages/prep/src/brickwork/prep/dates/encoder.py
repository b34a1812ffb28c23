"""`DatetimeEncoder`: the parts of dates as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..column_wise import ColumnWise
from ..columns import Column
from ..encoder import Encoder
from ..errors import PrepError, nearest, quote
from ..formula import Formula
from ..params import choice
from ..schema import ColumnSchema
from .parts import CYCLES, FORMULAS, circle, splines
from .ranges import DateRanges
from .timestamps import EPOCHS, STYLE_NAMES, Timestamps
from .zones import check_zone, parts_in

__all__ = ["DatetimeEncoder"]

AUTO = ("total_seconds", "year", "month", "day", "weekday", "hour", "minute", "second")


class DatetimeEncoder(ColumnWise):
    """Each column of dates becomes numbers: year, month, weekday, ...; NaN where the date is missing.

    Parts are those of UTC, or of the clocks of `zone`; text is read in the first style that reads all of a column.

    Parameters
    ----------
    parts : "auto" or list of str
        Of `total_seconds` (since 1970), `time` (days since 1970), `year`, `quarter`, `month`, `week` (ISO 8601), `day`,
        `dayofyear`, `weekday` (0 is Monday), `hour`, `minute`, `second`, `time_of_day` (hours with their fraction),
        `is_weekend`, `is_month_start`, `is_month_end`. "auto": total_seconds, year, month, day, weekday, hour, minute
        and second, of these those that vary.
    cyclic : {None, "sincos", "splines"}
        What becomes of parts that come round (quarter to second), so that December stands next to January: a sine and a
        cosine, or cubic B-splines spread evenly round the period (4 to 12, which add up to 1).
    style : str
        How dates in text are written: "auto", "year-month-day" (ISO 8601), "month/day/year", "day/month/year",
        "day month-name year", "month-name day, year", "year-week-weekday" (2024-W05-2), "year-month", "yearmonthday",
        each with a time, "am" and "pm" and an offset from UTC if need be. Where month and day can change places, the
        month is first.
    epoch : {None, "s", "ms", "us", "ns"}
        What numbers count since 1970. None: seconds, but refused where all read as years or as 20241231.
    zone : str, optional
        The place whose clocks tell the parts, by its name in the tz database ("Europe/Berlin"), as that of this machine
        has it for the years 1900 to 2099. Dates without a zone are still taken as UTC.

    Attributes
    ----------
    parts_ : dict of column names to tuples of the parts that come out

    Raises
    ------
    SchemaError, with column and rows, where a value is no date or a text is not of the column's style.

    Examples
    --------
    >>> from brickwork.prep import DatetimeEncoder
    >>> encoder = DatetimeEncoder(["month", "is_weekend"])
    >>> encoder.fit_transform({"seen": ["2024-02-03", "2024-03-01"]}).tolist()
    [[2.0, 1.0], [3.0, 0.0]]
    """

    STATISTICS: ClassVar = (DateRanges,)

    def __init__(
        self,
        parts: str | Sequence[str] = "auto",
        *,
        cyclic: str | None = None,
        style: str = "auto",
        epoch: str | None = None,
        zone: str | None = None,
    ):
        self.parts = parts
        self.cyclic = cyclic
        self.style = style
        self.epoch = epoch
        self.zone = zone

    def _check_params(self, who: str) -> None:
        choice(who, (None, "sincos", "splines"), cyclic=self.cyclic)
        choice(who, STYLE_NAMES, style=self.style)
        choice(who, (None, *EPOCHS), epoch=self.epoch)
        check_zone(self.zone, who)
        if isinstance(self.parts, str):
            choice(who, ("auto",), parts=self.parts)
            return
        odd = [part for part in self.parts if part not in FORMULAS]
        if odd:
            rule = f"parts must be of {', '.join(FORMULAS)}"
            raise PrepError.of(who, rule, f"{odd[0]!r}{nearest(odd[0], FORMULAS)}")
        if not len(self.parts) or len(set(self.parts)) < len(self.parts):
            raise PrepError.of(who, "parts must be there and differ", quote(self.parts))

    def _gather(self, column: Column, who: str) -> DateRanges:
        return DateRanges(AUTO if self.parts == "auto" else (), self.style, self.epoch, self.zone)

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        pairs = [pair for part in self._chosen(statistic) for pair in self._formulas(part)]
        reading = Timestamps(statistic.style, self.epoch or ("s" if schema.form == "number" else ""))
        return Encoder(schema.name, tuple(name for name, _ in pairs), tuple(made for _, made in pairs), reading)

    def _chosen(self, found: DateRanges) -> tuple[str, ...]:
        return tuple(filter(found.varies, AUTO)) if self.parts == "auto" else tuple(self.parts)

    def _formulas(self, part: str) -> list[tuple[str, Formula]]:
        """Suffixes and formulas of one part."""
        parts = parts_in(self.zone or "")
        if self.cyclic is None or part not in CYCLES:
            return [(part, parts[part])]
        if self.cyclic == "sincos":
            return list(zip((f"{part}_sin", f"{part}_cos"), circle(part, parts), strict=True))
        return [(f"{part}_spline_{i}", one) for i, one in enumerate(splines(part, parts))]

    def _publish(self) -> None:
        found: Any = self.statistics_
        self.parts_ = {encoder.name: self._chosen(one) for encoder, one in zip(self.encoders_, found, strict=True)}
