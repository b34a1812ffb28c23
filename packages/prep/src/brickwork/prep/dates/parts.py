"""The parts of a date as formulas of its microseconds since 1970, so that a graph can compile them.

The calendar is the proleptic Gregorian one. Days become year, month and day by whole-number arithmetic on a year that
begins in March, since the leap day is then its last: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2014).
In float64 every step is exact for dates of the years 1685 to 2255 (2**53 microseconds around 1970); beyond, a moment
is rounded to at most 16 microseconds before its parts are taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from ..formula import Formula, call, is_missing, number, where

__all__ = ["CYCLES", "DAY", "FORMULAS", "circle", "formulas", "splines"]

DAY = 8.64e10  # microseconds


class Civil(NamedTuple):
    """A day's year, month (1 to 12), day of the month (from 1) and day of the year (from 1)."""

    year: Formula
    month: Formula
    day: Formula
    day_of_year: Formula


def _floor(x: Formula) -> Formula:
    return call("floor", x)


def _rest(x: Formula, period: float) -> Formula:
    return x - _floor(x / period) * period


def civil(days: Formula) -> Civil:
    """The calendar of whole days since 1970-01-01."""
    since = days + 719468  # days since 0000-03-01
    era = _floor(since / 146097)  # of 400 years
    of_era = since - era * 146097
    leap = _floor(of_era / 1460) - _floor(of_era / 36524) + _floor(of_era / 146096)
    year_of_era = _floor((of_era - leap) / 365)
    before = year_of_era * 365 + _floor(year_of_era / 4) - _floor(year_of_era / 100)
    from_march = of_era - before  # 0 on the first of March
    march_month = _floor((from_march * 5 + 2) / 153)  # 0 is March
    day = from_march - _floor((march_month * 153 + 2) / 5) + 1
    turned = march_month > 9.5  # January and February belong to the next year
    month = where(turned, march_month - 9, march_month + 3)
    year = year_of_era + era * 400 + turned
    return Civil(year, month, day, days - new_year(year) + 1)


def new_year(year: Formula) -> Formula:
    """Days since 1970-01-01 of the first of January."""
    past = year - 1
    return past * 365 + _floor(past / 4) - _floor(past / 100) + _floor(past / 400) - 719162


def formulas(moment: Formula, local: Formula) -> dict[str, Formula]:
    """The parts of a moment, in microseconds since 1970; `local` is what a clock on the wall counts."""
    days = _floor(local / DAY)
    inside = local - days * DAY  # microseconds since midnight
    here, tomorrow = civil(days), civil(days + 1)
    weekday = _rest(days + 3, 7)  # 1970-01-01 was a Thursday; Monday is 0
    thursday = civil(days - weekday + 3)  # a week belongs to the year of its Thursday (ISO 8601)

    def flag(test: Formula) -> Formula:
        return where(is_missing(moment), moment, test)

    return {
        "time": moment / DAY,
        "total_seconds": moment / 1e6,
        "year": here.year,
        "quarter": _floor((here.month + 2) / 3),
        "month": here.month,
        "week": _floor((thursday.day_of_year + 6) / 7),
        "day": here.day,
        "dayofyear": here.day_of_year,
        "weekday": weekday,
        "time_of_day": inside / 3.6e9,
        "hour": _floor(inside / 3.6e9),
        "minute": _rest(_floor(inside / 6e7), 60),
        "second": _rest(_floor(inside / 1e6), 60),
        "is_weekend": flag(weekday > 4.5),
        "is_month_start": flag(here.day < 1.5),
        "is_month_end": flag(tomorrow.day < 1.5),
    }


_MOMENT = number()
FORMULAS: dict[str, Formula] = formulas(_MOMENT, _MOMENT)
"""Each part as a formula of microseconds since 1970 (UTC), NaN of NaN: `time` in days and `total_seconds` in seconds
since 1970; `week` of ISO 8601, 1 to 53; `weekday` 0 on Monday; `time_of_day` in hours, with their fraction."""

CYCLES: dict[str, tuple[float, int]] = {
    "quarter": (4, 4),
    "month": (12, 12),
    "week": (365.2425 / 7, 12),
    "day": (365.2425 / 12, 4),
    "dayofyear": (365.2425, 12),
    "weekday": (7, 7),
    "time_of_day": (24, 12),
    "hour": (24, 12),
    "minute": (60, 12),
    "second": (60, 12),
}
"""Of parts that come round: their period, and how many splines share it out."""


def circle(part: str, parts: Mapping[str, Formula] = FORMULAS) -> list[Formula]:
    """Sine and cosine of a part that comes round: December stands next to January."""
    period, _ = CYCLES[part]
    angle = parts[part] * (2 * math.pi / period)
    return [call("sin", angle), call("cos", angle)]


def splines(part: str, parts: Mapping[str, Formula] = FORMULAS) -> list[Formula]:
    """Cubic B-splines spread evenly round the period of a part; they add up to 1."""
    period, n = CYCLES[part]
    place = parts[part] * (n / period)
    return [_bump(_rest(place - k + 2, n) - 2) for k in range(n)]


def _bump(x: Formula) -> Formula:
    """The cubic B-spline of whole-number knots, centred at 0, of x >= -2."""
    wide, narrow = (_above(limit - call("abs", x)) for limit in (2.0, 1.0))
    return wide * wide * wide / 6 - narrow * narrow * narrow * (4 / 6)


def _above(x: Formula) -> Formula:
    return x.clip(0.0, None)
