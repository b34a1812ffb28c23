"""How far a table has moved from what a transformer learned from."""

from .compare import compare
from .report import ColumnDrift, DriftLimits, DriftReport

__all__ = ["ColumnDrift", "DriftLimits", "DriftReport", "compare"]
