"""Sets: the distinct values of a tensor."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..backend import module_of
from ..dtypes import BOOL, class_of, promote
from ..op import Opaque, Spec, register
from ..spec import as_bool
from ..tensor import Tensor, asarray, beside
from ..trace import bind
from .elementwise import astype, greater_equal, logical_and, logical_not
from .gathering import take
from .movement import reshape
from .sorting import concrete, sought

__all__ = ["isin", "unique_all", "unique_counts", "unique_inverse", "unique_values"]


class UniqueAll(NamedTuple):
    """What `unique_all` gives."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What `unique_counts` gives."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What `unique_inverse` gives."""

    values: Tensor
    inverse_indices: Tensor


def unique_all(x: Any) -> UniqueAll:
    """The distinct values in ascending order, the flat position of the first of each, the place among the values of
    each element (in the shape of ``x``), and how often each occurs. Positions and counts are int64.

    Each NaN is a value of its own, and 0.0 and -0.0 are one. Gradients flow to the first of each.
    Raises `TraceError` while tracing: the size of the result depends on the values.
    """
    return _unique("unique_all", x)


def unique_counts(x: Any) -> UniqueCounts:
    """The distinct values, and how often each occurs; see `unique_all`."""
    found = _unique("unique_counts", x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: Any) -> UniqueInverse:
    """The distinct values, and for each element of ``x`` its place among them; see `unique_all`."""
    found = _unique("unique_inverse", x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: Any) -> Tensor:
    """The distinct values; see `unique_all`."""
    return _unique("unique_values", x).values


def _unique(who: str, x: Any) -> UniqueAll:
    tensor = concrete(who, x)
    xp = module_of((tensor.data,))
    _, first, inverse, counts = xp.unique(
        tensor.data.reshape(-1), return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    places = Tensor(first.astype(np.int64, copy=False))
    values = take(reshape(tensor, (tensor.size,)), places, 0)
    inverse = inverse.reshape(tensor.shape).astype(np.int64, copy=False)
    return UniqueAll(values, places, Tensor(inverse), Tensor(counts.astype(np.int64, copy=False)))


def _among(left: Tensor, right: Tensor) -> Tensor:
    common = promote(left.dtype, right.dtype)
    if class_of(common) != "f" or class_of(left.dtype) == "f" or class_of(right.dtype) == "f":
        return bind(_isin, (astype(left, common), astype(right, common)))
    # int64 and uint64 share the numbers from 0 to 2**63: as int64 the others are negative, and no one's equals
    narrow = astype(left, np.int64)
    return logical_and(bind(_isin, (narrow, astype(right, np.int64))), greater_equal(narrow, 0))


_isin = register(
    Opaque("isin", lambda x, values: Spec(x.shape, BOOL), lambda xp, x, values: xp.asarray(xp.isin(x, values)))
)


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Tensor:
    """Whether each element of ``x1`` is (or, with ``invert``, is not) among those of ``x2``; booleans, in the shape of
    ``x1``. One of them may be a number. NaN is among none; integers are compared exactly."""
    like = asarray(x2 if type(x1) in (bool, int, float, complex) else x1)
    left, right = (beside(sought(x, like.dtype), like) for x in (x1, x2))
    hit = _among(left, right)
    return logical_not(hit) if as_bool("isin", "invert", invert) else hit
