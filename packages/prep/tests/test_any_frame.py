"""The same data gives the same columns, whatever library holds it."""

import math
import subprocess
import sys
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from brickwork.prep import PrepError, SchemaError
from brickwork.prep.cells import column_of
from brickwork.prep.frame import open_table, read_target, take_rows

TOKYO = timezone(timedelta(hours=9))
MOMENT = datetime(2024, 2, 29, 23, 59, 59, 999_999)

# Plain values, then what pandas (several), polars and Arrow call them; None where the library finds the type itself.
CASES = {
    "float64": ([1.5, None, -0.0, 1e300, math.inf], ["float64", "Float64", object], pl.Float64, pa.float64()),
    "float32": ([1.5, None, 0.25], ["float32", "Float32"], pl.Float32, pa.float32()),
    "int64": ([1, None, -(2**53) - 1, 2**63 - 1], ["Int64", object], pl.Int64, pa.int64()),
    "whole int64": ([1, 2**53 + 1, -(2**63)], ["int64", "Int64", object], pl.Int64, pa.int64()),
    "uint64": ([1, None, 2**64 - 1], ["UInt64", object], pl.UInt64, pa.uint64()),
    "whole uint64": ([1, 2**64 - 1], ["uint64", "UInt64", object], pl.UInt64, pa.uint64()),
    "int8": ([1, None, -128], ["Int8"], pl.Int8, pa.int8()),
    "whole uint8": ([1, 255], ["uint8"], pl.UInt8, pa.uint8()),
    "huge int": ([1, None, 2**100], [object], pl.Int128, None),
    "bool": ([True, None, False], ["boolean", object], pl.Boolean, pa.bool_()),
    "whole bool": ([True, False], ["bool", "boolean", object], pl.Boolean, pa.bool_()),
    "decimal": ([Decimal("0.10"), None, Decimal("-3.30"), Decimal("9007199254740993.17")], [object],
                pl.Decimal(30, 2), pa.decimal128(30, 2)),
    "text": (["b", None, "a", "", "b", " \t", "é" * 3, "1"], [object, "string", "string[pyarrow]"], pl.String,
             pa.string()),
    "large text": (["b", None, "a", "b"], ["str"], pl.String, pa.large_string()),
    "view text": (["b", None, "a", "b"], ["string[python]"], pl.String, pa.string_view()),
    "datetime": ([MOMENT, None, datetime(1, 1, 1), datetime(1969, 12, 31, 23)], ["datetime64[us]", object],
                 pl.Datetime("us"), pa.timestamp("us")),
    "datetime ns": ([MOMENT, None, datetime(1969, 12, 31, 23)], ["datetime64[ns]"], pl.Datetime("ns"),
                    pa.timestamp("ns")),
    "datetime ms": ([datetime(2024, 1, 2), None, datetime(9999, 12, 31)], ["datetime64[ms]"], pl.Datetime("ms"),
                    pa.timestamp("ms")),
    "zone": ([MOMENT.replace(tzinfo=TOKYO), None], ["datetime64[us, UTC]", "datetime64[ns, America/New_York]", object],
             pl.Datetime("us", "Asia/Tokyo"), pa.timestamp("us", "Asia/Tokyo")),
    "date": ([date(2024, 2, 29), None, date(1, 1, 1)], [object], pl.Date, pa.date32()),
    "date in milliseconds": ([date(2024, 2, 29), None], [object], pl.Date, pa.date64()),
    "time": ([time(1, 2, 3, 4), None, time(0), time(23, 59, 59, 999_999)], [object], pl.Time, pa.time64("us")),
    "time in seconds": ([time(1, 2, 3), None], [object], pl.Time, pa.time32("s")),
    "duration": ([timedelta(days=-1, microseconds=7), None, timedelta(200, 1, 1)], ["timedelta64[us]", object],
                 pl.Duration("us"), pa.duration("us")),
    "duration ns": ([timedelta(200, 1, 1), None], ["timedelta64[ns]"], pl.Duration("ns"), pa.duration("ns")),
    "nothing": ([None, None], [object, "float64", "Int64"], pl.Null, pa.null()),
    "bytes": ([b"x", None, b"y"], [object], pl.Binary, pa.binary()),
    "lists": ([[1], None, [2, 3]], [object], pl.List(pl.Int64), pa.list_(pa.int64())),
    "structs": ([{"a": 1}, None], [object], pl.Struct({"a": pl.Int64}), pa.struct({"a": pa.int64()})),
    "no bytes": ([None, None], [], pl.Binary, pa.binary()),
    "mixed": (["a", 1, 1.0, True, None, date(2024, 1, 1), math.nan], [object], pl.Object, None),
}  # fmt: skip

ARROW_BACKED = [name for name, case in CASES.items() if case[3] is not None and name != "view text"]


def held(values, in_pandas, in_polars, in_arrow):
    """(label, one-column table) of each library and dtype."""
    yield "dict", {"c": values}
    yield "records", [{"c": value} for value in values]
    yield "array", {"c": objects(values)}
    for dtype in in_pandas:
        yield f"pandas {dtype}", pd.DataFrame({"c": pandas_series(values, dtype)})
    yield "polars", pl.DataFrame({"c": pl.Series(values, dtype=in_polars, strict=in_polars != pl.Object)})
    if in_arrow is not None:
        table = pa.table({"c": pa.array(values, in_arrow)})
        yield "arrow", table
        yield "arrow batch", table.to_batches()[0]
        parts = [pa.array(part, in_arrow) for part in (values[:1], [], values[1:])]
        yield "arrow in chunks", pa.table({"c": pa.chunked_array(parts)})
        yield "arrow, sliced", pa.concat_tables([table, table]).slice(len(values))


def objects(values) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = value
    return array


def pandas_series(values, dtype) -> pd.Series:
    series = pd.Series(objects(values))
    if "," in str(dtype):
        return pd.to_datetime(series, utc=True).astype(dtype)
    if dtype == "str" and pd.__version__ < "3":  # before which it made text of None
        dtype = "string"
    return series.astype(dtype)


def assert_same(column, want, label="") -> None:
    assert (column.form, list(column.vocabulary), column.types) == (want.form, list(want.vocabulary), want.types), label
    assert column.values.dtype == want.values.dtype, label
    np.testing.assert_array_equal(column.values, want.values, err_msg=label)
    assert not column.declared, label


@pytest.mark.parametrize("case", CASES)
def test_libraries_agree(case):
    values = CASES[case][0]
    want = column_of("c", values)
    for label, X in held(*CASES[case]):
        table = open_table(X, "who")
        assert (table.names, table.n_rows) == (["c"], len(values)), label
        assert_same(table.column(0), want, label)


@pytest.mark.parametrize("case", ARROW_BACKED)
def test_pandas_on_arrow_agrees(case):
    values, _, _, in_arrow = CASES[case]
    frame = pa.table({"c": pa.array(values, in_arrow)}).to_pandas(types_mapper=pd.ArrowDtype)
    assert isinstance(frame.dtypes["c"], pd.ArrowDtype)
    assert_same(open_table(frame, "who").column(0), column_of("c", values))


@pytest.mark.parametrize("n", [3, 1000])  # below and above the size from which libraries make the codes
@pytest.mark.parametrize("gaps", [False, True])
def test_codes_are_by_first_appearance(n, gaps):
    rng = np.random.default_rng(n)
    values = [None if gaps and rng.random() < 0.2 else f"w{k}" for k in rng.integers(0, 50, n)]
    want = column_of("c", values)
    seen = dict.fromkeys(value for value in values if value is not None)
    assert list(want.vocabulary) == list(seen)
    assert [want.vocabulary[c] if c >= 0 else None for c in want.values] == values
    # Another Categorical that has met the words in another order must not change the codes.
    others = pl.Series([f"w{k}" for k in range(49, -1, -1)]).cast(pl.Categorical)
    for label, X in held(values, [object, "string", "str", "string[pyarrow]"], pl.String, pa.string()):
        assert_same(open_table(X, "who").column(0), want, label)
    assert len(others) == 50


def test_declared_categories_keep_their_order():
    values, categories = ["mid", None, "low", "mid"], ["low", "mid", "high"]
    codes = pa.array([1, None, 0, 1], pa.int8())
    tables = [
        pd.DataFrame({"c": pd.Categorical(values, categories, ordered=True)}),
        pl.DataFrame({"c": pl.Series(values, dtype=pl.Enum(categories))}),
        pa.table({"c": pa.DictionaryArray.from_arrays(codes, categories)}),
        pa.table({"c": pa.DictionaryArray.from_arrays(codes, categories)}).to_pandas(types_mapper=pd.ArrowDtype),
    ]
    for X in tables:
        column = open_table(X, "who").column(0)
        assert (column.form, column.declared, list(column.vocabulary)) == ("text", True, categories)
        assert column.values.tolist() == [1, -1, 0, 1] and column.values.dtype == np.int64


def test_a_polars_categorical_holds_what_its_rows_hold():
    others = pl.Series(["x", "y", "z"]).cast(pl.Categorical)
    column = open_table(pl.DataFrame({"c": pl.Series(["z", None, "x", "z"]).cast(pl.Categorical)}), "who").column(0)
    assert (column.declared, list(column.vocabulary), column.values.tolist()) == (True, ["z", "x"], [0, -1, 1, 0])
    assert len(others) == 3


@pytest.mark.skipif(not hasattr(pl, "Categories"), reason="polars has had one set of categories until 1.32")
def test_a_polars_categorical_may_have_categories_of_its_own():
    kind = pl.Categorical(pl.Categories("some", physical=pl.UInt8))
    column = open_table(pl.DataFrame({"c": pl.Series(["z", None, "x"], dtype=kind)}), "who").column(0)
    assert (column.declared, list(column.vocabulary), column.values.tolist()) == (True, ["z", "x"], [0, -1, 1])


def test_run_end_encoded_arrow_arrays():
    values = pa.RunEndEncodedArray.from_arrays([2, 3], ["a", "b"])
    assert_same(open_table(pa.table({"c": values}), "who").column(0), column_of("c", ["a", "a", "b"]))


def test_arrays_of_no_dimension_are_plain_values():
    table = open_table({"a": np.array(5), "b": "x", "c": np.float32(1.5)}, "who")
    assert table.n_rows == 1 and [table.column(i).at(np.array([0])) for i in range(3)] == [[5], ["x"], [1.5]]


def test_an_arrow_dictionary_may_hold_gaps_and_other_types():
    gaps = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 1]), pa.array(["a", None, " "]))
    assert open_table(pa.table({"c": gaps}), "who").column(0).values.tolist() == [0, -1, -1, -1]
    numbers = pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array([3, 4]))
    assert list(open_table(pa.table({"c": numbers}), "who").column(0).vocabulary) == ["3", "4"]
    in_chunks = pa.chunked_array([pa.array(["a", "b"]).dictionary_encode(), pa.array(["b", "c"]).dictionary_encode()])
    column = open_table(pa.table({"c": in_chunks}), "who").column(0)
    assert [column.vocabulary[code] for code in column.values] == ["a", "b", "b", "c"]


@pytest.mark.parametrize(
    ("categories", "texts"),
    [
        ([3, 1], ["3", "1"]),
        ([2.5, 1.0], ["2.5", "1"]),
        ([True, False], ["True", "False"]),
        ([pd.Timestamp("2024-01-02")], ["2024-01-02T00:00:00.000000"]),
        (["a", 1], ["a", "1"]),
        ([pd.Interval(0, 1)], ["(0, 1]"]),
    ],
)
def test_pandas_categories_of_other_types_become_text(categories, texts):
    column = open_table(pd.DataFrame({"c": pd.Categorical.from_codes([0, -1], categories)}), "who").column(0)
    assert (list(column.vocabulary), column.values.tolist(), column.declared) == (texts, [0, -1], True)


def test_decimals_are_read_to_the_last_bit():
    rng = np.random.default_rng(0)
    values = [Decimal(int(k)).scaleb(-6) for k in rng.integers(-(10**17), 10**17, 500)]
    want = np.array([float(value) for value in values])
    for X in (pl.DataFrame({"c": pl.Series(values, dtype=pl.Decimal(18, 6))}), pa.table({"c": pa.array(values)})):
        np.testing.assert_array_equal(open_table(X, "who").column(0).values, want)


def test_times_across_a_change_of_the_clock():
    zone = ZoneInfo("Europe/Berlin")
    values = [datetime(2024, 10, 27, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1)]
    column = open_table({"c": values}, "who").column(0)
    assert column.values[1] - column.values[0] == np.timedelta64(1, "h")
    for X in (
        pl.DataFrame({"c": pl.Series(values)}),
        pd.DataFrame({"c": pd.to_datetime(values, utc=True).tz_convert(zone)}),
    ):
        assert_same(open_table(X, "who").column(0), column)


@pytest.mark.parametrize("kind", ["M8", "m8"])
def test_what_64_bits_of_microseconds_can_not_hold_is_refused(kind):
    far = np.array([0, 10**14, np.iinfo(np.int64).min], dtype=f"{kind}[s]")
    for X in ({"c": far}, pd.DataFrame({"c": far}), {"c": list(far)}):
        with pytest.raises(SchemaError, match=r"column 'c' must be within 292,000 years of 1970; got .* in row 1"):
            open_table(X, "who").column(0)
    near = np.array([0, 9 * 10**12, np.iinfo(np.int64).min], dtype=f"{kind}[s]")
    assert open_table({"c": near}, "who").column(0).missing.tolist() == [False, False, True]


def test_other_pandas_dtypes():
    frame = pd.DataFrame(
        {
            "sparse": pd.Series([0.0, None, 2.0], dtype=pd.SparseDtype("float64")),
            "period": pd.Series(pd.period_range("2024-01", periods=3, freq="M")),
            "interval": pd.Series(pd.interval_range(0, 3)),
            "half": np.array([1, 2, 3], dtype=np.float16),
        }
    )
    table = open_table(frame, "who")
    assert [table.column(i).form for i in range(4)] == ["number", "datetime", "other", "number"]
    assert table.column(0).missing.tolist() == [False, True, False]
    assert table.column(1).values[1] == np.datetime64("2024-02-01")
    assert table.column(2).types == ("Interval",) * 3


def test_masked_arrays_miss_what_is_masked():
    masked = np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=[[False, True], [False, False]])
    for X in (masked, {"x0": masked[:, 0], "x1": masked[:, 1]}):
        table = open_table(X, "who")
        np.testing.assert_array_equal(table.column(1).values, [np.nan, 4.0])


@pytest.mark.parametrize(
    "columns", [[0, 1], ["a", 1], pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]), [True, None]]
)
def test_labels_that_are_not_text_become_text(columns):
    table = open_table(pd.DataFrame([[1.0, "u"], [2.0, "v"]], columns=columns), "who")
    assert list(table.names) == [str(label) for label in columns] and not table.text_names and table.named
    assert [table.column(i).form for i in range(2)] == ["number", "text"]


def test_columns_of_a_dict_may_come_from_any_library():
    table = open_table(
        {"a": pl.Series([1, None]), "b": pa.array(["x", None]), "c": pa.chunked_array([[1.5], [None]]),
         "d": pd.Index(["u", "v"]), "e": pd.Series([1, 2], dtype="Int8"), "f": (1, 2)}, "who"
    )  # fmt: skip
    assert [table.column(i).form for i in range(6)] == ["number", "text", "number", "text", "number", "number"]


@pytest.mark.parametrize(
    ("X", "text"),
    [
        (pl.LazyFrame({"a": [1]}), "got a query of polars that has not run. Give X.collect()."),
        (
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            "column names must differ from one another; got 'a' more than once",
        ),
        (pa.table([[1], [2]], names=["a", "a"]), "column names must differ from one another; got 'a' more than once"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "column names must differ from one another; got '1' more than once"),
        (pd.DataFrame({"a": []}), "a table has rows"),
        (pl.DataFrame({"a": []}), "a table has rows"),
        (pa.table({}), "a table has columns"),
        (pd.Series([1, 2]), "a table has two dimensions; got 1-D"),
        (pl.Series([1, 2]), "a table has two dimensions; got 1-D"),
        (
            {"a": {0: 1.0, 1: 2.0}},
            "a column is a list or an array; got a dict as column 'a'. Of a pandas frame, to_dict",
        ),
        (
            {"a": np.zeros((2, 2))},
            "a column has one dimension; got 2 dimensions in 'a'. Give each of its columns a name.",
        ),
        ({"a": pd.DataFrame({"b": [1], "c": [2]})}, "a column has one dimension; got 2 dimensions in 'a'"),
        ({"a": pl.DataFrame({"b": [1]})}, "a column has one dimension; got 2 dimensions in 'a'"),
        ({"a": pa.table({"b": [1]})}, "a column has one dimension; got 2 dimensions in 'a'"),
        ({"a": {1, 2}}, "a column is a list or an array; got a set as column 'a'"),
        ({"a": pl.Series([1, 2]), "b": [1]}, "columns must have one length; got 'a': 2, 'b': 1"),
    ],
)
def test_what_is_no_table_is_refused(X, text):
    with pytest.raises(PrepError) as caught:
        open_table(X, "who")
    assert text in str(caught.value) and str(caught.value).startswith("who: ")


def test_float64_is_not_copied():
    values = np.arange(5.0)
    whole = {"dict": {"c": values}, "pandas": pd.DataFrame({"c": values}), "polars": pl.DataFrame({"c": values}),
             "arrow": pa.table({"c": values})}  # fmt: skip
    for label, X in whole.items():
        first, second = open_table(X, "who").column(0).values, open_table(X, "who").column(0).values
        assert np.shares_memory(first, second), label
    matrix = np.arange(10.0).reshape(5, 2)
    assert open_table(matrix, "who").column(1).values.flags.c_contiguous


def test_dates_in_microseconds_are_not_copied():
    values = np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[us]")
    for X in (
        {"c": values},
        pd.DataFrame({"c": values}),
        pl.DataFrame({"c": pl.Series(values)}),
        pa.table({"c": values}),
    ):
        first, second = open_table(X, "who").column(0).values, open_table(X, "who").column(0).values
        assert np.shares_memory(first, second)


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"a": [1, 2, 3]}, index=[7, 8, 9]), pd.Series([1, 2, 3]), pd.Index([1, 2, 3]),
        pl.DataFrame({"a": [1, 2, 3]}), pl.Series([1, 2, 3]), pa.table({"a": [1, 2, 3]}), pa.array([1, 2, 3]),
        pa.table({"a": [1, 2, 3]}).to_batches()[0], pa.chunked_array([[1], [2, 3]]), [1, 2, 3], (1, 2, 3),
        np.array([1, 2, 3]), {"a": [1, 2, 3]}, {"a": pl.Series([1, 2, 3])},
    ],
    ids=lambda X: f"{type(X).__module__.partition('.')[0]}.{type(X).__name__}",
)  # fmt: skip
def test_take_rows_keeps_the_type(X):
    taken = take_rows(X, np.array([2, 0]))
    assert type(taken) is type(X)
    inner = next(iter(taken.values())) if isinstance(taken, dict) else taken
    if isinstance(X, pd.DataFrame):
        assert taken.index.tolist() == [9, 7]
    values, _ = read_target(inner, "who")
    assert values.tolist() == [3, 1]


@pytest.mark.parametrize(
    ("y", "values", "missing"),
    [
        (pl.Series(["a", None]), ["a", None], [False, True]),
        (pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])), ["a", "b"], [False, False]),
        (pl.DataFrame({"y": [1, 2]}), [1, 2], [False, False]),
        (pl.Series([True, False]), [True, False], [False, False]),
        (pl.Series([1.5, math.nan, None]), [1.5, math.nan, math.nan], [False, True, True]),
        (pa.chunked_array([pa.array(["a", None]).dictionary_encode()]), ["a", None], [False, True]),
        (pa.array([1, 2]), [1, 2], [False, False]),
        (pd.Series(["a", "b"], dtype="category"), ["a", "b"], [False, False]),
        (pd.Series([1, None], dtype="Int64"), [1, math.nan], [False, True]),
        (pd.Series([date(2024, 1, 1), pd.NaT], dtype=object), [date(2024, 1, 1), pd.NaT], [False, True]),
        ([Decimal(1), Decimal("nan")], [Decimal(1), Decimal("nan")], [False, True]),
    ],
    ids=str,
)
def test_targets(y, values, missing):
    found, gone = read_target(y, "who")
    assert gone.tolist() == missing
    assert [v for v, m in zip(found.tolist(), missing, strict=True) if not m] == [
        v for v, m in zip(values, missing, strict=True) if not m
    ]


def test_dicts_and_arrays_load_no_dataframe_library():
    # scikit-learn loads pandas and pyarrow where they are installed; what is loaded beyond that would be prep's doing.
    code = (
        "import sys, sklearn.base; before = set(sys.modules); import brickwork.prep.frame as f; import numpy as np\n"
        "f.open_table({'a': [1, None], 'b': ['x', 'y']}, 'who').column(1); f.open_table(np.eye(2), 'who').column(0)\n"
        "f.read_target(['a', 'b'], 'who'); f.open_row({'a': 1})\n"
        "print({name.partition('.')[0] for name in set(sys.modules) - before} & {'pandas', 'polars', 'pyarrow'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
