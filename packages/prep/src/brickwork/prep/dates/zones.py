"""Parts of dates by the clocks of a place: how far they are ahead of UTC is a table, and so a formula too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import PrepError
from ..formula import Formula, bucket, number, take
from .parts import FORMULAS, formulas

__all__ = ["check_zone", "parts_in"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -25_567, 47_482  # days since 1970: the years 1900 to 2099, beyond which clocks stay as they are


def check_zone(zone: str | None, who: str) -> None:
    """PrepError where there is no such zone."""
    if zone is None:
        return
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        rule = "zone must be None or a name of the tz database (Europe/Berlin)"
        fix = "Where the system has no such database, install tzdata."
        raise PrepError.of(who, rule, repr(zone), fix) from None


@lru_cache(maxsize=32)
def parts_in(zone: str) -> Mapping[str, Formula]:
    """`FORMULAS` by the clocks of a zone, "" for UTC; `time` and `total_seconds` stay what they are."""
    if not zone:
        return FORMULAS
    moment = number()
    changes, ahead = _clocks(ZoneInfo(zone))
    return formulas(moment, moment + take(ahead, bucket(moment, changes)))


def _clocks(zone: ZoneInfo) -> tuple[list[float], list[float]]:
    """When clocks are changed, and how far they are ahead of UTC before, between and after: microseconds."""

    def ahead(second: int) -> int:
        offset = (_EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
        return round((offset or timedelta()).total_seconds())

    changes: list[float] = []
    offsets = [ahead(_FIRST * 86_400)]
    for day in range(_FIRST, _LAST):
        low, high = day * 86_400, (day + 1) * 86_400
        last = ahead(high)
        if last == offsets[-1]:
            continue
        while high - low > 1:  # the second from which on they are otherwise
            middle = (low + high) // 2
            low, high = (middle, high) if ahead(middle) == offsets[-1] else (low, middle)
        changes.append(high * 1e6)
        offsets.append(last)
    return changes, [offset * 1e6 for offset in offsets]
