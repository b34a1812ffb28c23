"""Keys and random words: the generator under `brickwork.tensor.random`.

Philox-2x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a function of a
counter and a key, so element i of a draw depends on nothing but the key and i. A key is a pair ``uint32[2]`` of (key,
stream). Draws use the counter (i, stream); `split` and `fold_in` make new keys under another round key, so they never
meet the draws.
"""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import numpy as np

from .dim import Dim
from .dtypes import DEFAULT_FLOAT, NAMES
from .errors import DTypeError, ShapeError
from .expr import Expr, apply, arg, const
from .ops.creation import iota
from .ops.elementwise import map_expr
from .spec import Shape, as_int, as_shape
from .tensor import Tensor, asarray, beside

__all__ = [
    "U32",
    "as_sizes",
    "bits",
    "block",
    "draw",
    "fold_in",
    "key",
    "parts",
    "philox",
    "places",
    "split",
    "unit",
]

U32, INDEX = NAMES["uint32"], NAMES["int64"]
MULTIPLIER, WEYL, DERIVE = 0xD256D193, 0x9E3779B9, 0x85EBCA6B


def philox(low: Expr, high: Expr, round_key: Expr) -> tuple[Expr, Expr]:
    """Ten rounds: the two words of the block for a counter (low, high)."""
    for n in range(10):
        product_low, product_high = low * MULTIPLIER, apply("mulhi", low, const(MULTIPLIER, U32))
        low, high = product_high ^ (round_key + (n * WEYL) % 2**32) ^ high, product_low
    return low, high


@cache
def block(first: int = 0) -> tuple[Expr, Expr]:
    """The words for a place (operand 0) in a stream under a key (operands ``first + 1`` and ``first + 2``)."""
    return philox(arg(0, INDEX).cast(U32), arg(first + 1, U32), arg(first + 2, U32))


def unit(words: tuple[Expr, Expr], dtype: np.dtype) -> Expr:
    """Uniform in [0, 1) from a block: 53 bits for float64, else 24."""
    low, high = words
    if dtype == NAMES["float64"]:
        return ((low >> 5).cast(dtype) * 2.0**26 + (high >> 6).cast(dtype)) * 2.0**-53
    return (low >> 8).cast(DEFAULT_FLOAT) * 2.0**-24


def places(shape: Any, like: Tensor) -> Tensor:
    """The flat position of each element of a shape, on the device of a key."""
    return beside(iota(shape), like)


def draw(body: Expr, k: Any, shape: Shape, *operands: Tensor) -> Tensor:
    """An expression in a `block` and further operands (from number 3 on), at each place of a shape."""
    first, stream = parts(k)
    return map_expr(body, places(shape, first), stream, first, *operands)


@cache
def _derived() -> Expr:
    """New keys from numbers: word ``which`` (0 or 1) of the block for (number, stream), under a round key that
    draws do not use. Operands: number, which, stream, key."""
    low, high = philox(arg(0, INDEX).cast(U32), arg(2, U32), arg(3, U32) ^ DERIVE)
    return apply("where", arg(1, INDEX).equal(0), low, high)


def parts(k: Any) -> tuple[Tensor, Tensor]:
    """The round key and the stream of a key. Raises `DTypeError` for what is no key."""
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
    first, stream = parts(k)
    number = asarray(data).astype(INDEX) if not isinstance(data, int) else Tensor(np.asarray(data % 2**32, dtype=INDEX))
    return map_expr(_derived(), beside(number, first), places((2,), first), stream, first)


def split(k: Any, num: int = 2) -> Tensor:
    """``num`` new keys, as ``uint32[num, 2]``; none of them meets the draws of ``k`` itself."""
    first, stream = parts(k)
    place = places((as_int("split", "the number of keys", num, 0), 2), first)
    return map_expr(_derived(), place >> 1, place & 1, stream, first)


def bits(k: Any, shape: Any = ()) -> Tensor:
    """Uniform 32-bit words of a shape, uint32. Raises `ShapeError` for more than 2**32."""
    return draw(block()[0], k, as_sizes(shape))


def as_sizes(shape: Any) -> Shape:
    """A shape of numbers to draw. Raises `ShapeError` where they are more than a key can number."""
    sizes = as_shape("random", shape)
    count = prod(sizes)
    if not isinstance(count, Dim) and count > 2**32:
        raise ShapeError(f"random: at most 2**32 numbers a key; got {sizes}. Split the key and draw in parts")
    return sizes
