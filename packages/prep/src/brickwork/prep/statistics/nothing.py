"""The statistic of a column from which there is nothing to learn."""

from __future__ import annotations

from typing import Any, Self

from ..columns import Column
from .base import Statistic

__all__ = ["Nothing"]


class Nothing(Statistic):
    """Of a column that stays as it is, or whose numbers out depend on its values alone."""

    def update(self, column: Column, y: Any, who: str) -> None:
        pass

    def merge(self, other: Self) -> None:
        pass
