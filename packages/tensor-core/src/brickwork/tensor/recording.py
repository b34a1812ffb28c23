"""`Recording`: what a function of tensors does, written down once, closed, to be done again under any trace.

`Capture` is the trace that writes it. Whatever the function reads from outside (tensors it closes over, values of
variables) becomes one more input, so that a recording needs nothing but its inputs. Done again by `replay`, which
applies the same ops under whatever trace is current: that is how a body of `cond`, `scan` or `while_loop` is run,
differentiated, mapped by `vmap` and compiled.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .autodiff import Kept, filled
from .dtypes import is_floating
from .errors import BrickworkError, TraceError
from .op import Composite, Op
from .registry import OPS
from .spec import TensorSpec
from .tensor import Tensor, asarray, beside
from .trace import Trace, bind, use
from .variable import Variable

__all__ = ["Capture", "Outside", "Recording", "Step", "Var"]


@dataclass(frozen=True, slots=True)
class Var:
    """A value of a recording: its number, shape and dtype."""

    id: int
    spec: TensorSpec


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """``outputs = op(*args, **params)``. An argument is a `Var`, a Python number, or a tensor without axes."""

    op: Op
    args: tuple[Any, ...]
    outputs: tuple[Var, ...]
    params: Mapping[str, Any]

    @property
    def reads(self) -> tuple[Var, ...]:
        return tuple(a for a in self.args if isinstance(a, Var))

    def run(self, values: dict[int, Any], like: Tensor | None = None) -> None:
        """Apply it under the current trace: reads its arguments from ``values`` and leaves its results there.

        ``like``: a tensor of the device that numbers go to, where that is not the one they are on.
        """
        found: Any
        if like is None:
            found = bind(self.op, tuple([values[a.id] if type(a) is Var else a for a in self.args]), self.params)
        else:
            args = (values[a.id] if isinstance(a, Var) else _beside(a, like) for a in self.args)
            found = _beside(bind(self.op, tuple(args), self.params), like)
        if isinstance(found, tuple):
            values.update((v.id, x) for v, x in zip(self.outputs, found, strict=True))
        else:
            values[self.outputs[0].id] = found


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Immutable: ``outputs`` of ``steps`` from ``inputs``."""

    inputs: tuple[Var, ...]
    steps: tuple[Step, ...]
    outputs: tuple[Var, ...]

    def replay(self, args: Iterable[Any]) -> list[Any]:
        """The outputs for these inputs, by the same ops under the current trace."""
        values = {v.id: x for v, x in zip(self.inputs, args, strict=True)}
        like = next((x for x in values.values() if not (type(x.data) is np.ndarray or x.symbolic)), None)
        for step in self.steps:
            step.run(values, like)
        return [values[v.id] for v in self.outputs]

    def __repr__(self) -> str:
        specs = (", ".join(str(v.spec) for v in vs) for vs in (self.inputs, self.outputs))
        return "<recording ({}) -> ({}) of {} steps>".format(*specs, len(self.steps))


def _beside(x: Any, like: Tensor) -> Any:
    """Tensors on the device of another; Python numbers are on none."""
    if isinstance(x, tuple):
        return tuple(_beside(part, like) for part in x)
    return beside(x, like) if isinstance(x, Tensor) else x


class Symbol:
    """The data of a tensor that stands for a value of a recording."""

    __slots__ = ("dtype", "shape", "trace", "var")

    def __init__(self, trace: Capture, var: Var):
        self.trace, self.var = trace, var
        self.shape, self.dtype = var.spec.shape, var.spec.dtype


class Outside:
    """The tensors that some recordings read from outside, in the order of first use; all of them share one list."""

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        self.tensors: list[Tensor] = []

    def place(self, tensor: Tensor) -> int:
        """Its place in the list."""
        found = self.places.setdefault(id(tensor.data), len(self.tensors))
        if found == len(self.tensors):
            self.tensors.append(Tensor(tensor.data))  # a handle of our own: it keeps the data, and so its id, alive
        return found


class Capture(Trace):
    """Writes each op down as a step.

    ``parent``: the trace that what comes from outside belongs to; None for what needs nothing from outside, where any
    array is a constant. ``inline``: write every composite out in its parts. ``who``: named by errors.
    """

    def __init__(
        self, parent: Trace | None, outside: Outside | None = None, *, who: str = "region", inline: bool = False
    ):
        self.parent = parent
        self.outside = outside or Outside()
        self.who, self.inline = who, inline
        self.steps: list[Step] = []
        self.count = 0
        self.lifted: dict[int, Var] = {}
        self.variables: dict[int, tuple[Variable, Tensor]] = {}

    def input(self, spec: TensorSpec) -> Tensor:
        """A tensor that stands for an input."""
        return Tensor(Symbol(self, self._var(spec)))

    def _var(self, spec: TensorSpec) -> Var:
        self.count += 1
        return Var(self.count - 1, spec)

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        inputs = tuple([self.read(a) if isinstance(a, Variable) else a for a in args])
        if isinstance(op, Composite):
            if self.inline or op.rule is None:
                return op.body(*inputs, **params)
            if OPS.get(op.name) is not op and not isinstance(op, Sealed):
                op, inputs, params = self._sealed(op, tuple(map(asarray, inputs)), params), inputs, {}
                inputs = (*inputs, *op.extra)
            specs = self._specs_of(op, inputs, params)
        else:
            specs = op.infer(*self._typed(op, inputs), **params)
        outputs = tuple(self._var(s) for s in (specs if isinstance(specs, tuple) else (specs,)))
        self.steps.append(Step(op, tuple(map(self._arg, inputs)), outputs, dict(params)))
        tensors = tuple(Tensor(Symbol(self, v)) for v in outputs)
        return tensors if isinstance(specs, tuple) else tensors[0]

    def _arg(self, x: Any) -> Any:
        """A value as the argument of a step."""
        if not isinstance(x, Tensor):
            return x
        if isinstance(x.data, Symbol) and x.data.trace is self:
            return x.data.var
        scalar = type(x.data) is np.ndarray and x.shape == ()
        return x if not x.symbolic and (self.parent is None or (scalar and not self._matters(x.data))) else self.lift(x)

    def _matters(self, data: Any) -> bool:
        """Whether someone outside wants the gradient of this very array, which must then be an input."""
        trace = self.parent
        while trace is not None:
            if id(data) in getattr(trace, "watched", ()):
                return True
            trace = trace.parent
        return False

    def lift(self, x: Tensor) -> Var:
        """The input that stands for a tensor from outside."""
        place = self.outside.place(x)
        if place not in self.lifted:
            self.lifted[place] = self._var(x.spec)
        return self.lifted[place]

    def var_of(self, x: Tensor) -> Var:
        """The value that a tensor stands for; of a constant, a new one."""
        found = self._arg(x)
        return found if isinstance(found, Var) else self._arg(bind(OPS["identity"], (x,)))

    def _typed(self, op: Op, inputs: tuple[Any, ...]) -> list[TensorSpec]:
        kinds = [a.dtype if hasattr(a, "dtype") else type(a) for a in inputs]
        return [
            TensorSpec(a.shape, a.dtype) if hasattr(a, "dtype") else TensorSpec((), op.weak_dtype(*kinds))
            for a in inputs
        ]

    def _specs_of(self, op: Composite, inputs: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """What a composite gives: its body, written down and thrown away."""
        with use(Capture(self, who=self.who)):
            out = op.body(*inputs, **params)
        return tuple(asarray(x).spec for x in out) if isinstance(out, tuple) else asarray(out).spec

    def read(self, variable: Variable) -> Tensor:
        if id(variable) not in self.variables:
            assert self.parent is not None
            with use(self.parent):
                self.variables[id(variable)] = variable, self.parent.read(variable)
        return self.variables[id(variable)][1]

    def assign(self, variable: Variable, value: Tensor) -> None:
        raise TraceError(
            f"{self.who}: a variable can not be assigned inside; got {variable.name}. Carry its value: start from it, "
            "return its new value, and assign that after"
        )

    def finish(self, inputs: Sequence[Tensor], outputs: Sequence[Any]) -> Recording:
        """The recording that gives these outputs. Its inputs are what comes from outside (the whole shared list), then
        ``inputs``."""
        with use(self):
            taken = {x.data.var.id for x in inputs} | {v.id for v in self.lifted.values()}
            made = [self._result(asarray(x), taken) for x in outputs]
        outer = tuple(self.lift(t) for t in self.outside.tensors)
        own = tuple(x.data.var for x in inputs)
        return Recording((*outer, *own), live(self.steps, made), tuple(made))

    def _result(self, x: Tensor, taken: Container[int]) -> Var:
        """An output is a value of its own: to a tape, what goes in is not what comes out."""
        x = self.read(x) if isinstance(x, Variable) else x
        found = self.var_of(x)
        foreign = found.id in taken or found in self.lifted.values()
        return self.var_of(bind(OPS["identity"], (x,))) if foreign else found

    def _sealed(self, op: Composite, inputs: tuple[Tensor, ...], params: Mapping[str, Any]) -> Sealed:
        """A composite of one call (a custom gradient, a checkpoint) with its body and gradient written down too."""
        outside = Outside()
        body = Capture(self, outside, who=self.who)
        own = [body.input(x.spec) for x in inputs]
        with use(body):
            found = op.body(*own, **params)
        outs = [asarray(x) for x in (found if isinstance(found, tuple) else (found,))]
        single = not isinstance(found, tuple)
        rule = Capture(self, outside, who=self.who)
        given = [rule.input(x.spec) for x in inputs]
        results = [rule.input(x.spec) for x in outs]
        gs = [rule.input(x.spec) for x in outs]
        problem: BrickworkError | None = None
        parts: list[Any] = []
        try:
            with use(rule):
                out, g = (results[0], gs[0]) if single else (tuple(results), tuple(gs))
                parts = [op.vjp(i, g, out, *given, **params) if is_floating(x.dtype) else None
                         for i, x in enumerate(inputs)]  # fmt: skip
        except BrickworkError as error:  # it may be that nobody asks
            problem = error
        body.finish(own, outs)  # this may read more from outside, and so may the next
        backward = rule.finish([*given, *results, *gs], [p for p in parts if p is not None])
        forward = body.finish(own, outs)
        return Sealed(op.name, forward, backward, tuple(p is not None for p in parts), single, problem,
                      tuple(outside.tensors))  # fmt: skip


class Sealed(Composite):
    """A composite whose body and gradient are recordings. Its operands are those of the original, then ``extra``: what
    either read from outside."""

    def __init__(
        self,
        name: str,
        forward: Recording,
        backward: Recording,
        marks: tuple[bool, ...],
        single: bool,
        problem: BrickworkError | None,
        extra: tuple[Tensor, ...],
    ):
        super().__init__(name, self._run, self._gradient)
        self.forward, self.backward, self.marks = forward, backward, marks
        self.single, self.problem, self.extra = single, problem, extra
        self.pulled = Kept()

    def _turned(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        n = len(inputs) - len(self.extra)
        return (*inputs[n:], *inputs[:n])

    def _run(self, *inputs: Any) -> Any:
        out = self.forward.replay(self._turned(inputs))
        return out[0] if self.single else tuple(out)

    def _gradient(self, i: int, g: Any, out: Any, *inputs: Any) -> Tensor | None:
        if self.problem is not None:
            raise self.problem
        found: list[Tensor | None] = self.pulled.get(lambda: self._pull(g, out, inputs), g, out)
        return found[i] if i < len(self.marks) else None

    def _pull(self, g: Any, out: Any, inputs: tuple[Any, ...]) -> list[Tensor | None]:
        outs = out if isinstance(out, tuple) else (out,)
        found = iter(self.backward.replay((*self._turned(inputs), *outs, *filled(g, out))))
        return [next(found) if mark else None for mark in self.marks]


def live(steps: Sequence[Step], outputs: Iterable[Var]) -> tuple[Step, ...]:
    """The steps that some outputs need, in order."""
    needed = {v.id for v in outputs}
    kept: list[Step] = []
    for step in reversed(steps):
        if any(v.id in needed for v in step.outputs):
            needed.update(v.id for v in step.reads)
            kept.append(step)
    return tuple(reversed(kept))
