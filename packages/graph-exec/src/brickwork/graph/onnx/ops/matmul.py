"""Products of matrices and of whole tensors."""

from __future__ import annotations

import brickwork.tensor as bt
from brickwork.tensor import Tensor

from ..registry import translator

translator("MatMul")(lambda a, b: bt.matmul(a, b))
translator("Det", 11)(lambda x: bt.linalg.det(x))
translator("Einsum", 12)(lambda *xs, equation: bt.einsum(equation.replace(" ", ""), *xs))


@translator("Gemm")
def gemm(
    a: Tensor,
    b: Tensor,
    c: Tensor | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
    broadcast: int = 0,
) -> Tensor:
    out = bt.matmul(bt.matrix_transpose(a) if transA else a, bt.matrix_transpose(b) if transB else b)
    if alpha != 1:
        out = (out * alpha).astype(a.dtype)
    if c is None or beta == 0:
        return out
    return out + (c if beta == 1 else (c * beta).astype(a.dtype))
