"""Fourier transforms against NumPy, their precision, gradients against differences, and errors."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import BrickworkError, fft

RNG = np.random.default_rng(8)
X = RNG.normal(size=(3, 4, 5))
Z = X + 1j * RNG.normal(size=X.shape)
REAL = ("rfft", "ihfft", "rfftn")
ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
MANY = ("fftn", "ifftn", "rfftn", "irfftn")
NAMES = """
fft fftfreq fftn fftshift hfft ifft ifftn ifftshift ihfft irfft irfftn rfft rfftfreq rfftn
""".split()
NORMS = ("backward", "ortho", "forward")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ONE)
def test_one_axis(name, norm):
    x = X if name in REAL else Z
    for n in (None, 1, 3, 4, 7):
        for axis in (-1, 1, 0):
            found = getattr(fft, name)(x, n=n, axis=axis, norm=norm)
            wanted = getattr(np.fft, name)(x, n=n, axis=axis, norm=norm)
            assert found.shape == wanted.shape and found.dtype == wanted.dtype
            np.testing.assert_allclose(found.numpy(), wanted, 1e-12, 1e-12)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", MANY)
def test_several_axes(name, norm):
    x = X if name in REAL else Z
    for s, axes in ((None, None), (None, (0, 2)), ((2, 6), (1, 0)), ((4, 4), (-1, -2)), ((3,), (1,))):
        found = getattr(fft, name)(x, s=s, axes=axes, norm=norm)
        wanted = getattr(np.fft, name)(x, s=s, axes=axes, norm=norm)
        assert found.shape == wanted.shape and found.dtype == wanted.dtype
        np.testing.assert_allclose(found.numpy(), wanted, 1e-12, 1e-12)


@pytest.mark.parametrize("name", ONE + MANY)
def test_precision_stays(name):
    """float32 and complex64 stay of 32 bits; integers and 16 bits become it; real numbers are complex to the rest."""
    to_real = name in ("irfft", "hfft", "irfftn")
    given = ["float16", "bfloat16", "float32", "float64", "int64", "bool"] + ["complex64", "complex128"] * (
        name not in REAL
    )
    for dtype in given:
        out = getattr(fft, name)(bt.asarray(X > 0, "bool").astype(dtype))
        wide = dtype in ("float64", "complex128")
        assert out.dtype == (("float64" if wide else "float32") if to_real else ("complex128" if wide else "complex64"))


@pytest.mark.parametrize("n", [None, 3, 8])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "ihfft", "fftn", "rfftn"])
def test_gradient_of_real_numbers(name, norm, n):
    """Through complex values to one number, first and second order."""
    weights = RNG.normal(size=1000)
    where = {"n": n} if name in ONE else {"s": None if n is None else (n, n), "axes": (0, 2)}

    def number(x):
        out = getattr(fft, name)(x, norm=norm, **where)
        w = weights[: out.size].reshape(out.shape)
        return (bt.real(out) * w + bt.imag(out) * bt.imag(out) * w).sum()

    check(number, X)


@pytest.mark.parametrize("n", [None, 5, 6, 12])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["irfft", "hfft"])
def test_gradient_of_spectra(name, norm, n):
    weights = RNG.normal(size=1000)

    def number(x):
        out = getattr(fft, name)(fft.rfft(x, n=7) * (0.5 + 2j), n=n, norm=norm)
        return (out * out * weights[: out.size].reshape(out.shape)).sum()

    check(number, X)


def check(number, x):
    direction = RNG.normal(size=x.shape)
    step = 1e-6

    def slope(x):
        return (bt.grad(number)(x) * direction).sum()

    for fn, found in ((number, slope(x)), (slope, (bt.grad(slope)(x) * direction).sum())):
        wanted = (fn(x + step * direction).item() - fn(x - step * direction).item()) / (2 * step)
        np.testing.assert_allclose(found.item(), wanted, 1e-5, 1e-6)


def test_frequencies_and_shifts():
    for n in (1, 2, 5, 8):
        np.testing.assert_allclose(fft.fftfreq(n, d=0.5, dtype="float64").numpy(), np.fft.fftfreq(n, 0.5))
        np.testing.assert_allclose(fft.rfftfreq(n, d=0.5, dtype="float64").numpy(), np.fft.rfftfreq(n, 0.5))
    assert fft.fftfreq(3).dtype == np.float32 and fft.rfftfreq(3, device="cpu").device == "cpu"
    for axes in (None, 0, (1, 2)):
        np.testing.assert_array_equal(fft.fftshift(X, axes=axes).numpy(), np.fft.fftshift(X, axes))
        np.testing.assert_array_equal(fft.ifftshift(X, axes=axes).numpy(), np.fft.ifftshift(X, axes))


def test_every_name_of_the_standard():
    assert set(NAMES) <= set(fft.__all__)
    assert all(callable(getattr(fft, name)) for name in fft.__all__)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fft.rfft(Z), "rfft: takes real numbers; got complex128"),
        (lambda: fft.fft(X, norm="none"), "fft: norm must be 'backward', 'ortho' or 'forward'; got 'none'"),
        (lambda: fft.fft(X, n=0), "fft: the transform needs at least one element; got a size of 0"),
        (lambda: fft.fft(X, axis=3), "fft: axis must be in"),
        (
            lambda: fft.fft(
                np.ones(()),
            ),
            "fft: axis must be in",
        ),
        (lambda: fft.irfft(np.ones((2, 0)), n=4), "irfft: the transform needs at least one element"),
        (lambda: fft.fftn(X, axes=(0, 0)), "fftn: axes must be distinct"),
        (lambda: fft.fftn(X, s=(2,), axes=(0, 1)), "fftn: axes must be distinct, with a size for each"),
        (lambda: fft.rfftn(X, axes=()), "rfftn: needs at least one axis"),
        (lambda: fft.fftfreq(0), "fftfreq: the transform needs at least one element"),
        (lambda: fft.rfftfreq(4, d=0.0), "rfftfreq: the distance d of samples must not be 0"),
    ],
)
def test_errors(call, says):
    with pytest.raises(BrickworkError, match=says):
        call()


@pytest.mark.skipif(bt.find_compiler() is None, reason="no compiler is installed")
def test_compiled():
    def fn(x):
        return fft.irfft(fft.rfft(x, axis=1), n=4, axis=1), bt.grad(lambda y: (fft.irfft(fft.rfft(y)) ** 2).sum())(x)

    for eager, compiled in zip(fn(bt.asarray(X)), bt.jit(fn)(X), strict=True):
        np.testing.assert_allclose(compiled.numpy(), eager.numpy(), 1e-12, 1e-12)
