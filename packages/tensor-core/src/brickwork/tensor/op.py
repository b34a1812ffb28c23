"""Kinds of op.

Kinds are closed, ops are open: a compiler or device implements the seven kinds below and then runs every op there
is and will be. An op says what it is (an `Expr`, an atom, an `IndexMap`, a `Form`, a body) and how NumPy-like
arrays do it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .atoms import ATOMS
from .derivative import apply_gradient, sum_to
from .dtypes import BOOL, class_of, promote, to_inexact, wide_of
from .errors import DTypeError, ShapeError
from .expr import Expr, apply, arg
from .program import evaluate, program_of
from .registry import OPS, Op, register
from .spec import TensorSpec, broadcast_shapes
from .trace import bind

if TYPE_CHECKING:
    from .view import Form, IndexMap

__all__ = [
    "OPS",
    "Composite",
    "Contraction",
    "Elementwise",
    "MapOp",
    "Movement",
    "Op",
    "Opaque",
    "Reduce",
    "evaluate",
    "map_op",
    "params_text",
    "register",
    "sum_to",
]

Spec = TensorSpec
_NATIVE = (
    int,
    float,
    bool,
    complex,
)  # these, but no class derived from them, NumPy takes as weak, beside dtypes of its own


class Elementwise(Op):
    """One scalar `Expr` over broadcast operands.

    ``body``: the name of an atom, or a function from `Expr` to `Expr`. ``rule``: which dtype it works in: ``same`` (the
    promoted one), ``float`` (integers become float32 first), ``where`` (the first operand is read as a boolean).
    """

    kind = "elementwise"

    def __init__(self, name: str, body: str | Callable[..., Expr], arity: int, rule: str = "same"):
        super().__init__(name)
        self.arity, self.rule = arity, rule
        self.body: Callable[..., Expr] = (lambda *a: apply(body, *a)) if isinstance(body, str) else body
        self.direct = ATOMS[body].numpy if isinstance(body, str) else None
        self.expr = cache(self._expr)
        self._plans: dict[Any, Callable[..., Any]] = {}

    def weak_dtype(self, *kinds: object) -> np.dtype:
        common = promote(*(kinds[1:] if self.rule == "where" else kinds))
        return to_inexact(common) if self.rule == "float" else common

    def _expr(self, *dtypes: np.dtype) -> Expr:
        """The body for operands of these dtypes, with the casts that promotion asks for."""
        main = self.weak_dtype(*dtypes)
        wanted = [BOOL if self.rule == "where" and k == 0 else main for k in range(len(dtypes))]
        try:
            return self.body(*(arg(k, d).cast(w) for k, (d, w) in enumerate(zip(dtypes, wanted, strict=True))))
        except DTypeError as error:
            raise DTypeError(f"{self.name}: {error}") from None

    def infer(self, *specs: Any, **params: Any) -> Spec:
        return Spec(broadcast_shapes(self.name, *(s.shape for s in specs)), self.expr(*(s.dtype for s in specs)).dtype)

    def eval(self, xp: Any, *arrays: Any, **params: Any) -> Any:
        if xp is np:
            return Elementwise.planned(self, arrays)(*arrays)
        kinds = xp, tuple([getattr(a, "dtype", a.__class__) for a in arrays])
        plan = self._plans.get(kinds)
        return (self._kept(kinds, xp, kinds[1]) if plan is None else plan)(*arrays)

    def planned(self, arrays: Sequence[Any]) -> Callable[..., Any]:
        """The function for arrays of NumPy of these dtypes, and Python numbers."""
        kinds: Any
        if len(arrays) == 1:  # without a loop, which costs a call before Python 3.12
            kinds = getattr(arrays[0], "dtype", arrays[0].__class__)
        elif len(arrays) == 2:
            a, b = arrays
            kinds = getattr(a, "dtype", a.__class__), getattr(b, "dtype", b.__class__)
        else:
            kinds = tuple([getattr(a, "dtype", a.__class__) for a in arrays])
        plan = self._plans.get(kinds)
        return self._kept(kinds, np, kinds if len(arrays) > 1 else (kinds,)) if plan is None else plan

    def _kept(self, key: Any, xp: Any, kinds: tuple[Any, ...]) -> Callable[..., Any]:
        plan = self._plans[key] = self._plan(xp, kinds)
        return plan

    def _plan(self, xp: Any, kinds: tuple[Any, ...]) -> Callable[..., Any]:
        """The NumPy function where it alone gives the promoted dtype, else the steps of the body."""
        main = self.weak_dtype(*kinds)
        body = self.expr(*(k if isinstance(k, np.dtype) else main for k in kinds))  # raises where atoms do not take it
        strong = [k for k in kinds[1 if self.rule == "where" else 0 :] if isinstance(k, np.dtype)]
        weak = [k for k in kinds if not isinstance(k, np.dtype)]
        native = not weak or (main.isbuiltin == 1 and all(k in _NATIVE for k in weak))
        if self.direct is not None and native and strong and all(k == main for k in strong):
            return self.direct
        program = program_of(body)
        if not weak:
            return program
        known = [isinstance(k, np.dtype) for k in kinds]
        return lambda *arrays: program(*[a if k else xp.asarray(a, dtype=main) for a, k in zip(arrays, known)])

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        body = self.expr(*(x.dtype for x in inputs))
        return apply_gradient(body, i, g, out, inputs)


class MapOp(Elementwise):
    """The elementwise op whose body is a parameter: what fusion and differentiation make."""

    def __init__(self) -> None:
        Op.__init__(self, "map")

    def weak_dtype(self, *kinds: object) -> np.dtype:
        return promote(*kinds)

    def infer(self, *specs: Spec, body: Expr, **params: Any) -> Spec:
        return Spec(broadcast_shapes("map", *(s.shape for s in specs)), body.dtype)

    def eval(self, xp: Any, *arrays: Any, body: Expr, **params: Any) -> Any:
        return program_of(body)(*arrays)

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, body: Expr, **params: Any) -> Any:
        return apply_gradient(body, i, g, out, inputs)


map_op = register(MapOp())


class Reduce(Op):
    """Combine over axes with an atom. Parameters: ``axis`` (sorted tuple), ``keepdims``. Arrays have a method of
    its name.

    ``widen``: integers and booleans are combined in 64 bits, as the Array API asks, and float16 and bfloat16 in
    float32. ``rule``: ``rule(g, out, x, axis)`` with the reduced axes of ``g`` and ``out`` kept.
    """

    kind = "reduce"

    def __init__(
        self,
        name: str,
        combine: str,
        rule: Callable[..., Any] | None = None,
        *,
        widen: bool = False,
        boolean: bool = False,
    ):
        super().__init__(name)
        self.combine, self.rule, self.widen, self.boolean = combine, rule, widen, boolean
        self.ufunc: Any = ATOMS[combine].numpy
        self._inner: dict[np.dtype, tuple[np.dtype, np.dtype]] = {}

    def prepare(self, dtype: np.dtype) -> np.dtype:
        """The dtype in which the values are combined, and which the result has. Raises `DTypeError` where they have no
        order and one is needed."""
        if self.combine in ("maximum", "minimum") and class_of(dtype) not in ATOMS[self.combine].classes:
            raise DTypeError(f"{self.name}: needs numbers that have an order; got {dtype}. Use abs(x) first")
        if self.boolean:
            return BOOL
        if self.widen and class_of(dtype) in "biu":
            return np.dtype("uint64" if class_of(dtype) == "u" else "int64")
        return dtype

    def infer(self, x: Spec, *, axis: tuple[int, ...], keepdims: bool) -> Spec:
        kept = tuple(1 if a in axis else n for a, n in enumerate(x.shape) if keepdims or a not in axis)
        if self.combine in ("maximum", "minimum") and 0 not in kept and 0 in x.shape:
            raise ShapeError(
                f"{self.name}: needs an element to choose from; got shape {x.shape}, axis {axis}. "
                "Look at the size first"
            )
        return Spec(kept, self.prepare(x.dtype))

    def eval(self, xp: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
        out, inner = self._inner.get(x.dtype) or self._dtypes(x.dtype)
        if xp is np and not self.boolean:  # the method is this call, wrapped in Python
            found = self.ufunc.reduce(x, axis, inner, None, keepdims)
        else:
            found = getattr(x, self.name)(axis=axis, keepdims=keepdims, **({"dtype": inner} if self.widen else {}))
        return found if inner is out else found.astype(out)

    def _dtypes(self, dtype: np.dtype) -> tuple[np.dtype, np.dtype]:
        """Of the result, and of the combining; kept."""
        out = self.prepare(dtype)
        both = self._inner[dtype] = out, wide_of(out) if self.widen else out
        return both

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
        if self.rule is None:
            return None
        if not keepdims:
            kept = tuple(1 if a in axis else n for a, n in enumerate(x.shape))
            g, out = (bind(OPS["reshape"], (t,), {"shape": kept}) for t in (g, out))
        return self.rule(g, out, x, axis)


class Movement(Op):
    """Elements move, none changes. ``view(spec, **params)`` is an `IndexMap`, or None where it is a plain reshape."""

    kind = "movement"

    def view(self, *specs: Any, **params: Any) -> IndexMap | None:
        raise NotImplementedError


class Contraction(Op):
    """A sum of products over index maps: `form` says which."""

    kind = "contraction"

    def form(self, *specs: Any, **params: Any) -> Form:
        raise NotImplementedError

    def infer(self, *specs: Spec, **params: Any) -> Spec:
        form = self.form(*specs, **params)
        return Spec(tuple(form.extents[a] for a in form.out), promote(*(s.dtype for s in specs)))


class Composite(Op):
    """A body in other ops, inlined unless a backend claims the name. ``rule``: its own gradient, where that is
    shorter."""

    kind = "composite"

    def __init__(self, name: str, body: Callable[..., Any], rule: Callable[..., Any] | None = None):
        super().__init__(name)
        self.body, self.rule = body, rule

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        return None if self.rule is None else self.rule(i, g, out, *inputs, **params)


class Opaque(Op):
    """Whatever has no simpler kind: a shape rule, `eval` on arrays and a gradient; other machines call back into
    `eval`."""

    kind = "opaque"

    def __init__(
        self, name: str, infer: Callable[..., Any], evaluate: Callable[..., Any], rule: Callable[..., Any] | None = None
    ):
        super().__init__(name)
        self._infer, self._evaluate, self.rule = infer, evaluate, rule

    def infer(self, *specs: Spec, **params: Any) -> Any:
        return self._infer(*specs, **params)

    def eval(self, xp: Any, *arrays: Any, **params: Any) -> Any:
        return self._evaluate(xp, *arrays, **params)

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        return None if self.rule is None else self.rule(i, g, out, *inputs, **params)


def params_text(params: Mapping[str, Any]) -> str:
    """Parameters as text, for messages."""
    return ", ".join(f"{k}={v!r}" for k, v in params.items())
