"""Triangular factors: Cholesky and QR.

Gradients: Murray, "Differentiation of the Cholesky decomposition" (2016); Walter and Lehmann, "Algorithmic
differentiation of linear algebra functions" (2010) for QR, here with the real diagonal that R of a complex matrix has.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import filled
from ..dtypes import class_of
from ..errors import BrickworkError
from ..op import Spec, register
from ..ops.arranging import tril
from ..ops.contraction import matmul
from ..ops.elementwise import real
from ..ops.movement import concat
from .kind import Decomposition, adjoint, hermitian, one_like, square
from .systems import solve

__all__ = ["cholesky_op", "hermitian_part", "qr_op"]


def hermitian_part(xp: Any, x: Any) -> Any:
    """Of an array: LAPACK reads one triangle, the mathematics both."""
    return (x + xp.conj(xp.swapaxes(x, -1, -2))) / 2


def _cholesky_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    """``L^-H phi(L^H g) L^-1``, hermitian; phi takes the lower triangle and half the diagonal."""
    inner = tril(matmul(adjoint(out), g))
    inner = hermitian(inner - inner * one_like(x) * 0.5)
    left = solve(adjoint(out), inner)
    return adjoint(solve(adjoint(out), adjoint(left)))


cholesky_op = register(
    Decomposition(
        "cholesky",
        lambda x: square("cholesky", x),
        lambda xp, x: xp.linalg.cholesky(hermitian_part(xp, x)),
        _cholesky_rule,
    )
)


def _qr_infer(x: Spec, *, complete: bool) -> tuple[Spec, Spec]:
    batch, (m, n) = x.shape[:-2], x.shape[-2:]
    k = m if complete else min(m, n)
    return Spec((*batch, m, k), x.dtype), Spec((*batch, k, n), x.dtype)


def _qr_rule(i: int, g: Any, out: Any, x: Any, *, complete: bool) -> Any:
    """Of tall matrices ``(gQ + Q sym(M)) R^-H`` with ``M = R gR^H - gQ^H Q`` and sym the lower triangle mirrored; a
    wide one is a square one and columns beside it."""
    m, n = x.shape[-2:]
    if complete and m > n:
        raise BrickworkError(f"qr: gradients are of the reduced form; got mode='complete' for {x.shape}. Use 'reduced'")
    (q, r), (gq, gr) = out, filled(g, out)
    if m >= n:
        return _tall_qr(q, r, gq, gr)
    right = gr[..., m:]
    gq = gq + matmul(x[..., m:], adjoint(right))
    return concat([_tall_qr(q, r[..., :m], gq, gr[..., :m]), matmul(q, right)], -1)


def _tall_qr(q: Any, r: Any, gq: Any, gr: Any) -> Any:
    inner = matmul(r, adjoint(gr)) - matmul(adjoint(gq), q)
    below, across = tril(inner, k=-1), inner * one_like(inner)
    across = real(across) if class_of(inner.dtype) == "c" else across
    return adjoint(solve(r, adjoint(gq + matmul(q, below + adjoint(below) + across))))


qr_op = register(
    Decomposition(
        "qr",
        _qr_infer,
        lambda xp, x, complete: tuple(xp.linalg.qr(x, mode="complete" if complete else "reduced")),
        _qr_rule,
    )
)
