"""Numbers to a common scale, learned from a table."""

from .standard import StandardScaler

__all__ = ["StandardScaler"]
