"""Rules that the arguments of several layers share."""

from __future__ import annotations

from typing import Any

from .errors import LayerError

__all__ = ["positive", "rates"]


def positive(who: str, **sizes: Any) -> None:
    """Raises `LayerError` for a size that is no whole number of at least 1."""
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise LayerError(f"{who}: {name} must be a positive whole number; got {value!r}")


def rates(who: str, **values: Any) -> None:
    """Raises `LayerError` for a part to drop that is no number from 0 to 1."""
    for name, rate in values.items():
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise LayerError(f"{who}: {name} must be between 0 and 1; got {rate!r}. It is the part that is dropped")
