"""Reductions: an atom, an identity and a gradient each."""

from __future__ import annotations

from typing import Any, Protocol

from ..dtypes import as_dtype
from ..op import OPS, Reduce, register
from ..spec import as_bool, normalize_axes
from ..tensor import Tensor, asarray
from ..trace import bind
from .elementwise import astype, where

__all__ = ["all", "any", "max", "min", "prod", "sum"]

Axis = int | tuple[int, ...] | list[int] | None


def _spread(g: Any, out: Any, x: Any, axis: tuple[int, ...]) -> Any:
    return bind(OPS["broadcast_to"], (g,), {"shape": x.shape})


def _share_ties(g: Any, out: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """Of max and min: to the elements that are the result, in equal parts."""
    hit = astype(x == out, x.dtype, copy=False)
    return hit * (g / sum(hit, axis=axis, keepdims=True))


def _prod_rule(g: Any, out: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """The product of the others: exact also where one element, or several, are zero."""
    zero = x == 0.0
    others = prod(where(zero, 1.0, x), axis=axis, keepdims=True)
    zeros = sum(astype(zero, x.dtype), axis=axis, keepdims=True)
    alone = where(zero, where(zeros == 1.0, others, 0.0), 0.0)
    return g * where(zeros == 0.0, out / where(zero, 1.0, x), alone)


class Reduction(Protocol):
    """What a person calls."""

    def __call__(self, x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor: ...


class TypedReduction(Protocol):
    """A reduction whose result may be asked for in a dtype."""

    def __call__(self, x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor: ...


def _define(op: Reduce, formula: str, result: str = "") -> Reduction:
    register(op)

    def function(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
        tensor = x if isinstance(x, Tensor) else asarray(x)
        axes = normalize_axes(op.name, axis, tensor.ndim)
        return bind(op, (tensor,), {"axis": axes, "keepdims": as_bool(op.name, "keepdims", keepdims)})

    function.__name__ = function.__qualname__ = op.name
    function.__doc__ = (
        f"{formula} over ``axis`` (an int, several, or None for all); the axes stay with size 1 where ``keepdims``."
        f"{result}"
    )
    return function


def _typed(reduction: Reduction) -> TypedReduction:
    """With ``dtype``: the values are converted to it first, and the result has it."""

    def function(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
        if dtype is None:
            return reduction(x, axis, keepdims)
        wanted = as_dtype(dtype)
        return astype(reduction(astype(x, wanted, copy=False), axis, keepdims), wanted, copy=False)

    function.__name__ = function.__qualname__ = reduction.__name__  # type: ignore[attr-defined]
    function.__doc__ = (
        f"{reduction.__doc__} ``dtype``: of the values and the result; by default booleans and integers give 64 bits."
    )
    return function


sum = _typed(_define(Reduce("sum", "add", _spread, widen=True), "The sum"))
prod = _typed(_define(Reduce("prod", "mul", _prod_rule, widen=True), "The product"))
_ORDERED = (
    " NaN where one is. Ties share the gradient. Raises `ShapeError` over no elements, "
    "`DTypeError` for complex numbers."
)
max = _define(Reduce("max", "maximum", _share_ties), "The greatest element", _ORDERED)
min = _define(Reduce("min", "minimum", _share_ties), "The least element", _ORDERED)
any = _define(Reduce("any", "or", boolean=True), "Whether any element is true,")
all = _define(Reduce("all", "and", boolean=True), "Whether every element is true,")
