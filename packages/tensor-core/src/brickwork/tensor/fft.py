"""Discrete Fourier transforms, the extension of the Array API standard, as `brickwork.tensor.fft`.

``X[k] = sum over j of x[j] * exp(-2 pi i j k / n)``. ``n`` and ``s``: sizes that axes are cut or padded with zeros to.
``norm``: where the factor 1/n goes: "backward" to the inverse, "forward" to the forward transform, "ortho" half to
each. float32 and complex64 stay of that precision, float16, bfloat16 and integers become it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .dtypes import DEFAULT_FLOAT, class_of, complex_of, real_of, to_inexact
from .errors import DTypeError, ShapeError
from .op import OPS, Opaque, Spec, register
from .ops.arranging import roll
from .ops.creation import arange
from .ops.elementwise import astype, conj, multiply
from .ops.elementwise import real as real_part
from .ops.movement import concat
from .spec import as_float, as_int, as_ints, normalize_axes, normalize_axis
from .tensor import Tensor, asarray, beside
from .trace import bind

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]

OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _shaped(x: Spec, axis: int, n: Any, dtype: np.dtype) -> Spec:
    return Spec((*x.shape[:axis], n, *x.shape[axis + 1 :]), dtype)


# ---- the four transforms, each the transposed map of itself or of its partner (cotangents as `conj` says)
def _fit(x: Any, n: Any, axis: int) -> Any:
    """An axis cut, or padded with zeros, to a size."""
    have = x.shape[axis]
    if have == n:
        return x
    if have > n:
        return x[(slice(None),) * axis + (slice(0, n),)]
    widths = tuple((0, n - have if a == axis else 0) for a in range(len(x.shape)))
    return bind(OPS["pad"], (x,), {"widths": widths, "value": 0.0})


def _fft_rule(i: int, g: Any, out: Any, x: Any, *, inverse: bool, n: int, axis: int, norm: str) -> Any:
    """The matrix of the transform is symmetric."""
    return _fit(bind(_fft, (g,), {"inverse": inverse, "n": n, "axis": axis, "norm": norm}), x.shape[axis], axis)


def _rfft_rule(i: int, g: Any, out: Any, x: Any, *, n: int, axis: int, norm: str) -> Any:
    """The real part of the transform of ``g``, whose missing half counts as zeros."""
    whole = bind(_fft, (_fit(g, n, axis),), {"inverse": False, "n": n, "axis": axis, "norm": norm})
    return _fit(real_part(whole), x.shape[axis], axis)


def _irfft_rule(i: int, g: Any, out: Any, x: Any, *, n: int, axis: int, norm: str) -> Any:
    """Elements that stand for two count twice; the imaginary part of the others is not read."""
    half = n // 2 + 1
    back = conj(bind(_rfft, (g,), {"n": n, "axis": axis, "norm": OPPOSITE[norm]}))
    twice = np.full(half, 2.0)
    twice[0] = 1.0
    if n % 2 == 0:
        twice[-1] = 1.0
    shape = tuple(half if a == axis else 1 for a in range(len(x.shape)))
    weights = beside(asarray(twice.reshape(shape).astype(real_of(x.dtype))), back)
    return _fit(multiply(back, weights), x.shape[axis], axis)


def _floating(who: str, x: Spec, classes: str) -> None:
    if class_of(x.dtype) not in classes or x.dtype.itemsize < 4:
        wanted = "complex" if classes == "c" else "real" if classes == "f" else "floating-point"
        raise DTypeError(f"{who}: takes {wanted} numbers of 32 bits or more; got {x}. Cast with astype")


def _fft_infer(x: Spec, *, inverse: bool, n: int, axis: int, norm: str) -> Spec:
    _floating("fft", x, "c")
    return _shaped(x, axis, n, x.dtype)


def _rfft_infer(x: Spec, *, n: int, axis: int, norm: str) -> Spec:
    _floating("rfft", x, "f")
    return _shaped(x, axis, n // 2 + 1, complex_of(x.dtype))


def _irfft_infer(x: Spec, *, n: int, axis: int, norm: str) -> Spec:
    _floating("irfft", x, "c")
    return _shaped(x, axis, n, real_of(x.dtype))


def _call(infer: Callable[..., Spec], name: Callable[..., str]) -> Callable[..., Any]:
    """The function of the array module's ``fft``, in the dtype of the shape rule."""

    def evaluate(xp: Any, x: Any, *, n: int, axis: int, norm: str, **params: Any) -> Any:
        dtype = infer(Spec(x.shape, x.dtype), n=n, axis=axis, norm=norm, **params).dtype
        return getattr(xp.fft, name(**params))(x, n=n, axis=axis, norm=norm).astype(dtype, copy=False)

    return evaluate


_fft = register(Opaque("fft", _fft_infer, _call(_fft_infer, lambda inverse: "ifft" if inverse else "fft"), _fft_rule))
_rfft = register(Opaque("rfft", _rfft_infer, _call(_rfft_infer, lambda: "rfft"), _rfft_rule))
_irfft = register(Opaque("irfft", _irfft_infer, _call(_irfft_infer, lambda: "irfft"), _irfft_rule))


# ---- arguments
def _norm(who: str, norm: Any) -> str:
    if not isinstance(norm, str) or norm not in OPPOSITE:
        raise ShapeError(f"{who}: norm must be 'backward', 'ortho' or 'forward'; got {norm!r}")
    return norm


def _typed(who: str, x: Any, to_complex: bool) -> Tensor:
    tensor = asarray(x)
    dtype = to_inexact(tensor.dtype)
    if not to_complex and class_of(dtype) == "c":
        raise DTypeError(f"{who}: takes real numbers; got {dtype}. Use fft, or the real part")
    wide = dtype if dtype.itemsize >= 4 else np.dtype("float32")
    return astype(tensor, complex_of(wide) if to_complex else wide)


def _size(who: str, n: Any, default: Any) -> int:
    size = as_int(who, "the size of the axis", default if n is None else n)
    if size < 1:
        raise ShapeError(
            f"{who}: the transform needs at least one element; got a size of {size}. Give a size of 1 or more"
        )
    return size


def _one(who: str, op: Opaque, x: Tensor, n: Any, axis: Any, norm: Any, **params: Any) -> Tensor:
    where = normalize_axis(who, axis, x.ndim)
    have = x.shape[where]
    default = 2 * (have - 1) if op is _irfft else have
    settings = {"n": _size(who, n, default), "axis": where, "norm": _norm(who, norm)}
    if op is _irfft and have == 0:
        raise ShapeError(f"{who}: the transform needs at least one element; got {x.shape} on axis {axis}. Pad it first")
    return bind(op, (x,), {**settings, **params})


def _axes(who: str, x: Tensor, s: Any, axes: Any) -> tuple[list[int], list[Any]]:
    """Axes and the sizes asked for: all axes by default, the last ones where only sizes are given."""
    sizes = None if s is None else as_ints(who, "a size", s)
    if axes is None:
        count = x.ndim if sizes is None else len(sizes)
        normalize_axes(who, tuple(range(-count, 0)) if count <= x.ndim else (count,), x.ndim)
        chosen = list(range(x.ndim - count, x.ndim))
    else:
        chosen = [normalize_axis(who, a, x.ndim) for a in as_ints(who, "an axis", axes)]
    if len(set(chosen)) != len(chosen) or (sizes is not None and len(sizes) != len(chosen)):
        raise ShapeError(
            f"{who}: axes must be distinct, with a size for each; got axes {axes}, sizes {s}. Give one size for each"
        )
    return chosen, [None] * len(chosen) if sizes is None else list(sizes)


def _several(who: str, x: Tensor, sizes: Sequence[Any], axes: Sequence[int], norm: Any, inverse: bool) -> Tensor:
    for n, a in zip(sizes, axes, strict=True):
        x = _one(who, _fft, x, n, a, norm, inverse=inverse)
    _norm(who, norm)
    return x


# ---- what a person calls
def fft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The transform along an axis, complex, of size ``n`` (that of the axis by default)."""
    return _one("fft", _fft, _typed("fft", x, True), n, axis, norm, inverse=False)


def ifft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `fft`: the sum with ``exp(+2 pi i j k / n)``, divided by n."""
    return _one("ifft", _fft, _typed("ifft", x, True), n, axis, norm, inverse=True)


def rfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The first ``n // 2 + 1`` elements of `fft` of real numbers, which say all of it."""
    return _one("rfft", _rfft, _typed("rfft", x, False), n, axis, norm)


def irfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `rfft`: ``n`` real numbers (``2 * (size - 1)`` by default)."""
    return _one("irfft", _irfft, _typed("irfft", x, True), n, axis, norm)


def hfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The transform, ``n`` real numbers, of a signal that mirrors in its conjugate; ``x`` is its first half."""
    return _one("hfft", _irfft, conj(_typed("hfft", x, True)), n, axis, OPPOSITE[_norm("hfft", norm)])


def ihfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `hfft`, of real numbers: ``n // 2 + 1`` complex ones."""
    return conj(_one("ihfft", _rfft, _typed("ihfft", x, False), n, axis, OPPOSITE[_norm("ihfft", norm)]))


def fftn(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Tensor:
    """`fft` along several axes: all by default, of sizes ``s``."""
    tensor = _typed("fftn", x, True)
    chosen, sizes = _axes("fftn", tensor, s, axes)
    return _several("fftn", tensor, sizes, chosen, norm, False)


def ifftn(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Tensor:
    """The inverse of `fftn`."""
    tensor = _typed("ifftn", x, True)
    chosen, sizes = _axes("ifftn", tensor, s, axes)
    return _several("ifftn", tensor, sizes, chosen, norm, True)


def rfftn(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Tensor:
    """`rfft` along the last of several axes, `fft` along the others."""
    tensor = _typed("rfftn", x, False)
    chosen, sizes = _axes("rfftn", tensor, s, axes)
    if not chosen:
        raise ShapeError(f"rfftn: needs at least one axis; got {tensor.spec} and axes {axes}. Name an axis")
    half = _one("rfftn", _rfft, tensor, sizes[-1], chosen[-1], norm)
    return _several("rfftn", half, sizes[:-1], chosen[:-1], norm, False)


def irfftn(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Tensor:
    """The inverse of `rfftn`."""
    tensor = _typed("irfftn", x, True)
    chosen, sizes = _axes("irfftn", tensor, s, axes)
    if not chosen:
        raise ShapeError(f"irfftn: needs at least one axis; got {tensor.spec} and axes {axes}. Name an axis")
    whole = _several("irfftn", tensor, sizes[:-1], chosen[:-1], norm, True)
    return _one("irfftn", _irfft, whole, sizes[-1], chosen[-1], norm)


def _frequencies(who: str, places: Tensor, n: int, d: Any, dtype: Any, device: Any) -> Tensor:
    step = as_float(who, "d", d)
    if step == 0.0:
        raise ShapeError(f"{who}: the distance d of samples must not be 0; got {d}")
    found = astype(astype(places, np.float64) / (n * step), DEFAULT_FLOAT if dtype is None else dtype)
    return found if device is None else found.to(device)


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: str | None = None) -> Tensor:
    """The frequencies of `fft` of ``n`` samples at distance ``d``, in cycles per unit: 0, 1, ..., then the negative
    ones, over ``n * d``."""
    count = _size("fftfreq", n, n)
    places = concat([arange((count + 1) // 2), arange(-(count // 2), 0)])
    return _frequencies("fftfreq", places, count, d, dtype, device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: str | None = None) -> Tensor:
    """The frequencies of `rfft` of ``n`` samples at distance ``d``: 0, 1, ..., n // 2 over ``n * d``."""
    count = _size("rfftfreq", n, n)
    return _frequencies("rfftfreq", arange(count // 2 + 1), count, d, dtype, device)


def fftshift(x: Any, /, *, axes: Any = None) -> Tensor:
    """Frequency 0 moved to the middle of axes (all by default)."""
    return _shifted("fftshift", x, axes, 1)


def ifftshift(x: Any, /, *, axes: Any = None) -> Tensor:
    """The inverse of `fftshift`."""
    return _shifted("ifftshift", x, axes, -1)


def _shifted(who: str, x: Any, axes: Any, sign: int) -> Tensor:
    tensor = asarray(x)
    chosen = normalize_axes(who, axes, tensor.ndim)
    halves = tuple(as_int(who, "a size", tensor.shape[a]) for a in chosen)
    shifts = tuple(n // 2 if sign > 0 else -(n // 2) for n in halves)
    return roll(tensor, shifts, chosen)
