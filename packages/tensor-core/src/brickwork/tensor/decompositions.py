"""The ops of linear algebra: matrices are the last two axes, the arrays of the device decompose them.

Gradients are of real matrices (those of complex ones depend on a choice of phase, and raise `DTypeError`): Giles, "An
extended collection of matrix derivative results" (2008); Murray, "Differentiation of the Cholesky decomposition"
(2016); Townsend, "Differentiating the singular value decomposition" (2016); Golub and Pereyra (1973) for the
pseudo-inverse. Where eigenvalues or singular values are equal, the part that their difference divides is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .dtypes import class_of, real_of
from .errors import BrickworkError, DTypeError, ShapeError
from .op import Opaque, Spec, register, sum_to
from .ops.arranging import matrix_transpose as mt
from .ops.arranging import tril
from .ops.contraction import matmul
from .ops.creation import eye, zeros_like
from .ops.elementwise import where
from .ops.movement import concat
from .spec import broadcast_shapes
from .tensor import beside
from .trace import bind

__all__ = [
    "cholesky_op",
    "det_op",
    "eigh_op",
    "eigvalsh_op",
    "inv_op",
    "pinv_op",
    "qr_op",
    "slogdet_op",
    "solve_op",
    "svd_op",
    "svdvals_op",
]

WHY = {
    "cholesky": "the matrix must be positive definite; got one that is not. Add a multiple of the identity",
    "inv": "the matrix must be invertible; got a singular one. Use pinv, or add a multiple of the identity",
    "solve": "the matrix must be invertible; got a singular one. Use pinv(a) @ b, or add a multiple of the identity",
}


class Decomposition(Opaque):
    """``call(xp, *matrices, **params)`` in float32 or wider, on operands that the shape rule has taken."""

    def __init__(self, name: str, infer: Callable[..., Any], call: Callable[..., Any], rule: Callable[..., Any]):
        super().__init__(name, infer, call, rule)

    def infer(self, *specs: Spec, **params: Any) -> Any:
        for s in specs:
            if class_of(s.dtype) not in "fc" or s.dtype.itemsize == 1:
                raise DTypeError(f"{self.name}: takes floating-point matrices; got {s}. Cast with astype('float32')")
        if specs[0].ndim < 2:
            raise ShapeError(f"{self.name}: needs matrices, of two axes or more; got {specs[0]}")
        return super().infer(*specs, **params)

    def eval(self, xp: Any, *arrays: Any, **params: Any) -> Any:
        wanted = self.infer(*(Spec(a.shape, a.dtype) for a in arrays), **params)
        wide = [a.astype(np.float32) if a.dtype.itemsize == 2 else a for a in arrays]
        try:
            out = super().eval(xp, *wide, **params)
        except np.linalg.LinAlgError as error:
            why = WHY.get(self.name, f"it must converge; got {error}. Look for NaN or infinities")
            raise BrickworkError(f"{self.name}: {why}") from None
        if isinstance(wanted, tuple):
            return tuple(xp.asarray(o).astype(w.dtype, copy=False) for o, w in zip(out, wanted, strict=True))
        return xp.asarray(out).astype(wanted.dtype, copy=False)

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        if class_of(inputs[0].dtype) == "c":
            raise DTypeError(
                f"{self.name}: gradients are of real matrices; got {inputs[0].dtype}. Use the real and imaginary parts"
            )
        return super().vjp(i, g, out, *inputs, **params)


def _square(who: str, x: Spec) -> Spec:
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{who}: matrices must be square; got {x.shape}. Use pinv or svd for others")
    return x


def _one_like(x: Any) -> Any:
    return beside(eye(x.shape[-1], dtype=x.dtype), x)


def _half(x: Any) -> Any:
    """The symmetric part."""
    return (x + mt(x)) * 0.5


def _hermitian(xp: Any, x: Any) -> Any:
    return (x + xp.conj(xp.swapaxes(x, -1, -2))) / 2


def _column(x: Any) -> Any:
    return x[..., None]


def _row(x: Any) -> Any:
    return x[..., None, :]


def _given(g: Any, out: Any) -> list[Any]:
    """The gradients of several results, zeros where there is none."""
    return [zeros_like(o) if p is None else p for p, o in zip(g, out, strict=True)]


def _reciprocal_gaps(v: Any) -> Any:
    """``F[i, j] = 1 / (v[j] - v[i])``, 0 where the two are equal."""
    gap = _row(v) - _column(v)
    same = gap == 0.0
    return where(same, 0.0, 1.0 / where(same, 1.0, gap))


def solve(a: Any, b: Any) -> Any:
    """``x`` with ``a @ x = b``."""
    return bind(solve_op, (a, b))


# ---- one matrix to one -----------------------------------------------------------------------------------------------
def _cholesky_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    """``L^-T phi(L^T g) L^-1``, symmetric; phi takes the lower triangle and half the diagonal."""
    inner = tril(matmul(mt(out), g))
    inner = inner - inner * _one_like(x) * 0.5
    left = solve(mt(out), inner)
    return _half(mt(solve(mt(out), mt(left))))


def _inv_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    return -matmul(matmul(mt(out), g), mt(out))


def _pinv_infer(x: Spec, rtol: Spec) -> Spec:
    broadcast_shapes("pinv", x.shape[:-2], rtol.shape)
    return Spec((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)


def _pinv_rule(i: int, g: Any, out: Any, x: Any, rtol: Any) -> Any:
    if i == 1:
        return None
    left = g - matmul(g, matmul(x, out))
    right = mt(g) - matmul(mt(g), matmul(out, x))
    return (
        -matmul(matmul(mt(out), g), mt(out))
        + matmul(mt(left), matmul(out, mt(out)))
        + matmul(matmul(mt(out), out), right)
    )


cholesky_op = register(
    Decomposition(
        "cholesky",
        lambda x: _square("cholesky", x),
        lambda xp, x: xp.linalg.cholesky(_hermitian(xp, x)),
        _cholesky_rule,
    )
)
inv_op = register(Decomposition("inv", lambda x: _square("inv", x), lambda xp, x: xp.linalg.inv(x), _inv_rule))
pinv_op = register(Decomposition("pinv", _pinv_infer, lambda xp, x, rtol: xp.linalg.pinv(x, rtol), _pinv_rule))


# ---- determinants ----------------------------------------------------------------------------------------------------
def _det_infer(x: Spec) -> Spec:
    return Spec(_square("det", x).shape[:-2], x.dtype)


def _det_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    return _column(_column(g * out)) * mt(bind(inv_op, (x,)))


def _slogdet_infer(x: Spec) -> tuple[Spec, Spec]:
    shape = _square("slogdet", x).shape[:-2]
    return Spec(shape, x.dtype), Spec(shape, real_of(x.dtype))


def _slogdet_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    return None if g[1] is None else _column(_column(g[1])) * mt(bind(inv_op, (x,)))


det_op = register(Decomposition("det", _det_infer, lambda xp, x: xp.linalg.det(x), _det_rule))
slogdet_op = register(
    Decomposition("slogdet", _slogdet_infer, lambda xp, x: tuple(xp.linalg.slogdet(x)), _slogdet_rule)
)


# ---- linear systems --------------------------------------------------------------------------------------------------
def _solve_infer(a: Spec, b: Spec) -> Spec:
    _square("solve", a)
    if a.dtype != b.dtype:
        raise DTypeError(f"solve: dtypes must agree; got {a.dtype} and {b.dtype}. Cast with astype")
    n = b.shape[-1] if b.ndim == 1 else b.shape[-2] if b.ndim else 0
    if b.ndim == 0 or n != a.shape[-1]:
        raise ShapeError(f"solve: rows of both must match; got {a.shape} and {b.shape}. Transpose one?")
    if b.ndim == 1:
        return Spec((*a.shape[:-2], n), a.dtype)
    return Spec((*broadcast_shapes("solve", a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), a.dtype)


def _solve_eval(xp: Any, a: Any, b: Any) -> Any:
    return xp.linalg.solve(a, b[:, None])[..., 0] if b.ndim == 1 else xp.linalg.solve(a, b)


def _solve_rule(i: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    """``b`` gets ``a^-T g``, and ``a`` the product of that, negative, with the solution."""
    vector = len(b.shape) == 1
    back = solve(mt(a), _column(g) if vector else g)
    if i == 1:
        return sum_to(back[..., 0] if vector else back, b.shape)
    return sum_to(-matmul(back, _row(out) if vector else mt(out)), a.shape)


solve_op = register(Decomposition("solve", _solve_infer, _solve_eval, _solve_rule))


# ---- eigenvalues of symmetric matrices -------------------------------------------------------------------------------
def _eigh_infer(x: Spec) -> tuple[Spec, Spec]:
    return Spec(_square("eigh", x).shape[:-1], real_of(x.dtype)), x


def _eigh_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    """``V (diag(gw) + F * (V^T gV)) V^T``, symmetric, with F the reciprocal gaps."""
    (values, vectors), (gw, gv) = out, g
    inner = zeros_like(x) if gw is None else _column(gw) * _one_like(x)
    if gv is not None:
        inner = inner + _reciprocal_gaps(values) * matmul(mt(vectors), gv)
    return _half(matmul(matmul(vectors, inner), mt(vectors)))


def _eigvalsh_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    _, vectors = eigh(x)
    return matmul(vectors * _row(g), mt(vectors))


def eigh(x: Any) -> Any:
    """Eigenvalues and eigenvectors."""
    return bind(eigh_op, (x,))


eigh_op = register(
    Decomposition("eigh", _eigh_infer, lambda xp, x: tuple(xp.linalg.eigh(_hermitian(xp, x))), _eigh_rule)
)
eigvalsh_op = register(
    Decomposition(
        "eigvalsh",
        lambda x: Spec(_square("eigvalsh", x).shape[:-1], real_of(x.dtype)),
        lambda xp, x: xp.linalg.eigvalsh(_hermitian(xp, x)),
        _eigvalsh_rule,
    )
)


# ---- singular values -------------------------------------------------------------------------------------------------
def _svd_infer(x: Spec, *, full: bool) -> tuple[Spec, Spec, Spec]:
    batch, (m, n) = x.shape[:-2], x.shape[-2:]
    k = min(m, n)
    left, right = ((m, m), (n, n)) if full else ((m, k), (k, n))
    return Spec((*batch, *left), x.dtype), Spec((*batch, k), real_of(x.dtype)), Spec((*batch, *right), x.dtype)


def _svd_rule(i: int, g: Any, out: Any, x: Any, *, full: bool) -> Any:
    m, n = x.shape[-2:]
    if full and m != n and not (g[0] is None and g[2] is None):
        raise BrickworkError(
            f"svd: gradients are of the reduced vectors; got full_matrices=True for {x.shape}. Use full_matrices=False"
        )
    k = min(m, n)
    u, s, vh = out[0][..., :k], out[1], out[2][..., :k, :]
    if g[0] is None and g[2] is None:
        return matmul(u * _row(g[1]), vh)
    gu, gs, gvh = _given(g, out)
    v, gv = mt(vh), mt(gvh)
    gaps = _reciprocal_gaps(s * s)
    left, right = (gaps * (p - mt(p)) for p in (matmul(mt(u), gu), matmul(mt(v), gv)))
    inner = left * _row(s) + _column(s) * right + _column(gs) * beside(eye(k, dtype=x.dtype), x)
    found = matmul(matmul(u, inner), vh)
    if m > k:
        found = found + matmul((gu - matmul(u, matmul(mt(u), gu))) / _row(s), vh)
    if n > k:
        found = found + matmul(u / _row(s), mt(gv - matmul(v, matmul(vh, gv))))
    return found


def _svdvals_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    u, _, vh = svd(x)
    return matmul(u * _row(g), vh)


def svd(x: Any) -> Any:
    """The reduced decomposition."""
    return bind(svd_op, (x,), {"full": False})


svd_op = register(
    Decomposition("svd", _svd_infer, lambda xp, x, full: tuple(xp.linalg.svd(x, full_matrices=full)), _svd_rule)
)
svdvals_op = register(
    Decomposition(
        "svdvals",
        lambda x: Spec((*x.shape[:-2], min(x.shape[-2:])), real_of(x.dtype)),
        lambda xp, x: xp.linalg.svd(x, compute_uv=False),
        _svdvals_rule,
    )
)


# ---- orthogonal and triangular ---------------------------------------------------------------------------------------
def _qr_infer(x: Spec, *, complete: bool) -> tuple[Spec, Spec]:
    batch, (m, n) = x.shape[:-2], x.shape[-2:]
    k = m if complete else min(m, n)
    return Spec((*batch, m, k), x.dtype), Spec((*batch, k, n), x.dtype)


def _qr_rule(i: int, g: Any, out: Any, x: Any, *, complete: bool) -> Any:
    """Of tall matrices ``(gQ + Q sym(M)) R^-T`` with ``M = R gR^T - gQ^T Q`` and sym the lower triangle mirrored; a
    wide one is a square one and columns beside it."""
    m, n = x.shape[-2:]
    if complete and m > n:
        raise BrickworkError(f"qr: gradients are of the reduced form; got mode='complete' for {x.shape}. Use 'reduced'")
    (q, r), (gq, gr) = out, _given(g, out)
    if m >= n:
        return _tall_qr(q, r, gq, gr)
    gright = matmul(q, gr[..., m:])
    gq = gq + matmul(x[..., m:], mt(gr[..., m:]))
    return concat([_tall_qr(q, r[..., :m], gq, gr[..., :m]), gright], -1)


def _tall_qr(q: Any, r: Any, gq: Any, gr: Any) -> Any:
    inner = matmul(r, mt(gr)) - matmul(mt(gq), q)
    mirrored = tril(inner) + mt(tril(inner, k=-1))
    return mt(solve(r, mt(gq + matmul(q, mirrored))))


qr_op = register(
    Decomposition(
        "qr",
        _qr_infer,
        lambda xp, x, complete: tuple(xp.linalg.qr(x, mode="complete" if complete else "reduced")),
        _qr_rule,
    )
)
