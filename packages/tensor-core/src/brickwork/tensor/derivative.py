"""The derivative of an `Expr` over whole tensors, as one more elementwise op."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .dtypes import is_floating
from .expr import Expr, arg, gradients, leaves, substitute
from .registry import OPS
from .spec import Shape
from .trace import bind

__all__ = ["apply_gradient", "sum_to"]


@lru_cache(maxsize=4096)
def _gradient(body: Expr, i: int, count: int) -> tuple[Expr, tuple[int, ...]] | None:
    """d(body)/d(arg i) times g, and the operands it uses: positions below ``count`` are inputs, then the output,
    then g."""
    if not is_floating(body.dtype):
        return None
    found = gradients(body, arg(count + 1, body.dtype)).get(i)
    if found is None:
        return None
    if body.head not in ("arg", "cast"):
        found = substitute(found, lambda node: arg(count, body.dtype) if node is body else None)
    used = tuple(leaves(found, "arg"))
    renumber = {k: n for n, k in enumerate(used)}
    return substitute(found, lambda node: arg(renumber[node.value], node.dtype) if node.head == "arg" else None), used


def apply_gradient(body: Expr, i: int, g: Any, out: Any, inputs: tuple[Any, ...]) -> Any:
    """The gradient of input ``i`` of an elementwise op, summed back to its shape; None where there is none."""
    rule = _gradient(body, i, len(inputs))
    if rule is None:
        return None
    expr, used = rule
    if expr.head == "arg" and used == (len(inputs) + 1,):
        return sum_to(g, inputs[i].shape)
    everything = (*inputs, out, g)
    return sum_to(bind(OPS["map"], tuple(everything[k] for k in used), {"body": expr}), inputs[i].shape)


def sum_to(x: Any, shape: Shape) -> Any:
    """Sum over the axes that broadcasting added or stretched, so that ``x`` has ``shape`` again."""
    if x.shape == shape:
        return x
    extra = len(x.shape) - len(shape)
    axes = tuple(range(extra)) + tuple(extra + a for a, n in enumerate(shape) if n == 1 and x.shape[extra + a] != 1)
    out = bind(OPS["sum"], (x,), {"axis": axes, "keepdims": False})
    return out if out.shape == shape else bind(OPS["reshape"], (out,), {"shape": shape})
