"""How regions are differentiated: by recordings of the gradients of their bodies, which are regions again.

Of a `scan`: forward, the body also gives what its gradient will read of each step (`Linear.kept`), stacked; backward, a
scan in the other direction carries the gradients of the carries and sums those of the constants. Of a `cond`: a `cond`
of the gradients of its bodies, which compute forward again. A `while_loop` has no gradient in reverse: how much it
would have to keep is not known before it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .autodiff import Kept, Tape, filled
from .dtypes import is_floating
from .errors import BrickworkError
from .op import Composite
from .ops.creation import zeros_like
from .ops.movement import identity
from .recording import Capture, Recording, Step, Symbol, Var, live
from .tensor import Tensor
from .trace import bind, use

__all__ = ["record_cond", "record_scan", "record_while"]

Mask = tuple[bool, ...]


class Linear:
    """The gradient of a recording: a capture in which it was done once under a tape, and its gradient then too, for
    whichever results have one. ``wanted``: the inputs that get gradients."""

    def __init__(self, body: Recording, wanted: Mask):
        self.body, self.wanted = body, wanted
        self.capture = Capture(None)
        self.inputs = [self.capture.input(v.spec) for v in body.inputs]
        self.tape = Tape(self.capture, watch_variables=False)
        for x, mark in zip(self.inputs, wanted, strict=True):
            if mark:
                self.tape.watch(x)
        with use(self.tape):
            self.outputs: list[Tensor] = body.replay(self.inputs)
        with use(self.capture):
            self.outputs = [x if isinstance(x.data, Symbol) else identity(x) for x in self.outputs]
        self.forward = tuple(self.capture.steps)
        self.makers = {v.id: s for s in self.forward for v in s.outputs}
        self.gradients: dict[Mask, Gradient] = {}

    @property
    def places(self) -> dict[int, int]:
        """Number of an input's value -> its position."""
        return {x.data.var.id: k for k, x in enumerate(self.inputs)}

    def gradient(self, given: Mask) -> Gradient:
        """The gradient from the results marked ``given``."""
        if given not in self.gradients:
            self.gradients[given] = self._pulled(given)
        return self.gradients[given]

    def _pulled(self, given: Mask) -> Gradient:
        cts = [self.capture.input(x.spec) if g else None for x, g in zip(self.outputs, given, strict=True)]
        seeds = [(x, ct) for x, ct in zip(self.outputs, cts, strict=True) if ct is not None]
        sources = [x for x, mark in zip(self.inputs, self.wanted, strict=True) if mark]
        before = len(self.capture.steps)
        with use(self.capture):
            found = iter(self.tape.pull(seeds, sources))
            parts = [next(found) if mark else None for mark in self.wanted]
            ends = [None if p is None else self.capture.var_of(p) for p in parts]
        steps = tuple(self.capture.steps[before:])
        del self.capture.steps[before:]
        return Gradient(self, [None if ct is None else ct.data.var for ct in cts], steps, ends)


class Gradient:
    """``steps`` from gradients of results (``given``) and what was made forward to gradients of inputs (``found``)."""

    def __init__(self, linear: Linear, given: list[Var | None], steps: tuple[Step, ...], found: list[Var | None]):
        self.given, self.found = given, found
        again: dict[int, Step] = {}
        needed: dict[int, Var] = {}
        mine = {v.id for v in given if v is not None} | {v.id for s in steps for v in s.outputs}
        own = live(steps, [v for v in found if v is not None])
        places = linear.places

        def need(v: Var) -> None:
            """Of a value that is read: computed again where that is for nothing, else kept."""
            if v.id in mine or v.id in again or v.id in needed:
                return
            maker = linear.makers.get(v.id)
            if maker is None or not _light(maker):
                needed[v.id] = v
                return
            for u in maker.reads:
                need(u)
            again.update((u.id, maker) for u in maker.outputs)

        for v in [*(v for s in own for v in s.reads), *(v for v in found if v is not None)]:
            need(v)
        self.steps = (*(s for s in linear.forward if s.outputs[0].id in again), *own)
        self.inputs = [v for v in needed.values() if v.id in places]
        self.kept = [v for v in needed.values() if v.id not in places]

    def run(self, values: dict[int, Any]) -> list[Any]:
        """The gradients of the inputs (None where there is none), under the current trace."""
        for step in self.steps:
            step.run(values)
        return [None if v is None else values[v.id] for v in self.found]


def _light(step: Step) -> bool:
    """Whether a step is for nothing: a view no larger than what it is of, or made of no tensor at all."""
    if not step.reads:
        return True
    return step.op.kind == "movement" and step.outputs[0].spec.size == step.reads[0].spec.size


def _floating(vs: Sequence[Var]) -> Mask:
    return tuple(is_floating(v.spec.dtype) for v in vs)


class Pulled:
    """The gradients of all operands of one region, computed when the first is asked for."""

    def __init__(self, pull: Callable[[list[Any], list[Tensor]], list[Any]]):
        self.pull = pull
        self.last = Kept()

    def rule(self, i: int, g: Any, out: Any, *inputs: Tensor) -> Tensor | None:
        outs, gs = (out, g) if isinstance(out, tuple) else ((out,), (g,))
        floating = [p if is_floating(o.dtype) else None for p, o in zip(gs, outs, strict=True)]
        found: list[Tensor | None] = self.last.get(lambda: self.pull(floating, list(inputs)), g)
        return found[i]


def _watched(tape: Tape, args: Sequence[Any]) -> list[bool]:
    return [id(x.data) in tape.watched and is_floating(x.dtype) for x in args]


def _recorded(tape: Tape, name: str, args: tuple[Any, ...], out: Any, pull: Callable[..., list[Any]]) -> Any:
    tape.record(Composite(name, lambda *_: None, Pulled(pull).rule), args, tuple(out), {})
    return tuple(out)


def _bound(op: Any, args: Sequence[Any], params: dict[str, Any]) -> list[Tensor]:
    out: Any = bind(op, tuple(args), params)
    return list(out)


# ---- scan ------------------------------------------------------------------------------------------------------------


def record_scan(op: Any, tape: Tape, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
    """The results of a scan that also keeps what its gradient will read; the tape notes the gradient."""
    assert tape.parent is not None
    body, n, k = params["body"], params["constants"], params["carries"]
    marks = _watched(tape, args)
    if not any(marks):
        with use(tape.parent):
            return tuple(_bound(op, args, params))
    floats = _floating(body.inputs)
    wanted = tuple(f if n <= p < n + k else m for p, (f, m) in enumerate(zip(floats, marks, strict=True)))
    linear = Linear(body, wanted)
    plan = _Backward(linear, params, linear.gradient(_floating(body.outputs)))
    with use(tape.parent):
        out = _bound(op, args, {**params, "body": plan.forward})
    own, extra = out[: len(body.outputs)], out[len(body.outputs) :]

    def pull(gs: list[Any], inputs: list[Tensor]) -> list[Any]:
        return plan.pull(op, gs, inputs, own, extra)

    return tuple(_recorded(tape, "scan", args, own, pull))


class _Backward:
    """What a scan keeps, and the scan that is its gradient. ``forward``: the body that also gives what is kept."""

    def __init__(self, linear: Linear, params: dict[str, Any], full: Gradient):
        self.linear, self.params = linear, params
        self.n, self.k = params["constants"], params["carries"]
        outputs = [x.data.var for x in linear.outputs]
        rows = {v.id: p for p, v in enumerate(outputs) if p >= self.k}
        places = linear.places
        carried = [v for v in full.inputs if self.n <= places[v.id] < self.n + self.k]
        extra = [v for v in (*full.kept, *carried) if v.id not in rows]
        self.full = full
        self.stacked = {**rows, **{v.id: len(outputs) + p for p, v in enumerate(extra)}}
        inputs = tuple(x.data.var for x in linear.inputs)
        self.forward = Recording(inputs, live(linear.forward, [*outputs, *extra]), (*outputs, *extra))

    def _source(self, v: Var) -> str:
        """Where the gradient's body has a value from: a constant, or the rows of an operand or of what is stacked."""
        place = self.linear.places.get(v.id)
        if place is None or self.n <= place < self.n + self.k:
            return "stacked"
        return "constant" if place < self.n else "row"

    def pull(self, op: Any, gs: list[Any], inputs: list[Tensor], own: list[Any], extra: list[Any]) -> list[Any]:
        """The gradients of all operands, given those of the results (None for none)."""
        n, k, linear = self.n, self.k, self.linear
        given = tuple(is_floating(o.dtype) and (p < k or g is not None) for p, (g, o) in enumerate(zip(gs, own)))
        part = linear.gradient(given)
        if any(self._source(v) == "stacked" and v.id not in self.stacked for v in (*part.inputs, *part.kept)):
            given, part = _floating([x.data.var for x in linear.outputs]), self.full
        gs = [zeros_like(o) if f and g is None else g for g, o, f in zip(gs, own, given, strict=True)]
        reads = {kind: [v for v in (*part.inputs, *part.kept) if self._source(v) == kind]
                 for kind in ("constant", "row", "stacked")}  # fmt: skip
        places, every = linear.places, [*own, *extra]
        summed = [p for p in range(n) if part.found[p] is not None]
        carried = [p for p in range(k) if given[p]]
        body = self._body(part, reads, summed, carried, given)
        operands = [
            *(inputs[places[v.id]] for v in reads["constant"]),
            *(gs[p] for p in carried),
            *(zeros_like(inputs[p]) for p in summed),
            *(every[self.stacked[v.id]] for v in reads["stacked"]),
            *(inputs[places[v.id]] for v in reads["row"]),
            *(g for p, g in enumerate(gs) if p >= k and given[p]),
        ]
        out = _bound(op, operands, {
            "body": body, "constants": len(reads["constant"]), "carries": len(carried) + len(summed),
            "length": self.params["length"], "reverse": not self.params["reverse"],
        })  # fmt: skip
        found: list[Any] = [None] * len(inputs)
        rows = [p for p in range(n + k, len(inputs)) if part.found[p] is not None]
        for p, x in zip([*(n + c for c in carried), *summed, *rows], out, strict=True):
            found[p] = x
        return found

    def _body(
        self, part: Gradient, reads: dict[str, list[Var]], summed: list[int], carried: list[int], given: Mask
    ) -> Recording:
        """One step back: constants, then gradients of carries and sums of those of constants, then rows."""
        n, k, outs = self.n, self.k, part.given
        capture = Capture(None)
        values: dict[int, Any] = {}

        def inputs(vs: Sequence[Any]) -> list[Tensor]:
            made = [capture.input(v.spec) for v in vs]
            values.update((v.id, x) for v, x in zip(vs, made, strict=True))
            return made

        fixed = inputs(reads["constant"])
        back = inputs([outs[p] for p in carried])
        totals = [capture.input(self.linear.inputs[p].spec) for p in summed]
        rows = inputs([*reads["stacked"], *reads["row"], *(v for p, v in enumerate(outs) if p >= k and given[p])])
        with use(capture):
            found = part.run(values)
            state = [zeros_like(x) if (g := found[n + p]) is None else g
                     for p, x in zip(carried, back, strict=True)]  # fmt: skip
            state += [total + found[p] for p, total in zip(summed, totals, strict=True)]
            state += [g for g in found[n + k :] if g is not None]
        return capture.finish([*fixed, *back, *totals, *rows], state)


# ---- cond and while_loop ---------------------------------------------------------------------------------------------


def record_cond(op: Any, tape: Tape, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
    """The results of a cond; the tape notes that its gradient is a cond of gradients."""
    assert tape.parent is not None
    with use(tape.parent):
        out = _bound(op, args, params)
    wanted = tuple(_watched(tape, args)[1:])

    def pull(gs: list[Any], inputs: list[Tensor]) -> list[Any]:
        given = tuple(g is not None for g in gs)
        bodies = {name: _gradient_of(params[name], wanted, given) for name in ("on_true", "on_false")}
        found = iter(_bound(op, [inputs[0], *inputs[1:], *(g for g in gs if g is not None)], bodies))
        return [None, *(next(found) if mark else None for mark in wanted)]

    return tuple(_recorded(tape, "cond", args, out, pull))


def _gradient_of(body: Recording, wanted: Mask, given: Mask) -> Recording:
    """From the inputs of a body and the gradients of the results ``given`` to those of the inputs ``wanted``."""
    capture = Capture(None)
    inputs = [capture.input(v.spec) for v in body.inputs]
    gs = [capture.input(v.spec) for v, mark in zip(body.outputs, given, strict=True) if mark]
    tape = Tape(capture, watch_variables=False)
    sources = [x for x, mark in zip(inputs, wanted, strict=True) if mark]
    for x in sources:
        tape.watch(x)
    with use(tape):
        outputs = body.replay(inputs)
    with use(capture):
        targets = [x for x, mark in zip(outputs, given, strict=True) if mark]
        found = tape.pull(list(zip(targets, gs, strict=True)), sources)
        results = filled(found, sources)
    return capture.finish([*inputs, *gs], results)


def record_while(op: Any, tape: Tape, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
    """The results of a while_loop, of which no gradient can be asked."""
    assert tape.parent is not None
    with use(tape.parent):
        out = _bound(op, args, params)

    def pull(gs: list[Any], inputs: list[Tensor]) -> list[Any]:
        raise BrickworkError(
            "while_loop: a gradient in reverse needs a bound on the number of rounds; got none. Give max_iterations=, "
            "use scan or fori_loop, or forward mode (jvp)"
        )

    return tuple(_recorded(tape, "while_loop", args, out, pull))
