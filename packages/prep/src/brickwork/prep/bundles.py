"""What of prep may stand in a saved file: found by its entry point, closed, and read by `from_state` alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .table import TablePrep
from .target import TargetPrep

TYPES: Mapping[str, type] = MappingProxyType({"TablePrep": TablePrep, "TargetPrep": TargetPrep})
