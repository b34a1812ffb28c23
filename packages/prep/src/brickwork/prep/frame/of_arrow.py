"""An Arrow array as a column. pyarrow itself is handed in by whoever met the array, and is never imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cells import category_column, column_of, text_column, unreadable
from ..columns import Column
from ..errors import SHOWN
from .of_numpy import array_column, floats


def arrow_column(name: str, values: Any, arrow: Any) -> Column:
    """The column of an Array or ChunkedArray of any type."""
    if isinstance(values, arrow.Array):
        values = arrow.chunked_array([values])
    kind, is_ = values.type, arrow.types
    if is_.is_dictionary(kind):
        return category_column(name, *_coded(values, arrow))
    if is_.is_string(kind) or is_.is_large_string(kind) or _is_view(kind):
        codes, vocabulary = _coded(values if not _is_view(kind) else values.cast(arrow.large_string()), arrow)
        return text_column(name, codes, vocabulary)
    if is_.is_boolean(kind):
        return Column(name, "boolean", floats(values.cast(arrow.uint8()).to_numpy()))
    if is_.is_integer(kind) or is_.is_floating(kind) or is_.is_temporal(kind):
        return _of_ticks(name, values, arrow)
    if is_.is_decimal(kind):  # through text, since Arrow's own way to float64 is off by a last bit now and then
        return Column(name, "number", floats(values.cast(arrow.string()).cast(arrow.float64()).to_numpy()))
    if is_.is_run_end_encoded(kind):
        return column_of(name, values.to_pylist())
    if is_.is_nested(kind) or is_.is_binary(kind) or is_.is_large_binary(kind) or is_.is_fixed_size_binary(kind):
        return _unread(name, values)
    return column_of(name, values.to_pylist())


def _is_view(kind: Any) -> bool:
    return str(kind) == "string_view"  # a type that pyarrow has since version 16


def _of_ticks(name: str, values: Any, arrow: Any) -> Column:
    if arrow.types.is_time(values.type):
        since = values.cast(arrow.time64("ns")).cast(arrow.int64()).to_numpy()
        return Column(name, "number", np.floor(since / 1e3) / 1e6)
    if str(values.type) == "month_day_nano_interval":  # no fixed number of seconds
        return column_of(name, values.to_pylist())
    return array_column(name, values.to_numpy())


def _coded(values: Any, arrow: Any) -> tuple[np.ndarray, list[Any]]:
    """Codes int64 (n,), -1 where missing, and what they stand for, by first appearance unless it came coded."""
    # Chunk by chunk, since one array of strings holds at most 2 GiB of them.
    coded = values.dictionary_encode().unify_dictionaries()
    codes = np.full(len(coded), -1, dtype=np.int64)
    start = 0
    for chunk in coded.chunks:
        indices = chunk.indices.cast(arrow.int64())
        codes[start : start + len(chunk)] = indices.fill_null(-1).to_numpy(zero_copy_only=False)
        start += len(chunk)
    return codes, coded.chunk(0).dictionary.to_pylist() if coded.num_chunks else []


def _unread(name: str, values: Any) -> Column:
    marked = ~values.is_null().to_numpy()
    rows = np.flatnonzero(marked)[:SHOWN]
    return unreadable(name, marked, [values[row].as_py() for row in rows.tolist()])
