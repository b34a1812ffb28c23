"""What the ops of linear algebra share: dtypes, errors, and how their gradients are written.

The rules are those of the literature, for the gradient G of ``dL = Re tr(G^H dX)``, so that they hold for real and
complex matrices alike. A cotangent here is its conjugate (see the convention at `conj`'s atom): `Decomposition.vjp`
conjugates what goes into a rule and what comes out. Where eigenvalues or singular values are equal, the part that
their difference divides is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import class_of, wide_of
from ..errors import BrickworkError, DTypeError, ShapeError
from ..op import Opaque, Spec
from ..ops.arranging import matrix_transpose
from ..ops.creation import eye
from ..ops.elementwise import conj, where
from ..tensor import beside

__all__ = [
    "Decomposition",
    "adjoint",
    "column",
    "conjugate",
    "hermitian",
    "one_like",
    "reciprocal_gaps",
    "row",
    "square",
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
            raise ShapeError(f"{self.name}: needs matrices, of two axes or more; got {specs[0]}. Reshape it")
        return super().infer(*specs, **params)

    def eval(self, xp: Any, *arrays: Any, **params: Any) -> Any:
        wanted = self.infer(*(Spec(a.shape, a.dtype) for a in arrays), **params)
        wide = [a.astype(wide_of(a.dtype), copy=False) for a in arrays]
        try:
            out = super().eval(xp, *wide, **params)
        except np.linalg.LinAlgError as error:
            why = WHY.get(self.name, f"it must converge; got {error}. Look for NaN or infinities")
            raise BrickworkError(f"{self.name}: {why}") from None
        if isinstance(wanted, tuple):
            return tuple(xp.asarray(o).astype(w.dtype, copy=False) for o, w in zip(out, wanted, strict=True))
        return xp.asarray(out).astype(wanted.dtype, copy=False)

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        turned = tuple(p if p is None else conjugate(p) for p in g) if isinstance(g, tuple) else conjugate(g)
        found = super().vjp(i, turned, out, *inputs, **params)
        return found if found is None else conjugate(found)


def conjugate(x: Any) -> Any:
    """A real tensor is its own conjugate, and needs no op to be."""
    return conj(x) if class_of(x.dtype) == "c" else x


def adjoint(x: Any) -> Any:
    """The conjugate transpose."""
    return matrix_transpose(conjugate(x))


def hermitian(x: Any) -> Any:
    """The part of a matrix that is its own adjoint."""
    return (x + adjoint(x)) * 0.5


def square(who: str, x: Spec) -> Spec:
    """The same, where it is of square matrices."""
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{who}: matrices must be square; got {x.shape}. Use pinv or svd for others")
    return x


def one_like(x: Any) -> Any:
    """The identity matrix."""
    return beside(eye(x.shape[-1], dtype=x.dtype), x)


def column(x: Any) -> Any:
    """``x[i]`` where a matrix reads ``[i, j]``."""
    return x[..., None]


def row(x: Any) -> Any:
    """``x[j]`` where a matrix reads ``[i, j]``."""
    return x[..., None, :]


def reciprocal_gaps(v: Any) -> Any:
    """``F[i, j] = 1 / (v[j] - v[i])``, 0 where the two are equal."""
    gap = row(v) - column(v)
    same = gap == 0.0
    return where(same, 0.0, 1.0 / where(same, 1.0, gap))
