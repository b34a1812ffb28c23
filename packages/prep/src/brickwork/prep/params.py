"""What parameters of constructors may be, refused at fit as scikit-learn has it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import PrepError, nearest

__all__ = ["choice", "finite", "flags", "pair", "whole"]


def choice(who: str, options: Sequence[Any], **given: Any) -> None:
    """Each parameter is one of the options."""
    for name, value in given.items():
        if not any(type(value) is type(option) and value == option for option in options):
            known = ", ".join(map(repr, options))
            raise PrepError.of(who, f"{name} must be one of {known}", f"{value!r}{nearest(value, options)}")


def flags(who: str, **given: Any) -> None:
    """Each parameter is True or False."""
    for name, value in given.items():
        if not isinstance(value, (bool, np.bool_)):
            raise PrepError.of(who, f"{name} must be True or False", repr(value))


def whole(who: str, least: int = 1, **given: Any) -> None:
    """Each parameter is an integer of at least so much."""
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise PrepError.of(who, f"{name} must be an integer of {least} or more", repr(value))


def finite(who: str, low: float = -math.inf, high: float = math.inf, **given: Any) -> None:
    """Each parameter is a finite number from low to high."""
    for name, value in given.items():
        if not _is_finite(value) or not low <= value <= high:
            bounds = "" if math.isinf(low) and math.isinf(high) else f" from {low:g} to {high:g}"
            raise PrepError.of(who, f"{name} must be a finite number{bounds}", repr(value))


def pair(who: str, low: float = -math.inf, high: float = math.inf, **given: Any) -> None:
    """Each parameter is two finite numbers from low to high, the first below the second."""
    for name, value in given.items():
        two = isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_finite, value))
        if not two or not low <= value[0] < value[1] <= high:
            bounds = "" if math.isinf(low) and math.isinf(high) else f" from {low:g} to {high:g}"
            raise PrepError.of(who, f"{name} must be two numbers{bounds}, the first below the second", repr(value))


def _is_finite(value: Any) -> bool:
    plain = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return plain and math.isfinite(value)
