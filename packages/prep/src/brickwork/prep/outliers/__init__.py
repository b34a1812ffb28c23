"""Numbers far from the others, brought back or flagged."""

from .bounds import OutlierClipper, OutlierFlagger

__all__ = ["OutlierClipper", "OutlierFlagger"]
