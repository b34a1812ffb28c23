"""The door for dataframes of any library: narwhals says what came in, and one room per library reads its columns."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from ..columns import Column
from ..errors import PrepError
from .of_arrow import arrow_column
from .of_pandas import pandas_column
from .of_polars import polars_column
from .table import Table, doubled, names_of

_OWN = (np.ndarray, np.generic, list, tuple, dict, str, bytes, int, float, type(None))  # never a library's frame

# What makes a table of a query, by library; `X.collect()` for those that are not here.
_COLLECTED = {
    "dask": "X.compute()",
    "duckdb": "X.to_arrow_table()",
    "ibis": "X.to_pyarrow()",
    "pyspark": "X.toPandas()",
    "sqlframe": "X.toPandas()",
}


def known(X: Any, who: str) -> Any:
    """The narwhals DataFrame or Series of X; None for what no library knows as one.

    PrepError for a query that has not run, SchemaError for a frame with doubled names where narwhals finds them.
    """
    if isinstance(X, _OWN):
        return None
    try:
        found = nw.from_native(_whole_arrow(X), allow_series=True, pass_through=True)
    except nw.exceptions.DuplicateError:
        names = [str(name) for name in (X.schema.names if hasattr(X, "schema") else X.columns)]
        raise doubled(list(dict.fromkeys(name for name in names if names.count(name) > 1)), who) from None
    if isinstance(found, nw.LazyFrame):
        library = found.implementation.name.lower()
        fix = f"Give {_COLLECTED.get(library, 'X.collect()')}."
        raise PrepError.of(who, "a table holds rows", f"a query of {library} that has not run", fix)
    return found if isinstance(found, (nw.DataFrame, nw.Series)) else None


def frame_table(frame: Any) -> Table:
    """The table of a narwhals DataFrame."""
    native, library, kind = nw.to_native(frame), nw.get_native_namespace(frame), frame.implementation
    if kind.is_polars():
        return Table(native.columns, native.height, native.get_columns(), partial(polars_column, polars=library))
    if kind.is_pyarrow():
        return Table(native.column_names, native.num_rows, native.columns, partial(arrow_column, arrow=library))
    labels = list(native.columns)
    names, text = names_of(labels)
    if not kind.is_pandas():
        return Table(names, len(native), range(len(names)), partial(_like_pandas, native), text_names=text)
    if text:  # by label, which is twice as fast as by position; doubled names are refused before any column is read
        return Table(names, len(native), labels, lambda name, at: pandas_column(name, native[at], library))
    by_place = range(len(names))
    read = lambda name, at: pandas_column(name, native.iloc[:, at], library)  # noqa: E731
    return Table(names, len(native), by_place, read, text_names=False)


def series_column(name: str, series: Any) -> Column:
    """The column of a narwhals Series."""
    native, library, kind = nw.to_native(series), nw.get_native_namespace(series), series.implementation
    if kind.is_polars():
        return polars_column(name, native, library)
    if kind.is_pyarrow():
        return arrow_column(name, native, library)
    return pandas_column(name, native, library) if kind.is_pandas() else _of_copy(name, series)


def _like_pandas(native: Any, name: str, at: int) -> Column:
    return _of_copy(name, nw.from_native(native.iloc[:, at], series_only=True))


def _of_copy(name: str, series: Any) -> Column:
    """A column of modin, cuDF and others that have pandas's interface, read as a Series of pandas."""
    return pandas_column(name, series.to_pandas(), sys.modules["pandas"])


def _whole_arrow(X: Any) -> Any:
    """What narwhals knows in place of an Arrow record batch, a bare Arrow array or a pandas Index."""
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(X, arrow.RecordBatch):
        return arrow.Table.from_batches([X])
    if arrow is not None and isinstance(X, arrow.Array):
        return arrow.chunked_array([X])
    pandas = sys.modules.get("pandas")
    return X.to_series() if pandas is not None and isinstance(X, pandas.Index) else X
