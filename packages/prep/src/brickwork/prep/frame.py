"""The one room that knows tables: whatever is given becomes plain per-column arrays. pandas is named nowhere else."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cells import cell_of, column_of, complex_refused, ragged, text_column
from .columns import Column, number_text
from .errors import PrepError, SchemaError, TargetError, quote, quote_rows

FEW = 64  # rows up to which Python's own loop is faster than a call into pandas


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose columns are read when asked for: a column that nobody needs costs nothing and cannot fail.

    `named` is False for arrays and lists of rows, whose columns are known by position and called x0, x1, ...
    `text_names` is False where a frame's column labels were not all text.
    """

    names: Sequence[str]
    n_rows: int
    sources: Sequence[Any]
    read: Callable[[str, Any], Column]
    named: bool = True
    text_names: bool = True

    def column(self, position: int) -> Column:
        """The column at this position."""
        return self.read(self.names[position], self.sources[position])


def open_table(X: Any, who: str) -> Table:
    """Any accepted input as a `Table` of at least one row and one column.

    Accepts a pandas DataFrame, a 2-D array, a list of rows, a dict of columns, a list of dicts (records), or one dict
    of plain values (one row). In records a key that one row lacks is missing there. Raises PrepError for anything else,
    and SchemaError for doubled names or columns of unequal length.
    """
    if _is_frame(X):
        table = _of_frame(X)
    elif isinstance(X, Mapping):
        table = _of_dict(X, who)
    elif isinstance(X, (list, tuple)) and X and isinstance(X[0], Mapping):
        table = _of_records(X, who)
    elif isinstance(X, (list, tuple)) and X and isinstance(X[0], (list, tuple)):
        table = _of_rows(X, who)
    else:
        table = _of_array(X, who)
    _check(table, who)
    return table


def take_rows(X: Any, rows: np.ndarray) -> Any:
    """The same kind of table (or target) with only these row positions, in this order."""
    if _pandas() is not None and hasattr(X, "iloc"):
        return X.iloc[rows]
    if isinstance(X, Mapping):
        return {name: take_rows(values, rows) for name, values in X.items()}
    if isinstance(X, (list, tuple)):
        return type(X)([X[row] for row in rows])
    return np.asarray(X)[rows]


def read_target(y: Any, who: str) -> tuple[np.ndarray, np.ndarray]:
    """A target as (values (n,) of its own dtype or object, missing bool (n,)). TargetError unless it is one column."""
    pandas = _pandas()
    if _is_frame(y) and y.shape[1] == 1:
        y = y.iloc[:, 0]
    if pandas is not None and isinstance(y, (pandas.Series, pandas.Index)):
        missing = np.asarray(y.isna())
        values = np.asarray(y)
        if values.dtype == object and not missing.any():
            values = one_dtype(values.tolist())
        return values, missing
    if isinstance(y, (list, tuple)) and not any(isinstance(value, (list, np.ndarray)) for value in y):
        values = one_dtype(y)
    else:
        values = np.asarray(y)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
    if values.ndim != 1:
        raise TargetError.of(who, "a target is one column", f"shape {values.shape}", "Choose one column.")
    if values.dtype == object:
        return values, np.array([cell_of(type(v)) == "missing" or _is_nan(v) for v in values.tolist()], dtype=bool)
    if values.dtype.kind in "mM":
        return values, np.isnat(values)
    return values, np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)


def one_dtype(values: Sequence[Any]) -> np.ndarray:
    """An array of the one plain type that all values share, or else of objects (n,)."""
    cells = {type(value) for value in values}
    if cells and (cells <= {int} or cells <= {bool} or cells <= {float, int} or cells <= {str}):
        try:
            return np.array(values)
        except OverflowError:
            pass
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # not array[:] = values, which would take a tuple apart
        array[i] = value
    return array


def _is_nan(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def _pandas() -> Any:
    # A DataFrame can only be met once its owner has imported pandas; a dict or an array need not pay for that import.
    return sys.modules.get("pandas")


def _is_frame(X: Any) -> bool:
    pandas = _pandas()
    return pandas is not None and isinstance(X, pandas.DataFrame)


def _of_frame(X: Any) -> Table:
    labels = list(X.columns)
    text = all(isinstance(label, str) for label in labels)
    names = labels if text else [str(label) for label in labels]
    # By label, which is twice as fast as by position; `_check` refuses doubled labels before any column is read.
    return Table(names, len(X), labels, lambda name, label: _of_series(name, X[label]), text_names=text)


def _of_series(name: str, series: Any) -> Column:
    pandas, dtype = _pandas(), series.dtype
    if isinstance(dtype, pandas.SparseDtype):
        series = series.sparse.to_dense()
        dtype = series.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        return _of_categorical(name, series)
    if isinstance(dtype, pandas.StringDtype):
        if len(series) <= FEW:
            return column_of(name, series.tolist())
        codes, vocabulary = pandas.factorize(series)
        return text_column(name, codes.astype(np.int64), [str(text) for text in vocabulary])
    if isinstance(dtype, pandas.PeriodDtype):
        series = series.dt.to_timestamp()
    match series.dtype.kind:
        case "b":
            return Column(name, "boolean", _floats(series))
        case "i" | "u" | "f":
            return Column(name, "number", _floats(series))
        case "m":
            return Column(name, "number", np.asarray(series.dt.total_seconds(), dtype=np.float64))
        case "M":
            utc = pandas.to_datetime(series, utc=True).dt.tz_localize(None)
            return Column(name, "datetime", utc.to_numpy().astype("datetime64[us]"))
        case "c":
            raise complex_refused(name)
    return column_of(name, series.astype(object).tolist())


def _floats(series: Any) -> np.ndarray:
    if isinstance(series.dtype, np.dtype):
        return series.to_numpy().astype(np.float64)
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def _of_categorical(name: str, series: Any) -> Column:
    labels = column_of(name, series.cat.categories.tolist())
    codes = np.asarray(series.cat.codes, dtype=np.int64)
    match labels.form:
        case "text":
            vocabulary = list(labels.vocabulary)
        case "number":
            vocabulary = [number_text(value) for value in labels.values.tolist()]
        case _:
            vocabulary = [str(value) for value in series.cat.categories]
    return text_column(name, codes, vocabulary, declared=True)


def _of_dict(X: Mapping[Any, Any], who: str) -> Table:
    scalar = [name for name, values in X.items() if isinstance(values, (str, bytes)) or not hasattr(values, "__len__")]
    if len(scalar) == len(X):  # one raw row
        return Table([str(name) for name in X], 1, [(value,) for value in X.values()], column_of)
    if scalar:
        rule = "a dict holds columns (all lists) or one row (all plain values)"
        raise PrepError.of(who, rule, f"plain values in {quote(scalar)} beside lists", "Wrap these in a list.")
    names, sources = [str(name) for name in X], list(X.values())
    lengths = [len(values) for values in sources]
    if odd := ragged(lengths):
        got = ", ".join(f"{names[i]!r}: {lengths[i]}" for i in [0, *odd])
        raise SchemaError.of(who, "columns must have one length", got, column=names[odd[0]])
    return Table(names, lengths[0] if lengths else 0, sources, _of_values)


def _of_records(X: Sequence[Mapping[Any, Any]], who: str) -> Table:
    odd = [i for i, record in enumerate(X) if not isinstance(record, Mapping)]
    if odd:
        got = f"{type(X[odd[0]]).__name__} in {quote_rows(np.array(odd))}"
        raise PrepError.of(who, "each record is a dict", got, rows=odd[:1])
    names = list(dict.fromkeys(name for record in X for name in record))
    sources = [[record.get(name) for record in X] for name in names]
    return Table([str(name) for name in names], len(X), sources, column_of)


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
    try:
        X = np.asarray(X)
    except ValueError as cause:  # NumPy's word for rows of several lengths
        raise SchemaError.of(who, "rows must have one length", str(cause)) from None
    if X.ndim != 2:
        fix = "Reshape your data: X.reshape(1, -1) for one row, X.reshape(-1, 1) for one column."
        raise PrepError.of(who, "a table has two dimensions", f"{X.ndim}-D, shape {X.shape}", fix)
    return Table(_positions(X.shape[1]), len(X), X.T, _of_values, named=False)


def _of_values(name: str, values: Any) -> Column:
    """A column of a dict or an array: a Series, an array or a list."""
    pandas = _pandas()
    if pandas is not None and isinstance(values, (pandas.Series, pandas.Index)):
        return _of_series(name, values.to_series() if isinstance(values, pandas.Index) else values)
    if not isinstance(values, np.ndarray):
        return column_of(name, list(values))
    match values.dtype.kind:
        case "b":
            return Column(name, "boolean", values.astype(np.float64))
        case "i" | "u" | "f":
            return Column(name, "number", values.astype(np.float64))
        case "m":
            return Column(name, "number", values / np.timedelta64(1, "s"))
        case "M":
            return Column(name, "datetime", values.astype("datetime64[us]"))
    return column_of(name, values.tolist())


def _positions(n: int) -> list[str]:
    return [f"x{i}" for i in range(n)]


def _check(table: Table, who: str) -> None:
    shape = (table.n_rows, len(table.names))
    if not table.names:
        raise PrepError.of(who, "a table has columns", f"0 feature(s) (shape={shape}) while a minimum of 1 is required")
    if not table.n_rows:
        raise PrepError.of(who, "a table has rows", f"0 sample(s) (shape={shape}) while a minimum of 1 is required")
    if len(set(table.names)) < len(table.names):
        doubled = [name for name, times in Counter(table.names).items() if times > 1]
        rule = "column names must differ from one another"
        raise SchemaError.of(who, rule, f"{quote(doubled)} more than once", "Rename or drop one.", column=doubled[0])
