"""Forward mode: a trace that carries a tangent beside each value.

The tangent of an op's result is the transpose of its gradient rule, which is linear in the gradient (Townsend 2017, "A
new trick for calculating Jacobian vector products"): so forward mode holds for every op that has a gradient, and needs
no rule of its own. Regions carry tangents through their bodies, and so forward mode goes through a `while_loop`, which
reverse mode can not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .autodiff import Tape, typed
from .dtypes import is_floating
from .op import Composite, Op
from .ops.creation import zeros_like
from .recording import Capture, Recording
from .registry import Region
from .tensor import Tensor
from .trace import Trace, bind, current, use
from .variable import Variable

__all__ = ["ForwardTrace"]

Tangent = Tensor | None
"""None is zero."""


class Dual:
    """The data of a tensor that moves: its value, and the direction in which it does."""

    __slots__ = ("dtype", "shape", "tangent", "trace", "value")

    def __init__(self, trace: ForwardTrace, value: Tensor, tangent: Tensor):
        self.trace, self.value, self.tangent = trace, value, tangent
        self.shape, self.dtype = value.shape, value.dtype


class ForwardTrace(Trace):
    """Applies ops to values, and their derivatives to tangents, both under its parent."""

    def __init__(self, parent: Trace):
        self.parent: Trace = parent

    def join(self, value: Tensor, tangent: Tangent) -> Tensor:
        """The tensor of a value and its tangent."""
        return value if tangent is None else Tensor(Dual(self, value, tangent))

    def split(self, x: Any) -> tuple[Any, Tangent]:
        """The value of a tensor, and its tangent."""
        if isinstance(x, Tensor) and isinstance(x.data, Dual) and x.data.trace is self:
            return x.data.value, x.data.tangent
        return x, None

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        inputs = tuple(self.read(a) if isinstance(a, Variable) else a for a in args)
        if isinstance(op, Composite) and op.rule is None:
            return op.body(*inputs, **params)
        pairs = [self.split(x) for x in inputs]
        values, tangents = tuple(x for x, _ in pairs), [t for _, t in pairs]
        with use(self.parent):
            if all(t is None for t in tangents):
                return bind(op, values, params)
            if isinstance(op, Region):
                out, moved = PUSHES[op.name](op, values, tangents, dict(params))
            else:
                out = bind(op, values, params)
                moved = _pushed(op, values, tangents, out, params)
        if not isinstance(out, tuple):
            return self.join(out, moved[0])
        return tuple(self.join(x, t) for x, t in zip(out, moved, strict=True))

    def assign(self, variable: Variable, value: Tensor) -> None:
        with use(self.parent):
            self.parent.assign(variable, self.split(value)[0])


def _pushed(
    op: Op, values: tuple[Any, ...], tangents: Sequence[Tangent], out: Any, params: Mapping[str, Any]
) -> list[Tangent]:
    """The tangents of an op's results: its gradient rule, run on zeros under a tape, pulled back along the tangents."""
    outs = out if isinstance(out, tuple) else (out,)
    gs = [zeros_like(o) if is_floating(o.dtype) else None for o in outs]
    sources = [g for g in gs if g is not None]
    tape = Tape(current(), watch_variables=False)
    for g in sources:
        tape.watch(g)
    inputs = typed(op, values)
    with use(tape):
        given = tuple(gs) if isinstance(out, tuple) else gs[0]
        parts = [
            (part, t)
            for i, t in enumerate(tangents)
            if t is not None and given is not None and (part := op.vjp(i, given, out, *inputs, **params)) is not None
        ]
    found = iter(tape.pull(parts, sources))
    return [None if g is None else next(found) for g in gs]


def _body(body: Recording, marks: Sequence[bool], wanted: Sequence[bool]) -> tuple[Recording, list[bool]]:
    """A body that takes tangents of the marked inputs after each of them, and gives those of its results likewise, at
    least the ``wanted`` ones; and which of them have one."""
    capture = Capture(None)
    trace = ForwardTrace(capture)
    inputs: list[Tensor] = []
    moving: list[Tensor] = []
    for v, mark in zip(body.inputs, marks, strict=True):
        made = [capture.input(v.spec) for _ in range(1 + mark)]
        inputs += made
        moving.append(trace.join(made[0], made[1] if mark else None))
    with use(trace):
        pairs = [trace.split(x) for x in body.replay(moving)]
    with use(capture):
        pairs = [
            (x, zeros_like(x) if t is None and p < len(wanted) and wanted[p] else t) for p, (x, t) in enumerate(pairs)
        ]
    found = [t is not None for _, t in pairs]
    return capture.finish(inputs, [x for pair in pairs for x in pair if x is not None]), found


def _flat(values: Sequence[Any], tangents: Sequence[Tangent]) -> list[Any]:
    """Each value, and after it its tangent where it has one."""
    return [x for pair in zip(values, tangents, strict=True) for x in pair if x is not None]


def _apart(out: Sequence[Tensor], found: Sequence[bool]) -> tuple[tuple[Tensor, ...], list[Tangent]]:
    """Values and tangents of results that stand after one another."""
    rest = iter(out)
    pairs = [(next(rest), next(rest) if mark else None) for mark in found]
    return tuple(x for x, _ in pairs), [t for _, t in pairs]


def _carried(values: Sequence[Any], tangents: Sequence[Tangent], first: int, count: int) -> list[Tangent]:
    """The tangents of operands, with zeros for floating carries that have none yet."""
    return [
        zeros_like(x) if t is None and first <= p < first + count and is_floating(x.dtype) else t
        for p, (x, t) in enumerate(zip(values, tangents, strict=True))
    ]


def _push_scan(op: Any, values: tuple[Any, ...], tangents: Sequence[Tangent], params: dict[str, Any]) -> Any:
    n, k = params["constants"], params["carries"]
    moved = _carried(values, tangents, n, k)
    marks = [t is not None for t in moved]
    body, found = _body(params["body"], marks, marks[n : n + k])
    counts = {"constants": n + sum(marks[:n]), "carries": k + sum(marks[n : n + k])}
    out: Any = bind(op, tuple(_flat(values, moved)), {**params, **counts, "body": body})
    return _apart(out, found)


def _push_while(op: Any, values: tuple[Any, ...], tangents: Sequence[Tangent], params: dict[str, Any]) -> Any:
    n = params["constants"]
    moved = _carried(values, tangents, n, len(values) - n)
    marks = [t is not None for t in moved]
    body, found = _body(params["body"], marks, marks[n:])
    capture = Capture(None)
    inputs = [[capture.input(v.spec) for _ in range(1 + m)] for v, m in zip(params["test"].inputs, marks, strict=True)]
    with use(capture):
        answer = params["test"].replay([x[0] for x in inputs])
    test = capture.finish([x for pair in inputs for x in pair], answer)
    counts = {"constants": n + sum(marks[:n])}
    out: Any = bind(op, tuple(_flat(values, moved)), {**params, **counts, "test": test, "body": body})
    return _apart(out, found)


def _push_cond(op: Any, values: tuple[Any, ...], tangents: Sequence[Tangent], params: dict[str, Any]) -> Any:
    marks = [t is not None for t in tangents[1:]]
    found: list[bool] = []
    for name in ("on_true", "on_false"):
        found = _body(params[name], marks, found)[1]
    bodies = {name: _body(params[name], marks, found)[0] for name in ("on_true", "on_false")}
    out: Any = bind(op, (values[0], *_flat(values[1:], tangents[1:])), bodies)
    return _apart(out, found)


PUSHES = {"scan": _push_scan, "while_loop": _push_while, "cond": _push_cond}
