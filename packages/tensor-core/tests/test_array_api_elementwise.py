"""The Array API standard 2025.12: elementwise functions, dtypes, inspection, statistics and operators, beside NumPy."""

import inspect
import itertools
import math

import numpy as np
import pytest

import brickwork.tensor as bt

NAN, INF, PI = math.nan, math.inf, math.pi
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
REALS = ["float32", "float64"]
COMPLEX = ["complex64", "complex128"]
KINDS = {
    "bool": ["bool"],
    "integer": INTEGERS,
    "logic": ["bool", *INTEGERS],
    "real": REALS,
    "floating": REALS + COMPLEX,
    "ordered": INTEGERS + REALS,
    "numeric": INTEGERS + REALS + COMPLEX,
    "all": ["bool", *INTEGERS, *REALS, *COMPLEX],
    "complex": COMPLEX,
}
UNARY = {
    "abs": "numeric", "acos": "floating", "acosh": "floating", "asin": "floating", "asinh": "floating",
    "atan": "floating", "atanh": "floating", "bitwise_invert": "logic", "ceil": "ordered", "conj": "numeric",
    "cos": "floating", "cosh": "floating", "exp": "floating", "expm1": "floating", "floor": "ordered",
    "imag": "complex", "isfinite": "numeric", "isinf": "numeric", "isnan": "numeric", "log": "floating",
    "log10": "floating", "log1p": "floating", "log2": "floating", "logical_not": "bool", "negative": "numeric",
    "positive": "numeric", "real": "numeric", "reciprocal": "floating", "round": "numeric", "sign": "numeric",
    "signbit": "real", "sin": "floating", "sinh": "floating", "sqrt": "floating", "square": "numeric",
    "tan": "floating", "tanh": "floating", "trunc": "ordered",
}  # fmt: skip
BINARY = {
    "add": "numeric", "atan2": "real", "bitwise_and": "logic", "bitwise_left_shift": "integer",
    "bitwise_or": "logic", "bitwise_right_shift": "integer", "bitwise_xor": "logic", "copysign": "real",
    "divide": "floating", "equal": "all", "floor_divide": "ordered", "greater": "ordered",
    "greater_equal": "ordered", "hypot": "real", "less": "ordered", "less_equal": "ordered",
    "logaddexp": "real", "logical_and": "bool", "logical_or": "bool", "logical_xor": "bool",
    "maximum": "ordered", "minimum": "ordered", "multiply": "numeric", "nextafter": "real", "not_equal": "all",
    "pow": "numeric", "remainder": "ordered", "subtract": "numeric",
}  # fmt: skip
NAMES = [
    *UNARY, *BINARY, "clip", "where",
    "astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type",
    "e", "inf", "nan", "newaxis", "pi", "__array_api_version__", "__array_namespace_info__",
    "bool", *INTEGERS, *REALS, *COMPLEX,
    "max", "mean", "min", "prod", "std", "sum", "var", "cumulative_sum", "cumulative_prod", "count_nonzero", "diff",
    "all", "any",
]  # fmt: skip
TOLERANCE = {"float32": 4e-6, "complex64": 4e-6, "float64": 1e-14, "complex128": 1e-14}


def values(dtype, shape, seed=0):
    """Random numbers where most functions are defined."""
    rng, dtype = np.random.default_rng(seed), np.dtype(dtype)
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.kind in "iu":
        return np.asarray(rng.integers(1, 6, shape)).astype(dtype)
    parts = [rng.uniform(0.1, 0.9, shape) for _ in range(2)]
    return np.asarray(parts[0] + 1j * parts[1] if dtype.kind == "c" else parts[0]).astype(dtype)


def same(got, want):
    """Equal in dtype and shape, and close in value."""
    want = np.asarray(want)
    assert got.dtype == want.dtype and got.shape == want.shape
    bound = TOLERANCE.get(want.dtype.name, 0)
    np.testing.assert_allclose(got.numpy(), want, bound, bound)


def test_every_name_is_there():
    missing = [n for n in NAMES if not hasattr(bt, n)]
    assert not missing
    assert not [n for n in NAMES if n not in bt.__all__ and n not in ("__array_api_version__",)]


OVER_AXES = {"axis": None, "keepdims": False}
TYPED, SPREAD = {**OVER_AXES, "dtype": None}, {**OVER_AXES, "correction": 0.0}
RUNNING = {"axis": None, "dtype": None, "include_initial": False}
KEYWORDS = {
    **dict.fromkeys(["mean", "max", "min", "all", "any", "count_nonzero"], OVER_AXES),
    **dict.fromkeys(["sum", "prod"], TYPED),
    **dict.fromkeys(["std", "var"], SPREAD),
    **dict.fromkeys(["cumulative_sum", "cumulative_prod"], RUNNING),
    "diff": {"axis": -1, "n": 1, "prepend": None, "append": None},
    "clip": {"min": None, "max": None},
    "astype": {"copy": True, "device": None},
}


@pytest.mark.parametrize("name", KEYWORDS)
def test_keywords_of_the_standard(name):
    found = inspect.signature(getattr(bt, name)).parameters
    assert {k: found[k].default for k in KEYWORDS[name]} == KEYWORDS[name]


def test_signatures_are_the_strict_ones():
    """Every argument of the standard's function is taken, by its name where it may be named."""
    strict = pytest.importorskip("array_api_strict")
    functions = [n for n in NAMES if inspect.isfunction(getattr(bt, n)) and n[0] != "_" and n != "result_type"]
    for name in functions:
        ours, theirs = (inspect.signature(getattr(m, name)).parameters for m in (bt, strict))
        named = {n for n, p in theirs.items() if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)}
        assert {n for n in named if theirs[n].kind == inspect.Parameter.KEYWORD_ONLY} <= set(ours), name
        for n in named & set(ours):
            if name != "astype" or n != "device":
                assert ours[n].default == theirs[n].default or theirs[n].default is inspect.Parameter.empty, (name, n)


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, kind in UNARY.items() for d in KINDS[kind]])
def test_unary(name, dtype):
    for shape in ((), (0,), (2, 3)):
        x = values(dtype, shape)
        if name == "acosh" and x.dtype.kind == "f":
            x = x + x.dtype.type(1)
        with np.errstate(all="ignore"):
            same(getattr(bt, name)(bt.asarray(x)), getattr(np, name)(x))


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, kind in BINARY.items() for d in KINDS[kind]])
def test_binary(name, dtype):
    for left, right in (((), ()), ((0, 3), (3,)), ((2, 1), (1, 3))):
        x, y = values(dtype, left), values(dtype, right, 1)
        same(getattr(bt, name)(bt.asarray(x), bt.asarray(y)), getattr(np, name)(x, y))


@pytest.mark.parametrize("name", BINARY)
def test_promotion_of_mixed_operands(name):
    for a, b in itertools.combinations(KINDS[BINARY[name]], 2):
        kinds = {np.dtype(a).kind, np.dtype(b).kind}
        if len(kinds) > 1:
            continue
        x, y = values(a, (3,)), values(b, (3,), 1)
        same(getattr(bt, name)(bt.asarray(x), bt.asarray(y)), getattr(np, name)(x, y))


SPECIAL = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 1e30, -1e30, 1e-40]
DIVISIONS = {"floor_divide", "remainder"}


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("name", [n for n, k in UNARY.items() if k in ("real", "floating", "ordered", "numeric")])
def test_special_values_of_one_operand(name, dtype):
    x = np.array(SPECIAL, dtype)
    with np.errstate(all="ignore"):
        want = getattr(np, name)(x)
    got = getattr(bt, name)(bt.asarray(x))
    same(got, want)
    if want.dtype.kind == "f":
        known = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got.numpy())[known], np.signbit(want)[known])


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("name", [n for n, k in BINARY.items() if k in ("real", "floating", "ordered", "numeric")])
def test_special_values_of_two_operands(name, dtype):
    x, y = (np.array(v, dtype) for v in zip(*itertools.product(SPECIAL, repeat=2), strict=True))
    with np.errstate(all="ignore"):
        want = getattr(np, name)(x, y)
        if name == "floor_divide":  # x / y where either is infinite, says the standard; NumPy's is NaN or -1
            want = np.where(np.isinf(x) | np.isinf(y), x / y, want)
    got = getattr(bt, name)(bt.asarray(x), bt.asarray(y))
    same(got, want.astype(got.dtype))
    if want.dtype.kind == "f":
        known = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got.numpy())[known], np.signbit(want)[known], err_msg=name)


TABLES = {
    "atan2": [(0.0, -0.0, PI), (-0.0, -0.0, -PI), (INF, -INF, 3 * PI / 4), (1.0, -INF, PI), (-1.0, 0.0, -PI / 2)],
    "floor_divide": [(INF, 2.0, INF), (-INF, 2.0, -INF), (1.0, -INF, -0.0), (-1.0, INF, -0.0), (1.0, 0.0, INF),
                     (-1.0, -INF, 0.0), (-0.0, INF, -0.0), (INF, 0.0, INF), (0.0, 0.0, NAN), (INF, INF, NAN),
                     (NAN, INF, NAN), (1e16, 3.0, 3333333333333333.0)],
    "remainder": [(1.0, -INF, -INF), (-1.0, INF, INF), (1.0, INF, 1.0), (INF, 2.0, NAN), (1.0, 0.0, NAN),
                  (1e300, 3.0, 1e300 % 3.0), (-0.0, 2.0, 0.0), (0.0, -2.0, -0.0)],
    "pow": [(NAN, 0.0, 1.0), (1.0, NAN, 1.0), (-1.0, INF, 1.0), (-INF, 3.0, -INF), (-0.0, -3.0, -INF)],
    "hypot": [(INF, NAN, INF), (NAN, -INF, INF), (0.0, -0.0, 0.0), (3e300, 4e300, 5e300)],
    "logaddexp": [(-INF, -INF, -INF), (INF, 1.0, INF), (0.0, 0.0, math.log(2.0)), (800.0, 800.0, 800.0 + math.log(2))],
    "copysign": [(1.0, -0.0, -1.0), (INF, -1.0, -INF)],
    "nextafter": [(0.0, -1.0, -5e-324), (1.0, 2.0, 1.0 + 2.0**-52), (0.0, -0.0, -0.0),
                  (INF, 0.0, 1.7976931348623157e308)],
}  # fmt: skip


@pytest.mark.parametrize(("name", "row"), [(n, r) for n, rows in TABLES.items() for r in rows])
def test_tables_of_the_standard(name, row):
    x, y, want = row
    got = getattr(bt, name)(bt.asarray(np.array(x)), bt.asarray(np.array(y))).item()
    assert math.isnan(got) if math.isnan(want) else (
        math.isclose(got, want, rel_tol=1e-15) and math.copysign(1, got) == math.copysign(1, want)
    )  # fmt: skip


def test_kinds_that_functions_refuse():
    for call in (
        lambda: bt.bitwise_and(1.0, 2.0),
        lambda: bt.bitwise_left_shift(True, True),
        lambda: bt.floor(1j),
        lambda: bt.less(1j, 2j),
        lambda: bt.hypot(1j, 1j),
        lambda: bt.negative(bt.asarray(True)),
        lambda: bt.pow(bt.asarray([2]), bt.asarray([-1])),
        lambda: bt.pow(bt.asarray(True), bt.asarray(True)),
    ):
        with pytest.raises(bt.DTypeError, match=r"^\w+: .+; .+"):
            call()


def test_integer_power_wraps_as_products_do():
    for dtype in INTEGERS:
        x, y = np.arange(7, dtype=dtype), np.array([0, 1, 3, 7, 31, 40, 70], dtype)
        same(bt.asarray(x) ** bt.asarray(y), x**y)
    same(bt.asarray([2, 3]) ** 2, np.array([4, 9]))
    same(bt.asarray([4, 9]) ** 0.5, np.array([2, 3], "float32"))


@pytest.mark.parametrize("dtype", REALS)
def test_power_of_one_half_is_no_square_root(dtype):
    """It is 0 of -0 and infinite of -infinity (IEEE 754), however many the exponent is for."""
    x = np.array([-0.0, -INF, 4.0, -1.0, NAN], dtype)
    for half in (
        0.5,
        np.array(0.5, dtype),
        np.array([0.5], dtype),
        np.full(5, 0.5, dtype),
        np.full((2, 1), 0.5, dtype),
    ):
        for found in (bt.pow(bt.asarray(x), half), bt.asarray(x) ** half):
            same(found, np.broadcast_to(np.array([0.0, INF, 2.0, NAN, NAN], dtype), found.shape))
            assert not np.signbit(found.numpy()[..., 0]).any()
    same(bt.pow(bt.asarray([-2, 0, 4], "int32"), 0.5), np.array([NAN, 0, 2], "float32"))
    same(bt.pow(bt.asarray(x[:2]), bt.asarray([0.5, 1.5])), np.array([0, INF], dtype))
    same(bt.asarray(x) ** 2, x**2)
    assert bt.pow(bt.asarray(x[:0]), 0.5).shape == (0,) and bt.pow(4.0, 0.5).item() == 2.0


def test_clip():
    x = np.array([-2.0, NAN, 0.5, 9.0])
    same(bt.clip(x, min=0.0), np.maximum(x, 0))
    same(bt.clip(x, max=1.0), np.minimum(x, 1))
    same(bt.clip(x, 0.0, np.array([1.0, 1.0, 0.25, 4.0])), np.clip(x, 0, [1.0, 1.0, 0.25, 4.0]))
    same(bt.clip(x), x)
    same(bt.clip(np.arange(5, dtype="uint8"), 1, 3), np.clip(np.arange(5, dtype="uint8"), 1, 3))


def test_where_with_numbers():
    condition = np.array([True, False])
    same(bt.where(condition, 1.0, bt.asarray(np.array([2.0, 3.0]))), np.array([1.0, 3.0]))
    same(bt.where(condition, bt.asarray([1, 2]), 7), np.array([1, 7]))
    assert bt.where(condition, 1.0, 2.0).dtype == bt.float32


@pytest.mark.parametrize("dtype", COMPLEX)
def test_complex_numbers(dtype):
    z, real = values(dtype, (4,)) - np.asarray(0.5 + 0.5j, dtype), "float32" if dtype == "complex64" else "float64"
    t = bt.asarray(z)
    assert bt.abs(t).dtype == bt.real(t).dtype == bt.imag(t).dtype == real
    same(bt.abs(t), np.abs(z))
    same(t * 2.0 + 1j, (z * 2 + 1j).astype(dtype))
    same(bt.sum(t), z.sum())
    same(bt.mean(t), z.mean().astype(dtype))
    assert (bt.asarray(np.float32(1)) + t).dtype == dtype
    assert complex(t[0]) == complex(z[0])


def test_complex_gradients():
    """d/dx - i d/dy of a real function: the unconjugated derivative of a holomorphic one."""
    z = np.array([0.3 - 0.4j, -1.2 + 0.5j])
    rules = {
        lambda t: bt.sum(bt.abs(t)): np.conj(z) / np.abs(z),
        lambda t: bt.sum(bt.real(t * t)): 2 * z,
        lambda t: bt.sum(bt.imag(t * t)): -2j * z,
        lambda t: bt.sum(bt.real(t * bt.conj(t))): 2 * np.conj(z),
        lambda t: bt.sum(bt.real(bt.exp(t) + bt.sin(t))): np.exp(z) + np.cos(z),
        lambda t: bt.sum(bt.real(t**3.0)): 3 * z**2,
    }
    for function, want in rules.items():
        np.testing.assert_allclose(bt.grad(function)(bt.asarray(z)).numpy(), want, 1e-12)
    step = 1e-6
    for function in (lambda t: bt.sum(bt.real(bt.sign(t))), lambda t: bt.sum(bt.imag(bt.sign(t)))):
        found = bt.grad(function)(bt.asarray(z)).numpy()
        for k in range(2):
            at = np.eye(2)[k] * step
            dx, dy = (
                (function(bt.asarray(z + u * at)).item() - function(bt.asarray(z - u * at)).item()) / (2 * step)
                for u in (1, 1j)
            )
            np.testing.assert_allclose(found[k], dx - 1j * dy, 1e-6)


# dtypes and inspection


def test_namespace():
    x = bt.asarray([1.0])
    assert x.__array_namespace__() is bt and bt.__array_api_version__ == "2025.12"
    for version in ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12"):
        assert x.__array_namespace__(api_version=version) is bt
    with pytest.raises(bt.BrickworkError, match="versions"):
        x.__array_namespace__(api_version="1999.12")
    info = bt.__array_namespace_info__()
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}
    assert type(info.devices()) is tuple and info.default_device() in info.devices()
    assert info.default_dtypes()["real floating"] == bt.asarray(1.0).dtype
    assert info.default_dtypes(device="cpu")["complex floating"] == bt.asarray(1j).dtype
    assert info.default_dtypes()["indexing"] == bt.argmax(x).dtype
    assert set(info.dtypes()) == {"bool", *INTEGERS, *REALS, *COMPLEX}
    assert list(info.dtypes(kind="real floating")) == REALS
    assert set(info.dtypes(kind=("bool", "unsigned integer"))) == {"bool", "uint8", "uint16", "uint32", "uint64"}
    with pytest.raises(bt.DeviceError):
        info.dtypes(device="nowhere")
    assert (bt.pi, bt.e, bt.inf, bt.newaxis) == (math.pi, math.e, INF, None) and math.isnan(bt.nan)


def test_limits():
    for name in [*REALS, *COMPLEX, "float16"]:
        ours, theirs = bt.finfo(name), np.finfo(name)
        assert [ours.eps, ours.max, ours.min, ours.smallest_normal] == [
            theirs.eps, theirs.max, theirs.min, theirs.smallest_normal
        ]  # fmt: skip
        assert ours.dtype == theirs.dtype and ours.bits == theirs.bits
    assert bt.finfo(bt.bfloat16).eps == 2.0**-7 and bt.finfo(bt.asarray(1.0)).bits == 32
    for name in INTEGERS:
        assert (bt.iinfo(name).min, bt.iinfo(name).max) == (np.iinfo(name).min, np.iinfo(name).max)
    for call in (lambda: bt.finfo("int8"), lambda: bt.iinfo("float32"), lambda: bt.iinfo("bool")):
        with pytest.raises(bt.DTypeError):
            call()


def test_kinds():
    for kind, names in {
        "bool": ["bool"], "signed integer": INTEGERS[:4], "unsigned integer": INTEGERS[4:], "integral": INTEGERS,
        "real floating": REALS, "complex floating": COMPLEX, "numeric": INTEGERS + REALS + COMPLEX,
    }.items():  # fmt: skip
        for name in KINDS["all"]:
            assert bt.isdtype(bt.as_dtype(name), kind) == (name in names)
    assert bt.isdtype(bt.float32, (bt.float64, "real floating")) and not bt.isdtype(bt.float32, bt.float64)
    with pytest.raises(bt.DTypeError, match="kinds are"):
        bt.isdtype(bt.float32, ("real floating", "wrong"))


def test_result_type_and_can_cast():
    for a, b in itertools.product(INTEGERS, INTEGERS):
        if {a[:3], b[:3]} == {"int", "uin"} and "uint64" in (a, b):
            continue  # the standard leaves it open
        assert bt.result_type(bt.as_dtype(a), bt.as_dtype(b)) == np.result_type(a, b)
        assert bt.can_cast(bt.as_dtype(a), bt.as_dtype(b)) == (np.result_type(a, b) == b)
    assert bt.result_type(bt.asarray(1.0), bt.float64, 1) == bt.float64
    assert bt.result_type(bt.asarray([1], "int8"), 2.5) == bt.float32
    assert bt.can_cast(bt.asarray([1.0]), bt.complex64) and not bt.can_cast(bt.float64, bt.float32)
    with pytest.raises(bt.DTypeError):
        bt.result_type()


def test_astype():
    x = bt.asarray([1.5, -2.5])
    same(bt.astype(x, bt.int32), np.array([1, -2], "int32"))
    assert bt.astype(x, x.dtype, copy=False) is x
    assert bt.astype(x, x.dtype) is not x
    assert bt.astype(x, bt.float64, device="cpu").device == "cpu"


# statistics


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "mean", "std", "var", "count_nonzero"])
def test_statistics(name, axis):
    wanted = {"max": "ordered", "min": "ordered", "std": "real", "var": "real", "mean": "floating"}.get(name, "numeric")
    for dtype in KINDS[wanted]:
        x = values(dtype, (2, 3))
        for keepdims in (False, True):
            want = np.asarray(getattr(np, name)(x, axis=axis, keepdims=keepdims))
            got = getattr(bt, name)(bt.asarray(x), axis=axis, keepdims=keepdims)
            assert got.shape == want.shape
            if name in ("sum", "prod", "count_nonzero"):
                assert got.dtype == want.dtype
            np.testing.assert_allclose(got.numpy(), want, 4e-6)


@pytest.mark.parametrize("dtype", COMPLEX)
def test_variance_of_complex_numbers_is_real(dtype):
    z = values(dtype, (2, 3))
    same(bt.var(z, axis=1), np.var(z, axis=1))
    same(bt.std(z, correction=1), np.std(z, ddof=1))


def test_statistics_of_a_dtype():
    x = np.array([100, 100, 100], "int8")
    for name in ("sum", "prod"):
        for dtype in ("int8", "int16", "uint32", "float32", "float64", "complex64"):
            same(getattr(bt, name)(bt.asarray(x), dtype=dtype), getattr(np, name)(x, dtype=dtype))
    half = np.full(4097, 1.0, "float16")
    assert bt.sum(half, dtype="float32").item() == 4097.0


def test_correction():
    x = values("float64", (4, 3))
    for correction in (0, 1, 1.5):
        same(bt.var(x, axis=0, correction=correction), np.var(x, axis=0, ddof=correction))
        same(bt.std(x, axis=0, correction=correction), np.std(x, axis=0, ddof=correction))


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_cumulative(name):
    ours, theirs = getattr(bt, name), getattr(np, name)
    for dtype in KINDS["numeric"]:
        x = values(dtype, (2, 4))
        for axis, first in itertools.product((0, 1, -1), (False, True)):
            same(ours(bt.asarray(x), axis=axis, include_initial=first), theirs(x, axis=axis, include_initial=first))
        same(ours(bt.asarray(x), axis=0, dtype="complex64"), theirs(x, axis=0, dtype="complex64"))
    same(ours(bt.asarray(np.ones(3, "int8"))), theirs(np.ones(3, "int8")))
    same(
        ours(bt.asarray(np.ones((0, 2))), axis=0, include_initial=True),
        theirs(np.ones((0, 2)), axis=0, include_initial=True),
    )
    with pytest.raises(bt.ShapeError, match="axis must be given"):
        ours(np.ones((2, 2)))


def test_gradient_of_cumulative_prod_at_zeros():
    """Against the product rule, written out."""
    for x in ([2.0, 0.0, 3.0, 0.5, 1.5], [0.0, 0.0, 3.0], [1.5, 2.0], [0.0]):
        x = np.array(x)
        weights = np.arange(1.0, len(x) + 1)
        want = [
            sum(w * np.prod(np.delete(x[: j + 1], i)) for j, w in enumerate(weights) if j >= i) for i in range(len(x))
        ]
        found = bt.grad(lambda t, w=weights: bt.sum(bt.cumulative_prod(t) * w))(bt.asarray(x))
        np.testing.assert_allclose(found.numpy(), want, 1e-14)


def test_diff():
    x = values("float64", (3, 5))
    for axis, n in itertools.product((0, 1, -2), (0, 1, 2, 9)):
        same(bt.diff(bt.asarray(x), axis=axis, n=n), np.diff(x, axis=axis, n=n))
    same(bt.diff(x, axis=0, prepend=x[:1], append=x[:2]), np.diff(x, axis=0, prepend=x[:1], append=x[:2]))
    flags = np.array([True, False, False])
    same(bt.diff(flags), np.diff(flags))
    with pytest.raises(bt.DTypeError, match="ends"):
        bt.diff(x, axis=0, prepend=np.ones((1, 5), "int64"))


# operators


def test_in_place_operators():
    x, y = np.array([7, 9, 12], "int32"), np.array([2, 3, 5], "int32")
    for name in ("iadd", "isub", "imul", "ifloordiv", "imod", "ipow", "iand", "ior", "ixor", "ilshift", "irshift"):
        t = bt.asarray(x)
        before = t
        same(getattr(t, f"__{name}__")(bt.asarray(y)), getattr(x.copy(), f"__{name}__")(y))
        same(before, x)
    z = bt.asarray([1.0, 2.0])
    z /= 2
    same(z, np.array([0.5, 1.0], "float32"))
    z @= bt.asarray([[1.0, 0.0], [0.0, 1.0]])
    same(z, np.array([0.5, 1.0], "float32"))
    with pytest.raises(bt.DTypeError, match="in place"):
        t = bt.asarray([1, 2])
        t += 0.5
    with pytest.raises(bt.ShapeError, match="in place"):
        t = bt.asarray([1, 2])
        t += bt.asarray([[1], [2]])


def test_divmod():
    x = np.array([7.0, -7.0, 0.5])
    for got, want in zip(divmod(bt.asarray(x), 2.0) + divmod(9.0, bt.asarray(x)), divmod(x, 2.0) + divmod(9.0, x)):
        same(got, want)


def test_ways_to_python_and_devices():
    assert complex(bt.asarray(1 + 2j)) == 1 + 2j and [10, 20, 30][bt.asarray(1)] == 20
    x = bt.asarray([1.0])
    assert x.to_device("cpu").device == "cpu"
    with pytest.raises(bt.DeviceError, match="streams"):
        x.to_device("cpu", stream=1)
    np.testing.assert_array_equal(np.from_dlpack(x), [1.0])
    with pytest.raises(TypeError):
        [1, 2][bt.asarray(1.0)]
