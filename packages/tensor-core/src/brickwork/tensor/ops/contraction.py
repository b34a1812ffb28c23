"""Contractions: matrix product (and einsum, in `einstein`, and convolution, in `nn.convolution`) are one kind: a sum of
products over index maps.

The kind is closed under differentiation: eliminate one loop axis of an index map by solving for it, and the
gradient is again a contraction (the gradient of a strided convolution reads ``(i + p - k) / s``, which is what
`Affine.div` is for).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

from ..dtypes import promote, wide_of
from ..errors import ShapeError
from ..late import later
from ..op import Contraction, Spec, register
from ..tensor import Tensor, asarray
from ..trace import bind

if TYPE_CHECKING:
    from ..view import Affine, Form

__all__ = ["Contract", "contract", "matmul"]

SMALL = 1 << 13
"""Points of a loop that NumPy is done with sooner than it has found a library's function for it."""
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_differentiate, _matmul_form = later("ops.index_maps.differentiate"), later("ops.index_maps.matmul")


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
        inner = wide_of(dtype)
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
        return bind(contract, (g, *others), {"form": _differentiate(form, i, inputs[i].shape)}).astype(inputs[i].dtype)


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
        form: Form = _matmul_form(a, b)
        return form

    def eval(self, xp: Any, a: Any, b: Any) -> Any:
        dtype = a.dtype
        if dtype == b.dtype and dtype.kind in "fciu":
            return xp.matmul(a, b)
        dtype = promote(dtype, b.dtype)
        inner = wide_of(dtype)
        return xp.matmul(a.astype(inner), b.astype(inner)).astype(dtype, copy=False)


contract = register(Contract("contract"))
_matmul = register(MatMul("matmul"))


def matmul(a: Any, b: Any) -> Tensor:
    """The matrix product ``(..., m, k) @ (..., k, n)``; stacks broadcast, vectors are rows on the left and columns
    on the right. Of the promoted dtype. Raises `ShapeError` where inner sizes differ or stacks do not broadcast."""
    return bind(_matmul, (asarray(a), asarray(b)))
