"""Dates: the styles in which text may give them, and the parts a network can learn from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np

NAT = np.iinfo(np.int64).min  # NumPy's own bit pattern for "not a time"
ISO = "year-month-day"

Part = Callable[[np.ndarray], np.ndarray]

_EPOCH = datetime(1970, 1, 1)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_TIME = (
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<zone>Z|[+-]\d\d:?\d\d)?)?"
)
_YEAR, _MONTH, _DAY, _NAME = r"(?P<year>\d{4})", r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})", r"(?P<name>[a-z]{3,9})\.?"

# In order of preference: where a column fits both orders of day and month, month first is taken, as pandas does.
STYLES: dict[str, re.Pattern[str]] = {
    style: re.compile(rf"\s*{pattern}{_TIME}\s*", re.IGNORECASE)
    for style, pattern in {
        ISO: rf"{_YEAR}(?P<sep>[-/.]){_MONTH}(?P=sep){_DAY}",
        "month/day/year": rf"{_MONTH}(?P<sep>[-/.]){_DAY}(?P=sep){_YEAR}",
        "day/month/year": rf"{_DAY}(?P<sep>[-/.]){_MONTH}(?P=sep){_YEAR}",
        "day month-name year": rf"{_DAY}[- ]{_NAME}[- ,]+{_YEAR}",
        "month-name day, year": rf"{_NAME} {_DAY},? {_YEAR}",
    }.items()
}


def read_date(text: str, style: str) -> int | None:
    """Microseconds since 1970 in UTC of a date in `style`, or None. A time without a zone is taken as UTC."""
    match = STYLES[style].fullmatch(text)
    if match is None:
        return None
    part = match.groupdict()
    try:
        month = int(part["month"]) if part.get("month") else _MONTHS.index(part["name"][:3].casefold()) + 1
        micro = int((part["fraction"] or "0")[:6].ljust(6, "0"))
        clock = (int(part["hour"] or 0), int(part["minute"] or 0), int(part["second"] or 0), micro)
        moment = datetime(int(part["year"]), month, int(part["day"]), *clock) - _EPOCH - _offset(part["zone"])
    except ValueError:  # the thirtieth of February, hour 25, a month of no such name
        return None
    return moment // timedelta(microseconds=1)


def read_dates(texts: Sequence[str], style: str) -> list[int | None]:
    """`read_date` of each text in `style`, or else in ISO 8601, which is never ambiguous."""
    found = [read_date(text, style) for text in texts]
    return [read_date(text, ISO) if moment is None else moment for text, moment in zip(texts, found, strict=True)]


def find_style(texts: Iterable[str]) -> str | None:
    """The first style in which every text is a date, or None."""
    texts = list(texts)
    for style in STYLES:
        if texts and all(read_date(text, style) is not None for text in texts):
            return style
    return None


def is_ambiguous(texts: Iterable[str], style: str) -> bool:
    """Whether day first would read these texts as well as `style`, month first, does."""
    return style == "month/day/year" and all(read_date(text, "day/month/year") is not None for text in texts)


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta()
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


def _days(moment: np.ndarray) -> np.ndarray:
    return moment.astype("datetime64[D]").astype(np.int64)


def _month(moment: np.ndarray) -> np.ndarray:
    return moment.astype("datetime64[M]").astype(np.int64) % 12 + 1


def _weekday(moment: np.ndarray) -> np.ndarray:
    return (_days(moment) + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0


def _hour(moment: np.ndarray) -> np.ndarray:
    return (moment - moment.astype("datetime64[D]")).astype(np.int64) / 3.6e9


def _circle(
    part: Callable[[np.ndarray], np.ndarray], period: int, wave: np.ufunc
) -> Callable[[np.ndarray], np.ndarray]:
    return lambda moment: wave(part(moment) * (2 * np.pi / period))


# Each takes datetime64[us] (n,) without NaT. `time` (days since 1970) carries the trend; a sine and cosine of each
# cycle put December next to January, which the plain part cannot.
PARTS: dict[str, Part] = {
    "time": lambda moment: moment.astype(np.int64) / 8.64e10,
    "year": lambda moment: moment.astype("datetime64[Y]").astype(np.int64) + 1970,
    "month": _month,
    "day": lambda moment: _days(moment) - moment.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + 1,
    "weekday": _weekday,
    "hour": _hour,
    "month_sin": _circle(_month, 12, np.sin),
    "month_cos": _circle(_month, 12, np.cos),
    "weekday_sin": _circle(_weekday, 7, np.sin),
    "weekday_cos": _circle(_weekday, 7, np.cos),
    "hour_sin": _circle(_hour, 24, np.sin),
    "hour_cos": _circle(_hour, 24, np.cos),
}
