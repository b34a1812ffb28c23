"""The one room that knows tables and dataframes: whatever is given becomes plain arrays, and what comes out a frame."""

from .opening import open_table, take_rows
from .output import contain, text_block
from .row import Row, open_row
from .table import Table
from .target import one_dtype, read_target

__all__ = [
    "Row",
    "Table",
    "contain",
    "one_dtype",
    "open_row",
    "open_table",
    "read_target",
    "take_rows",
    "text_block",
]
