"""Dates in text: the styles in which they may be given, and how each is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import numpy as np

from .iso import NAT, read_iso

__all__ = ["ISO", "NAT", "STYLES", "find_style", "is_ambiguous", "read_all", "read_date", "read_dates"]

ISO = "year-month-day"
SOME = 16  # texts, beyond which reading them at once pays

_EPOCH = datetime(1970, 1, 1)
_MONTHS = "january february march april may june july august september october november december".split()
_TIME = (
    r"(?:(?:T|,?[ ]+)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?"
)
_YEAR, _MONTH, _DAY, _NAME = r"(?P<year>\d{4})", r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})", r"(?P<name>[a-z]{3,9})\.?"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? +)?"

# In order of preference: where a column fits both orders of day and month, month first is taken, as pandas does.
STYLES: dict[str, re.Pattern[str]] = {
    style: re.compile(rf"\s*{pattern}{_TIME}\s*", re.IGNORECASE | re.ASCII)
    for style, pattern in {
        ISO: rf"{_YEAR}(?P<sep>[-/.]){_MONTH}(?P=sep){_DAY}",
        "month/day/year": rf"{_MONTH}(?P<sep>[-/.]){_DAY}(?P=sep){_YEAR}",
        "day/month/year": rf"{_DAY}(?P<sep>[-/.]){_MONTH}(?P=sep){_YEAR}",
        "day month-name year": rf"{_WEEKDAY}{_DAY}(?:st|nd|rd|th)?\.?[- ]{_NAME}[- ,]+{_YEAR}",
        "month-name day, year": rf"{_WEEKDAY}{_NAME} {_DAY}(?:st|nd|rd|th)?,? {_YEAR}",
        "year-week-weekday": r"(?P<iso_year>\d{4})-?W(?P<week>\d\d)(?:-?(?P<weekday>[1-7]))?",
        "year-month": rf"{_YEAR}-(?P<month>\d\d)",
        "yearmonthday": r"(?P<year>[12]\d{3})(?P<month>\d\d)(?P<day>\d\d)",
    }.items()
}


def read_date(text: str, style: str) -> int | None:
    """Microseconds since 1970 in UTC of a date in `style`, or None. A time without a zone is taken as UTC.

    A month without a day is its first day, a week (ISO 8601) without a weekday its Monday.
    """
    match = STYLES[style].fullmatch(text)
    if match is None:
        return None
    part = match.groupdict()
    try:
        day = _day(part)
        micro = int((part["fraction"] or "0")[:6].ljust(6, "0"))
        clock = (_hour(part), int(part["minute"] or 0), int(part["second"] or 0), micro)
        moment = datetime(day.year, day.month, day.day, *clock) - _EPOCH - _offset(part["zone"])
    except ValueError:  # the thirtieth of February, hour 25, a month of no such name
        return None
    return moment // timedelta(microseconds=1)


def read_all(texts: Sequence[str], style: str) -> list[int | None]:
    """`read_date` of each text."""
    if style != ISO or len(texts) < SOME:
        return [read_date(text, style) for text in texts]
    found = read_iso(texts)
    moments: list[int | None] = found.tolist()
    for place in np.flatnonzero(found == NAT).tolist():
        moments[place] = read_date(texts[place], ISO)
    return moments


def read_dates(texts: Sequence[str], style: str) -> list[int | None]:
    """`read_date` of each text in `style`, or else in ISO 8601, which is never ambiguous."""
    found = read_all(texts, style)
    for place in [place for place, moment in enumerate(found) if moment is None]:
        found[place] = read_date(texts[place], ISO)
    return found


def find_style(texts: Iterable[str]) -> str | None:
    """The first style in which every text is a date, or None."""
    texts = list(texts)
    first = texts[:SOME]  # most styles fail here
    for style in STYLES if texts else ():
        if None not in read_all(first, style) and None not in read_all(texts, style):
            return style
    return None


def is_ambiguous(texts: Iterable[str], style: str) -> bool:
    """Whether day first would read these texts as well as `style`, month first, does."""
    return style == "month/day/year" and all(read_date(text, "day/month/year") is not None for text in texts)


def _day(part: dict[str, str | None]) -> date:
    if part.get("week"):
        return date.fromisocalendar(int(part["iso_year"] or 0), int(part["week"] or 0), int(part["weekday"] or 1))
    month = int(part["month"] or 0) if part.get("month") else _month_of(part["name"] or "")
    return date(int(part["year"] or 0), month, int(part.get("day") or 1))


def _month_of(name: str) -> int:
    """1 to 12 of a month's name, or of its first three letters or more."""
    found = [i for i, month in enumerate(_MONTHS, 1) if month.startswith(name.casefold())]
    if not found:
        raise ValueError("no month is called so")
    return found[0]


def _hour(part: dict[str, str | None]) -> int:
    hour = int(part["hour"] or 0)
    if not part["half"]:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("a clock of twelve hours")
    return hour % 12 + (12 if part["half"] in "pP" else 0)


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone.upper() in ("Z", "UTC", "GMT"):
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset
