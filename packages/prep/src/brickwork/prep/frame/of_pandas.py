"""A pandas Series as a column. pandas itself is handed in by whoever met the Series, and is never imported."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..cells import category_column, column_of, factorize, plain_texts, text_column
from ..columns import Column, Form
from ..errors import SchemaError
from .of_arrow import arrow_column
from .of_numpy import array_column

FEW = 64  # rows up to which Python's own loop is faster than a call into pandas


def pandas_column(name: str, series: Any, pandas: Any) -> Column:
    """The column of a Series of any dtype: NumPy's, pandas's nullable ones, Arrow's, sparse, categorical, periods."""
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return _of_objects(name, series, pandas) if dtype.kind == "O" else array_column(name, series.to_numpy())
    if isinstance(dtype, pandas.CategoricalDtype):
        return _of_categorical(name, series)
    if isinstance(dtype, pandas.StringDtype):
        return _of_texts(name, series, pandas)
    if isinstance(dtype, pandas.ArrowDtype):
        arrow = sys.modules["pyarrow"]  # which holds the values, so it is there
        return arrow_column(name, arrow.array(series.array), arrow)
    if isinstance(dtype, pandas.SparseDtype):
        return pandas_column(name, series.sparse.to_dense(), pandas)
    if isinstance(dtype, pandas.DatetimeTZDtype):
        return array_column(name, series.dt.tz_convert(None).to_numpy())
    if isinstance(dtype, pandas.PeriodDtype):
        return _of_periods(name, series)
    if dtype.kind in "biuf":
        form: Form = "boolean" if dtype.kind == "b" else "number"
        return Column(name, form, series.to_numpy(dtype=np.float64, na_value=np.nan))
    return column_of(name, series.astype(object).tolist())


def _of_objects(name: str, series: Any, pandas: Any) -> Column:
    if len(series) > FEW and pandas.api.types.infer_dtype(series, skipna=True) == "string":
        return _of_texts(name, series, pandas)
    return column_of(name, series.tolist())


def _of_texts(name: str, series: Any, pandas: Any) -> Column:
    if len(series) <= FEW:
        return text_column(name, *factorize(series.tolist()))
    codes, vocabulary = pandas.factorize(series)
    return text_column(name, codes.astype(np.int64, copy=False), plain_texts(vocabulary.tolist()))


def _of_periods(name: str, series: Any) -> Column:
    try:
        return array_column(name, series.dt.to_timestamp().to_numpy())
    except ValueError as cause:  # pandas's word for what its nanoseconds can not hold
        fix = "Give dates as datetimes, or as text."
        raise SchemaError.of("TablePrep", f"column {name!r} holds periods", str(cause), fix, column=name) from None


def _of_categorical(name: str, series: Any) -> Column:
    codes = np.asarray(series.cat.codes, dtype=np.int64)
    return category_column(name, codes, series.cat.categories.tolist())
