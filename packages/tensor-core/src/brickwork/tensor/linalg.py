"""Linear algebra, the extension of the Array API standard, as `brickwork.tensor.linalg`.

Matrices are the last two axes, the others are batches. Integers become float32; float16 and bfloat16 are computed in
float32. Every function raises `ShapeError` for shapes that do not fit. Gradients are of real and complex matrices, for
which d/dx - i d/dy stands, as everywhere; `brickwork.tensor.decompositions` has them, with their sources.
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np

from . import decompositions as D
from .dtypes import promote, real_of, to_inexact, wide_of
from .errors import ShapeError
from .ops.arranging import matrix_transpose
from .ops.contraction import matmul
from .ops.creation import eye
from .ops.elementwise import abs, astype, conj, not_equal, power, sqrt, where
from .ops.movement import broadcast_to, concat, reshape
from .ops.products import tensordot, vecdot
from .ops.reduce import max, min, sum
from .spec import as_bool, as_int, broadcast_shapes, normalize_axes, normalize_axis
from .tensor import Tensor, asarray, beside
from .trace import bind

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


class Eig(NamedTuple):
    """What `eig` gives."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class Eigh(NamedTuple):
    """What `eigh` gives."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QR(NamedTuple):
    """What `qr` gives."""

    Q: Tensor
    R: Tensor


class Slogdet(NamedTuple):
    """What `slogdet` gives."""

    sign: Tensor
    logabsdet: Tensor


class SVD(NamedTuple):
    """What `svd` gives."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def _floating(x: Any) -> Tensor:
    tensor = asarray(x)
    return astype(tensor, to_inexact(tensor.dtype))


def _matrices(who: str, x: Any) -> Tensor:
    tensor = asarray(x)
    if tensor.ndim < 2:
        raise ShapeError(f"{who}: needs matrices, of two axes or more; got {tensor.spec}. Reshape it")
    return tensor


# ---- decompositions
def cholesky(x: Any, /, *, upper: bool = False) -> Tensor:
    """The lower triangular L with ``x = L @ L^H`` (or the upper U with ``x = U^H @ U``); of the symmetric
    part of ``x``.

    ``x``: (..., n, n), positive definite, else `BrickworkError`.
    """
    lower: Tensor = bind(D.cholesky_op, (_floating(x),))
    return conj(matrix_transpose(lower)) if as_bool("cholesky", "upper", upper) else lower


def eig(x: Any, /) -> Eig:
    """Eigenvalues (..., n), in no order, and eigenvectors (..., n, n), the columns, of norm 1, of any square matrices
    (..., n, n); complex also of real ones.

    Gradients need eigenvectors that are independent. For hermitian matrices `eigh` is faster and exact about it.
    """
    return Eig(*D.eig(_floating(x)))


def eigvals(x: Any, /) -> Tensor:
    """The eigenvalues of `eig` alone: (..., n), complex."""
    return bind(D.eigvals_op, (_floating(x),))


def eigh(x: Any, /) -> Eigh:
    """Eigenvalues (..., n), ascending, and eigenvectors (..., n, n), the columns, of the symmetric part of
    (..., n, n)."""
    return Eigh(*D.eigh(_floating(x)))


def eigvalsh(x: Any, /) -> Tensor:
    """The eigenvalues of `eigh` alone: (..., n), ascending, real."""
    return bind(D.eigvalsh_op, (_floating(x),))


def qr(x: Any, /, *, mode: str = "reduced") -> QR:
    """``x = Q @ R`` with orthonormal columns Q and upper triangular R: (..., m, k) and (..., k, n) with k = min(m, n),
    or k = m for the mode "complete"."""
    if not isinstance(mode, str) or mode not in ("reduced", "complete"):
        raise ShapeError(f"qr: mode must be 'reduced' or 'complete'; got {mode!r}")
    return QR(*bind(D.qr_op, (_floating(x),), {"complete": mode == "complete"}))


def svd(x: Any, /, *, full_matrices: bool = True) -> SVD:
    """``x = U @ diag(S) @ Vh``: U (..., m, m), S (..., k) descending with k = min(m, n), Vh (..., n, n); without
    ``full_matrices`` U is (..., m, k) and Vh (..., k, n)."""
    full = as_bool("svd", "full_matrices", full_matrices)
    return SVD(*bind(D.svd_op, (_floating(x),), {"full": full}))


def svdvals(x: Any, /) -> Tensor:
    """The singular values of `svd` alone: (..., min(m, n)), descending."""
    return bind(D.svdvals_op, (_floating(x),))


# ---- of one matrix
def det(x: Any, /) -> Tensor:
    """The determinant of (..., n, n). Its gradient, the cofactors, is there of singular matrices too; the gradient of
    that needs an invertible one."""
    return bind(D.det_op, (_floating(x),))


def slogdet(x: Any, /) -> Slogdet:
    """The sign of the determinant of (..., n, n) (0 of a singular matrix) and the logarithm of its absolute value,
    which is real; both (...)."""
    return Slogdet(*bind(D.slogdet_op, (_floating(x),)))


def inv(x: Any, /) -> Tensor:
    """The inverse of (..., n, n). Raises `BrickworkError` for a singular matrix."""
    return bind(D.inv_op, (_floating(x),))


def pinv(x: Any, /, *, rtol: Any = None) -> Tensor:
    """The Moore-Penrose inverse (..., n, m) of (..., m, n); singular values up to ``rtol`` times the
    greatest count as 0 (by default max(m, n) times the epsilon of the dtype)."""
    tensor = _floating(_matrices("pinv", x))
    return bind(D.pinv_op, (tensor, _tolerance(tensor, rtol)))


def _tolerance(x: Tensor, rtol: Any) -> Tensor:
    real = real_of(x.dtype)
    if rtol is None:
        m, n = (as_int("pinv", "a size", size) for size in x.shape[-2:])
        rtol = (m if m > n else n) * np.finfo(wide_of(real)).eps
    return beside(astype(asarray(rtol), real), x)


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Tensor:
    """The number of singular values above ``rtol`` times the greatest; int64. ``rtol`` as of `pinv`."""
    tensor = _floating(_matrices("matrix_rank", x))
    values = svdvals(tensor)
    if 0 in tensor.shape[-2:]:
        return sum(astype(values, np.int64), axis=-1)
    least = max(values, axis=-1, keepdims=True) * _tolerance(tensor, rtol)[..., None]
    return sum(astype(values > least, np.int64), axis=-1)


def matrix_power(x: Any, n: int, /) -> Tensor:
    """``x`` (..., m, m) times itself ``n`` times, by repeated squaring; of the inverse for n < 0, the identity for 0.
    Raises `BrickworkError` for the inverse of a singular matrix."""
    tensor, times = _matrices("matrix_power", x), as_int("matrix_power", "n", n)
    if tensor.shape[-1] != tensor.shape[-2]:
        raise ShapeError(f"matrix_power: matrices must be square; got {tensor.shape}. Take x.mT @ x, which is")
    if times == 0:
        size = as_int("matrix_power", "a size", tensor.shape[-1])
        return broadcast_to(beside(eye(size, dtype=tensor.dtype), tensor), tensor.shape)
    base, times = (inv(tensor), -times) if times < 0 else (tensor, times)
    out = None
    while times:
        if times & 1:
            out = base if out is None else matmul(out, base)
        times >>= 1
        base = matmul(base, base) if times else base
    assert out is not None
    return out


def diagonal(x: Any, /, *, offset: int = 0) -> Tensor:
    """The elements ``x[..., i, i + offset]`` of (..., n, m): one axis at the end instead of the last two."""
    tensor, shift = _matrices("diagonal", x), as_int("diagonal", "offset", offset)
    n, m = (as_int("diagonal", "a size", size) for size in tensor.shape[-2:])
    start, count = (shift, m - shift) if shift >= 0 else (-shift * m, n + shift)
    count = count if count < n else n
    count = count if count < m else m
    flat = reshape(tensor, (*tensor.shape[:-2], n * m))
    return flat[..., start : start + count * (m + 1) : m + 1][..., :count] if count > 0 else flat[..., :0]


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sum of `diagonal`, in ``dtype``; by default in that of `sum`."""
    line = diagonal(x, offset=offset)
    return sum(line, axis=-1) if dtype is None else astype(sum(astype(line, dtype), axis=-1), dtype)


# ---- of two
def solve(x1: Any, x2: Any, /) -> Tensor:
    """The X with ``x1 @ X = x2``: x1 (..., n, n), x2 (n,) or (..., n, k). Raises `BrickworkError` where ``x1`` is
    singular."""
    a, b = asarray(x1), asarray(x2)
    common = to_inexact(promote(a.dtype, b.dtype))
    return bind(D.solve_op, (astype(a, common), astype(b, common)))


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """The cross product of vectors of three elements along ``axis``; the other axes broadcast. Of the promoted
    dtype."""
    a, b = asarray(x1), asarray(x2)
    shape = broadcast_shapes("cross", a.shape, b.shape)
    place = normalize_axis("cross", axis, len(shape))
    for t in (a, b):
        where_ = place - len(shape) + t.ndim
        if where_ < 0 or t.shape[where_] != 3:
            raise ShapeError(
                f"cross: vectors must have three elements along axis {axis}; got {a.shape} and {b.shape}. "
                "Name another axis"
            )
    lead = (slice(None),) * place
    (a0, a1, a2), (b0, b1, b2) = ([broadcast_to(t, shape)[(*lead, slice(k, k + 1))] for k in range(3)] for t in (a, b))
    return concat([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], place)


def outer(x1: Any, x2: Any, /) -> Tensor:
    """``x1[i] * x2[j]``, (n, m), of two tensors of one axis, (n,) and (m,)."""
    a, b = asarray(x1), asarray(x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(f"outer: takes tensors of one axis; got {a.shape} and {b.shape}. Reshape them")
    return a[:, None] * b[None, :]


# ---- norms
def _extreme(sizes: Tensor, axes: tuple[int, ...], keep: bool, ord: float) -> Tensor:
    """The greatest of magnitudes for a positive order, 0 of none; else the least."""
    if ord > 0 and 0 in [sizes.shape[a] for a in axes]:
        return sum(sizes, axes, keep)
    return (max if ord > 0 else min)(sizes, axes, keep)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """``sum(|x|^ord)^(1/ord)`` over ``axis`` (an int, several, or None for all): the greatest magnitude for inf, the
    least for -inf, how many are not 0 for 0. The gradient of the norm of zeros is 0."""
    tensor = _floating(x)
    axes, keep = normalize_axes("vector_norm", axis, tensor.ndim), as_bool("vector_norm", "keepdims", keepdims)
    if not isinstance(ord, (int, float)):
        raise ShapeError(f"vector_norm: ord must be a number; got {ord!r}")
    size = abs(tensor)
    if ord in (inf, -inf):
        return _extreme(size, axes, keep, ord)
    if ord == 0:
        return astype(sum(astype(not_equal(size, 0.0), size.dtype), axes, keep), size.dtype)
    if ord == 1:
        return sum(size, axes, keep)
    total = sum(size * size if ord == 2 else power(size, float(ord)), axes, keep)
    nothing = total == 0.0
    safe = where(nothing, 1.0, total)
    return where(nothing, total, sqrt(safe) if ord == 2 else power(safe, 1.0 / ord))


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Of the last two axes: "fro" the root of the sum of squares, "nuc" the sum of singular values, 2 and -2 the
    greatest and least of them, 1 and -1 of the sums of magnitudes of columns, inf and -inf of rows."""
    tensor, keep = _floating(_matrices("matrix_norm", x)), as_bool("matrix_norm", "keepdims", keepdims)
    if isinstance(ord, str) and ord == "fro":
        return vector_norm(tensor, axis=(-2, -1), keepdims=keep)
    if isinstance(ord, str) and ord == "nuc":
        out = sum(svdvals(tensor), axis=-1)
    elif ord in (2, -2):
        out = _extreme(svdvals(tensor), (-1,), False, ord)
    elif ord in (1, -1):
        out = _extreme(sum(abs(tensor), axis=-2), (-1,), False, ord)
    elif ord in (inf, -inf):
        out = _extreme(sum(abs(tensor), axis=-1), (-1,), False, ord)
    else:
        raise ShapeError(f"matrix_norm: ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf; got {ord!r}")
    return out[..., None, None] if keep else out
