"""Whatever the frame and whatever the library: the right columns, finite numbers out of them, or one sentence.

The number of examples is bounded; ``BRICKWORK_FUZZ_EXAMPLES=2000`` in the environment asks for more.
"""

import math
import os
import warnings
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from brickwork.prep import PrepError, TablePrep
from brickwork.prep.cells import cell_of, column_of, is_missing
from brickwork.prep.columns import number_text
from brickwork.prep.frame import Row, open_row, open_table, take_rows

EXAMPLES = int(os.environ.get("BRICKWORK_FUZZ_EXAMPLES", "60"))
FUZZ = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

ZONES = [timezone(timedelta(hours=hours)) for hours in (-12, 0, 14)]
WORDS = ["a", "b", "", " ", "1", "1e400", "nan", "2024-01-02", "yes", "A", "x" * 5000, "\x00", "ß"]
CELLS = {
    "float": st.floats(),
    "int": st.integers(-(2**70), 2**70),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    "word": st.sampled_from(WORDS),
    "date": st.dates(),
    "datetime": st.datetimes(),
    "aware": st.datetimes(timezones=st.sampled_from(ZONES)),
    "time": st.times(),
    "duration": st.timedeltas(timedelta(-36_500), timedelta(36_500)),  # which every library can hold
    "decimal": st.decimals(places=3, min_value=-(10**12), max_value=10**12),
    "bytes": st.binary(max_size=3),
    "list": st.lists(st.integers(0, 3), max_size=2),
    "none": st.none(),
    "odd": st.sampled_from([{}, (1,), pd.NA, pd.NaT, np.float32(1), np.datetime64("NaT", "us"), float, Decimal("sNaN"),
                            np.datetime64("2024-01-01"), np.timedelta64(3, "s"), np.int8(1), 1j, np.str_("a")]),
}  # fmt: skip
TYPED = {  # what dtypes of each library hold such cells without changing them
    "float": (["float64", "Float64"], pl.Float64, pa.float64()),
    "int64": (["Int64", object], pl.Int64, pa.int64()),
    "bool": (["boolean", object], pl.Boolean, pa.bool_()),
    "text": (["string", object], pl.String, pa.string()),
    "word": (["string", "category", object], pl.Categorical, pa.dictionary(pa.int32(), pa.string())),
    "date": ([object], pl.Date, pa.date32()),
    "datetime": (["datetime64[us]", object], pl.Datetime("us"), pa.timestamp("us")),
    "aware": ([object], pl.Datetime("us", "UTC"), pa.timestamp("us", "Asia/Tokyo")),
    "time": ([object], pl.Time, pa.time64("us")),
    "duration": (["timedelta64[us]", object], pl.Duration("us"), pa.duration("us")),
    "decimal": ([object], pl.Decimal(20, 3), pa.decimal128(20, 3)),
    "bytes": ([object], pl.Binary, pa.binary()),
    "list": ([object], pl.List(pl.Int64), pa.list_(pa.int64())),
    "none": ([object, "float64"], pl.Null, pa.null()),
}


@st.composite
def cells(draw, n, kinds=tuple(CELLS)):
    """A list of n cells of one or two kinds, or missing."""
    some = draw(st.sets(st.sampled_from(kinds), min_size=1, max_size=2))
    return draw(st.lists(st.one_of(*(CELLS[kind] for kind in sorted(some)), st.none()), min_size=n, max_size=n))


@st.composite
def typed_frames(draw, low=0, kinds=tuple(TYPED)):
    """(cells by name, the same as frames of every library), each column of one kind that every library has."""
    n = draw(st.integers(low, 25) | st.sampled_from([1, 80]))
    names = draw(st.lists(st.sampled_from(["a", "b", "Ä b", "", "id"]), unique=True, min_size=1, max_size=4))
    columns, in_pandas, in_polars, in_arrow = {}, {}, {}, {}
    for name in names:
        kind = draw(st.sampled_from(kinds))
        values = draw(st.lists(CELLS[kind] | st.none(), min_size=n, max_size=n))
        dtypes, of_polars, of_arrow = TYPED[kind]
        columns[name] = values
        in_pandas[name] = pandas_series(values, draw(st.sampled_from(dtypes)))
        in_polars[name] = pl.Series(name, values, dtype=of_polars, strict=True)
        plain = of_arrow.value_type if pa.types.is_dictionary(of_arrow) else of_arrow
        in_arrow[name] = pa.array(values, plain).cast(of_arrow)
    arrow = pa.table(in_arrow)
    frames = [pd.DataFrame(in_pandas), pl.DataFrame(in_polars), arrow, arrow.to_pandas(types_mapper=pd.ArrowDtype)]
    return columns, [*frames, columns, [{name: columns[name][i] for name in names} for i in range(n)]]


@st.composite
def wild_frames(draw):
    """A pandas frame of anything: mixed cells, doubled names, labels that are not text, several levels of them."""
    n = draw(st.integers(0, 25))
    columns = [draw(cells(n)) for _ in range(draw(st.integers(0, 4)))]
    frame = pd.DataFrame(
        {i: pd.Series(objects(values), dtype=object) for i, values in enumerate(columns)}, index=range(n)
    )
    labels = st.sampled_from(["a", "b", "c", "d", "e", 0, 1.5, None, ("a", 1), "0"])
    drawn = draw(st.lists(labels, min_size=len(columns), max_size=len(columns)))
    if draw(st.booleans()) and drawn:
        frame.columns = pd.MultiIndex.from_tuples([("top", str(label)) for label in drawn])
    else:
        frame.columns = pd.Index(drawn, dtype=object, tupleize_cols=False)
    return frame.infer_objects() if draw(st.booleans()) else frame


def objects(values) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = value
    return array


def pandas_series(values, dtype) -> pd.Series:
    return pd.Series(objects(values), dtype=object).astype(dtype)


def reading(value):
    """What one cell means: None where missing, a float, text, a moment in UTC, or the name of an unreadable type."""
    if isinstance(value, str):
        return value if value.strip() else None
    if is_missing(value):
        return None
    match cell_of(type(value)):
        case "number" | "boolean":
            try:
                return float(value)
            except OverflowError:
                return math.copysign(math.inf, value)
        case "duration":
            return value // timedelta(microseconds=1) / 1e6
        case "time":
            return (datetime.combine(date(1970, 1, 1), value) - datetime(1970, 1, 1)).total_seconds()
        case "datetime":
            return _utc(value)
    return type(value).__name__


def _utc(value) -> np.datetime64:
    if isinstance(value, datetime):
        offset = value.utcoffset() or timedelta()
        value = np.datetime64(value.replace(tzinfo=None), "us") - np.timedelta64(offset)
    return np.datetime64(value, "us")


def read_back(column) -> list:
    """The cells of a `Column`, as `reading` has them."""
    gone = column.missing.tolist()
    match column.form:
        case "text":
            found = [*column.vocabulary, None]
            found = [found[code] for code in column.values]
        case "other":
            types = list(column.types)
            found = ["?" if marked else None for marked in column.values]
            found = [types.pop(0) if value == "?" and types else value for value in found]
        case "datetime":
            found = list(column.values)
        case _:
            found = column.values.tolist()
    return [None if g else value for g, value in zip(gone, found, strict=True)]


@FUZZ
@given(typed_frames(low=1))
def test_every_library_reads_what_plain_python_reads(drawn):
    columns, frames = drawn
    want = {name: [reading(value) for value in values] for name, values in columns.items()}
    for X in frames:
        table = open_table(X, "who")
        assert list(table.names) == list(columns)
        for i, name in enumerate(table.names):
            found = read_back(table.column(i))
            assert len(found) == table.n_rows
            for got, wanted in zip(found, want[name], strict=True):
                assert got == wanted or (got == "?" and isinstance(wanted, str)), (type(X), name, got, wanted)


@FUZZ
@given(st.integers(0, 20).flatmap(cells))
def test_mixed_cells_are_read_alike_from_lists_and_pandas(values):
    if not values:
        return
    tables = [{"c": values}, {"c": objects(values)}, pd.DataFrame({"c": pd.Series(objects(values), dtype=object)})]
    found = []
    for X in tables:
        try:
            found.append(open_table(X, "who").column(0))
        except PrepError as error:
            found.append(str(error))
    first = found[0]
    for other in found[1:]:
        if isinstance(first, str):
            assert other == first
        else:
            assert (other.form, other.types, list(other.vocabulary)) == (
                first.form,
                first.types,
                list(first.vocabulary),
            )
            np.testing.assert_array_equal(other.values, first.values)
    if not isinstance(first, str) and first.form == "text":
        for value, text in zip(values, read_back(first), strict=True):
            one = reading(value)
            assert text == (one if one is None or isinstance(value, str) else _category(value, one))


def _category(value, one) -> str:
    match cell_of(type(value)):
        case "boolean":
            return str(bool(value))
        case "number":
            return number_text(one)
    return str(one)


@FUZZ
@given(typed_frames())
def test_one_row_is_that_of_the_table(drawn):
    columns, frames = drawn
    for X in frames[:3] + frames[4:]:
        row = open_row(X)
        n = len(next(iter(columns.values())))
        if n != 1 or row is None:
            # A dict of lists is a table; a cell that is no plain value is for `open_table` to judge.
            assert row is None
            continue
        assert isinstance(row, Row) and list(row.values) == list(columns)
        table = open_table(X, "who")
        for i, (name, value) in enumerate(row.values.items()):
            assert read_back(column_of(name, [value])) == read_back(table.column(i)), (type(X), name, value)


@FUZZ
@given(typed_frames(), st.data())
def test_prep_gives_finite_numbers_or_one_sentence(drawn, data):
    _, frames = drawn
    X = data.draw(st.sampled_from(frames))
    Z = data.draw(st.sampled_from(data.draw(typed_frames())[1]))
    given_or_refused(X, Z)


@FUZZ
@given(wild_frames(), wild_frames())
@example(pd.DataFrame({"a": [-1, 4]}), pd.DataFrame({"a": [-1.0]}))
@example(pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}), pd.DataFrame({"a": [1.0], "b": pd.Categorical(["z"])}))
def test_a_wild_frame_gives_finite_numbers_or_one_sentence(first, second):
    given_or_refused(first, second)
    given_or_refused(first, first.astype(object))


def given_or_refused(X, Z) -> None:
    """Fits on X and transforms X and Z."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            prep = TablePrep().fit(X)
        except PrepError as error:
            assert str(error).startswith("TablePrep") and "\n" not in str(error)
            return
        out = prep.transform(X)
        n = open_table(X, "who").n_rows
        assert out.shape == (n, prep.n_features_out_) == (n, len(prep.get_feature_names_out()))
        assert out.dtype == np.float32 and np.isfinite(out).all()
        assert TablePrep.from_state(prep.to_state()).transform(X).tobytes() == out.tobytes()
        for row in {0, n - 1}:
            try:  # a cell alone may be of another form than its column, and refused for it
                np.testing.assert_array_equal(prep.transform(take_rows(X, np.array([row]))), out[[row]])
            except PrepError as error:
                assert str(error).startswith("TablePrep") and "\n" not in str(error)
        try:
            assert np.isfinite(prep.transform(Z)).all()
        except PrepError as error:
            assert str(error).startswith("TablePrep") and "\n" not in str(error)


# A duration is a number once it is read, so nothing tells that it stood beside booleans of another part.
JOINING = tuple(kind for kind in CELLS if kind != "duration")
WAYS = [
    {},
    {"max_categories": 2},
    {"max_categories": 2, "high_cardinality": "frequent", "scale": "robust"},
    {"output": "inputs", "scale": "minmax", "impute": "mean"},
]


@FUZZ
@given(st.integers(2, 40).flatmap(lambda n: st.lists(cells(n, JOINING), min_size=1, max_size=3)), st.data())
def test_parts_of_a_table_lead_where_the_whole_does(columns, data):
    table = pd.DataFrame({name: pd.Series(objects(values), dtype=object) for name, values in zip("abc", columns)})
    options, cut = data.draw(st.sampled_from(WAYS)), data.draw(st.integers(1, len(table) - 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            whole = TablePrep(**options).fit(table)
            parts = TablePrep(**options).partial_fit(table[:cut]).partial_fit(table[cut:])
        except PrepError as error:  # a part alone may hold what the whole would have read as text
            assert "\n" not in str(error)
            return
    assert parts.kinds_ == whole.kinds_
    again = TablePrep.from_state(parts.to_state())
    found, want, same = (
        one if isinstance(one, dict) else {"": one} for one in (made.transform(table) for made in (parts, whole, again))
    )
    for name, values in found.items():
        np.testing.assert_allclose(values, want[name], rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(values, same[name])
