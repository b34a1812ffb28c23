"""Brickwork prep: tables to numbers for scikit-learn pipelines, with no configuration and with state that is data."""

from . import selectors
from .arithmetic import Program, program
from .binning import Binarizer, KBinsDiscretizer
from .bundles import TYPES as bundle_types
from .bundles import from_state, to_state
from .chunks import fit_chunks
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
from .dates import DateDifference, DatetimeEncoder, HolidayFlags, TimeSince
from .drift import ColumnDrift, DriftLimits, DriftReport
from .encoding import (
    CategoryIndexer,
    CountEncoder,
    HashingEncoder,
    OneHotEncoder,
    OrdinalEncoder,
    RareGrouper,
    TargetEncoder,
)
from .errors import PrepError, SchemaError, StateError, TargetError
from .images import ImageNormalizer, ImageResizer
from .imputing import GroupImputer, IterativeImputer, MissingIndicator, SimpleImputer
from .outliers import OutlierClipper, OutlierFlagger
from .parsing import BooleanParser, NumberParser
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
from .targets import LabelBinarizer, LabelEncoder, MultiLabelBinarizer, TargetPrep, TargetScaler
from .text import CountVectorizer, HashingVectorizer, TextIndexer, TfidfVectorizer
from .windows import Differences, Lags, RollingWindows, make_windows

__version__ = "0.1.0"

__all__ = [
    "Binarizer",
    "BooleanParser",
    "CategoryIndexer",
    "ColumnDrift",
    "ColumnReport",
    "CountEncoder",
    "CountVectorizer",
    "DateDifference",
    "DatetimeEncoder",
    "Deduplicate",
    "Differences",
    "DriftLimits",
    "DriftReport",
    "DropColumns",
    "DropConstant",
    "DropCorrelated",
    "DropDuplicateColumns",
    "DropLeaky",
    "GroupImputer",
    "HashingEncoder",
    "HashingVectorizer",
    "HolidayFlags",
    "ImageNormalizer",
    "ImageResizer",
    "IterativeImputer",
    "KBinsDiscretizer",
    "LabelBinarizer",
    "LabelEncoder",
    "Lags",
    "Leak",
    "LeakageWarning",
    "LogTransformer",
    "MaxAbsScaler",
    "MinMaxScaler",
    "MissingIndicator",
    "MultiLabelBinarizer",
    "NumberParser",
    "OneHotEncoder",
    "OrdinalEncoder",
    "OutlierClipper",
    "OutlierFlagger",
    "PowerTransformer",
    "PrepError",
    "Program",
    "QuantileTransformer",
    "RareGrouper",
    "RobustScaler",
    "RollingWindows",
    "SchemaError",
    "SelectColumns",
    "SimpleImputer",
    "StandardScaler",
    "StateError",
    "StratifiedRegressionKFold",
    "TablePrep",
    "TargetEncoder",
    "TargetError",
    "TargetPrep",
    "TargetReport",
    "TargetScaler",
    "TextIndexer",
    "TfidfVectorizer",
    "TimeSince",
    "TimeSplit",
    "Winsorizer",
    "bundle_types",
    "check_leakage",
    "duplicate_rows",
    "fit_chunks",
    "from_state",
    "make_windows",
    "program",
    "selectors",
    "to_state",
    "train_valid_split",
    "train_valid_test_split",
]
