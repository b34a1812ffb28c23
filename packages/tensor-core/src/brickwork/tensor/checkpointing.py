"""`checkpoint`: a function whose inner values are computed again for its gradient, instead of kept (Chen, Xu, Zhang and
Guestrin 2016, "Training deep nets with sublinear memory cost")."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .autodiff import Kept, Tape, filled, vjp
from .op import Composite, Op, Opaque, Spec, register
from .ops.movement import identity
from .recording import Capture
from .tensor import Tensor, asarray
from .trace import Trace, bind, current, use
from .tree import leaves, unflatten
from .variable import Variable

__all__ = ["checkpoint"]


def _infer_after(x: Spec, signal: Spec) -> Spec:
    return x


def _eval_after(xp: Any, x: Any, signal: Any) -> Any:
    return x.view() if hasattr(x, "view") else x


def _after_rule(i: int, g: Any, out: Any, x: Any, signal: Any) -> Any:
    return g if i == 0 else None


_after = register(Opaque("after", _infer_after, _eval_after, _after_rule))
"""The first operand, once the second is there. A compiler does not see through it, so what is computed from it is not
the same as what was computed before."""


@dataclass(frozen=True, slots=True)
class Read:
    """A variable and the value that it had when a function first read it."""

    variable: Variable
    value: Tensor


class Notes(Trace):
    """Hands on to its parent, and notes the first value of each variable that is read."""

    def __init__(self, parent: Trace):
        self.parent: Trace = parent
        self.reads: dict[int, Read] = {}

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        inputs = tuple(self.read(a) if isinstance(a, Variable) else a for a in args)
        with use(self.parent):
            return bind(op, inputs, params)

    def read(self, variable: Variable) -> Tensor:
        value = self.parent.read(variable)
        self.reads.setdefault(id(variable), Read(variable, value))
        return value

    def assign(self, variable: Variable, value: Tensor) -> None:
        with use(self.parent):
            self.parent.assign(variable, value)


class Replay(Notes):
    """Variables have given values, and assignments stay inside: what happened once does not happen again."""

    def __init__(self, parent: Trace, values: dict[int, Tensor]):
        super().__init__(parent)
        self.values = values

    def read(self, variable: Variable) -> Tensor:
        found = self.values.get(id(variable))
        return self.parent.read(variable) if found is None else found

    def assign(self, variable: Variable, value: Tensor) -> None:
        self.values[id(variable)] = value


def checkpoint(fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn``, of which a gradient keeps the arguments only and computes what is inside again.

    Memory of the backward pass falls to the arguments and results, for one more evaluation of ``fn``. Arguments and
    result are trees of tensors; variables that ``fn`` reads get their gradients, and are not assigned a second time;
    tensors that it closes over get none, so pass them. Compiled, the second evaluation stays apart from the first
    because it starts from arguments that wait for the gradient (a call into Python per argument); a function without
    arguments gains nothing there. Under `vmap` inside a gradient, what is inside is kept.
    """

    @functools.wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        points = [asarray(x) for x in leaves(args)]
        return _run(lambda *xs: fn(*unflatten(args, xs), **kwargs), points)[0]

    return wrapped


def _run(fn: Callable[..., Any], points: list[Tensor]) -> tuple[Any, list[Read]]:
    """The result and the variables read. Each tape on the way down records one entry for the whole."""
    trace = current()
    if isinstance(trace, Capture) and not trace.inline:
        return _in_a_body(fn, points, trace)
    if not isinstance(trace, Tape):
        notes = Notes(trace)
        with use(notes):
            out = fn(*points)
        own = unflatten(out, [identity(asarray(x)) for x in leaves(out)])
        return own, list(notes.reads.values())
    with use(trace.parent):
        out, reads = _run(fn, points)
    for r in reads:
        trace.note(r.variable, r.value)
    again = _Again(fn, len(points), reads)
    inputs = (*points, *(r.value for r in reads))
    trace.record(Composite("checkpoint", again.value, again.rule), inputs, tuple(leaves(out)), {})
    return out, reads


def _in_a_body(fn: Callable[..., Any], points: list[Tensor], trace: Capture) -> tuple[Any, list[Read]]:
    """In a body of `scan` or `cond`: one step, whose gradient is another body, so that nothing keeps them apart."""
    notes = Notes(Capture(trace, who=trace.who))
    with use(notes):
        out = fn(*points)
    reads = list(notes.reads.values())
    again = _Again(fn, len(points), reads, apart=False)
    made: Any = bind(Composite("checkpoint", again.value, again.rule), (*points, *(r.value for r in reads)))
    return unflatten(out, made), reads


class _Again:
    """The second evaluation of a function, for its gradient. ``apart``: by arguments that wait for the gradient."""

    def __init__(self, fn: Callable[..., Any], points: int, reads: list[Read], apart: bool = True):
        self.fn, self.points, self.reads, self.apart = fn, points, reads, apart
        self.pulled = Kept()

    def value(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        variables = [id(r.variable) for r in self.reads]
        replay = Replay(current(), dict(zip(variables, inputs[self.points :], strict=True)))
        with use(replay):
            out = self.fn(*inputs[: self.points])
        return tuple(asarray(x) for x in leaves(out))

    def rule(self, i: int, g: Any, out: Any, *inputs: Tensor) -> Tensor:
        found: tuple[Tensor, ...] = self.pulled.get(lambda: self._pull(filled(g, out), inputs), g)
        return found[i]

    def _pull(self, gs: list[Tensor], inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        late = [bind(_after, (x, gs[0])) if self.apart else x for x in inputs[: self.points]]
        _, pull = vjp(self.value, *late, *inputs[self.points :])
        return pull(tuple(gs))
