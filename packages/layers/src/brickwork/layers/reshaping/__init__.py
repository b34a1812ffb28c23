"""Layers that only move elements."""

from .flatten import Flatten
from .reshape import Reshape

__all__ = ["Flatten", "Reshape"]
