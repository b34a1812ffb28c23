"""Continuous distributions. Float64 is drawn in float64, every other floating dtype in float32 and cast."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from .dtypes import DEFAULT_FLOAT, NAMES, as_dtype, to_inexact
from .errors import DTypeError, ShapeError
from .expr import Expr, apply, arg, const
from .late import later
from .ops.elementwise import map_expr, where
from .ops.movement import stop_gradient
from .philox import as_sizes, block, draw, parts, places, split, unit
from .spec import Shape, broadcast_shapes
from .tensor import Tensor, asarray, beside

__all__ = ["beta", "exponential", "gamma", "gumbel", "normal", "parameter", "truncated_normal", "uniform"]

FLOAT64 = NAMES["float64"]
TRIES = 8


def _working(dtype: Any) -> tuple[np.dtype, np.dtype]:
    """The dtype wanted, and the one to work in."""
    wanted = as_dtype(dtype)
    if wanted.kind not in "fV":
        raise DTypeError(f"random: the dtype must be floating-point; got {wanted}. Use randint, or cast the draw")
    return wanted, wanted if wanted == FLOAT64 else DEFAULT_FLOAT


def _open_unit(dtype: np.dtype) -> Expr:
    """Uniform in (0, 1]."""
    return 1.0 - unit(block(), dtype)


@cache
def _uniform(wanted: np.dtype) -> Expr:
    return unit(block(), wanted).cast(wanted)


def uniform(k: Any, shape: Any = (), dtype: Any = DEFAULT_FLOAT, minval: Any = 0.0, maxval: Any = 1.0) -> Tensor:
    """Uniform in ``[minval, maxval)``: 24 random bits for float32, 53 for float64.

    ``minval``, ``maxval``: numbers, or tensors that broadcast with ``shape``. Raises `DTypeError` for a dtype that is
    not floating, and for what is no key, as every draw does.
    """
    wanted, _ = _working(dtype)
    out = draw(_uniform(wanted), k, as_sizes(shape))
    plain = isinstance(minval, (int, float)) and isinstance(maxval, (int, float)) and (minval, maxval) == (0, 1)
    return out if plain else out * (maxval - minval) + minval


@cache
def _normal(work: np.dtype, first: int = 0) -> Expr:
    low, high = block(first)
    u = ((low >> 8).cast(work) + 1.0) * 2.0**-24
    v = (high >> 8).cast(work) * 2.0**-24
    return apply("sqrt", -2.0 * apply("log", u)) * apply("cos", v * (2 * math.pi))


def normal(k: Any, shape: Any = (), dtype: Any = DEFAULT_FLOAT, mean: Any = 0.0, stddev: Any = 1.0) -> Tensor:
    """Normal by Box and Muller: ``sqrt(-2 log(u)) * cos(2 pi v)`` with u in (0, 1], from the two words of a block.

    ``mean``, ``stddev``: numbers, or tensors that broadcast with ``shape``. In float32, |value| stays below 5.8.
    """
    wanted, work = _working(dtype)
    out = draw(_normal(work).cast(wanted), k, as_sizes(shape))
    plain = isinstance(mean, (int, float)) and isinstance(stddev, (int, float)) and (mean, stddev) == (0, 1)
    return out if plain else out * stddev + mean


@cache
def _truncated(work: np.dtype) -> Expr:
    """The quantile of a uniform number between the probabilities of -2 and 2, each a little inside its cell."""
    half = 2.0**-54 if work == FLOAT64 else 2.0**-25
    q = (unit(block(), work) - (0.5 - half)) * math.erf(math.sqrt(2))
    return apply("maximum", apply("minimum", later("error_functions.normal_quantile")(q), 2.0), -2.0)


def truncated_normal(
    k: Any, shape: Any = (), dtype: Any = DEFAULT_FLOAT, mean: float = 0.0, stddev: float = 1.0
) -> Tensor:
    """Normal given that it is within two deviations of the mean: the quantile function (Wichura 1988, AS 241) of one
    uniform number, so there is nothing to draw again."""
    wanted, work = _working(dtype)
    out = draw(_truncated(work), k, as_sizes(shape))
    return (out * stddev + mean).astype(wanted)


@cache
def _exponential(work: np.dtype) -> Expr:
    return -apply("log", _open_unit(work))


def exponential(k: Any, shape: Any = (), dtype: Any = DEFAULT_FLOAT, scale: Any = 1.0) -> Tensor:
    """Exponential of mean ``scale``: ``-scale * log(u)`` with u in (0, 1]; at most 16.6 scales in float32."""
    wanted, work = _working(dtype)
    out = draw(_exponential(work), k, as_sizes(shape))
    return (out if isinstance(scale, (int, float)) and scale == 1 else out * scale).astype(wanted)


@cache
def _gumbel(work: np.dtype) -> Expr:
    """-log(-log(u)) with u inside (0, 1): the middle of its cell."""
    half = 2.0**-54 if work == FLOAT64 else 2.0**-25
    u = apply("minimum", unit(block(), work) + half, 1.0 - 2 * half)
    return -apply("log", -apply("log", u))


def gumbel(k: Any, shape: Any = (), dtype: Any = DEFAULT_FLOAT) -> Tensor:
    """Standard Gumbel, ``-log(-log(u))``: the greatest of ``logits + gumbel`` is a draw from the logits."""
    wanted, work = _working(dtype)
    return draw(_gumbel(work).cast(wanted), k, as_sizes(shape))


def parameter(who: str, value: Any, shape: Any, work: np.dtype, k: Any) -> tuple[Tensor, Shape]:
    """A parameter of a distribution beside the key, and the shape of the draw: its own, unless one is given that it
    broadcasts to."""
    tensor = beside(asarray(value).astype(work), parts(k)[0])
    if shape is None:
        return tensor, as_sizes(tensor.shape)
    sizes = as_sizes(shape)
    if broadcast_shapes(who, tensor.shape, sizes) != sizes:
        raise ShapeError(
            f"{who}: parameters must broadcast to the shape; got {tensor.shape} for {sizes}. "
            "Leave shape out, or end it with theirs"
        )
    return tensor, sizes


@cache
def _gamma_try(work: np.dtype) -> Expr:
    """One try: the old value where there is one, else ``(1 + c x)^3`` where x is accepted, else -1.

    Operands: place, stream, key, a second stream and key, shape parameter, old value."""
    a, old = arg(5, work), arg(6, work)
    d = apply("where", a < 1.0, a + 1.0, a) - 1.0 / 3.0
    x = _normal(work)
    root = 1.0 + x / apply("sqrt", 9.0 * d)
    v = root * root * root
    safe = apply("maximum", v, 1e-30)
    u = 1.0 - unit(block(2), work)
    accepted = apply("log", u) < 0.5 * x * x + d - d * v + d * apply("log", safe)
    taken = apply("where", apply("and", root > 0.0, accepted), safe, const(-1.0, work))
    return apply("where", old > 0.0, old, taken)


def _gamma_cube(k: Any, a: Tensor, sizes: Shape, work: np.dtype) -> Tensor:
    """The accepted ``(1 + c x)^3`` of Marsaglia and Tsang, 1 where no try was; NaN where ``a`` is not above 0."""
    keys = split(k, 2 * TRIES)
    place = places(sizes, parts(k)[0])
    out = beside(asarray(np.asarray(-1.0, work)), a)
    for n in range(TRIES):
        pairs = [t for key in (keys[2 * n], keys[2 * n + 1]) for t in parts(key)[::-1]]
        out = map_expr(_gamma_try(work), place, *pairs, a, out)
    return where(a > 0.0, where(out > 0.0, out, 1.0), float("nan"))


def _gamma_parts(k: Any, a: Tensor, sizes: Shape, work: np.dtype) -> tuple[Tensor, Tensor]:
    """A gamma draw as a number and the logarithm of a factor: below 1 the draw of ``a + 1`` times ``u^(1/a)``."""
    keys = split(k, 2)
    d = where(a < 1.0, a + 1.0, a) - 1.0 / 3.0
    boost = where(a < 1.0, -exponential(keys[1], sizes, work) / a, 0.0)
    return d * _gamma_cube(keys[0], a, sizes, work), boost


def gamma(k: Any, a: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Gamma of shape parameter ``a`` > 0 and scale 1: density ``x^(a-1) e^-x / Gamma(a)``.

    ``shape``: that of ``a`` by default, or one that it broadcasts to. ``dtype``: of ``a`` by default. Marsaglia and
    Tsang 2000, "A simple method for generating gamma variables", by eight tries at once: each is accepted with
    probability at least 0.95, and the less than 1e-10 left over become the value ``a - 1/3`` near the mode. ``a``
    gets no gradient. NaN where ``a`` is not positive. Raises `ShapeError` where the shapes do not fit.
    """
    wanted, work = _working(to_inexact(asarray(a).dtype) if dtype is None else dtype)
    tensor, sizes = parameter("gamma", a, shape, work, k)
    value, boost = _gamma_parts(k, stop_gradient(tensor), sizes, work)
    return (value * map_expr(apply("exp", arg(0, work)), boost)).astype(wanted)


def beta(k: Any, a: Any, b: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Beta of parameters ``a``, ``b`` > 0: density proportional to ``x^(a-1) (1-x)^(b-1)``.

    ``X / (X + Y)`` of two `gamma` draws, by their logarithms, so that small parameters do not give 0 / 0. ``shape``:
    what ``a`` and ``b`` broadcast to by default. No gradients to ``a`` and ``b``. Raises `ShapeError` where shapes do
    not fit.
    """
    kinds = [to_inexact(asarray(x).dtype) for x in (a, b)]
    wanted, work = _working(max(kinds, key=lambda d: d.itemsize) if dtype is None else dtype)
    common = broadcast_shapes("beta", asarray(a).shape, asarray(b).shape) if shape is None else shape
    keys = split(k, 2)
    logs = []
    for n, value in enumerate((a, b)):
        tensor, sizes = parameter("beta", value, common, work, k)
        number, boost = _gamma_parts(keys[n], stop_gradient(tensor), sizes, work)
        logs.append(map_expr(apply("log", arg(0, work)) + arg(1, work), number, boost))
    odds = map_expr(1.0 / (1.0 + apply("exp", arg(1, work) - arg(0, work))), *logs)
    return odds.astype(wanted)
