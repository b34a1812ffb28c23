"""Random numbers that are the same on every device and at any number of threads.

The generator is Philox-2x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
2011): a function of a counter and a key, so element i of a draw depends on nothing but the key and i. A key is a
pair ``uint32[2]`` of (key, stream). Draws use the counter (i, stream); `split` and `fold_in` make new keys under
another round key, so they never meet the draws.
"""

from __future__ import annotations

import math
from math import prod
from typing import Any

import numpy as np

from .dim import Dim
from .dtypes import DEFAULT_FLOAT, NAMES, as_dtype
from .errors import DTypeError, ShapeError
from .expr import Expr, apply, arg, const
from .ops.creation import iota
from .ops.elementwise import abs, clip, less, map_expr, where
from .spec import as_int, as_shape
from .tensor import Tensor, Variable, asarray, beside

__all__ = [
    "SeedGenerator",
    "bernoulli",
    "bits",
    "fold_in",
    "key",
    "normal",
    "permutation",
    "randint",
    "split",
    "truncated_normal",
    "uniform",
]

U32 = NAMES["uint32"]
MULTIPLIER, WEYL, DERIVE = 0xD256D193, 0x9E3779B9, 0x85EBCA6B


def philox(low: Expr, high: Expr, round_key: Expr) -> tuple[Expr, Expr]:
    """Ten rounds: the two words of the block for a counter (low, high)."""
    for n in range(10):
        product_low, product_high = low * MULTIPLIER, apply("mulhi", low, const(MULTIPLIER, U32))
        low, high = product_high ^ (round_key + (n * WEYL) % 2**32) ^ high, product_low
    return low, high


def _places(shape: Any, like: Tensor) -> Tensor:
    """The flat position of each element of a shape, on the device of a key."""
    return beside(iota(shape), like)


def _words(counter: Tensor, stream: Tensor, round_key: Tensor, which: int) -> Tensor:
    body = philox(arg(0, counter.dtype).cast(U32), arg(1, U32), arg(2, U32))[which]
    return map_expr(body, counter, stream, round_key)


def _pairs(number: Tensor, which: Tensor, stream: Tensor, first: Tensor) -> Tensor:
    """New keys from numbers: word ``which`` (0 or 1) of the block for (number, stream), under a round key that
    draws do not use."""
    low, high = philox(arg(0, number.dtype).cast(U32), arg(2, U32), arg(3, U32) ^ DERIVE)
    body = apply("where", arg(1, which.dtype).equal(0), low, high)
    return map_expr(body, number, which, stream, first)


def _parts(k: Any) -> tuple[Tensor, Tensor]:
    pair = asarray(k)
    if pair.shape != (2,) or pair.dtype != U32:
        raise DTypeError(f"random: a key is uint32[2]; got {pair.spec}. Make one with random.key(seed)")
    return pair[0], pair[1]


def key(seed: int, stream: int = 0) -> Tensor:
    """The key of a seed (any integer; taken modulo 2**64) and a stream."""
    s = as_int("key", "the seed", seed) % 2**64
    return fold_in(Tensor(np.array([s & 0xFFFFFFFF, s >> 32], dtype=np.uint32)), stream)


def fold_in(k: Any, data: Any) -> Tensor:
    """A new key from a key and an integer (a step, a layer number)."""
    first, stream = _parts(k)
    number = (
        asarray(data).astype(U32) if not isinstance(data, int) else Tensor(np.asarray(data % 2**32, dtype=np.uint32))
    )
    return _pairs(number, _places((2,), first), stream, first)


def split(k: Any, num: int = 2) -> Tensor:
    """``num`` new keys, as ``uint32[num, 2]``."""
    first, stream = _parts(k)
    place = _places((num, 2), first)
    return _pairs(place >> 1, place & 1, stream, first)


def bits(k: Any, shape: Any = ()) -> Tensor:
    """Uniform 32-bit words of a shape."""
    sizes = _shape(shape)
    first, stream = _parts(k)
    return _words(_places(sizes, first), stream, first, 0)


def uniform(k: Any, shape: Any = (), dtype: Any = DEFAULT_FLOAT, minval: Any = 0.0, maxval: Any = 1.0) -> Tensor:
    """Uniform in ``[minval, maxval)``: 24 random bits for float32, 53 for float64."""
    wanted, sizes = as_dtype(dtype), _shape(shape)
    first, stream = _parts(k)
    low, high = philox(arg(0, NAMES["int64"]).cast(U32), arg(1, U32), arg(2, U32))
    if wanted == NAMES["float64"]:
        mantissa = (low >> 5).cast(NAMES["float64"]) * 2.0**26 + (high >> 6).cast(NAMES["float64"])
        unit = mantissa * 2.0**-53
    else:
        unit = (low >> 8).cast(DEFAULT_FLOAT) * 2.0**-24
    out = map_expr(unit.cast(wanted), _places(sizes, first), stream, first)
    return out if (minval, maxval) == (0.0, 1.0) else out * (maxval - minval) + minval


def normal(k: Any, shape: Any = (), dtype: Any = DEFAULT_FLOAT, mean: Any = 0.0, stddev: Any = 1.0) -> Tensor:
    """Normal by Box and Muller: ``sqrt(-2 log(u)) * cos(2 pi v)`` with u in (0, 1], from the two words of a block."""
    wanted, sizes = as_dtype(dtype), _shape(shape)
    first, stream = _parts(k)
    work = wanted if wanted == NAMES["float64"] else DEFAULT_FLOAT
    low, high = philox(arg(0, NAMES["int64"]).cast(U32), arg(1, U32), arg(2, U32))
    u = ((low >> 8).cast(work) + 1.0) * 2.0**-24
    v = (high >> 8).cast(work) * 2.0**-24
    body = apply("sqrt", -2.0 * apply("log", u)) * apply("cos", v * (2 * math.pi))
    out = map_expr(body.cast(wanted), _places(sizes, first), stream, first)
    return out if (mean, stddev) == (0.0, 1.0) else out * stddev + mean


def truncated_normal(
    k: Any, shape: Any = (), dtype: Any = DEFAULT_FLOAT, mean: float = 0.0, stddev: float = 1.0
) -> Tensor:
    """Normal, drawn again where it is more than two deviations out (eight tries; what is left after those is
    clipped)."""
    sizes, keys = _shape(shape), split(k, 8)
    out = normal(keys[0], sizes)
    for n in range(1, 8):
        out = where(abs(out) > 2.0, normal(keys[n], sizes), out)
    return (clip(out, -2.0, 2.0) * stddev + mean).astype(dtype)


def randint(k: Any, shape: Any, low: int, high: int, dtype: Any = "int64") -> Tensor:
    """Integers in ``[low, high)`` by multiplication (Lemire 2019); the bias is at most ``(high - low) / 2**32``."""
    low, high = as_int("randint", "low", low), as_int("randint", "high", high)
    if not 0 < high - low <= 2**32:
        raise ShapeError(f"randint: low must be below high by at most 2**32; got {low}, {high}")
    span = (
        map_expr(apply("mulhi", arg(0, U32), const((high - low) % 2**32, U32)), bits(k, shape))
        if high - low < 2**32
        else bits(k, shape)
    )
    return span.astype(dtype) + low


def bernoulli(k: Any, p: Any = 0.5, shape: Any = ()) -> Tensor:
    """Booleans that are true with probability ``p``."""
    return less(uniform(k, shape), p)


def permutation(k: Any, n: int) -> Tensor:
    """The integers below ``n`` in random order: the order of `n` random words, ties by position."""
    words = bits(k, (as_int("permutation", "n", n, 0),)).numpy()
    return Tensor(np.argsort(words, kind="stable"))


class SeedGenerator:
    """A source of keys whose state is a variable, so that a compiled step advances it and a checkpoint holds it."""

    def __init__(self, seed: int):
        self.seed = as_int("SeedGenerator", "the seed", seed)
        self.state = Variable(
            np.concatenate([key(seed).numpy(), np.zeros(1, np.uint32)]),
            name="seed_generator_state",
            trainable=False,
            dtype="uint32",
        )

    def next(self) -> Tensor:
        """A key that no other call gives."""
        state = self.state.value
        self.state.assign(state + Tensor(np.array([0, 0, 1], dtype=np.uint32)))
        return fold_in(state[:2], state[2])


def _shape(shape: Any) -> tuple[Any, ...]:
    sizes = as_shape("random", shape)
    count = prod(sizes)
    if not isinstance(count, Dim) and count > 2**32:
        raise ShapeError(f"random: at most 2**32 numbers a key; got {sizes}. Split the key and draw in parts")
    return sizes
