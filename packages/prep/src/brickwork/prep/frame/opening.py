"""Whatever is given as a table becomes a `Table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from ..cells import column_of, ragged
from ..columns import Column
from ..errors import PrepError, SchemaError, quote, quote_rows
from .libraries import frame_table, known, series_column
from .of_numpy import array_column
from .table import Table, check


def open_table(X: Any, who: str) -> Table:
    """Any accepted input as a `Table` of at least one row and one column.

    Accepts a dataframe of pandas, polars, Arrow (Table, RecordBatch), modin or any other eager one that narwhals knows,
    a 2-D array, a list of rows, a dict of columns, a list of dicts (records), or one dict of plain values (one row). In
    records a key that one row lacks is missing there. Raises PrepError for anything else (a query that has not run, as
    polars's LazyFrame, says how to run it), and SchemaError for doubled names or columns of unequal length.
    """
    if isinstance(X, Table):
        return X
    if isinstance(X, Mapping):
        table = _of_dict(X, who)
    elif isinstance(X, (list, tuple)) and X and isinstance(X[0], Mapping):
        table = _of_records(X, who)
    elif isinstance(X, (list, tuple)) and X and isinstance(X[0], (list, tuple)):
        table = _of_rows(X, who)
    elif isinstance(frame := known(X, who), nw.DataFrame):
        table = frame_table(frame)
    else:
        table = _of_array(X, who)
    check(table, who)
    return table


def take_rows(X: Any, rows: np.ndarray) -> Any:
    """The same kind of table (or target) with only these row positions, in this order."""
    if hasattr(X, "iloc"):  # pandas and its like, which keep their index
        return X.iloc[rows]
    if isinstance(X, Mapping):
        return {name: take_rows(values, rows) for name, values in X.items()}
    if isinstance(X, (list, tuple)):
        return type(X)([X[row] for row in rows])
    found = known(X, "take_rows")
    if found is None:
        return (X if hasattr(X, "shape") else np.asarray(X))[rows]  # arrays and sparse matrices as they are
    return X.take(rows) if hasattr(X, "take") else nw.to_native(found[rows])


def _of_dict(X: Mapping[Any, Any], who: str) -> Table:
    names = [str(name) for name in X]
    plain = [name for name, values in X.items() if _is_plain(values)]
    if len(plain) == len(X):  # one raw row
        return Table(names, 1, [(_scalar(value),) for value in X.values()], column_of)
    if plain:
        rule = "a dict holds columns (all lists) or one row (all plain values)"
        raise PrepError.of(who, rule, f"plain values in {quote(plain)} beside lists", "Wrap these in a list.")
    sources = list(X.values())
    for name, values in zip(names, sources, strict=True):
        if isinstance(values, (Mapping, set, frozenset)):  # whose rows have no order, or another one
            fix = "Of a pandas frame, to_dict('list') gives lists."
            got = f"a {type(values).__name__} as column {name!r}"
            raise SchemaError.of(who, "a column is a list or an array", got, fix, column=name)
        if _dimensions(values) > 1:  # an array of several columns, or a frame
            fix = "Give each of its columns a name."
            got = f"{_dimensions(values)} dimensions in {name!r}"
            raise SchemaError.of(who, "a column has one dimension", got, fix, column=name)
    lengths = [len(values) for values in sources]
    if odd := ragged(lengths):
        got = ", ".join(f"{names[i]!r}: {lengths[i]}" for i in [0, *odd])
        raise SchemaError.of(who, "columns must have one length", got, column=names[odd[0]])
    return Table(names, lengths[0] if lengths else 0, sources, _of_values)


def _is_plain(values: Any) -> bool:
    if isinstance(values, (str, bytes, bytearray)) or not hasattr(values, "__len__"):
        return True
    return _dimensions(values) == 0  # such an array has a length that can not be asked for


def _dimensions(values: Any) -> int:
    return len(getattr(values, "shape", (0,)))


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray) else value


def _of_records(X: Sequence[Mapping[Any, Any]], who: str) -> Table:
    odd = [i for i, record in enumerate(X) if not isinstance(record, Mapping)]
    if odd:
        got = f"{type(X[odd[0]]).__name__} in {quote_rows(np.array(odd))}"
        raise PrepError.of(who, "each record is a dict", got, rows=odd[:1])
    names = list(dict.fromkeys(name for record in X for name in record))
    # Read when asked for, as all columns are: a record may hold much that nobody needs.
    return Table(
        [str(name) for name in names], len(X), names, lambda name, key: column_of(name, [r.get(key) for r in X])
    )


def _of_rows(X: Sequence[Any], who: str) -> Table:
    odd = [i for i, row in enumerate(X) if not isinstance(row, (list, tuple, np.ndarray))]
    if not odd and (odd := ragged([len(row) for row in X])):
        got = f"{len(X[0])} in row 0, {len(X[odd[0]])} in row {odd[0]}"
        raise SchemaError.of(who, "rows must have one length", got, rows=odd)
    if odd:
        raise PrepError.of(who, "each row is a list", f"{type(X[odd[0]]).__name__} in row {odd[0]}", rows=odd[:1])
    columns = list(zip(*X, strict=True))
    return Table(_positions(len(columns)), len(X), columns, column_of, named=False)


def _of_array(X: Any, who: str) -> Table:
    if hasattr(X, "toarray"):
        raise PrepError.of(who, "a table is dense", "a sparse matrix", "Give X.toarray().")
    if not isinstance(X, np.ma.MaskedArray):
        try:
            X = np.asarray(X)
        except ValueError as cause:  # NumPy's word for rows of several lengths
            raise SchemaError.of(who, "rows must have one length", str(cause)) from None
    if X.ndim != 2:
        fix = "Reshape your data: X.reshape(1, -1) for one row, X.reshape(-1, 1) for one column."
        raise PrepError.of(who, "a table has two dimensions", f"{X.ndim}-D, shape {X.shape}", fix)
    return Table(_positions(X.shape[1]), len(X), X.T, array_column, named=False)


def _of_values(name: str, values: Any) -> Column:
    """A column of a dict: a Series or an Arrow array, a NumPy array, or a list."""
    if isinstance(values, np.ndarray):
        return array_column(name, values)
    series = known(values, "open_table")
    return series_column(name, series) if isinstance(series, nw.Series) else column_of(name, list(values))


def _positions(n: int) -> list[str]:
    return [f"x{i}" for i in range(n)]
