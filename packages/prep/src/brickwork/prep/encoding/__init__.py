"""Categories to numbers, and rare ones to one word."""

from .count import CountEncoder
from .hashing import HashingEncoder
from .indexer import CategoryIndexer
from .onehot import OneHotEncoder
from .ordinal import OrdinalEncoder
from .rare import RareGrouper
from .target import TargetEncoder

__all__ = [
    "CategoryIndexer",
    "CountEncoder",
    "HashingEncoder",
    "OneHotEncoder",
    "OrdinalEncoder",
    "RareGrouper",
    "TargetEncoder",
]
