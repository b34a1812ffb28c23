"""Brickwork prep: tables to numbers for scikit-learn pipelines, with no configuration and with state that is data."""

from . import selectors
from .bundles import TYPES as bundle_types
from .bundles import from_state, to_state
from .cleaning import (
    Deduplicate,
    DropColumns,
    DropConstant,
    DropCorrelated,
    DropDuplicateColumns,
    DropLeaky,
    SelectColumns,
    duplicate_rows,
)
from .errors import PrepError, SchemaError, StateError, TargetError
from .report import ColumnReport, TargetReport
from .scaling import (
    LogTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    Winsorizer,
)
from .splits import (
    Leak,
    LeakageWarning,
    StratifiedRegressionKFold,
    TimeSplit,
    check_leakage,
    train_valid_split,
    train_valid_test_split,
)
from .table import TablePrep
from .target import TargetPrep

__version__ = "0.1.0"

__all__ = [
    "ColumnReport",
    "Deduplicate",
    "DropColumns",
    "DropConstant",
    "DropCorrelated",
    "DropDuplicateColumns",
    "DropLeaky",
    "Leak",
    "LeakageWarning",
    "LogTransformer",
    "MaxAbsScaler",
    "MinMaxScaler",
    "PowerTransformer",
    "PrepError",
    "QuantileTransformer",
    "RobustScaler",
    "SchemaError",
    "SelectColumns",
    "StandardScaler",
    "StateError",
    "StratifiedRegressionKFold",
    "TablePrep",
    "TargetError",
    "TargetPrep",
    "TargetReport",
    "TimeSplit",
    "Winsorizer",
    "bundle_types",
    "check_leakage",
    "duplicate_rows",
    "from_state",
    "selectors",
    "to_state",
    "train_valid_split",
    "train_valid_test_split",
]
