"""Kinds of op, and the registry.

Kinds are closed, ops are open: a compiler or device implements the seven kinds below and then runs every op there is and will
be. An op says what it is (an `Expr`, an atom, an `IndexMap`, a `Form`, a body) and how NumPy-like arrays do it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .dtypes import class_of, promote, to_inexact
from .errors import BrickworkError, DTypeError
from .expr import ATOMS, Expr, apply, arg, fold, gradients, leaves, substitute
from .spec import TensorSpec, broadcast_shapes
from .trace import bind
from .view import Form, IndexMap

__all__ = ["OPS", "Composite", "Contraction", "Elementwise", "Movement", "Op", "Opaque", "Reduce", "map_op", "register"]

Spec = TensorSpec
OPS: dict[str, Op] = {}


class Op:
    """A named operation. Subclasses are the kinds. Parameters are hashable and keyword-only."""

    kind = "op"

    def __init__(self, name: str):
        self.name = name

    def infer(self, *specs: Spec, **params: Any) -> Any:
        """Shape and dtype of the result (a `TensorSpec`, or a tuple of them); raises what the user should read."""
        raise NotImplementedError

    def eval(self, xp: Any, *arrays: Any, **params: Any) -> Any:
        """The result on arrays of the module ``xp`` (NumPy, CuPy)."""
        raise NotImplementedError

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        """The gradient that input ``i`` gets from ``g``, the gradient of ``out``; None where there is none. Written in ops."""
        return None

    def weak_dtype(self, *kinds: object) -> np.dtype:
        """The dtype that Python scalars among the arguments take, beside the dtypes of the others."""
        return promote(*kinds)

    def __repr__(self) -> str:
        return f"<{self.kind} op {self.name}>"


def register(op: Op) -> Op:
    """Put an op in the registry; every test and compiler that walks the registry then covers it. A taken name is an error."""
    if op.name in OPS:
        raise BrickworkError(f"register: op names must be new; got {op.name!r}, which is taken. Choose another")
    OPS[op.name] = op
    return op


class Elementwise(Op):
    """One scalar `Expr` over broadcast operands.

    ``body``: the name of an atom, or a function from `Expr` to `Expr`. ``rule``: which dtype it works in: ``same`` (the
    promoted one), ``float`` (integers become float32 first), ``where`` (the first operand stays boolean).
    """

    kind = "elementwise"

    def __init__(self, name: str, body: str | Callable[..., Expr], arity: int, rule: str = "same"):
        super().__init__(name)
        self.arity, self.rule = arity, rule
        self.body: Callable[..., Expr] = (lambda *a: apply(body, *a)) if isinstance(body, str) else body
        self.direct = ATOMS[body].numpy if isinstance(body, str) else None
        self.expr = lru_cache(maxsize=None)(self._expr)
        self._plans: dict[tuple[Any, ...], np.dtype | None] = {}

    def weak_dtype(self, *kinds: object) -> np.dtype:
        common = promote(*(kinds[1:] if self.rule == "where" else kinds))
        return to_inexact(common) if self.rule == "float" else common

    def _expr(self, *dtypes: np.dtype) -> Expr:
        """The body for operands of these dtypes, with the casts that promotion asks for."""
        main = self.weak_dtype(*dtypes)
        keep = 1 if self.rule == "where" else 0
        operands = [arg(k, d) if k < keep else arg(k, d).cast(main) for k, d in enumerate(dtypes)]
        try:
            return self.body(*operands)
        except DTypeError as error:
            raise DTypeError(f"{self.name}: {error}") from None

    def infer(self, *specs: Spec, **params: Any) -> Spec:
        return Spec(broadcast_shapes(self.name, *(s.shape for s in specs)), self.expr(*(s.dtype for s in specs)).dtype)

    def eval(self, xp: Any, *arrays: Any, **params: Any) -> Any:
        kinds = tuple([getattr(a, "dtype", None) or type(a) for a in arrays])
        try:
            main = self._plans[kinds]
        except KeyError:
            main = self._plans[kinds] = self._plan(kinds)
        if main is None:
            return self.direct(*arrays)  # type: ignore[misc]
        typed = [
            xp.asarray(a, dtype=main) if k in (int, float, bool, complex) else a
            for a, k in zip(arrays, kinds, strict=True)
        ]
        body = self.expr(*(a.dtype for a in typed))
        return evaluate(body, typed)

    def _plan(self, kinds: tuple[Any, ...]) -> np.dtype | None:
        """None where the NumPy function alone gives the promoted dtype, else the dtype for Python scalars."""
        main = self.weak_dtype(*kinds)
        strong = kinds[1:] if self.rule == "where" else kinds
        same = all(k == main for k in strong if isinstance(k, np.dtype)) and any(
            isinstance(k, np.dtype) for k in strong
        )
        return None if self.direct is not None and same else main

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        body = self.expr(*(x.dtype for x in inputs))
        return apply_gradient(body, i, g, out, inputs)


class MapOp(Elementwise):
    """The elementwise op whose body is a parameter: what fusion and differentiation make."""

    def __init__(self) -> None:
        Op.__init__(self, "map")

    def weak_dtype(self, *kinds: object) -> np.dtype:
        return promote(*kinds)

    def infer(self, *specs: Spec, body: Expr, **params: Any) -> Spec:  # type: ignore[override]
        return Spec(broadcast_shapes("map", *(s.shape for s in specs)), body.dtype)

    def eval(self, xp: Any, *arrays: Any, body: Expr, **params: Any) -> Any:  # type: ignore[override]
        return evaluate(body, arrays)

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, body: Expr, **params: Any) -> Any:  # type: ignore[override]
        return apply_gradient(body, i, g, out, inputs)


map_op = register(MapOp())


def evaluate(body: Expr, arrays: Any) -> Any:
    """An expression on arrays, by NumPy's functions (CuPy arrays answer them too)."""

    def visit(node: Expr, *args: Any) -> Any:
        match node.head:
            case "arg":
                return arrays[node.value]
            case "const":
                return node.value
            case "cast":
                return args[0].astype(node.dtype)
            case "bitcast":
                return args[0].view(node.dtype)
        return ATOMS[node.head].numpy(*args)

    with np.errstate(all="ignore"):
        out = fold(body, visit)
    return out if out.dtype == body.dtype else out.astype(body.dtype)


@lru_cache(maxsize=4096)
def _gradient(body: Expr, i: int, count: int) -> tuple[Expr, tuple[int, ...]] | None:
    """d(body)/d(arg i) times g, and the operands it uses: positions below ``count`` are inputs, then the output, then g."""
    if class_of(body.dtype) not in "fc":
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
    """The gradient of input ``i`` of an elementwise op, summed back to its shape."""
    rule = _gradient(body, i, len(inputs))
    if rule is None:
        return None
    expr, used = rule
    everything = (*inputs, out, g)
    result = (
        g
        if expr.head == "arg" and used == (len(inputs) + 1,)
        else bind(map_op, tuple(everything[k] for k in used), {"body": expr})
    )
    return sum_to(result, inputs[i].shape)


def sum_to(x: Any, shape: Any) -> Any:
    """Undo a broadcast: sum over the axes that it added or stretched."""
    if x.shape == shape:
        return x
    extra = len(x.shape) - len(shape)
    axes = tuple(range(extra)) + tuple(extra + a for a, n in enumerate(shape) if n == 1 and x.shape[extra + a] != 1)
    out = bind(OPS["sum"], (x,), {"axis": axes, "keepdims": False})
    return out if out.shape == shape else bind(OPS["reshape"], (out,), {"shape": shape})


class Reduce(Op):
    """Combine over axes with an atom. Parameters: ``axis`` (sorted tuple), ``keepdims``.

    ``widen``: small integers and booleans are summed in 64 bits, as the Array API asks.
    """

    kind = "reduce"

    def __init__(
        self,
        name: str,
        combine: str,
        numpy: Callable[..., Any],
        vjp: Callable[..., Any] | None = None,
        *,
        widen: bool = False,
        boolean: bool = False,
    ):
        super().__init__(name)
        self.combine, self.numpy, self.rule, self.widen, self.boolean = combine, numpy, vjp, widen, boolean

    def prepare(self, dtype: np.dtype) -> np.dtype:
        """The dtype in which the values are combined, and which the result has."""
        if self.boolean:
            return np.dtype("bool")
        if self.widen and class_of(dtype) in "biu":
            return np.dtype("uint64" if class_of(dtype) == "u" else "int64")
        return dtype

    def infer(self, x: Spec, *, axis: tuple[int, ...], keepdims: bool) -> Spec:  # type: ignore[override]
        kept = tuple(1 if a in axis else n for a, n in enumerate(x.shape) if keepdims or a not in axis)
        return Spec(kept, self.prepare(x.dtype))

    def eval(self, xp: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:  # type: ignore[override]
        out = self.prepare(x.dtype)
        if self.widen:
            inner = np.dtype("float32") if out.name in ("float16", "bfloat16") else out
            return self.numpy(x, axis=axis, keepdims=keepdims, dtype=inner).astype(out, copy=False)
        return self.numpy(x, axis=axis, keepdims=keepdims)

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:  # type: ignore[override]
        if self.rule is None:
            return None
        kept = tuple(1 if a in axis else n for a, n in enumerate(x.shape))
        if not keepdims:
            g, out = (bind(OPS["reshape"], (t,), {"shape": kept}) for t in (g, out))
        return self.rule(g, out, x, axis)


class Movement(Op):
    """Elements move, none changes. ``view(spec, **params)`` is an `IndexMap`, or None where it is a plain reshape."""

    kind = "movement"

    def view(self, x: Spec, **params: Any) -> IndexMap | None:
        raise NotImplementedError


class Contraction(Op):
    """A sum of products over index maps: `form` says which."""

    kind = "contraction"

    def form(self, *specs: Spec, **params: Any) -> Form:
        raise NotImplementedError

    def infer(self, *specs: Spec, **params: Any) -> Spec:
        form = self.form(*specs, **params)
        return Spec(tuple(form.extents[a] for a in form.out), promote(*(s.dtype for s in specs)))


class Composite(Op):
    """A body in other ops, inlined unless a backend claims the name. ``rule``: its own gradient, where that is shorter."""

    kind = "composite"

    def __init__(self, name: str, body: Callable[..., Any], rule: Callable[..., Any] | None = None):
        super().__init__(name)
        self.body, self.rule = body, rule

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        assert self.rule is not None
        return self.rule(i, g, out, *inputs, **params)


class Opaque(Op):
    """Whatever has no simpler kind: a shape rule, `eval` on arrays and a gradient; other machines call back into `eval`."""

    kind = "opaque"

    def __init__(
        self, name: str, infer: Callable[..., Any], evaluate: Callable[..., Any], rule: Callable[..., Any] | None = None
    ):
        super().__init__(name)
        self.infer, self.eval, self.rule = infer, evaluate, rule  # type: ignore[method-assign]

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        return None if self.rule is None else self.rule(i, g, out, *inputs, **params)


def params_text(params: Mapping[str, Any]) -> str:
    """Parameters as text, for messages."""
    return ", ".join(f"{k}={v!r}" for k, v in params.items())


def element_count(spec: Spec) -> Any:
    return prod(spec.shape)
