"""Tables with fewer columns, or with some replaced: of the kind given, the other columns untouched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np


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


def put_texts(X: Any, cells: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> Any:
    """The table with other texts in some rows: by position of a column, its rows (int64) and what they hold now.

    Containers as of `take_columns`; X itself stays as it is. Declared categories become plain text.
    """
    if isinstance(X, Mapping):
        names = list(X)
        return dict(X) | {names[i]: _put(X[names[i]], *new) for i, new in cells.items()}
    if _is_records(X):
        names, records = _record_names(X), [dict(record) for record in X]
        for i, (rows, texts) in cells.items():
            for row, text in zip(rows.tolist(), texts.tolist(), strict=True):
                records[row][names[i]] = text
        return records
    frame = _frame(X)
    if frame is None:
        matrix = _matrix(X).astype(object)
        for i, (rows, texts) in cells.items():
            matrix[rows, i] = texts
        return matrix
    if frame.implementation.is_pandas_like():  # its labels need not be text, and its rows keep their index
        native = X.copy(deep=False)
        for i, (rows, texts) in cells.items():
            column = X.iloc[:, i]
            new = column.to_numpy(dtype=object, copy=True)
            new[rows] = texts
            # Made anew, since a write into dictionaries of Arrow changes other rows too (pandas 3.1).
            kept = column.dtype if "str" in str(column.dtype) and "dictionary" not in str(column.dtype) else object
            native[X.columns[i]] = type(column)(new, index=column.index, dtype=kept)
        return native
    new = [
        nw.new_series(
            frame.columns[i], _put(frame[frame.columns[i]].to_list(), *put), nw.String, backend=frame.implementation
        )
        for i, put in cells.items()
    ]
    return frame.with_columns(*new).to_native()


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


def _put(column: Any, rows: np.ndarray, texts: np.ndarray) -> Any:
    """A column of a dict, or its one plain value, with the texts put in."""
    if not hasattr(column, "__len__") or isinstance(column, (str, bytes)):
        return texts[0]
    new = list(column)
    for row, text in zip(rows.tolist(), texts.tolist(), strict=True):
        new[row] = text
    if isinstance(column, (list, tuple)):
        return type(column)(new)
    out = np.empty(len(new), dtype=object)
    out[:] = new
    return out
