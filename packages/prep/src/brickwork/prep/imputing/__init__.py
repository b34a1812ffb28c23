"""Values in place of missing ones, learned from a table."""

from .group import GroupImputer
from .indicator import MissingIndicator
from .iterative import IterativeImputer
from .simple import SimpleImputer

__all__ = ["GroupImputer", "IterativeImputer", "MissingIndicator", "SimpleImputer"]
