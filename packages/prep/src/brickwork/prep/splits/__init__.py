"""Rows in parts: to learn from, to choose by and to judge by, without one telling the other."""

from .folds import StratifiedRegressionKFold, TimeSplit
from .leakage import Leak, LeakageWarning, check_leakage
from .parts import train_valid_split, train_valid_test_split

__all__ = [
    "Leak",
    "LeakageWarning",
    "StratifiedRegressionKFold",
    "TimeSplit",
    "check_leakage",
    "train_valid_split",
    "train_valid_test_split",
]
