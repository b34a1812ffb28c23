"""Complex functions at zeros, infinities and NaN, as the Array API standard's tables have them, and near 0."""

import math

import numpy as np
import pytest

import brickwork.tensor as bt

NAN, INF, PI = math.nan, math.inf, math.pi
FINITE = (0.7, 2.0, 5.5, 700.0)
"""Finite numbers in whose tables nothing else is special: sines and cosines of either sign are among them."""


def rows(*given):
    """(real, imaginary, wanted real, wanted imaginary, parts whose sign is open); a tuple stands for each of it."""
    out = []
    for real, imag, *rest in given:
        for x in real if isinstance(real, tuple) else (real,):
            for y in imag if isinstance(imag, tuple) else (imag,):
                out.append((x, y, *rest) if len(rest) == 3 else (x, y, *rest, ""))
    return out


TABLES = {
    "exp": rows((0.0, 0.0, 1.0, 0.0), (FINITE, INF, NAN, NAN), (INF, 0.0, INF, 0.0), (-INF, INF, 0.0, 0.0, "ri"),
                (INF, INF, INF, NAN, "r"), (-INF, NAN, 0.0, 0.0, "ri"), (NAN, 0.0, NAN, 0.0), (NAN, 1.0, NAN, NAN)),
    "expm1": rows((0.0, 0.0, 0.0, 0.0), (-0.0, 0.0, 0.0, 0.0), (FINITE, INF, NAN, NAN), (FINITE, NAN, NAN, NAN),
                  (INF, 0.0, INF, 0.0), (-INF, INF, -1.0, 0.0, "i"), (INF, INF, INF, NAN, "r"),
                  (-INF, NAN, -1.0, 0.0, "i"), (INF, NAN, INF, NAN, "r"), (NAN, 0.0, NAN, 0.0), (NAN, 2.0, NAN, NAN),
                  (NAN, NAN, NAN, NAN), (710.0, 0.0, INF, 0.0), (-INF, 0.7, -1.0, 0.0), (-INF, 5.5, -1.0, -0.0)),
    "log": rows((-0.0, 0.0, -INF, PI), (0.0, 0.0, -INF, 0.0), (FINITE, INF, INF, PI / 2), (-INF, FINITE, INF, PI),
                (INF, FINITE, INF, 0.0), (-INF, INF, INF, 3 * PI / 4), (INF, INF, INF, PI / 4), (INF, NAN, INF, NAN)),
    "log1p": rows((0.0, 0.0, 0.0, 0.0), (-0.0, 0.0, -0.0, 0.0, "r"), (-1.0, 0.0, -INF, 0.0), (FINITE, INF, INF, PI / 2),
                  (FINITE, NAN, NAN, NAN), (-INF, FINITE, INF, PI), (INF, FINITE, INF, 0.0),
                  (-INF, INF, INF, 3 * PI / 4), (INF, INF, INF, PI / 4), ((INF, -INF), NAN, INF, NAN),
                  (NAN, FINITE, NAN, NAN), (NAN, INF, INF, NAN), (NAN, NAN, NAN, NAN)),
    "sqrt": rows((0.0, 0.0, 0.0, 0.0), (-0.0, 0.0, 0.0, 0.0), ((1.0, NAN, -INF), INF, INF, INF),
                 (-INF, FINITE, 0.0, INF), (INF, FINITE, INF, 0.0), (-INF, NAN, NAN, INF, "i"), (INF, NAN, INF, NAN)),
    "tanh": rows((0.0, 0.0, 0.0, 0.0), (FINITE, INF, NAN, NAN), (FINITE, NAN, NAN, NAN), (0.0, INF, 0.0, NAN),
                 (0.0, NAN, 0.0, NAN), (INF, FINITE, 1.0, 0.0), (INF, INF, 1.0, 0.0, "i"), (INF, NAN, 1.0, 0.0, "i"),
                 (NAN, 0.0, NAN, 0.0), (NAN, 1.0, NAN, NAN), (NAN, NAN, NAN, NAN)),
    "tan": rows((0.0, 0.0, 0.0, 0.0), (INF, 1.0, NAN, NAN), (INF, 0.0, NAN, 0.0), (FINITE, INF, 0.0, 1.0),
                (-1.0, INF, -0.0, 1.0), (NAN, INF, 0.0, 1.0, "r"), (0.0, NAN, 0.0, NAN)),
    "sinh": rows((0.0, 0.0, 0.0, 0.0), (0.0, INF, 0.0, NAN, "r"), (FINITE, INF, NAN, NAN), (INF, 0.0, INF, 0.0),
                 (INF, INF, INF, NAN, "r"), (NAN, 0.0, NAN, 0.0), (NAN, 1.0, NAN, NAN)),
    "cosh": rows((0.0, 0.0, 1.0, 0.0), (0.0, INF, NAN, 0.0, "i"), (FINITE, INF, NAN, NAN), (INF, 0.0, INF, 0.0),
                 (INF, INF, INF, NAN, "r"), (NAN, 0.0, NAN, 0.0, "i"), (NAN, 1.0, NAN, NAN)),
    "asinh": rows((0.0, 0.0, 0.0, 0.0), (FINITE, INF, INF, PI / 2), (INF, FINITE, INF, 0.0), (INF, INF, INF, PI / 4),
                  (NAN, 0.0, NAN, 0.0), (NAN, INF, INF, NAN, "r")),
    "acosh": rows((0.0, 0.0, 0.0, PI / 2), (FINITE, INF, INF, PI / 2), (-INF, FINITE, INF, PI),
                  (INF, FINITE, INF, 0.0), (-INF, INF, INF, 3 * PI / 4), (INF, INF, INF, PI / 4)),
    "atanh": rows((0.0, 0.0, 0.0, 0.0), (0.0, NAN, 0.0, NAN), (1.0, 0.0, INF, 0.0), (FINITE, INF, 0.0, PI / 2),
                  (INF, FINITE, 0.0, PI / 2), (INF, INF, 0.0, PI / 2), (INF, NAN, 0.0, NAN)),
    "acos": rows((0.0, 0.0, PI / 2, -0.0), (FINITE, INF, PI / 2, -INF), (-INF, FINITE, PI, -INF),
                 (INF, FINITE, 0.0, -INF), (INF, INF, PI / 4, -INF), (NAN, INF, NAN, -INF)),
}  # fmt: skip
NOT_ODD = ("expm1", "log1p", "sqrt", "exp", "log", "cosh", "acosh", "acos")
"""All others are odd functions."""


def part_is(got, want, any_sign):
    if math.isnan(want):
        return math.isnan(got)
    close = math.isclose(abs(got), abs(want), rel_tol=1e-6)
    return close and (any_sign or math.copysign(1, got) == math.copysign(1, want))


def check(name, dtype, x, y, real, imag, open_signs):
    z = np.empty((), dtype)
    z.real, z.imag = x, y
    got = getattr(bt, name)(bt.asarray(z)).item()
    assert part_is(got.real, real, "r" in open_signs) and part_is(got.imag, imag, "i" in open_signs), (x, y, got)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", TABLES)
def test_tables_of_the_standard(name, dtype):
    for x, y, real, imag, open_signs in TABLES[name]:
        check(name, dtype, x, y, real, imag, open_signs)
        check(name, dtype, x, -y, real, -imag, open_signs)  # of the conjugate, the conjugate
        if name not in NOT_ODD:
            check(name, dtype, -x, -y, -real, -imag, open_signs)


def series(name, z):
    """exp(z) - 1 and log(1 + z) by their first four terms."""
    terms = {"expm1": [1, 1 / 2, 1 / 6, 1 / 24], "log1p": [1, -1 / 2, 1 / 3, -1 / 4]}[name]
    return sum(c * z**k for k, c in enumerate(terms, 1))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", ["expm1", "log1p"])
def test_no_cancellation_near_zero(name, dtype):
    eps = np.finfo(dtype).eps
    rng = np.random.default_rng(0)
    size = eps**0.25 * 10.0 ** -rng.uniform(1, 6, 200)
    z = (size * np.exp(1j * rng.uniform(-PI, PI, 200))).astype(dtype)
    got, want = getattr(bt, name)(z).numpy(), series(name, z.astype("complex128"))
    assert got.dtype == dtype and (abs(got - want) <= 4 * eps * abs(want)).all()


@pytest.mark.parametrize("name", ["expm1", "log1p", "tan", "tanh"])
def test_shapes_and_dtypes_stay(name):
    for shape in ((), (0,), (2, 3)):
        for dtype in ("complex64", "complex128", "float32"):
            out = getattr(bt, name)(bt.asarray(np.full(shape, 0.25, dtype)))
            assert out.shape == shape and out.dtype == dtype


@pytest.mark.parametrize("name", ["expm1", "log1p", "tan", "tanh"])
def test_ordinary_numbers_are_numpys(name):
    rng = np.random.default_rng(1)
    z = rng.normal(0, 2, (50, 2)).view("complex128")[:, 0]
    np.testing.assert_allclose(getattr(bt, name)(z).numpy(), getattr(np, name)(z), 1e-14)
