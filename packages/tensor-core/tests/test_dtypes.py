"""The one promotion rule, as a table."""

import enum

import ml_dtypes
import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor.dtypes import FROM_SHORT, NAMES, short_name

TABLE = """
    bool bool bool          bool int8 int8           bool float16 float16      bool complex64 complex64
    int8 int16 int16        int8 uint8 int16         int16 uint8 int16         int32 uint32 int64
    int64 uint32 int64      int64 uint64 float32     uint8 uint64 uint64       int64 float16 float16
    int64 bfloat16 bfloat16 int64 float32 float32    uint64 float64 float64    float16 bfloat16 float32
    float16 float32 float32 bfloat16 float32 float32 float32 float64 float64   float16 float64 float64
    float32 complex64 complex64  float64 complex64 complex128  int64 complex64 complex64
    complex64 complex128 complex128
""".split()
WEAK = [
    # a tensor's dtype, a Python number, the dtype of their sum
    ("int8", 1, "int8"),
    ("uint8", 1, "uint8"),
    ("int64", 1, "int64"),
    ("float16", 1, "float16"),
    ("bfloat16", 2, "bfloat16"),
    ("bfloat16", 2.0, "bfloat16"),
    ("float16", 1.5, "float16"),
    ("float32", 1.5, "float32"),
    ("float64", 1.5, "float64"),
    ("int32", 1.5, "float32"),
    ("bool", 1, "int64"),
    ("bool", 1.5, "float32"),
    ("bool", True, "bool"),
    ("int8", True, "int8"),
    ("float32", 1j, "complex64"),
    ("float64", 1j, "complex128"),
]


@pytest.mark.parametrize("row", [TABLE[i : i + 3] for i in range(0, len(TABLE), 3)], ids=" ".join)
def test_two_tensors(row):
    a, b, want = row
    for x, y in ((a, b), (b, a)):
        assert bt.promote(bt.as_dtype(x), bt.as_dtype(y)) == bt.as_dtype(want)
        out = bt.add(bt.ones((2,), x), bt.ones((2,), y))
        assert out.dtype == bt.as_dtype(want)
        assert out.numpy()[0] == (2 if want != "bool" else 1)


@pytest.mark.parametrize(("dtype", "number", "want"), WEAK)
def test_python_numbers_are_weak(dtype, number, want):
    x = bt.ones((2,), dtype)
    for out in (x + number, number + x, bt.add(x, number), bt.multiply(number, x)):
        assert out.dtype == bt.as_dtype(want)
        assert np.isfinite(out.numpy().astype(complex)).all()


def test_numpy_scalars_are_not():
    assert (bt.ones((2,), "float32") + np.float64(1)).dtype == np.float64
    assert (bt.ones((2,), "int8") * np.int32(1)).dtype == np.int32


def test_subclasses_of_python_numbers_count_as_them():
    class Color(enum.IntEnum):
        RED = 1

    assert (bt.ones((2,), "int8") + Color.RED).dtype == np.int8


def test_numbers_that_do_not_fit_are_errors():
    for call in (
        lambda: bt.ones((2,), "int8") + 300,
        lambda: bt.ones((2,), "uint8") * -1,
        lambda: bt.asarray(300, "int8"),
        lambda: bt.asarray(2**63),
        lambda: bt.asarray([2**70]),
    ):
        with pytest.raises(bt.DTypeError):
            call()


def test_float8_is_for_storage():
    x = bt.ones((2,), "float8_e4m3fn")
    assert x.astype("float32").tolist() == [1.0, 1.0]
    with pytest.raises(bt.DTypeError, match="storage"):
        bt.promote(x.dtype, bt.as_dtype("float16"))


def test_names():
    assert bt.as_dtype(float) == bt.float32
    assert bt.as_dtype(int) == bt.int64
    assert bt.as_dtype("bfloat16") == bt.bfloat16 == np.dtype(ml_dtypes.bfloat16)
    assert bt.as_dtype(">f4").isnative
    assert all(getattr(bt, name) == dtype for name, dtype in NAMES.items())
    assert {short_name(d): d for d in NAMES.values()} == FROM_SHORT
    for bad in ("text", object, "M8[s]", None, [1], "S3", "f4,f4"):
        with pytest.raises(bt.DTypeError, match="dtype: "):
            bt.as_dtype(bad)


@pytest.mark.parametrize("extreme", [bt.max, bt.min])
def test_complex_numbers_have_no_extremes(extreme):
    """Eager as compiled, and the second time as the first."""
    for _ in range(2):
        with pytest.raises(bt.DTypeError, match="needs numbers that have an order; got complex64"):
            extreme(bt.asarray([1j, 2.0]))
