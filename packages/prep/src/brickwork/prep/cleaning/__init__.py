"""Tables without what spoils them: columns that say nothing, say it again or say too much; rows and spellings twice."""

from .constant import DropConstant
from .correlated import DropCorrelated
from .deduplicate import Deduplicate
from .duplicates import DropDuplicateColumns, duplicate_rows
from .leaky import DropLeaky
from .selecting import DropColumns, SelectColumns

__all__ = [
    "Deduplicate", "DropColumns", "DropConstant", "DropCorrelated", "DropDuplicateColumns", "DropLeaky",
    "SelectColumns", "duplicate_rows",
]  # fmt: skip
