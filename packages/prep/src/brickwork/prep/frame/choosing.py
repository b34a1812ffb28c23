"""Tables with fewer columns, or with some replaced: of the kind given, the other columns untouched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from ..columns import Column


def take_columns(X: Any, positions: Sequence[int]) -> Any:
    """The columns at these positions, in this order, of a table that `open_table` takes.

    A frame gives a frame, a dict (of columns, or one row) a dict, a list of records a list of records; an array, and a
    list of rows, an array.
    """
    if isinstance(X, Mapping):
        names = list(X)
        return {names[i]: X[names[i]] for i in positions}
    if _is_records(X):
        names = [_record_names(X)[i] for i in positions]
        return [{name: record.get(name) for name in names} for record in X]
    frame = _frame(X)
    return frame[:, list(positions)].to_native() if frame is not None else _matrix(X)[:, list(positions)]


def put_columns(X: Any, columns: Mapping[int, np.ndarray]) -> Any:
    """The table with the columns at these positions replaced by texts, object arrays (n,) with None where missing.

    Containers as of `take_columns`; an array becomes one of objects.
    """
    if not columns:
        return take_columns(X, range(len(X))) if isinstance(X, Mapping) else X
    if isinstance(X, Mapping):
        names = list(X)
        return dict(X) | {names[i]: _like(X[names[i]], values) for i, values in columns.items()}
    if _is_records(X):
        names = _record_names(X)
        new = {names[i]: values.tolist() for i, values in columns.items()}
        return [dict(record) | {name: values[row] for name, values in new.items()} for row, record in enumerate(X)]
    frame = _frame(X)
    if frame is None:
        matrix = _matrix(X).astype(object)
        for i, values in columns.items():
            matrix[:, i] = values
        return matrix
    if frame.implementation.is_pandas():  # its labels need not be text, and its rows keep their index
        native = X.copy(deep=False)
        for i, values in columns.items():
            native[native.columns[i]] = values
        return native
    names = frame.columns
    made = [
        nw.new_series(names[i], values.tolist(), nw.String, backend=frame.implementation)
        for i, values in columns.items()
    ]
    return frame.with_columns(*made).to_native()


def values_of(column: Column) -> np.ndarray:
    """The texts of a text column as objects (n,), None where missing."""
    return np.array([*column.vocabulary, None], dtype=object)[column.values]


def _frame(X: Any) -> Any:
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    return frame if isinstance(frame, nw.DataFrame) else None


def _is_records(X: Any) -> bool:
    return isinstance(X, (list, tuple)) and bool(X) and isinstance(X[0], Mapping)


def _record_names(X: Sequence[Mapping[Any, Any]]) -> list[Any]:
    return list(dict.fromkeys(name for record in X for name in record))


def _matrix(X: Any) -> np.ndarray:
    matrix = np.asarray(X)
    if matrix.dtype.kind in "US" and not isinstance(X, np.ndarray):
        return np.array(X, dtype=object)  # NumPy writes the numbers among texts as text
    return matrix


def _like(old: Any, values: np.ndarray) -> Any:
    if isinstance(old, (list, tuple)):
        return type(old)(values.tolist())
    return values if hasattr(old, "__len__") and not isinstance(old, (str, bytes)) else values[0]
