"""Inverses, determinants and linear systems.

Gradients: Giles, "An extended collection of matrix derivative results" (2008); Golub and Pereyra (1973) for the
pseudo-inverse.
"""

from __future__ import annotations

from typing import Any

from ..dtypes import class_of, real_of
from ..errors import DTypeError, ShapeError
from ..op import Spec, register, sum_to
from ..ops.arranging import matrix_transpose
from ..ops.contraction import matmul
from ..ops.elementwise import imag
from ..ops.reduce import sum
from ..spec import broadcast_shapes
from ..trace import bind
from .kind import Decomposition, adjoint, column, conjugate, row, square

__all__ = ["cofactors_op", "det_op", "inv_op", "pinv_op", "slogdet_op", "solve", "solve_op"]


def _inv_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    return -matmul(matmul(adjoint(out), g), adjoint(out))


def _pinv_infer(x: Spec, rtol: Spec) -> Spec:
    broadcast_shapes("pinv", x.shape[:-2], rtol.shape)
    return Spec((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)


def _pinv_rule(i: int, g: Any, out: Any, x: Any, rtol: Any) -> Any:
    if i == 1:
        return None
    left = g - matmul(g, matmul(x, out))
    right = adjoint(g) - matmul(adjoint(g), matmul(out, x))
    return (
        -matmul(matmul(adjoint(out), g), adjoint(out))
        + matmul(adjoint(left), matmul(out, adjoint(out)))
        + matmul(matmul(adjoint(out), out), right)
    )


inv_op = register(Decomposition("inv", lambda x: square("inv", x), lambda xp, x: xp.linalg.inv(x), _inv_rule))
pinv_op = register(Decomposition("pinv", _pinv_infer, lambda xp, x, rtol: xp.linalg.pinv(x, rtol), _pinv_rule))


# ---- determinants
def _det_infer(x: Spec) -> Spec:
    return Spec(square("det", x).shape[:-2], x.dtype)


def _det_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    return column(column(g)) * conjugate(bind(cofactors_op, (x,)))


def _cofactors(xp: Any, x: Any) -> Any:
    """By singular values, whose products without one of them need no division: of singular matrices too."""
    u, s, vh = xp.linalg.svd(x)
    one = xp.ones_like(s[..., :1])
    before = xp.cumprod(xp.concatenate([one, s[..., :-1]], -1), -1)
    after = xp.cumprod(xp.concatenate([one, s[..., :0:-1]], -1), -1)[..., ::-1]
    sign = xp.linalg.det(u) * xp.linalg.det(vh)
    return sign[..., None, None] * xp.matmul(xp.conj(u) * (before * after)[..., None, :], xp.conj(vh))


def _cofactors_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    """From ``C = det(X) X^-T``: ``sum(G * conj(C)) X^-H - conj(X^-T G^H C)``; needs the inverse."""
    inverse = bind(inv_op, (x,))
    total = sum(g * conjugate(out), axis=(-2, -1), keepdims=True)
    return total * adjoint(inverse) - conjugate(matmul(matrix_transpose(inverse), matmul(adjoint(g), out)))


def _slogdet_infer(x: Spec) -> tuple[Spec, Spec]:
    shape = square("slogdet", x).shape[:-2]
    return Spec(shape, x.dtype), Spec(shape, real_of(x.dtype))


def _slogdet_rule(i: int, g: Any, out: Any, x: Any) -> Any:
    """The logarithm gets ``X^-H``; the sign of a complex matrix turns as the imaginary part of ``tr(X^-1 dX)``, that
    of a real one stays."""
    turning = None if g[0] is None or class_of(x.dtype) != "c" else imag(g[0] * conjugate(out[0])) * 1j
    if turning is None and g[1] is None:
        return None
    weight = turning if g[1] is None else g[1] if turning is None else g[1] + turning
    return column(column(weight)) * adjoint(bind(inv_op, (x,)))


det_op = register(Decomposition("det", _det_infer, lambda xp, x: xp.linalg.det(x), _det_rule))
cofactors_op = register(Decomposition("cofactors", lambda x: square("cofactors", x), _cofactors, _cofactors_rule))
slogdet_op = register(
    Decomposition("slogdet", _slogdet_infer, lambda xp, x: tuple(xp.linalg.slogdet(x)), _slogdet_rule)
)


# ---- linear systems
def _solve_infer(a: Spec, b: Spec) -> Spec:
    square("solve", a)
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
    """``b`` gets ``a^-H g``, and ``a`` the product of that, negative, with the solution."""
    vector = len(b.shape) == 1
    back = solve(adjoint(a), column(g) if vector else g)
    if i == 1:
        return sum_to(back[..., 0] if vector else back, b.shape)
    return sum_to(-matmul(back, conjugate(row(out)) if vector else adjoint(out)), a.shape)


def solve(a: Any, b: Any) -> Any:
    """``x`` with ``a @ x = b``."""
    return bind(solve_op, (a, b))


solve_op = register(Decomposition("solve", _solve_infer, _solve_eval, _solve_rule))
