"""Sums of products: MatMul, Conv and ConvTranspose where a `Form` is one of these, else Einsum over windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.dtypes import class_of
from brickwork.tensor.view import Affine, Form

from ...ir import Node
from .movements import windows_of
from .reductions import channels_first, channels_last
from .writer import Refusal, Writer, rule

__all__ = ["contract"]

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _typed(w: Writer, node: Node, names: Sequence[str], dtype: np.dtype) -> list[str]:
    return [n if v.spec.dtype == dtype else w.cast(n, dtype) for v, n in zip(node.inputs, names, strict=True)]


def _inner(dtype: np.dtype) -> np.dtype:
    """The dtype that products of one are made in: sums of narrow floats in float32, and no integers of less than 32
    bits, which the standard has no products of."""
    kind = class_of(dtype)
    if dtype.itemsize >= 4 or kind == "c":
        return dtype
    return np.dtype({"f": "float32", "u": "uint32"}.get(kind, "int32"))


@rule("matmul")
def matmul(w: Writer, node: Node, names: list[str]) -> str:
    out = node.out.spec.dtype
    inner = out if class_of(out) == "f" else _inner(out)
    name = w.emit("MatMul", *_typed(w, node, names, inner))
    return name if inner == out else w.cast(name, out)


@rule("conv")
def conv(w: Writer, node: Node, names: list[str]) -> str:
    s, out = node.settings, node.out.spec
    if class_of(out.dtype) != "f":
        return _general(w, node, names, node.definition.form(*(v.spec for v in node.inputs), **s))  # type: ignore[attr-defined]
    x, filters = _typed(w, node, names, out.dtype)
    pads = [p[side] for side in (0, 1) for p in s["padding"]]
    space = range(out.ndim - 2)
    filters = w.transpose(filters, (out.ndim - 1, out.ndim - 2, *space))
    image = channels_first(w, x, out.ndim)
    given = {"strides": list(s["strides"]), "pads": pads, "dilations": list(s["dilations"]), "group": s["groups"]}
    shape = [node.inputs[1].spec.shape[d] for d in space]
    return channels_last(w, w.emit("Conv", image, filters, kernel_shape=shape, **given), out.ndim)


@rule("contract")
def contract(w: Writer, node: Node, names: list[str]) -> str:
    form, dtype = node.settings["form"], node.out.spec.dtype
    if class_of(dtype) == "f":
        operands, shapes = _typed(w, node, names, dtype), [v.spec.shape for v in node.inputs]
        name = _convolution(w, form, operands, shapes) or _enlarging(w, form, operands, shapes, dtype)
        if name:
            return name
    return _general(w, node, names, form)


def _general(w: Writer, node: Node, names: Sequence[str], form: Form) -> str:
    """Any form, by Einsum."""
    out = node.out.spec.dtype
    inner = _inner(out)
    name = _einsum(w, form, _typed(w, node, names, inner), [v.spec.shape for v in node.inputs], inner)
    return name if inner == out else w.cast(name, out)


# convolutions with groups, as `nn.conv` and `nn.conv_transpose` write them
def _places(form: Form, shapes: Sequence[Sequence[Size]]) -> int:
    """How many axes of space, were it a convolution with groups; 0 where it can not be one."""
    if len(shapes) != 2 or len(shapes[0]) != len(shapes[1]) or len(shapes[0]) < 4:
        return 0
    space = len(shapes[0]) - 3
    n = 2 * space + 4
    known = not any(isinstance(size, Dim) for size in (*form.extents[1:], *shapes[0][1:], *shapes[1]))
    return space if known and len(form.extents) == n and form.out == tuple(range(space + 3)) else 0


def _convolution(w: Writer, form: Form, operands: Sequence[str], shapes: Sequence[Sequence[Size]]) -> str:
    """x (batch, *space, groups, channels) with w (*window, channels, groups, filters); "" for anything else."""
    space = _places(form, shapes)
    n, first = 2 * space + 4, space + 3
    if not space:
        return ""
    steps = [d.coeffs[1 + k] for k, d in enumerate(form.maps[0][1 : 1 + space])]
    spread = [d.coeffs[first + k] for k, d in enumerate(form.maps[0][1 : 1 + space])]
    before = [-d.const for d in form.maps[0][1 : 1 + space] if isinstance(d.const, int)]
    spatial = [
        _window_index(n, 1 + k, first + k, s, d, -b, 1) for k, (s, d, b) in enumerate(zip(steps, spread, before))
    ]
    group, channel = Affine.axis(1 + space, n), Affine.axis(n - 1, n)
    window = [Affine.axis(first + k, n) for k in range(space)]
    wanted = ((Affine.axis(0, n), *spatial, group, channel), (*window, channel, group, Affine.axis(2 + space, n)))
    fits = form.maps == wanted and min(*steps, *spread) > 0 and min(before) >= 0
    (batch, *size, groups, channels), (*taps, _, _, filters) = shapes
    if not fits or tuple(form.extents[first:-1]) != tuple(taps):
        return ""
    spans = [(k - 1) * d + 1 for k, d in zip(taps, spread)]
    after = [(form.extents[1 + k] - 1) * steps[k] + spans[k] - size[k] - before[k] for k in range(space)]
    cut = [max(0, -a) for a in after]
    image = channels_first(w, w.reshape(operands[0], (batch, *size, groups * channels)), space + 2)
    if any(c >= s for c, s in zip(cut, steps)):
        return ""
    weights = w.transpose(operands[1], (space + 1, space + 2, space, *range(space)))
    weights = w.reshape(weights, (groups * filters, channels, *taps))
    pads = [*before, *(max(0, a) for a in after)]
    out = w.emit("Conv", image, weights, kernel_shape=taps, strides=steps, dilations=spread, pads=pads, group=groups)
    return _grouped(w, channels_last(w, out, space + 2), form)


def _enlarging(
    w: Writer, form: Form, operands: Sequence[str], shapes: Sequence[Sequence[Size]], dtype: np.dtype
) -> str:
    """x (batch, *space, groups, channels) with w (*window, filters, groups, channels), transposed; "" for anything
    else."""
    space = _places(form, shapes)
    n, first = 2 * space + 4, space + 3
    if not space:
        return ""
    dims = form.maps[0][1 : 1 + space]
    steps, spread = [d.div for d in dims], [-d.coeffs[first + k] for k, d in enumerate(dims)]
    before = [d.const for d in dims if isinstance(d.const, int)]
    spatial = [
        _window_index(n, 1 + k, first + k, 1, -d, b, s) for k, (s, d, b) in enumerate(zip(steps, spread, before))
    ]
    group, channel = Affine.axis(1 + space, n), Affine.axis(n - 1, n)
    window = [Affine.axis(first + k, n) for k in range(space)]
    wanted = ((Affine.axis(0, n), *spatial, group, channel), (*window, Affine.axis(2 + space, n), group, channel))
    if form.maps != wanted or min(spread) <= 0 or min(before) < 0:
        return ""
    (batch, *size, groups, channels), (*taps, filters, _, _) = shapes
    whole = [(size[k] - 1) * steps[k] + (taps[k] - 1) * spread[k] + 1 for k in range(space)]
    after = [whole[k] - before[k] - form.extents[1 + k] for k in range(space)]
    image = channels_first(w, w.reshape(operands[0], (batch, *size, groups * channels)), space + 2)
    weights = w.transpose(operands[1], (space + 1, space + 2, space, *range(space)))
    weights = w.reshape(weights, (groups * channels, filters, *taps))
    pads = [*before, *(max(0, a) for a in after)]
    given = {"strides": steps, "dilations": spread, "pads": pads, "group": groups}
    out = w.emit("ConvTranspose", image, weights, kernel_shape=taps, **given)
    beyond = [(0, 0), (0, 0), *((0, max(0, -a)) for a in after)]  # where no window reaches
    out = w.pad(out, beyond, 0.0, dtype)
    return _grouped(w, channels_last(w, out, space + 2), form)


def _grouped(w: Writer, name: str, form: Form) -> str:
    """The filters of each group apart, as the form has them; a reshape that joins them again finds them joined."""
    wanted = tuple(form.extents[a] for a in form.out)
    w.shapes[name] = (*wanted[:-2], wanted[-2] * wanted[-1])
    return w.reshape(name, wanted)


def _window_index(n: int, place: int, tap: int, step: int, spread: int, const: int, div: int) -> Affine:
    coeffs = [0] * n
    coeffs[place], coeffs[tap] = step, spread
    return Affine(tuple(coeffs), const, div)


# anything else
def _einsum(w: Writer, form: Form, operands: Sequence[str], shapes: Sequence[Sequence[Size]], dtype: np.dtype) -> str:
    if len(form.extents) > len(LETTERS):
        raise Refusal(f"at most {len(LETTERS)} axes can be named; got {len(form.extents)}")
    terms, names = [], []
    for name, dims, shape in zip(operands, form.maps, shapes, strict=True):
        name, axes = _by_axes(w, name, dims, shape, form.extents, dtype)
        terms.append(axes)
        names.append(name)
    held = {a for axes in terms for a in axes}
    kept = [a for a in form.out if a in held]
    if len(names) == 1 and sorted(terms[0]) == sorted(kept):
        name = w.transpose(names[0], [terms[0].index(a) for a in kept])
    else:
        equation = f"{','.join(_letters(t) for t in terms)}->{_letters(kept)}"
        name = w.emit("Einsum", *names, equation=equation)
    return _repeated(w, form, name, kept, held, dtype)


def _letters(axes: Sequence[int]) -> str:
    return "".join(LETTERS[a] for a in axes)


def _repeated(w: Writer, form: Form, name: str, kept: Sequence[int], held: set[int], dtype: np.dtype) -> str:
    """Axes that no operand has: along those of the result it is the same, those summed over count."""
    for a in form.reduced:
        if a not in held:
            name = w.emit("Mul", name, w.cast(w.reshape(w.size(form.extents[a]), ()), dtype))
    if len(kept) == len(form.out):
        return name
    given = [form.extents[a] if a in kept else 1 for a in form.out]
    return w.expand(w.reshape(name, given), given, [form.extents[a] for a in form.out])


def _by_axes(
    w: Writer, name: str, dims: Sequence[Affine], shape: Sequence[Size], extents: Sequence[Size], dtype: np.dtype
) -> tuple[str, list[int]]:
    """An operand with an axis for each loop axis that its indices read, in order."""
    axes: list[int] = []
    for d in reversed(range(len(dims))):  # from the back, so that earlier axes stay where they are
        name, found = _by_index(w, name, d, len(axes), dims[d], shape[d], extents, dtype)
        axes = [*found, *axes]
    return name, axes


def _by_index(
    w: Writer, name: str, d: int, later: int, dim: Affine, size: Size, extents: Sequence[Size], dtype: np.dtype
) -> tuple[str, list[int]]:
    """Axis ``d`` replaced by those of the loops that its index reads."""
    used = [a for a, c in enumerate(dim.coeffs) if c]
    if dim.single is not None and extents[dim.single] == size:
        return name, used
    if isinstance(size, Dim) or any(isinstance(extents[a], Dim) for a in used) or isinstance(dim.const, Dim):
        raise Refusal(f"an index over an axis of open size {size} must be one axis alone")
    grid = np.full((1,) * len(used), dim.const, np.int64)
    for k, a in enumerate(used):
        grid = grid + dim.coeffs[a] * np.arange(extents[a]).reshape([-1 if j == k else 1 for j in range(len(used))])
    inside = (grid % dim.div == 0) & (grid >= 0) & (grid < size * dim.div)
    if not inside.all():  # what is outside reads one element more, which is zero
        name = w.pad(name, [*[(0, 0)] * d, (0, 1), *[(0, 0)] * later], 0.0, dtype)
    return windows_of(w, name, d, np.where(inside, grid // dim.div, size)), used
