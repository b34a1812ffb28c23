"""Eigenvalues and singular values.

Gradients: Giles (2008) for hermitian and general matrices, the latter with eigenvectors that stay of norm 1; Townsend,
"Differentiating the singular value decomposition" (2016), and Wan and Zhang, "Automatic differentiation for complex
valued SVD" (2019). The phase of a complex eigenvector or singular vector (of U and V together) is arbitrary: gradients
are right for results that do not depend on it.
"""

from __future__ import annotations

from math import inf
from typing import Any

from ..autodiff import filled
from ..dtypes import class_of, complex_of, real_of
from ..errors import BrickworkError, DeviceError
from ..op import Spec, register
from ..ops.contraction import matmul
from ..ops.creation import zeros_like
from ..ops.elementwise import imag, real, where
from ..trace import bind
from .factors import hermitian_part
from .kind import Decomposition, adjoint, column, conjugate, hermitian, one_like, reciprocal_gaps, row, square
from .systems import solve

__all__ = ["eig", "eig_op", "eigh", "eigh_op", "eigvals_op", "eigvalsh_op", "svd", "svd_op", "svdvals_op"]


# ---- of hermitian matrices
def _eigh_infer(x: Spec) -> tuple[Spec, Spec]:
    return Spec(square("eigh", x).shape[:-1], real_of(x.dtype)), x


def _eigh_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    """``V (diag(gw) + F * (V^H gV)) V^H``, hermitian, with F the reciprocal gaps."""
    (values, vectors), (gw, gv) = out, g
    inner = zeros_like(x) if gw is None else column(gw) * one_like(x)
    if gv is not None:
        inner = inner + reciprocal_gaps(values) * matmul(adjoint(vectors), gv)
    return hermitian(matmul(matmul(vectors, inner), adjoint(vectors)))


def _eigvalsh_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    _, vectors = eigh(x)
    return matmul(vectors * row(g), adjoint(vectors))


def eigh(x: Any) -> Any:
    """Eigenvalues and eigenvectors of hermitian matrices."""
    return bind(eigh_op, (x,))


eigh_op = register(
    Decomposition("eigh", _eigh_infer, lambda xp, x: tuple(xp.linalg.eigh(hermitian_part(xp, x))), _eigh_rule)
)
eigvalsh_op = register(
    Decomposition(
        "eigvalsh",
        lambda x: Spec(square("eigvalsh", x).shape[:-1], real_of(x.dtype)),
        lambda xp, x: xp.linalg.eigvalsh(hermitian_part(xp, x)),
        _eigvalsh_rule,
    )
)


# ---- of any square matrices
def _eig_infer(x: Spec) -> tuple[Spec, Spec]:
    dtype = complex_of(square("eig", x).dtype)
    return Spec(x.shape[:-1], dtype), Spec(x.shape, dtype)


def _general(name: str) -> Any:
    def call(xp: Any, x: Any) -> Any:
        if not hasattr(xp.linalg, name):
            raise DeviceError(f"{name}: this device has none; got an array of {xp.__name__}. Use x.to('cpu')")
        return getattr(xp.linalg, name)(x)

    return call


def _eig_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    """``V^-H (diag(gw) + conj(F) * (V^H gV - V^H V diag(Re(V^H gV)))) V^H``: the second product takes out what would
    change the norms of the columns of V."""
    (values, vectors), (gw, gv) = out, g
    dual = adjoint(vectors)
    inner = zeros_like(vectors) if gw is None else column(gw) * one_like(vectors)
    if gv is not None:
        turned = matmul(dual, gv)
        stretched = matmul(matmul(dual, vectors), real(turned) * one_like(vectors))
        inner = inner + conjugate(reciprocal_gaps(values)) * (turned - stretched)
    found = solve(dual, matmul(inner, dual))
    return found if class_of(x.dtype) == "c" else real(found)


def _eigvals_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    return _eig_rule(i, (g, None), eig(x), x)


def eig(x: Any) -> Any:
    """Eigenvalues and eigenvectors."""
    return bind(eig_op, (x,))


eig_op = register(Decomposition("eig", _eig_infer, lambda xp, x: tuple(_general("eig")(xp, x)), _eig_rule))
eigvals_op = register(
    Decomposition(
        "eigvals",
        lambda x: Spec(square("eigvals", x).shape[:-1], complex_of(x.dtype)),
        _general("eigvals"),
        _eigvals_rule,
    )
)


# ---- singular values
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
        return matmul(u * row(g[1]), vh)
    gu, gs, gvh = filled(g, out)
    v, gv = adjoint(vh), adjoint(gvh)
    turned = matmul(adjoint(u), gu)
    gaps = reciprocal_gaps(s * s)
    left, right = (gaps * (p - adjoint(p)) for p in (turned, matmul(vh, gv)))
    inner = left * row(s) + column(s) * right + column(gs) * one_like(turned)
    if class_of(x.dtype) == "c":
        phase = imag(turned) / row(where(s == 0.0, inf, s))
        inner = inner + phase * one_like(turned) * 1j
    found = matmul(matmul(u, inner), vh)
    if m > k:
        found = found + matmul((gu - matmul(u, turned)) / row(s), vh)
    if n > k:
        found = found + matmul(u / row(s), adjoint(gv - matmul(v, matmul(vh, gv))))
    return found


def _svdvals_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    u, _, vh = svd(x)
    return matmul(u * row(g), vh)


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
