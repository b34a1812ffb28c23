"""Dates to numbers: their parts, differences between them, and how far the next holiday is."""

from .encoder import DatetimeEncoder
from .holidays import HolidayFlags
from .since import DateDifference, TimeSince

__all__ = ["DateDifference", "DatetimeEncoder", "HolidayFlags", "TimeSince"]
