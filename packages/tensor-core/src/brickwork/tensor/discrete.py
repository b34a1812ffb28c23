"""Discrete distributions, and draws from what is there: choices and orders."""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import numpy as np

from .distributions import FLOAT64, gumbel, parameter, uniform
from .dtypes import as_dtype, to_inexact
from .errors import DTypeError, ShapeError
from .expr import Expr, apply, arg, const
from .ops.cumulative import cumulative_sum
from .ops.elementwise import less, log, map_expr, where
from .ops.gathering import take, take_along_axis
from .ops.movement import transpose
from .ops.sorting import argmax, argsort, searchsorted
from .philox import U32, as_sizes, bits, block, parts, places, split, unit
from .spec import as_bool, as_int, broadcast_shapes, normalize_axis
from .tensor import Tensor, asarray, beside

__all__ = ["bernoulli", "categorical", "choice", "permutation", "permuted", "poisson", "randint"]

SMALL, TERMS, TRIES = 10.0, 48, 16
"""Of `poisson`: means below ``SMALL`` are found among the first ``TERMS`` values, others by so many tries."""


@cache
def _scaled(span: int) -> Expr:
    return apply("mulhi", arg(0, U32), const(span, U32))


def randint(k: Any, shape: Any, low: int, high: int, dtype: Any = "int64") -> Tensor:
    """Integers in ``[low, high)`` by multiplication (Lemire 2019); the bias is at most ``(high - low) / 2**32``.

    Raises `ShapeError` unless low is below high, by at most 2**32.
    """
    low, high = as_int("randint", "low", low), as_int("randint", "high", high)
    if not 0 < high - low <= 2**32:
        raise ShapeError(
            f"randint: low must be below high by at most 2**32; got {low}, {high}. Exchange them, or join two draws"
        )
    words = bits(k, shape)
    span = words if high - low == 2**32 else map_expr(_scaled(high - low), words)
    return span.astype(dtype) + low


def bernoulli(k: Any, p: Any = 0.5, shape: Any = ()) -> Tensor:
    """Booleans of a shape that are true with probability ``p``, a number or a tensor that broadcasts with it."""
    return less(uniform(k, shape), p)


def categorical(k: Any, logits: Any, axis: int = -1, shape: Any = None) -> Tensor:
    """Classes, int64, with probabilities ``softmax(logits)`` along ``axis``.

    ``shape``: that of the logits without the axis, or one that it broadcasts to. By the greatest of ``logits + gumbel``
    (Gumbel 1954). A logit of -inf is never drawn. Raises `ShapeError` where there are no classes, or shapes do not fit.
    """
    tensor = asarray(logits)
    tensor = beside(tensor.astype(to_inexact(tensor.dtype)), parts(k)[0])
    place = normalize_axis("categorical", axis, tensor.ndim)
    last = transpose(tensor, [a for a in range(tensor.ndim) if a != place] + [place])
    count = last.shape[-1]
    if isinstance(count, int) and count == 0:
        raise ShapeError(
            f"categorical: needs at least one class; got logits {tensor.shape}, axis {axis}. Name another axis"
        )
    sizes = last.shape[:-1] if shape is None else as_sizes(shape)
    if broadcast_shapes("categorical", last.shape[:-1], sizes) != sizes:
        raise ShapeError(
            f"categorical: logits must broadcast to the shape; got {last.shape[:-1]} for {sizes}. "
            "Leave shape out, or end it with the shape of the logits"
        )
    noise = gumbel(k, (*sizes, count), FLOAT64 if last.dtype == FLOAT64 else "float32")
    return argmax(last + noise, axis=-1)


def choice(k: Any, a: Any, shape: Any = (), replace: bool = True, p: Any = None, axis: int = 0) -> Tensor:
    """Elements of ``a`` along an axis, or of the integers below ``a``, drawn with or without putting back.

    ``p``: a weight per element; they need not sum to one. Putting back, it is by inversion of their running sum; else
    elements are drawn one after the other from what is left (the greatest of ``log(p) + gumbel``: Efraimidis and
    Spirakis 2006). An element of weight 0 is never drawn. The result has ``shape`` in place of the axis. Raises
    `ShapeError` where there are too few elements, or weights do not fit; of weights that only a compiled function sees,
    none is checked.
    """
    population = None if isinstance(a, (int, np.integer)) else asarray(a)
    place = 0 if population is None else normalize_axis("choice", axis, population.ndim)
    n = as_int("choice", "the number of elements", a if population is None else population.shape[place], 0)
    sizes, again = as_sizes(shape), as_bool("choice", "replace", replace)
    wanted = as_int("choice", "the number of draws", prod(sizes))
    if wanted > 0 and (n == 0 or (not again and wanted > n)):
        raise ShapeError(
            f"choice: needs as many elements as are drawn; got {n} for {sizes}, replace={again}. Put them back, or "
            "draw fewer"
        )
    weights = None if p is None else _weights(p, n, 1 if again else wanted, parts(k)[0])
    if again and weights is None:
        order = randint(k, sizes, 0, max(n, 1))
    elif again:
        sums = cumulative_sum(weights)
        order = searchsorted(sums, uniform(k, sizes, FLOAT64) * sums[-1], side="right")
    else:
        order = permutation(k, n) if weights is None else argsort(-(log(weights) + gumbel(k, (n,), FLOAT64)))
        order = order[:wanted].reshape(sizes)
    return order if population is None else take(population, order, place)


def _weights(p: Any, n: int, least: int, like: Tensor) -> Tensor:
    """Weights as float64 beside the key; where their values are there, checked."""
    weights = beside(asarray(p).astype(FLOAT64), like)
    if weights.shape != (n,):
        raise ShapeError(
            f"choice: p must have one weight per element; got {weights.shape} for {n}. Give a weight to each"
        )
    if not weights.symbolic:
        values = weights.numpy()
        if not (np.isfinite(values.sum()) and (values >= 0).all() and (values > 0).sum() >= least):
            raise ShapeError(
                f"choice: weights must be finite, not negative, and at least {least} above 0; "
                f"got {values.tolist()[:8]}. Cut them off at 0, or draw fewer"
            )
    return weights


def permutation(k: Any, x: Any, axis: int = 0) -> Tensor:
    """The integers below ``x``, or the slices of an array along an axis, in random order: the order of as many random
    words, ties by position. Every order has the same probability up to ``n^2 / 2**33``."""
    if isinstance(x, (int, np.integer)):
        return argsort(bits(k, (as_int("permutation", "n", x, 0),)))
    tensor = asarray(x)
    place = normalize_axis("permutation", axis, tensor.ndim)
    return take(tensor, argsort(bits(k, (tensor.shape[place],))), place)


def permuted(k: Any, x: Any, axis: int = -1) -> Tensor:
    """The elements of an array in an order of its own for each line along the axis."""
    tensor = asarray(x)
    place = normalize_axis("permuted", axis, tensor.ndim)
    words = beside(bits(k, tensor.shape), tensor)
    return take_along_axis(tensor, argsort(words, axis=place), axis=place)


@cache
def _poisson_small() -> Expr:
    """How many of the first partial sums of the probabilities a uniform number reaches; operand 3 is the mean."""
    mean = arg(3, FLOAT64)
    u = unit(block(), FLOAT64)
    term = apply("exp", -mean)
    total, count = term, (u >= term).cast(FLOAT64)
    for n in range(1, TERMS):
        term = term * mean / float(n)
        total = total + term
        count = count + (u >= total).cast(FLOAT64)
    return count


def _log_factorial(x: Expr) -> Expr:
    """log(x!) for whole x >= 0, to 1e-11: Stirling's series at ``x + 8``, and the way down from there."""
    product: Any = x + 1.0
    for n in range(2, 8):
        product = product * (x + float(n))
    z = x + 8.0
    r = 1.0 / (z * z)
    series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680)))) / z
    return (z - 0.5) * apply("log", z) - z + 0.9189385332046727 + series - apply("log", product)


@cache
def _poisson_try() -> Expr:
    """One try of Hoermann's transformed rejection (PTRS); operands: place, stream, key, mean, old value (-1: none)."""
    mean, old = arg(3, FLOAT64), arg(4, FLOAT64)
    low, high = block()
    u = (low.cast(FLOAT64) + 0.5) * 2.0**-32 - 0.5
    v = (high.cast(FLOAT64) + 0.5) * 2.0**-32
    b = 0.931 + 2.53 * apply("sqrt", mean)
    a = -0.059 + 0.02483 * b
    us = 0.5 - apply("abs", u)
    k = apply("floor", (2.0 * a / us + b) * u + mean + 0.43)
    quick = apply("and", us >= 0.07, v <= 0.9277 - 3.6224 / (b - 2.0))
    whole = apply("maximum", k, 0.0)
    left = apply("log", v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (us * us) + b))
    exact = left <= whole * apply("log", mean) - mean - _log_factorial(whole)
    outside = apply("or", k < 0.0, apply("and", us < 0.013, v > us))
    accepted = apply("or", quick, apply("and", exact, apply("not", outside)))
    taken = apply("where", accepted, whole, const(-1.0, FLOAT64))
    return apply("where", old >= 0.0, old, taken)


def poisson(k: Any, mean: Any, shape: Any = None, dtype: Any = "int64") -> Tensor:
    """Poisson counts of a mean from 0 to 2**31.

    ``shape``: that of ``mean`` by default, or one that it broadcasts to. Below 10: by inversion, where what is beyond
    48 has probability below 1e-17. From 10: Hoermann 1993, "The transformed rejection method for generating Poisson
    random variables" (PTRS), by 16 tries at once; what is left over, less than 1e-9, becomes the mean rounded. All in
    float64. Raises `DTypeError` for a mean that is there and out of range; -1 where only a compiled function sees it.
    """
    tensor, sizes = parameter("poisson", mean, shape, FLOAT64, k)
    known = None if tensor.symbolic else tensor.numpy()
    if known is not None and not (within := (known >= 0) & (known <= 2**31)).all():
        raise DTypeError(f"poisson: means must be from 0 to 2**31; got {known[~within].flat[0]}. Clip them")
    first, stream = parts(k)
    place = places(sizes, first)
    small = map_expr(_poisson_small(), place, stream, first, where(tensor < SMALL, tensor, 0.0))
    if known is not None and (known < SMALL).all():
        return small.astype(dtype)
    large, raised = beside(asarray(np.float64(-1.0)), first), where(tensor < SMALL, SMALL, tensor)
    for key in split(k, TRIES):
        other, other_stream = parts(key)
        large = map_expr(_poisson_try(), place, other_stream, other, raised, large)
    large = where(large < 0.0, map_expr(apply("rint", arg(0, FLOAT64)), raised), large)
    inside = (tensor >= 0.0) & (tensor <= 2.0**31)
    return where(inside, where(tensor < SMALL, small, large), -1.0).astype(as_dtype(dtype))
