"""Numbers as people write them: separators, percent, currencies, units, fractions."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

__all__ = ["MISSING", "MULTIPLES", "NumberFormat"]

MISSING = ("", "-", "--", "–", "—", "?", ".", "n/a", "na", "#n/a", "nan", "none", "null", "nil", "missing", "unknown")
"""What stands for no value, without regard to case."""

MULTIPLES: Mapping[str, float] = {
    "%": 0.01, "‰": 0.001, "k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6,
    "b": 1e9, "bn": 1e9, "billion": 1e9, "trillion": 1e12,
}  # fmt: skip
"""What may stand behind a number, and what it is multiplied by."""

_CODES = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF INR JPY KRW MXN NOK NZD PLN RMB RUB SEK SGD TRY USD ZAR".split()
_SPACES = " \u00a0\u2007\u2009\u202f"  # those that stand between thousands
_MINUS = str.maketrans("−–‒", "---")
_FRACTION = re.compile(r"(?:(\d+)[ -]+)?(\d+) ?[/⁄] ?(\d+)")


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written: the mark before the decimals, and what may stand behind them.

    `units`: multiples by their text, beside `MULTIPLES`; `fractions`: whether 1/2, 3 1/2 and ½ are read.
    """

    decimal: str = "."
    units: tuple[tuple[str, float], ...] = ()
    fractions: bool = False
    missing: tuple[str, ...] = MISSING

    def read(self, text: str) -> float | None:
        """The number, NaN for a word of `missing`, None for what is no number."""
        plain = text.strip().translate(_MINUS)
        if plain.casefold() in self._gaps:
            return math.nan
        negative = len(plain) > 2 and plain[0] == "(" and plain[-1] == ")"
        if negative:  # a bookkeeper's minus
            plain = plain[1:-1].strip()
        sign, plain = _signed(plain)
        if sign and negative:
            return None
        plain = _without_currency(plain)
        if not sign:
            sign, plain = _signed(plain)
        value = self._scaled(plain)
        return None if value is None else -value if negative or sign == "-" else value

    def _scaled(self, text: str) -> float | None:
        """An unsigned number, perhaps with a unit behind."""
        found = (_fraction(text) if self.fractions else None) or self._decimal(text)
        if found is None:
            return None
        value, rest = found
        rest = _without_currency(rest.strip()).rstrip(".")
        if rest:
            factor = self._factors.get(rest, self._folded.get(rest.casefold()))
            if factor is None:
                return None
            # 57% is 0.57 to the last bit by a division; 57 * 0.01 is not.
            parts = round(1 / factor) if abs(factor) < 1 else 0
            value = value / parts if parts and 1 / factor == parts else value * factor
        return value if math.isfinite(value) else None

    def _decimal(self, text: str) -> tuple[float, str] | None:
        """The value of the digits at the beginning, and what stands behind."""
        match = self._number.match(text)
        if not match or not (match["whole"] or match["part"]):
            return None
        whole = match["whole"] or "0"
        if match["sep"]:
            head, *groups = whole.split(match["sep"])
            threes = all(len(group) == 3 for group in groups)
            lakhs = len(groups[-1]) == 3 and all(len(group) == 2 for group in groups[:-1])
            if not 1 <= len(head) <= 3 or not (threes or (lakhs and len(head) < 3)):
                return None
            whole = head + "".join(groups)
        return float(f"{whole}.{match['part'] or '0'}{match['exponent'] or ''}"), text[match.end() :]

    @cached_property
    def _gaps(self) -> frozenset[str]:
        return frozenset(word.strip().translate(_MINUS).casefold() for word in self.missing)

    @cached_property
    def _factors(self) -> dict[str, float]:
        return {**MULTIPLES, **dict(self.units)}

    @cached_property
    def _folded(self) -> dict[str, float]:
        """The same without regard to case, where that leaves no doubt."""
        folded: dict[str, float | None] = {}
        for unit, factor in self._factors.items():
            key = unit.casefold()
            folded[key] = factor if folded.get(key, factor) == factor else None
        return {unit: factor for unit, factor in folded.items() if factor is not None}

    @cached_property
    def _number(self) -> re.Pattern[str]:
        thousands = "".join({",", ".", "'", "’", "_", *_SPACES} - {self.decimal})
        whole = rf"(?P<whole>\d+(?:(?P<sep>[{re.escape(thousands)}])\d+(?:(?P=sep)\d+)*)?)?"
        return re.compile(rf"{whole}(?:{re.escape(self.decimal)}(?P<part>\d*))?(?P<exponent>[eE][+-]?\d+)?", re.ASCII)


def _signed(text: str) -> tuple[str, str]:
    return (text[0], text[1:].lstrip()) if text[:1] in ("+", "-") and len(text) > 1 else ("", text)


def _without_currency(text: str) -> str:
    """The text without a currency's sign or code at one of its ends."""
    for end in (0, -1):
        if text and unicodedata.category(text[end]) == "Sc":
            return (text[1:] if end == 0 else text[:-1]).strip()
    head, tail = text[:3].upper(), text[-3:].upper()
    if head in _CODES and not text[3:4].isalpha():
        return text[3:].strip()
    if tail in _CODES and not text[-4:-3].isalpha():
        return text[:-3].strip()
    return text


def _fraction(text: str) -> tuple[float, str] | None:
    """The value of a fraction at the beginning, and what stands behind."""
    match = _FRACTION.match(text)
    if match:
        over, under = int(match[2]), int(match[3])
        return (int(match[1] or 0) + over / under, text[match.end() :]) if under else None
    match = re.match(r"(\d*) ?([¼-¾⅐-⅞])", text)
    return (int(match[1] or 0) + unicodedata.numeric(match[2]), text[match.end() :]) if match else None
