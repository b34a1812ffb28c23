"""Brickwork prep: tables to numbers for scikit-learn pipelines, with no configuration and with state that is data."""

from .bundles import TYPES as bundle_types
from .errors import PrepError, SchemaError, StateError, TargetError
from .report import ColumnReport, TargetReport
from .split import train_valid_split
from .table import TablePrep
from .target import TargetPrep

__version__ = "0.1.0"

__all__ = [
    "ColumnReport",
    "PrepError",
    "SchemaError",
    "StateError",
    "TablePrep",
    "TargetError",
    "TargetPrep",
    "TargetReport",
    "bundle_types",
    "train_valid_split",
]
