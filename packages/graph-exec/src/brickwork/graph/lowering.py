"""From graph values to kernel bodies: how an element of a value is computed from what is in memory.

An `Index` is one affine form per axis of a value, over the loop axes of a kernel. `Body` walks from a value towards
buffers: elementwise ops become their `Expr`, movement composes the index, and what is stored becomes a `Read`. Where
that is not possible, `NotInline` says so.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.expr import Expr, apply, arg, const, index, size_value, substitute
from brickwork.tensor.kernel import Guard, Read
from brickwork.tensor.op import Elementwise, Movement
from brickwork.tensor.ops.creation import Iota
from brickwork.tensor.spec import Shape
from brickwork.tensor.view import Affine

from .ir import CONSTANT, Node, Value

__all__ = ["Body", "Index", "NotInline", "dense_strides", "identity_index"]

Index = tuple[Affine, ...]
INT = NAMES["int64"]


class NotInline(Exception):
    """A value can not be computed in place at this index; ``value``, where known, is the one to store first."""

    def __init__(self, value: Value | None = None):
        super().__init__()
        self.value = value


def dense_strides(shape: Shape) -> tuple[Size, ...]:
    """Element strides of a row-major array."""
    return tuple(prod(shape[a + 1 :]) for a in range(len(shape)))


def identity_index(first: int, count: int, axes: int) -> Index:
    """The index that is loop axes ``first, first + 1, ...`` of ``axes``."""
    return tuple(Affine.axis(first + k, axes) for k in range(count))


def compose(dim: Affine, inner: Index) -> Affine:
    """``dim`` with each of its axes replaced by an index over the loops."""
    if dim.div != 1:
        raise NotInline
    n = len(inner[0].coeffs) if inner else 0
    coeffs, offset = [0] * n, dim.const
    for c, form in zip(dim.coeffs, inner, strict=True):
        if c:
            offset = offset + form.const * c
            coeffs = [x + c * y for x, y in zip(coeffs, form.coeffs, strict=True)]
    return Affine(tuple(coeffs), offset)


def affine_expr(form: Affine) -> Expr:
    """An index as an int64 expression."""
    out = size_value(form.const)
    for axis, coeff in enumerate(form.coeffs):
        if coeff:
            out = out + (index(axis) if coeff == 1 else index(axis) * coeff)
    return out


class Body:
    """Builds the expressions of one kernel.

    ``extents``: its loop axes. ``stored``: whether a value is in memory. ``own``: the values that the kernel itself
    makes, each with the index at which it does and its expression; they can be had at no other index.
    """

    def __init__(self, extents: Shape, producers: dict[int, Node], stored: Callable[[Value], bool]):
        self.extents, self.producers, self.stored = extents, producers, stored
        self.own: dict[int, tuple[Index, Expr]] = {}
        self.reads: list[Read] = []
        self.places: dict[Read, int] = {}
        self.memo: dict[tuple[int, Index, tuple[Guard, ...]], Expr] = {}

    def value(self, v: Value, at: Index, guards: tuple[Guard, ...] = ()) -> Expr:
        """The element of ``v`` at an index."""
        key = (v.id, at, guards)
        if key not in self.memo:
            self.memo[key] = self._value(v, at, guards)
        return self.memo[key]

    def inside(self, v: Value, at: Index) -> Expr:
        """The element of ``v`` at an index that may lie outside of it, where it is 0."""
        guards = tuple(g for d, s in zip(at, v.spec.shape, strict=True) if (g := self.guard(d, s)) is not None)
        out = self.value(v, at, guards)
        if not guards or out.head == "arg":
            return out
        return apply("where", guard_expr(guards), out, const(0, v.spec.dtype))

    def _value(self, v: Value, at: Index, guards: tuple[Guard, ...]) -> Expr:
        if v.id in self.own:
            index_of, made = self.own[v.id]
            if index_of != at:
                raise NotInline
            return made
        if self.stored(v):
            return self.read(v, at, guards, 0.0)
        return self.value_inside(v, at, guards)

    def value_inside(self, v: Value, at: Index, guards: tuple[Guard, ...] = ()) -> Expr:
        """As `value`, by computing ``v`` itself even where it is to be stored."""
        node = self.producers[v.id]
        if node.op == CONSTANT:
            return const(node.settings["value"], v.spec.dtype)
        definition = node.definition
        if isinstance(definition, Movement):
            return self._movement(node, definition, at, guards)
        if isinstance(definition, Elementwise):
            return self._elementwise(node, definition, at, guards)
        raise NotInline

    def _elementwise(self, node: Node, definition: Elementwise, at: Index, guards: tuple[Guard, ...]) -> Expr:
        if isinstance(definition, Iota):
            out = const(0, INT)
            for form, stride in zip(at, dense_strides(node.out.spec.shape), strict=True):
                out = out + affine_expr(form) * size_value(stride)
            return out
        params = node.settings
        body = params["body"] if "body" in params else definition.expr(*(x.spec.dtype for x in node.inputs))
        operands = [self.value(x, self._broadcast(x, node.out, at), guards) for x in node.inputs]
        return substitute(body, lambda leaf: operands[leaf.value] if leaf.head == "arg" else None)

    def _broadcast(self, x: Value, out: Value, at: Index) -> Index:
        lead = len(at) - len(x.spec.shape)
        zero = Affine((0,) * len(self.extents))
        return tuple(
            zero if size == 1 and out.spec.shape[lead + d] != 1 else at[lead + d] for d, size in enumerate(x.spec.shape)
        )

    def _movement(self, node: Node, definition: Movement, at: Index, guards: tuple[Guard, ...]) -> Expr:
        source = node.inputs[0]
        view = definition.view(source.spec, **node.settings)
        if view is None:
            return self._reshape(node, source, at, guards)
        inner = tuple(compose(dim, at) for dim in view.dims)
        if view.fill is None:
            return self.value(source, inner, guards)
        new = tuple(
            g for form, size in zip(inner, source.spec.shape, strict=True) if (g := self.guard(form, size)) is not None
        )
        if self.stored(source) and source.id not in self.own and not guards:
            return self.read(source, inner, new, view.fill)
        inside = self.value(source, inner, guards + new)
        return inside if not new else apply("where", guard_expr(new), inside, const(view.fill, source.spec.dtype))

    def _reshape(self, node: Node, source: Value, at: Index, guards: tuple[Guard, ...]) -> Expr:
        if self.stored(source) and source.id not in self.own:
            return self.read(source, at, guards, 0.0, node.out.spec.shape)
        try:
            inner = reshape_index(node.out.spec.shape, source.spec.shape, at, len(self.extents))
        except NotInline:
            raise NotInline(source) from None
        return self.value(source, inner, guards)

    def guard(self, form: Affine, size: Size) -> Guard | None:
        """The condition that an index is inside an axis; None where it always is."""
        if form.inside(self.extents, size):
            return None
        if isinstance(form.const, Dim):
            raise NotInline
        return Guard(form.coeffs, form.const, size)

    def read(self, v: Value, at: Index, guards: tuple[Guard, ...], fill: float, shape: Shape | None = None) -> Expr:
        """An element of a stored value, which may be seen in another shape of as many elements."""
        steps = dense_strides(v.spec.shape if shape is None else shape)
        if any(form.div != 1 for form in at):
            raise NotInline
        offset: Size = 0
        strides: list[Size] = [0] * len(self.extents)
        for form, step in zip(at, steps, strict=True):
            offset = step * form.const + offset
            strides = [step * c + s if c else s for s, c in zip(strides, form.coeffs, strict=True)]
        made = Read(v.id, v.spec.dtype, offset, tuple(strides), guards, fill)
        place = self.places.setdefault(made, len(self.reads))
        if place == len(self.reads):
            self.reads.append(made)
        return arg(place, v.spec.dtype)


def guard_expr(guards: tuple[Guard, ...]) -> Expr:
    """Whether all guards hold, as a boolean expression."""
    out: Expr | None = None
    for g in guards:
        at = affine_expr(Affine(g.coeffs, g.const))
        inside = (at >= 0) & (at < size_value(g.extent))
        out = inside if out is None else out & inside
    assert out is not None
    return out


def reshape_index(shape: Shape, source: Shape, at: Index, axes: int) -> Index:
    """The index into the source of a reshape, where it is affine: axes that split one, or that only add or drop size 1.

    Raises `NotInline` where an axis of the result would have to be divided.
    """
    out: list[Affine] = []
    o = 0
    for size in source:
        if size == 1:
            out.append(Affine((0,) * axes))
            continue
        covered: Size = 1
        members: list[int] = []
        while covered != size:
            if o >= len(shape) or (isinstance(covered, int) and isinstance(size, int) and covered > size):
                raise NotInline
            if shape[o] != 1:
                covered = shape[o] * covered
                members.append(o)
            o += 1
        coeffs: list[int] = [0] * axes
        offset: Size = 0
        for k in members:
            step = prod(shape[m] for m in members if m > k)
            if isinstance(step, Dim):
                raise NotInline
            coeffs = [c + step * x for c, x in zip(coeffs, at[k].coeffs, strict=True)]
            offset = at[k].const * step + offset
        out.append(Affine(tuple(coeffs), offset))
    return tuple(out)
