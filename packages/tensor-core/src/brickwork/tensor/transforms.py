"""Functions made of functions: forward mode, whole derivatives, and gradients that a person writes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .autodiff import Kept, filled, grad, vjp
from .batching import vmap
from .dim import Dim
from .dtypes import is_floating
from .errors import DTypeError, ShapeError
from .forward import ForwardTrace
from .op import Composite
from .ops.creation import eye
from .ops.movement import identity, reshape
from .spec import as_int
from .tensor import Tensor, asarray, beside
from .trace import Trace, bind, current, use
from .tree import flatten, leaves, map_tree, unflatten

__all__ = ["custom_gradient", "hessian", "jacobian", "jvp"]


def jvp(fn: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """``fn(*primals)`` and its derivative along ``tangents``: ``J(primals) @ tangents``, a tree like the result.

    ``primals``: the arguments, trees of floating tensors; ``tangents``: the same trees, shapes and dtypes. Each op
    carries its tangent along (the transpose of its gradient rule, which is linear: Townsend 2017, "A new trick for
    calculating Jacobian vector products"); so it holds for every op that has a gradient and for loops of any length,
    keeps nothing for later, and costs about three evaluations of ``fn``. Compiled, what only carries the zero that the
    transpose starts from is dropped. Raises `ShapeError` where tangents do not fit, `DTypeError` for primals that are
    not floating-point.
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise ShapeError(
            f"jvp: primals and tangents must be tuples, one entry per argument; got {type(primals).__name__} and "
            f"{type(tangents).__name__}. Write (x,) for one"
        )
    points, along = [asarray(x) for x in leaves(primals)], [asarray(t) for t in leaves(tangents)]
    if [x.shape for x in points] != [t.shape for t in along]:
        got, wanted = (", ".join(str(x.spec) for x in xs) or "nothing" for xs in (along, points))
        raise ShapeError(
            f"jvp: tangents must have the shapes of the primals; got {got} for {wanted}. "
            "Use zeros for arguments that stay"
        )
    if odd := [x.spec for x in points if not is_floating(x.dtype)]:
        raise DTypeError(f"jvp: primals must be floating-point; got {odd[0]}. Cast it, or close over it")
    trace = ForwardTrace(current())
    moving = [trace.join(x, t.astype(x.dtype)) for x, t in zip(points, along, strict=True)]
    with use(trace):
        out = fn(*unflatten(tuple(primals), moving))
        pairs = [trace.split(asarray(x)) for x in leaves(out)]
    values = [x for x, _ in pairs]
    return unflatten(out, values), unflatten(out, filled([t for _, t in pairs], values))


def jacobian(fn: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """A function that gives every derivative of the result by argument ``argnum``.

    The result of shape ``s`` by an argument of shape ``t`` has shape ``s + t``; an argument that is a tree gives a
    tree. Reverse mode: one pullback per element of the result, all at once by `vmap`. Raises `ShapeError` where
    ``fn`` does not return one tensor of known shape.
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        place = _argument("jacobian", argnum, args)
        out, pull = vjp(lambda x: fn(*args[:place], x, *args[place + 1 :], **kwargs), args[place])
        y = _one_floating("jacobian", out)
        count = as_int("jacobian", "the number of elements of the result", y.size)
        basis = beside(reshape(eye(count, dtype=y.dtype), (count, *y.shape)), y)
        rows = vmap(lambda g: pull(g)[0])(basis)
        return map_tree(lambda r: reshape(r, (*y.shape, *r.shape[1:])), rows)

    return wrapped


def hessian(fn: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """A function that gives the second derivatives of a function that returns one number.

    For argument ``argnum``, one tensor of shape ``t``: a tensor of shape ``t + t``. The `jacobian` of the `grad`.
    """
    rows = jacobian(grad(fn, argnum), argnum)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        place = _argument("hessian", argnum, args)
        if len(flatten(args[place])) != 1 or flatten(args[place])[0][0]:
            raise ShapeError(
                f"hessian: argument {argnum} must be one tensor; got a {type(args[place]).__name__}. Join its leaves "
                "into one vector, or call jacobian(grad(fn)) leaf by leaf"
            )
        return rows(*args, **kwargs)

    return wrapped


def custom_gradient(fn: Callable[..., tuple[Any, Callable[..., Any]]]) -> Callable[..., Any]:
    """A function with the gradient that it says itself. ``fn(*args)`` returns ``(value, grad_fn)``.

    ``value``: a tensor or a tuple of tensors. ``grad_fn`` takes one gradient per tensor of the value (zeros where there
    is none) and gives one per argument, in its structure: a tuple, or the gradient itself where there is one argument;
    None is zero. What ``fn`` closes over, variables too, and keyword arguments get no gradient. Second derivatives
    differentiate ``grad_fn``; for them ``fn`` runs again. Raises `ShapeError` where the gradients do not fit.
    """

    @functools.wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        call = _Call(lambda *xs: fn(*unflatten(args, xs), **kwargs), args)
        return bind(Composite("custom_gradient", call.value, call.rule), tuple(asarray(x) for x in leaves(args)))

    return wrapped


class _Call:
    """One call of a function with its own gradient: its pullback is kept for the trace that it was made under."""

    def __init__(self, fn: Callable[..., tuple[Any, Callable[..., Any]]], args: tuple[Any, ...]):
        self.fn, self.args = fn, args
        self.made: tuple[Trace, Callable[..., Any]] | None = None
        self.pulled = Kept()

    def value(self, *inputs: Tensor) -> Any:
        found = self.fn(*inputs)
        if not (isinstance(found, tuple) and len(found) == 2 and callable(found[1])):
            raise ShapeError(
                f"custom_gradient: the function must return (value, grad_fn); got {type(found).__name__}. Return both"
            )
        self.made = current(), found[1]
        own = [identity(asarray(x)) for x in leaves(found[0])]
        return tuple(own) if isinstance(found[0], (tuple, list)) else own[0]

    def rule(self, i: int, g: Any, out: Any, *inputs: Tensor) -> Tensor | None:
        found: list[Tensor | None] = self.pulled.get(lambda: self._pull(filled(g, out), inputs), g)
        return found[i]

    def _pull(self, gs: list[Tensor], inputs: tuple[Tensor, ...]) -> list[Tensor | None]:
        if self.made is None or self.made[0] is not current():
            self.value(*inputs)
        assert self.made is not None
        return self._per_leaf(self.made[1](*gs))

    def _per_leaf(self, found: Any) -> list[Tensor | None]:
        per_argument = (found,) if len(self.args) == 1 and not isinstance(found, tuple) else tuple(found)
        if len(per_argument) != len(self.args):
            raise ShapeError(
                f"custom_gradient: grad_fn must give one gradient per argument; got {len(per_argument)} for "
                f"{len(self.args)}. "
                "Use None for those without"
            )
        out: list[Tensor | None] = []
        for argument, part in zip(self.args, per_argument, strict=True):
            wanted = [asarray(x).shape for x in leaves(argument)]
            given = [None] * len(wanted) if part is None else [asarray(x) for x in leaves(part)]
            if any(x is not None and x.shape != s for x, s in zip(given, wanted)) or len(given) != len(wanted):
                got = ", ".join("nothing" if x is None else str(x.shape) for x in given)
                raise ShapeError(
                    f"custom_gradient: a gradient must have the shape of its argument; got {got} for "
                    f"{', '.join(map(str, wanted))}. "
                    "Sum over what was broadcast"
                )
            out += given
        return out


def _argument(who: str, argnum: int, args: tuple[Any, ...]) -> int:
    place = as_int(who, "argnum", argnum)
    if not -len(args) <= place < len(args):
        raise ShapeError(
            f"{who}: argnum must name a positional argument; got {argnum} for {len(args)} of them. Pass it by position"
        )
    return place % len(args)


def _one_floating(who: str, y: Any) -> Tensor:
    if not isinstance(y, Tensor) or any(isinstance(n, Dim) for n in y.shape):
        got = y.spec if isinstance(y, Tensor) else type(y).__name__
        raise ShapeError(
            f"{who}: the function must return one tensor of known shape; got {got}. Return one, or use vjp"
        )
    if not is_floating(y.dtype):
        raise DTypeError(f"{who}: the function must return floating-point numbers; got {y.dtype}. Cast it first")
    return y
