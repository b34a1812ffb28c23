"""Names: ``MaxPooling2D`` is ``max_pooling2d``, the second one ``max_pooling2d_1``."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

__all__ = ["auto_name", "clear_session", "snake_case"]

_given: Counter[str] = Counter()


@cache
def snake_case(name: str) -> str:
    """A class name in small letters with underscores between its words."""
    spaced = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()


def auto_name(class_name: str) -> str:
    """A name that no other object of this process was given by this function."""
    base = snake_case(class_name)
    number = _given[base]
    _given[base] += 1
    return base if number == 0 else f"{base}_{number}"


def clear_session() -> None:
    """Let the numbering of names start again."""
    _given.clear()
