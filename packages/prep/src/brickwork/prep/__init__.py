"""Brickwork prep: tables to numbers for scikit-learn pipelines, with no configuration and with state that is data."""

from .bundles import TYPES as bundle_types
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
    "train_valid_split",
    "train_valid_test_split",
]
