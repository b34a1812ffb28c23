"""Scalar expressions: the body of every kernel.

An `Expr` is immutable and hash-consed: equal expressions are one object, so a common subexpression is shared by
construction. Everything done with one is a fold over its `program`, the list of its nodes in order: evaluation by
NumPy or CuPy, LLVM and CUDA text, derivatives, its own text.

Heads: ``arg`` (the k-th operand), ``acc`` (the result of the k-th stage of a kernel), ``index`` (the position on
the k-th axis, int64), ``size`` (a symbolic size, int64), ``const``, ``cast``, ``bitcast``, or an `Atom`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from .dim import Dim, Size
from .dtypes import BOOL, class_of, int64, promote, real_of
from .errors import DTypeError

__all__ = [
    "ATOMS",
    "Atom",
    "Expr",
    "acc",
    "apply",
    "arg",
    "const",
    "fold",
    "gradients",
    "index",
    "leaves",
    "size_value",
    "substitute",
]

INDEX = int64


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """One scalar function, and all that any machine needs to know of it.

    ``numpy``: function over arrays. ``llvm``: per dtype class (``f i u b``) an instruction (``fadd``), a comparison
    (``fcmp olt``) or an intrinsic (``@llvm.sqrt``). ``cuda``: a C expression with ``{0} {1} {2}``. ``vjp(g, out,
    *args)``: what each argument's gradient gets, None where there is none. ``body``: the same function in other
    atoms, for machines without an instruction. ``result``: ``same``, ``bool``, or ``real`` (of a complex number, its
    part's dtype). ``domain``: where tests sample.
    ``classes``: dtype classes it takes.
    """

    name: str
    arity: int
    numpy: Callable[..., Any]
    llvm: Mapping[str, str] = field(default_factory=dict)
    cuda: str = ""
    vjp: Callable[..., Sequence[Expr | None]] | None = None
    body: Callable[..., Expr] | None = None
    result: str = "same"
    domain: tuple[float, float] = (-3.0, 3.0)
    classes: str = "iuf"


ATOMS: dict[str, Atom] = {}
_INTERNED: WeakValueDictionary[tuple[Any, ...], Expr] = WeakValueDictionary()


class Expr:
    """One node. Build with `arg`, `const`, `apply` and the operators; compare with ``is``."""

    __slots__ = ("__weakref__", "_program", "args", "dtype", "head", "steps", "value")
    head: str
    args: tuple[Expr, ...]
    dtype: np.dtype
    value: Any
    steps: Any
    """What `program` makes of it, once it is evaluated."""
    _program: tuple[tuple[Expr, tuple[int, ...]], ...] | None

    def __new__(cls, head: str, args: tuple[Expr, ...], dtype: np.dtype, value: Any = None) -> Expr:
        bits = (value.tobytes(),) if isinstance(value, np.generic) else value
        key = (head, tuple(map(id, args)), dtype, bits)
        found = _INTERNED.get(key)
        if found is None:
            found = object.__new__(cls)
            found.head, found.args, found.dtype, found.value = head, args, dtype, value
            found._program = found.steps = None
            _INTERNED[key] = found
        return found

    @property
    def program(self) -> tuple[tuple[Expr, tuple[int, ...]], ...]:
        """Every distinct node once, operands before users, each with the positions of its operands."""
        if self._program is None:
            place: dict[int, int] = {}
            out: list[tuple[Expr, tuple[int, ...]]] = []
            stack: list[tuple[Expr, bool]] = [(self, False)]
            while stack:
                node, ready = stack.pop()
                if id(node) in place:
                    continue
                if ready:
                    place[id(node)] = len(out)
                    out.append((node, tuple(place[id(a)] for a in node.args)))
                else:
                    stack.append((node, True))
                    stack.extend((a, False) for a in reversed(node.args))
            self._program = tuple(out)
        return self._program

    def __add__(self, o: Any) -> Expr:
        return apply("add", self, o)

    def __radd__(self, o: Any) -> Expr:
        return apply("add", o, self)

    def __sub__(self, o: Any) -> Expr:
        return apply("sub", self, o)

    def __rsub__(self, o: Any) -> Expr:
        return apply("sub", o, self)

    def __mul__(self, o: Any) -> Expr:
        return apply("mul", self, o)

    def __rmul__(self, o: Any) -> Expr:
        return apply("mul", o, self)

    def __truediv__(self, o: Any) -> Expr:
        return apply("div", self, o)

    def __rtruediv__(self, o: Any) -> Expr:
        return apply("div", o, self)

    def __neg__(self) -> Expr:
        return apply("neg", self)

    def __and__(self, o: Any) -> Expr:
        return apply("and", self, o)

    def __or__(self, o: Any) -> Expr:
        return apply("or", self, o)

    def __xor__(self, o: Any) -> Expr:
        return apply("xor", self, o)

    def __lshift__(self, o: Any) -> Expr:
        return apply("shl", self, o)

    def __rshift__(self, o: Any) -> Expr:
        return apply("shr", self, o)

    def __lt__(self, o: Any) -> Expr:
        return apply("lt", self, o)

    def __le__(self, o: Any) -> Expr:
        return apply("le", self, o)

    def __gt__(self, o: Any) -> Expr:
        return apply("gt", self, o)

    def __ge__(self, o: Any) -> Expr:
        return apply("ge", self, o)

    def equal(self, o: Any) -> Expr:
        return apply("eq", self, o)

    def cast(self, dtype: np.dtype) -> Expr:
        """This value converted (as ``astype`` does)."""
        return self if dtype == self.dtype else Expr("cast", (self,), dtype)

    def bitcast(self, dtype: np.dtype) -> Expr:
        """The same bits read as another type of equal width."""
        return self if dtype == self.dtype else Expr("bitcast", (self,), dtype)

    def __repr__(self) -> str:
        from_text = [_node_text(n, pos) for n, pos in self.program]
        return "; ".join(f"t{i}={t}" for i, t in enumerate(from_text))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Expr, (self.head, self.args, self.dtype, self.value))


def _node_text(node: Expr, positions: tuple[int, ...]) -> str:
    if node.head == "const":
        return f"{node.value!r}"
    if not node.args:
        return f"{node.head}[{node.value}]:{node.dtype.name}"
    return f"{node.head}({', '.join(f't{p}' for p in positions)}):{node.dtype.name}"


def arg(k: int, dtype: np.dtype) -> Expr:
    """The k-th operand."""
    return Expr("arg", (), dtype, k)


def acc(k: int, dtype: np.dtype) -> Expr:
    """The result of stage k of the kernel."""
    return Expr("acc", (), dtype, k)


def index(axis: int) -> Expr:
    """The position on a loop axis, int64."""
    return Expr("index", (), INDEX, axis)


def size_value(size: Size) -> Expr:
    """A size as an int64 value; symbolic ones are read when the kernel runs."""
    return Expr("size", (), INDEX, size) if isinstance(size, Dim) else const(size, INDEX)


def const(value: Any, dtype: np.dtype) -> Expr:
    """A constant of a dtype; equal only to constants of the same dtype and bit pattern."""
    return Expr("const", (), dtype, np.asarray(value).astype(dtype)[()])


def apply(name: str, *args: Any) -> Expr:
    """An atom on expressions; Python scalars take the dtype of the expressions beside them.

    Raises `DTypeError` where operands differ in dtype: promotion is the op's business, not the atom's.
    """
    atom = ATOMS[name]
    dtypes = [a.dtype for a in args if isinstance(a, Expr)]
    main = dtypes[-1] if name == "where" else promote(*dtypes)
    nodes = tuple(a if isinstance(a, Expr) else const(a, main) for a in args)
    typed = nodes[1:] if name == "where" else nodes
    if any(n.dtype != main for n in typed):
        raise DTypeError(
            f"{name}: operands of an atom must share a dtype; got {[str(n.dtype) for n in typed]}. Cast one"
        )
    if class_of(main) not in atom.classes:
        raise DTypeError(f"{name}: takes dtype classes {atom.classes!r}; got {main.name}. Cast with astype first")
    return Expr(name, nodes, BOOL if atom.result == "bool" else real_of(main) if atom.result == "real" else main)


def fold(expr: Expr, visit: Callable[..., Any]) -> Any:
    """Visit each node once, operands first: ``visit(node, *results_of_operands)``; gives the result of the root."""
    results: list[Any] = []
    for node, positions in expr.program:
        results.append(visit(node, *[results[p] for p in positions]))
    return results[-1]


def substitute(expr: Expr, replace: Callable[[Expr], Expr | None]) -> Expr:
    """The expression with nodes replaced: ``replace(node)`` gives the new node, or None to keep it (with its new
    operands)."""

    def visit(node: Expr, *args: Expr) -> Expr:
        new = replace(node)
        if new is not None:
            return new
        return node if args == node.args else Expr(node.head, args, node.dtype, node.value)

    out: Expr = fold(expr, visit)
    return out


def leaves(expr: Expr, head: str) -> list[int]:
    """The sorted, distinct values of the leaves of one head: which operands, stages or axes an expression uses."""
    return sorted({node.value for node, _ in expr.program if node.head == head})


def expand(expr: Expr, has_instruction: Callable[[Atom, np.dtype], bool]) -> Expr:
    """The expression with each atom that a machine has no instruction for replaced by its body, to any depth."""

    def visit(node: Expr, *args: Expr) -> Expr:
        atom = ATOMS.get(node.head)
        if atom is not None and atom.body is not None and not has_instruction(atom, args[-1].dtype):
            return expand(atom.body(*args), has_instruction)
        return node if args == node.args else Expr(node.head, args, node.dtype, node.value)

    out: Expr = fold(expr, visit)
    return out


def gradients(expr: Expr, g: Expr) -> dict[int, Expr]:
    """Reverse-mode derivative: ``{k: d(expr)/d(arg k) * g}`` for the floating operands that matter."""
    cotangent: dict[int, Expr] = {id(expr): g}
    out: dict[int, Expr] = {}
    for node, _ in reversed(expr.program):
        ct = cotangent.pop(id(node), None)
        if ct is None:
            continue
        if node.head == "arg":
            out[node.value] = ct
            continue
        for operand, part in zip(node.args, _partials(node, ct), strict=True):
            if part is not None and class_of(operand.dtype) in "fc":
                before = cotangent.get(id(operand))
                cotangent[id(operand)] = part if before is None else before + part
    return out


def _partials(node: Expr, ct: Expr) -> Sequence[Expr | None]:
    if node.head == "cast":
        source = node.args[0].dtype
        return [ct.cast(source) if class_of(source) in "fc" else None]
    if node.head == "bitcast" or not node.args:
        return [None] * len(node.args)
    rule = ATOMS[node.head].vjp
    return [None] * len(node.args) if rule is None else rule(ct, node, *node.args)
