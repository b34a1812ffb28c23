"""What of layers may stand in a bundle: found by its entry point, closed, and read by `from_state` alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .models import Model, Sequential

TYPES: Mapping[str, type] = MappingProxyType({"Model": Model, "Sequential": Sequential})
