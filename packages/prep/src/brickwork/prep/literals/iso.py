"""Many dates in ISO 8601 at once: those of the usual widths are taken apart as bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["NAT", "read_iso"]

NAT = np.iinfo(np.int64).min  # NumPy's own bit pattern for "not a time"

_SEPARATORS = np.frombuffer(b"-/.", np.uint8)
_BETWEEN = np.frombuffer(b"T t", np.uint8)
_WIDTHS = (10, 16, 19, *range(21, 27))  # 2024-12-31, with hour and minute, second, and 1 to 6 digits of its fraction


def read_iso(texts: Sequence[str]) -> np.ndarray:
    """Microseconds since 1970, int64, of each text that is a plain date of ISO 8601 without a zone; else `NAT`.

    A text that is NAT may yet be a date, written in another way.
    """
    found = np.full(len(texts), NAT, dtype=np.int64)
    widths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    for width in _WIDTHS:
        rows = np.flatnonzero(widths == width)
        if len(rows):
            try:
                letters = np.array([texts[row] for row in rows.tolist()], dtype=f"S{width}")
            except UnicodeEncodeError:
                continue
            found[rows] = _of_width(letters.view(np.uint8).reshape(-1, width), width)
    return found


def _of_width(letters: np.ndarray, width: int) -> np.ndarray:
    digits = letters - np.uint8(ord("0"))  # what is no digit is above 9, by wrapping round

    def number(start: int, stop: int) -> np.ndarray:
        value = np.zeros(len(digits), dtype=np.int64)
        for place in range(start, stop):
            value = value * 10 + digits[:, place]
        return value

    year, month, day = number(0, 4), number(5, 7), number(8, 10)
    fits = np.isin(letters[:, 4], _SEPARATORS) & (letters[:, 4] == letters[:, 7])
    places = [0, 1, 2, 3, 5, 6, 8, 9]
    clock = np.zeros(len(digits), dtype=np.int64)
    for start, most, unit in ((11, 23, 3_600_000_000), (14, 59, 60_000_000), (17, 59, 1_000_000)):
        if start < width:
            value = number(start, start + 2)
            fits &= (value <= most) & (
                np.isin(letters[:, 10], _BETWEEN) if start == 11 else letters[:, start - 1] == 58
            )
            places += [start, start + 1]
            clock += value * unit
    if width > 20:
        fits &= np.isin(letters[:, 19], np.frombuffer(b".,", np.uint8))
        places += range(20, width)
        clock += number(20, width) * 10 ** (26 - width)
    fits &= (digits[:, places] <= 9).all(axis=1) & (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    months = ((year - 1970) * 12 + month - 1).view("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    fits &= days.astype("datetime64[M]") == months  # the thirtieth of February is in March
    return np.where(fits, days.astype("datetime64[us]").view(np.int64) + clock, NAT)
