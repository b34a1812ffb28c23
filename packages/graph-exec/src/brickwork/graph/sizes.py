"""Specs and parameters with given sizes in place of names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from brickwork.tensor.dim import Dim, Size, evaluate
from brickwork.tensor.expr import Expr, size_value, substitute
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.view import Affine, Form

from .ir import Graph

__all__ = ["concrete", "concrete_spec"]

Sizes = Mapping[str, Size]
"""Numbers, or sizes of another trace."""


def concrete_size(n: Size, sizes: Sizes) -> Size:
    return evaluate(n, sizes) if isinstance(n, Dim) else n  # type: ignore[arg-type]


def concrete_spec(spec: TensorSpec, sizes: Sizes) -> TensorSpec:
    return TensorSpec(tuple(concrete_size(n, sizes) for n in spec.shape), spec.dtype)


def concrete(value: Any, sizes: Sizes, body: Callable[[Graph, Sizes], Any]) -> Any:
    """A parameter of a node. ``body``: what a graph among them, the body of a region, becomes."""
    match value:
        case Dim():
            return concrete_size(value, sizes)
        case tuple():
            return tuple(concrete(v, sizes, body) for v in value)
        case Affine() | Form():
            return replace(value, **{f.name: concrete(getattr(value, f.name), sizes, body) for f in fields(value)})
        case Expr():
            return substitute(value, lambda n: size_value(concrete_size(n.value, sizes)) if n.head == "size" else None)
        case Graph():
            return body(value, sizes)
    return value
