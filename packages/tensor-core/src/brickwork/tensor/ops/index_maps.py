"""The index maps of movement ops and contractions, and of their gradients.

Compilers read them, and so do gradients; to compute at once takes none, so this room loads late.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import ShapeError
from ..spec import Shape, TensorSpec, broadcast_shapes
from ..view import Affine, Form, IndexMap

__all__ = [
    "broadcast_to",
    "differentiate",
    "matmul",
    "pad",
    "slice_gradient",
    "sliced",
    "sliding_window",
    "transpose",
    "window_gradient",
]

Spec = TensorSpec


def transpose(x: Spec, *, axes: tuple[int, ...]) -> IndexMap:
    return IndexMap(tuple(Affine.axis(axes.index(d), x.ndim) for d in range(x.ndim)))


def broadcast_to(x: Spec, *, shape: Shape) -> IndexMap:
    n, lead = len(shape), len(shape) - x.ndim
    return IndexMap(
        tuple(Affine((0,) * n) if size == 1 else Affine.axis(lead + d, n) for d, size in enumerate(x.shape))
    )


def sliced(x: Spec, *, start: Shape, size: Shape, step: tuple[int, ...]) -> IndexMap:
    return IndexMap(tuple(Affine.axis(d, x.ndim, s, b) for d, (b, s) in enumerate(zip(start, step, strict=True))))


def slice_gradient(shape: Shape, *, start: Any, size: Any, step: Any) -> Form:
    """Of a slice of an operand of this shape: where an element came from, its gradient goes."""
    n = len(size)
    maps = tuple(
        Affine.of(n, {d: 1}, -b, s) if s > 0 else Affine.of(n, {d: -1}, b, -s)
        for d, (b, s) in enumerate(zip(start, step, strict=True))
    )
    return Form(shape, (maps,), tuple(range(n)))


def pad(x: Spec, *, widths: Any, value: float) -> IndexMap:
    return IndexMap(tuple(Affine.axis(d, x.ndim, 1, -before) for d, (before, _) in enumerate(widths)), value)


def sliding_window(x: Spec, *, axes: Any, sizes: Any, strides: Any, dilations: Any) -> IndexMap:
    n = x.ndim + len(axes)
    windows = {d: {d: strides[k], x.ndim + k: dilations[k]} for k, d in enumerate(axes)}
    return IndexMap(tuple(Affine.of(n, windows.get(d, {d: 1})) for d in range(x.ndim)))


def window_gradient(shape: Shape, *, axes: Any, sizes: Any, strides: Any, dilations: Any) -> Form:
    """Of the windows of an operand of this shape: the sum over the windows that an element is in."""
    ndim, n = len(shape), len(shape) + len(axes)
    maps = [Affine.axis(d, n) for d in range(ndim)]
    for k, d in enumerate(axes):
        maps[d] = Affine.of(n, {d: 1, ndim + k: -dilations[k]}, 0, strides[k])
    maps += [Affine.axis(ndim + k, n) for k in range(len(axes))]
    return Form(shape + tuple(sizes), (tuple(maps),), tuple(range(ndim)))


def matmul(a: Spec, b: Spec) -> Form:
    """Raises `ShapeError` where the operands do not fit."""
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul: operands need at least one axis; got a {a.shape}, b {b.shape}. Use * for scalars")
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
