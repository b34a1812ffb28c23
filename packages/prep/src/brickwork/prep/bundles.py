"""What of prep may stand in a saved file: found by its entry point, closed, and read by `from_state` alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import scaling
from .table import TablePrep
from .target import TargetPrep

TRANSFORMERS: Mapping[str, type] = MappingProxyType(
    {t.__name__: t for t in (*(getattr(scaling, name) for name in scaling.__all__), TablePrep)}
)
"""What takes a table."""

TARGETS: Mapping[str, type] = MappingProxyType({t.__name__: t for t in (TargetPrep,)})
"""What takes a target."""

TYPES: Mapping[str, type] = MappingProxyType({**TRANSFORMERS, **TARGETS})
