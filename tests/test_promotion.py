"""One promotion rule: `promote`, `result_type`, eager ops, compiled ones and the page of the guide say the same."""

import itertools

import pytest

import brickwork.tensor as bt
from brickwork.graph import function
from brickwork.tensor.dtypes import NAMES, promote
from scripts import promotion_table

DTYPES = list(NAMES.values())
PAIRS = list(itertools.product(DTYPES, repeat=2))
NUMBERS = (True, 2, 0.5, 1j)


def common(*kinds):
    """The promoted dtype, or None where there is none."""
    try:
        return promote(*kinds)
    except bt.DTypeError:
        return None


def dtype_of(call, *operands):
    try:
        return call(*operands).dtype
    except bt.DTypeError:
        return None


def zeros(dtype):
    return bt.zeros((2,), dtype)


def test_pairs_eagerly():
    for a, b in PAIRS:
        wanted = common(a, b)
        x, y = zeros(a), zeros(b)
        assert dtype_of(bt.multiply, x, y) == dtype_of(lambda *xs: bt.where(True, *xs), x, y) == wanted, (a, b)
        if wanted is not None:
            assert bt.result_type(a, b) == bt.result_type(x, b) == wanted


def test_python_numbers_are_weak():
    for a, number in itertools.product(DTYPES, NUMBERS):
        wanted = promote(a, type(number))
        x = zeros(a)
        assert (x * number).dtype == (number * x).dtype == wanted, (a, number)
        assert bt.where(True, x, number).dtype == bt.result_type(x, number) == wanted


def test_compiled():
    pairs = [pair for pair in PAIRS if common(*pair) is not None]
    arguments = {d.name: bt.ones((2,), d) for d in DTYPES}
    found = function(lambda t: [t[a.name] * t[b.name] for a, b in pairs])(arguments)
    for (a, b), got in zip(pairs, found, strict=True):
        assert got.dtype == promote(a, b), (a, b)
        assert got.numpy().astype(complex).tolist() == [1, 1]
    weak = list(itertools.product(DTYPES, NUMBERS))
    for (a, number), got in zip(weak, function(lambda t: [t[d.name] * n for d, n in weak])(arguments), strict=True):
        assert got.dtype == promote(a, type(number)), (a, number)
    with pytest.raises(bt.DTypeError, match="float8 is for storage"):
        function(lambda x, y: x * y)(zeros(bt.float8_e5m2), zeros(bt.float32))


def test_order_does_not_matter():
    for kinds in itertools.combinations_with_replacement([*DTYPES, int, float, complex], 3):
        assert len({common(*order) for order in itertools.permutations(kinds)}) == 1, kinds


def test_what_the_rule_says():
    f16, f32, bf16 = bt.float16, bt.float32, bt.bfloat16
    assert promote(bt.int8, bt.uint8) == bt.int16
    assert promote(bt.int32, f32) == f32
    assert promote(bt.int64, f16) == promote(bt.int8, bt.uint64, f16) == f16
    assert promote(f16, bf16) == promote(bt.int64, bt.uint64) == f32
    assert promote(bt.float64, bt.complex64) == promote(bt.float64, complex) == bt.complex128
    assert promote(f16, float) == f16
    assert promote(bt.int8, float) == f32


def test_the_page_is_what_the_script_writes():
    text = promotion_table.PAGE.read_text(encoding="utf-8")
    assert text == promotion_table.page(), "run python -m scripts.promotion_table"
    assert text.count("\n| **`") == 9 + 9 + 8 + len(DTYPES)  # a row per dtype of each table
