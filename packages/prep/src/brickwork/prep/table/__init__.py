"""A table of any columns, prepared with no configuration: what each column is, and what becomes of it."""

from .kinds import KINDS
from .prep import TablePrep

__all__ = ["KINDS", "TablePrep"]
