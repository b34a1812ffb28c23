"""How ops carry a batch axis in front: a rule per kind; for movement and opaque ops, whose parameters are their own,
per op.

A rule gets the values (of which the marked ones have the batch in front) and gives the result with the batch in front,
by ops under the current trace. An op without a rule runs once per example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .dim import Dim, Size
from .errors import ShapeError
from .op import Contraction, Elementwise, Op, Reduce
from .ops.creation import iota
from .ops.elementwise import where
from .ops.movement import broadcast_to, concat, reshape, transpose
from .registry import OPS
from .spec import Shape, TensorSpec
from .tensor import Tensor, beside
from .trace import bind
from .view import Affine, Form

__all__ = ["RULES", "along_axes", "batched", "move_axis", "over_leading_axes", "rule"]

Values = tuple[Any, ...]
Marks = tuple[bool, ...]
Rule = Callable[[Op, Values, Marks, Mapping[str, Any], Size], Any]

RULES: dict[str, Rule] = {}
"""By the name of the op; who registers an op may add one."""


def batched(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    """The op on all examples: results with the batch in front."""
    found = RULES.get(op.name)
    if found is None:
        found = next((r for kind, r in KINDS if isinstance(op, kind)), one_by_one)
    return found(op, values, marks, params, size)


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register the rule of ops."""

    def keep(given: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, given))
        return given

    return keep


def move_axis(x: Tensor, source: int, target: int) -> Tensor:
    """One axis at another place, the others in their order."""
    if source == target:
        return x
    order = [a for a in range(x.ndim) if a != source]
    order.insert(target, source)
    return transpose(x, order)


def _example(x: Any, mark: bool) -> Shape:
    """The shape of one example of a value."""
    shape: Shape = getattr(x, "shape", ())
    return shape[1:] if mark else shape


def _spread(x: Any, mark: bool, size: Size) -> Tensor:
    """A value that has the batch in front, whether or not it had."""
    out: Tensor = x if mark else broadcast_to(x, (size, *x.shape))
    return out


def _aligned(x: Any, mark: bool, ndim: int) -> Any:
    """A batched value with axes of size 1 behind the batch, so that one example has ``ndim`` axes."""
    if not mark or x.ndim == ndim + 1:
        return x
    return reshape(x, (x.shape[0], *(1,) * (ndim + 1 - x.ndim), *x.shape[1:]))


def _elementwise(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    ndim = max(len(_example(x, m)) for x, m in zip(values, marks, strict=True))
    like = next(x for x, m in zip(values, marks, strict=True) if m)
    aligned = (_aligned(x, m, ndim) for x, m in zip(values, marks, strict=True))
    return bind(op, tuple(beside(x, like) if isinstance(x, Tensor) else x for x in aligned), params)


def _reduce(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    axes = tuple(a + 1 for a in params["axis"])
    return bind(op, values, {**params, "axis": axes})


def _contraction(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    """One more loop axis in front, which the batched operands and the result have."""
    assert isinstance(op, Contraction)
    specs = tuple(TensorSpec(_example(x, m), x.dtype) for x, m in zip(values, marks, strict=True))
    form = op.form(*specs, **params)
    n = len(form.extents) + 1
    maps = []
    for dims, mark in zip(form.maps, marks, strict=True):
        shifted = tuple(replace(a, coeffs=(0, *a.coeffs)) for a in dims)
        maps.append((Affine.axis(0, n), *shifted) if mark else shifted)
    lifted = Form((size, *form.extents), tuple(maps), (0, *(a + 1 for a in form.out)))
    return bind(OPS["contract"], values, {"form": lifted})


def one_by_one(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    """Of any op: once per example."""
    if isinstance(size, Dim) or size == 0:
        raise ShapeError(
            f"vmap: {op.name} runs once per example, whose number must be known and not 0; got {size}. "
            "Compile for a fixed batch size, or register a rule for it"
        )
    results = [
        bind(op, tuple(x[n] if m else x for x, m in zip(values, marks, strict=True)), params) for n in range(size)
    ]
    if not isinstance(results[0], tuple):
        return _stacked(results)
    return tuple(_stacked(list(parts)) for parts in zip(*results, strict=True))


def _stacked(parts: list[Tensor]) -> Tensor:
    return concat([reshape(x, (1, *x.shape)) for x in parts], 0)


KINDS: tuple[tuple[type[Op], Rule], ...] = (
    (Elementwise, _elementwise),
    (Reduce, _reduce),
    (Contraction, _contraction),
)


def along_axes(*names: str) -> Rule:
    """The rule of ops of one operand whose parameters ``names`` are axes (or tuples of them) counted from the front."""

    def shift(axis: Any) -> Any:
        return tuple(a + 1 for a in axis) if isinstance(axis, tuple) else axis + 1

    def apply(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
        moved = {k: shift(v) if k in names and v is not None else v for k, v in params.items()}
        return bind(op, values, moved)

    return apply


def over_leading_axes(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    """The rule of ops that work on the last axes and map over the leading ones, equal in number for all operands."""
    return bind(op, tuple(_spread(x, m, size) for x, m in zip(values, marks, strict=True)), params)


RULES.update(dict.fromkeys(("identity", "stop_gradient"), over_leading_axes))
RULES["sliding_window"] = along_axes("axes")


RULES.update(dict.fromkeys(("sort", "argsort", "cumulative_sum", "cumulative_prod"), along_axes("axis")))
RULES.update(dict.fromkeys(("fft", "rfft", "irfft"), along_axes("axis")))
LINALG = "cholesky inv det cofactors slogdet eig eigvals eigh eigvalsh svd svdvals qr".split()
RULES.update(dict.fromkeys(LINALG, over_leading_axes))


@rule("solve")
def _solve(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    """A batch of vectors is one of matrices of a column."""
    a, b = values
    vector = len(_example(b, marks[1])) == 1
    b = b[..., None] if vector else b
    ndim = max(len(_example(a, marks[0])), len(_example(b, marks[1])))
    out = bind(op, (_aligned(a, marks[0], ndim), _aligned(b, marks[1], ndim)), params)
    return out[..., 0] if vector else out


@rule("pinv")
def _pinv(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    x, tolerance = values
    lead = max(len(_example(x, marks[0])) - 2, len(_example(tolerance, marks[1])))
    return bind(op, (_aligned(_spread(x, marks[0], size), True, lead + 2), _aligned(tolerance, marks[1], lead)), params)


@rule("reshape")
def _reshape(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    return bind(op, values, {"shape": (size, *params["shape"])})


@rule("broadcast_to")
def _broadcast_to(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    shape = params["shape"]
    return bind(op, (_aligned(values[0], True, len(shape)),), {"shape": (size, *shape)})


@rule("transpose")
def _transpose(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    return bind(op, values, {"axes": (0, *(a + 1 for a in params["axes"]))})


@rule("slice")
def _slice(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    front = {"start": 0, "size": size, "step": 1}
    return bind(op, values, {k: (front[k], *v) for k, v in params.items()})


@rule("pad")
def _pad(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    return bind(op, values, {**params, "widths": ((0, 0), *params["widths"])})


@rule("concat")
def _concat(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    whole = tuple(_spread(x, m, size) for x, m in zip(values, marks, strict=True))
    return bind(op, whole, {"axis": params["axis"] + 1})


@rule("matmul")
def _matmul(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    """A stack of products; vectors become matrices for it."""
    op.infer(*(TensorSpec(_example(x, m), x.dtype) for x, m in zip(values, marks, strict=True)))  # says what is wrong
    (a, b), (on_left, on_right) = values, marks
    left, right = _example(a, on_left), _example(b, on_right)
    row, column = len(left) == 1, len(right) == 1
    if row:
        a = reshape(a, (*a.shape[:-1], 1, a.shape[-1]))
    if column:
        b = reshape(b, (*b.shape, 1))
    ndim = max(len(left), len(right), 2)
    out = bind(op, (_aligned(a, on_left, ndim), _aligned(b, on_right, ndim)), params)
    if not (row or column):
        return out
    kept = (*out.shape[:-2], *(() if row else out.shape[-2:-1]), *(() if column else out.shape[-1:]))
    return reshape(out, kept)


@rule("conv")
def _conv(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    """With one filter for all, the examples are more of the batch that `conv` has itself."""
    x, w = values
    if marks[1]:
        return _contraction(op, values, marks, params, size)
    out = bind(op, (reshape(x, (size * x.shape[1], *x.shape[2:])), w), params)
    return reshape(out, (size, x.shape[1], *out.shape[1:]))


def _flat_positions(indices: Tensor, limit: Size, size: Size) -> Tensor:
    """Positions in ``size`` rows of ``limit`` joined into one; what was out of range stays so."""
    inside = where(indices < 0, indices + limit, indices)
    row = beside(reshape(iota((size,)), (size, *(1,) * (indices.ndim - 1))), indices)
    return where((inside >= 0) & (inside < limit), inside + row * limit, size * limit)


@rule("take")
def _take(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    (x, indices), axis = values, params["axis"]
    if not marks[1]:
        return bind(op, values, {"axis": axis + 1})
    if not marks[0]:
        return move_axis(bind(op, values, params), axis, 0)
    rows = move_axis(x, axis + 1, 1)
    places = _flat_positions(indices.astype("int64"), rows.shape[1], size)
    flat = reshape(rows, (size * rows.shape[1], *rows.shape[2:]))
    found = bind(op, (flat, places), {"axis": 0})  # batch, places, then the axes of x but for its own
    where_to = (0, *range(indices.ndim, indices.ndim + axis), *range(1, indices.ndim))
    return transpose(found, (*where_to, *range(indices.ndim + axis, found.ndim)))


@rule("scatter_add")
def _scatter_add(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    (g, indices), axis, limit = values, params["axis"], params["size"]
    if not marks[1]:
        return bind(op, values, {**params, "axis": axis + 1})
    whole, places = _spread(g, marks[0], size), indices.ndim - 1
    order = (0, *range(axis + 1, axis + 1 + places), *range(1, axis + 1), *range(axis + 1 + places, whole.ndim))
    rows = transpose(whole, order)
    flat = _flat_positions(indices.astype("int64"), limit, size)
    out = bind(op, (rows, flat), {"axis": 0, "size": size * limit})
    return move_axis(reshape(out, (size, limit, *out.shape[1:])), 1, axis + 1)


@rule("gather_nd", "scatter_nd", "put", "scatter")
def _by_indices(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    """The number of the example is one more index in front of the others."""
    operands = 2 if op.name in ("put", "scatter") else 1
    indices, on = values[operands:], marks[operands:]
    ndim = max(len(_example(k, m)) for k, m in zip(indices, on, strict=True))
    aligned = [_aligned(k, m, ndim) for k, m in zip(indices, on, strict=True)]
    if op.name == "gather_nd" and not marks[0]:
        return bind(op, (values[0], *aligned), params)
    example = beside(reshape(iota((size,)), (size, *(1,) * ndim)), indices[0])
    whole = (_spread(x, m, size) for x, m in zip(values[:operands], marks[:operands], strict=True))
    front = {"sizes": (size, *params["sizes"])} if "sizes" in params else {}
    return bind(op, (*whole, example, *aligned), {**params, **front})


@rule("take_along_axis", "add_along_axis", "set_slice", "after")
def _side_by_side(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    """All operands get the batch in front; so do the parameters that go by axis."""
    front = {"start": 0, "size": size, "step": 1} if op.name == "set_slice" else {}
    moved = {k: (front[k], *v) if k in front else v + 1 if k == "axis" else v for k, v in params.items()}
    return bind(op, tuple(_spread(x, m, size) for x, m in zip(values, marks, strict=True)), moved)


@rule("searchsorted", "isin")
def _in_a_shared_array(op: Op, values: Values, marks: Marks, params: Mapping[str, Any], size: Size) -> Any:
    """All at once, where the array that is searched is one for all."""
    searched = 0 if op.name == "searchsorted" else 1
    return one_by_one(op, values, marks, params, size) if marks[searched] else bind(op, values, params)
