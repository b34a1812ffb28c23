"""Contractions: matrix product (and einsum, in `einstein`, and convolution, in `nn.convolution`) are one kind: a sum of
products over index maps.

The kind is closed under differentiation: eliminate one loop axis of an index map by solving for it, and the
gradient is again a contraction (the gradient of a strided convolution reads ``(i + p - k) / s``, which is what
`Affine.div` is for).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ..dtypes import promote
from ..errors import ShapeError
from ..op import Contraction, Spec, register
from ..spec import broadcast_shapes
from ..tensor import Tensor, asarray
from ..trace import bind
from ..view import Affine, Form

__all__ = ["Contract", "contract", "matmul"]

SMALL = 1 << 13
"""Points of a loop that NumPy is done with sooner than it has found a library's function for it."""
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def differentiate(form: Form, i: int, shape: tuple[Any, ...]) -> Form:
    """The form of the gradient of operand ``i``, of shape ``shape``: its operands are g, then the others in order."""
    n = len(form.extents)
    extents = list(form.extents)
    others = [m for k, m in enumerate(form.maps) if k != i]
    maps = [tuple(Affine.axis(a, n) for a in form.out), *others]
    out: list[int] = []
    for dim, size in zip(form.maps[i], shape, strict=True):
        axis = _solve_for(dim, form.out, out, n)
        if axis is None:
            axis, n = n, n + 1
            extents.append(size)
            maps = [tuple(replace(a, coeffs=(*a.coeffs, 0)) for a in m) for m in maps]
            if size != 1:
                raise ShapeError(f"contract: an operand axis of size {size} must be indexed by a loop axis; got {dim}")
        elif dim.single != axis or extents[axis] != size:
            coeff = dim.coeffs[axis]
            sign = 1 if coeff > 0 else -1
            solved = tuple(
                sign * dim.div if a == axis else -sign * (dim.coeffs[a] if a < len(dim.coeffs) else 0) for a in range(n)
            )
            solution = Affine(solved, dim.const * -sign, abs(coeff))
            maps = [tuple(_substitute(a, axis, solution) for a in m) for m in maps]
            extents[axis] = size
        out.append(axis)
    return Form(tuple(extents), tuple(maps), tuple(out))


def _solve_for(dim: Affine, outputs: tuple[int, ...], taken: list[int], n: int) -> int | None:
    """The loop axis to eliminate: one alone in the index, else one that the output has, of the least step."""
    used = [a for a, c in enumerate(dim.coeffs) if c and a not in taken]
    if not used:
        return None
    return min(used, key=lambda a: (a not in outputs, abs(dim.coeffs[a])))


def _substitute(index: Affine, axis: int, solution: Affine) -> Affine:
    """``index`` with a loop axis replaced by an expression in the others."""
    coeff = index.coeffs[axis] if axis < len(index.coeffs) else 0
    if coeff == 0:
        return index
    if solution.div == 1:
        coeffs = tuple(
            (0 if a == axis else c) + coeff * s
            for a, (c, s) in enumerate(zip(index.coeffs, solution.coeffs, strict=True))
        )
        return Affine(coeffs, index.const + solution.const * coeff, index.div)
    if index.single != axis:
        raise ShapeError(
            "contract: a strided index inside another is not an affine index; got a product of such. Copy one "
            "operand first"
        )
    return solution


class Contract(Contraction):
    """The general one; its `Form` is a parameter."""

    def form(self, *specs: Any, **params: Any) -> Form:
        form: Form = params["form"]
        return form

    def eval(self, xp: Any, *arrays: Any, **params: Any) -> Any:
        form = self.form(*(Spec(a.shape, a.dtype) for a in arrays), **params)
        dtype = promote(*(a.dtype for a in arrays))
        equation = _equation(form, tuple([a.shape for a in arrays]))
        if equation is not None and len(arrays) == 2 and dtype.kind in "fciu" and arrays[0].dtype == arrays[1].dtype:
            return xp.einsum(equation, *arrays, optimize=prod(form.extents) > SMALL)
        inner = np.dtype("float32") if dtype.name in ("float16", "bfloat16") else dtype
        names = LETTERS
        if len(form.extents) > len(names):
            raise ShapeError(
                f"contract: at most {len(names)} loop axes; got {len(form.extents)}. Multiply in two steps"
            )
        terms, operands = [], []
        for array, dims in zip(arrays, form.maps, strict=True):
            axes, view = _gather(xp, array.astype(inner, copy=False), dims, form.extents)
            terms.append("".join(names[a] for a in axes))
            operands.append(view)
        missing = [a for a in form.out if not any(names[a] in t for t in terms)]
        reach = [a for a in form.reduced if not any(names[a] in t for t in terms)]
        out = xp.einsum(
            f"{','.join(terms)}->{''.join(names[a] for a in form.out if a not in missing)}",
            *operands,
            optimize=len(operands) > 1,
        )
        for a in missing:
            out = xp.expand_dims(out, form.out.index(a))
        for a in reach:
            out = out * form.extents[a]
        return xp.broadcast_to(out, tuple(form.extents[a] for a in form.out)).astype(dtype, copy=False)

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        form = self.form(*(x.spec for x in inputs), **params)
        others = [x for k, x in enumerate(inputs) if k != i]
        return bind(contract, (g, *others), {"form": differentiate(form, i, inputs[i].shape)}).astype(inputs[i].dtype)


@lru_cache(maxsize=4096)
def _equation(form: Form, shapes: tuple[Any, ...]) -> str | None:
    """The sum of products as `numpy.einsum` writes it, where every axis of an operand is all of a loop axis, and every
    axis of the result one of an operand's; else None."""
    singles = [[dim.single for dim in dims] for dims in form.maps]
    if any(None in axes or len(set(axes)) != len(axes) for axes in singles) or len(form.extents) > len(LETTERS):
        return None
    if any(form.extents[a] != n for axes, shape in zip(singles, shapes) for a, n in zip(axes, shape) if a is not None):
        return None
    if {a for axes in singles for a in axes} != set(range(len(form.extents))):
        return None
    terms = ("".join(LETTERS[a] for a in axes if a is not None) for axes in singles)
    return f"{','.join(terms)}->{''.join(LETTERS[a] for a in form.out)}"


def _gather(xp: Any, x: Any, dims: Sequence[Affine], extents: Sequence[Any]) -> tuple[list[int], Any]:
    """An operand as a strided view with one axis per loop axis it depends on."""
    widths = []
    for d, (dim, size) in enumerate(zip(dims, x.shape, strict=True)):
        if dim.div > 1:
            wide = xp.zeros((*x.shape[:d], (size - 1) * dim.div + 1 if size else 0, *x.shape[d + 1 :]), x.dtype)
            wide[(slice(None),) * d + (slice(None, None, dim.div),)] = x
            x, size = wide, wide.shape[d]
        low, high = dim.bounds(tuple(extents))
        widths.append((max(0, -low), max(0, high + 1 - size)))
    if any(w != (0, 0) for w in widths):
        x = xp.pad(x, widths)
    axes = sorted({a for dim in dims for a, c in enumerate(dim.coeffs) if c})
    start = tuple(slice(dim.const + before, None) for dim, (before, _) in zip(dims, widths, strict=True))
    strides = [sum(dim.coeffs[a] * step for dim, step in zip(dims, x.strides, strict=True)) for a in axes]
    view = x[start] if dims else x
    return axes, xp.lib.stride_tricks.as_strided(view, [extents[a] for a in axes], strides)


class MatMul(Contract):
    """``(..., m, k) @ (..., k, n)``, with NumPy's rule for vectors and broadcast stacks."""

    def form(self, a: Spec, b: Spec) -> Form:
        if a.ndim == 0 or b.ndim == 0:
            raise ShapeError(
                f"matmul: operands need at least one axis; got a {a.shape}, b {b.shape}. Use * for scalars"
            )
        k = a.shape[-1]
        inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
        if k != inner:
            turned = b.ndim > 1 and k == b.shape[-1]
            raise ShapeError(f"matmul: inner sizes must match; got a {a.shape}, b {b.shape}: {k} != {inner}."
                             f"{' Transpose b?' if turned else ' Transpose one?'}")  # fmt: skip
        batch = broadcast_shapes("matmul", a.shape[:-2], b.shape[:-2])
        nb = len(batch)
        extents = (*batch, *((a.shape[-2],) if a.ndim > 1 else ()), *((b.shape[-1],) if b.ndim > 1 else ()), k)
        n = len(extents)

        def lead(x: Spec) -> list[Affine]:
            skip = nb - max(x.ndim - 2, 0)
            return [Affine((0,) * n) if size == 1 else Affine.axis(skip + d, n) for d, size in enumerate(x.shape[:-2])]

        row = [Affine.axis(nb, n)] if a.ndim > 1 else []
        column = [Affine.axis(n - 2, n)] if b.ndim > 1 else []
        inner_axis = Affine.axis(n - 1, n)
        return Form(extents, ((*lead(a), *row, inner_axis), (*lead(b), inner_axis, *column)), tuple(range(n - 1)))

    def eval(self, xp: Any, a: Any, b: Any) -> Any:
        dtype = a.dtype
        if dtype == b.dtype and dtype.kind in "fciu":
            return xp.matmul(a, b)
        dtype = promote(dtype, b.dtype)
        inner = np.dtype("float32") if dtype.name in ("float16", "bfloat16") else dtype
        return xp.matmul(a.astype(inner), b.astype(inner)).astype(dtype, copy=False)


contract = register(Contract("contract"))
_matmul = register(MatMul("matmul"))


def matmul(a: Any, b: Any) -> Tensor:
    """The matrix product ``(..., m, k) @ (..., k, n)``; stacks broadcast, vectors are rows on the left and columns
    on the right."""
    return bind(_matmul, (asarray(a), asarray(b)))
