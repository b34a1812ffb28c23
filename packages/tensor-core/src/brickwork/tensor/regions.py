"""The three regions: ops whose bodies are recordings. What each gives, at once; its shape rule; how it carries a batch.

Operands of a body that never change come first (``constants`` of them: what the function reads from outside), then what
goes round, then what is taken apart step by step. How regions are differentiated: room `region_gradients`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .backend import module_of
from .batch_rules import move_axis
from .dim import Size
from .memory import ledger
from .op import Spec
from .ops.elementwise import logical_not, where
from .ops.movement import broadcast_to, identity, reshape
from .recording import Capture, Outside, Recording
from .region_gradients import record_cond, record_scan, record_while
from .registry import REGIONS, Region
from .tensor import Tensor
from .trace import bind, use

__all__ = ["COND", "SCAN", "WHILE", "Cond", "Scan", "While", "with_outside"]


def specs_of(body: Any) -> list[Spec]:
    """The specs of what a body (a recording, or a compiler's graph) gives."""
    return [v.spec for v in body.outputs]


def _stacked(xp: Any, rows: Sequence[Tensor]) -> Tensor:
    """The rows of one result of a scan, as one tensor."""
    ledger.ask("scan", len(rows) * rows[0].size * rows[0].dtype.itemsize)
    return Tensor(ledger.made(xp.stack([xp.asarray(y.data) for y in rows])))


class Scan(Region):
    """Operands: constants, carries, then arrays of which step t gets row t. ``body(constants, carries, rows)`` gives
    the new carries, then rows of results. Results: the last carries, then the rows stacked."""

    lead = 0

    def infer(self, *specs: Spec, body: Any, carries: int, length: Size, **params: Any) -> tuple[Spec, ...]:
        given = specs_of(body)
        rows = (Spec((length, *s.shape), s.dtype) for s in given[carries:])
        return (*given[:carries], *rows)

    def body(
        self, *args: Tensor, body: Recording, constants: int, carries: int, length: int, reverse: bool
    ) -> tuple[Tensor, ...]:
        fixed, state = args[:constants], list(args[constants : constants + carries])
        rows = [x.data for x in args[constants + carries :]]
        made: list[list[Any]] = []
        for t in reversed(range(length)) if reverse else range(length):
            out = body.replay((*fixed, *state, *[Tensor(x[t, ...]) for x in rows]))
            state = out[:carries]
            made.append(out[carries:])
        if reverse:
            made.reverse()
        xp = module_of([a.data for a in args])
        if not made:
            return (
                *map(identity, state),
                *(Tensor(xp.zeros((0, *s.shape), s.dtype)) for s in specs_of(body)[carries:]),
            )
        return (*state, *(_stacked(xp, ys) for ys in zip(*made, strict=True)))

    def record(self, tape: Any, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
        return record_scan(self, tape, args, params)

    def map(self, trace: Any, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
        n, k = params["constants"], params["carries"]
        values, marks = unboxed(trace, args)
        with use(trace.parent):
            for p in range(n + k, len(values)):
                if marks[p]:
                    values[p] = move_axis(values[p], 1, 0)
            while True:
                body, found = batched_body(params["body"], marks, trace, [False] * k)
                wider = [new and not old for new, old in zip(found, marks[n : n + k])]
                if not any(wider):
                    break
                for p, spread in enumerate(wider, n):
                    if spread:
                        values[p], marks[p] = spread_over(values[p], trace.size), True
            body, found = batched_body(params["body"], marks, trace, marks[n : n + k])
            out = bind_all(self, values, {**params, "body": body})
            out = [move_axis(x, 0, 1) if m and p >= k else x for p, (x, m) in enumerate(zip(out, found, strict=True))]
        return boxed(trace, out, found)


class Cond(Region):
    """Operands: a boolean, then those of both bodies. Results: those of ``on_true`` or of ``on_false``, which have the
    same specs."""

    lead = 1

    def infer(self, *specs: Spec, on_true: Any, on_false: Any, **params: Any) -> tuple[Spec, ...]:
        return tuple(specs_of(on_true))

    def body(self, *args: Tensor, on_true: Recording, on_false: Recording) -> tuple[Tensor, ...]:
        return tuple((on_true if bool(args[0].data) else on_false).replay(args[1:]))

    def record(self, tape: Any, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
        return record_cond(self, tape, args, params)

    def map(self, trace: Any, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
        values, marks = unboxed(trace, args)
        if marks[0]:  # each example chooses for itself: both are computed
            both = (params[k].replay(args[1:]) for k in ("on_true", "on_false"))
            return tuple(where(args[0], a, b) for a, b in zip(*both, strict=True))
        with use(trace.parent):
            _, one = batched_body(params["on_true"], marks[1:], trace, [])
            _, other = batched_body(params["on_false"], marks[1:], trace, one)
            bodies = {k: batched_body(params[k], marks[1:], trace, other)[0] for k in ("on_true", "on_false")}
            out = bind_all(self, values, bodies)
        return boxed(trace, out, other)


class While(Region):
    """Operands: constants, then carries. While ``test(constants, carries)`` is true, ``body(constants, carries)`` gives
    the new carries. Results: the last carries."""

    lead = 0

    def infer(self, *specs: Spec, body: Any, **params: Any) -> tuple[Spec, ...]:
        return tuple(specs_of(body))

    def body(self, *args: Tensor, test: Recording, body: Recording, constants: int) -> tuple[Tensor, ...]:
        fixed, state = args[:constants], list(map(identity, args[constants:]))
        while bool(test.replay((*fixed, *state))[0].data):
            state = body.replay((*fixed, *state))
        return tuple(state)

    def record(self, tape: Any, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
        return record_while(self, tape, args, params)

    def map(self, trace: Any, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
        n = params["constants"]
        values, marks = unboxed(trace, args)
        with use(trace.parent):
            while True:
                _, tested = batched_body(params["test"], marks, trace, [])
                _, found = batched_body(params["body"], marks, trace, [])
                wider = [(new or tested[0]) and not old for new, old in zip(found, marks[n:], strict=True)]
                if not any(wider):
                    break
                for p, spread in enumerate(wider, n):
                    if spread:
                        values[p], marks[p] = spread_over(values[p], trace.size), True
            test, _ = batched_body(params["test"], marks, trace, [])
            body, _ = batched_body(params["body"], marks, trace, marks[n:])
            if tested[0]:
                test, body = until_all_are_done(test, body, n)
            out = bind_all(self, values, {**params, "test": test, "body": body})
        return boxed(trace, out, marks[n:])


SCAN = REGIONS["scan"] = Scan("scan")
COND = REGIONS["cond"] = Cond("cond")
WHILE = REGIONS["while_loop"] = While("while_loop")


def bind_all(op: Region, args: Sequence[Any], params: dict[str, Any]) -> list[Tensor]:
    """The results of a region under the current trace."""
    out: Any = bind(op, tuple(args), params)
    return list(out)


def with_outside(
    op: Any, args: tuple[Any, ...], params: dict[str, Any], parent: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Operands and parameters with composites in bodies written out in their parts, and whatever tensors these parts
    bring along among the operands: what a compiler starts from."""
    names = [k for k, v in params.items() if isinstance(v, Recording)]
    outside, traces, made = Outside(), {}, {}
    for name in names:
        body = params[name]
        trace = traces[name] = Capture(parent, outside, who=op.name, inline=True)
        inputs = [trace.input(v.spec) for v in body.inputs]
        with use(trace):
            outputs = body.replay(inputs)
        trace.finish(inputs, outputs)
        made[name] = inputs, outputs
    bodies: dict[str, Any] = {k: traces[k].finish(*made[k]) for k in names}
    if "constants" in params:
        bodies["constants"] = params["constants"] + len(outside.tensors)
    return (*args[: op.lead], *outside.tensors, *args[op.lead :]), {**params, **bodies}


# ---- many examples ---------------------------------------------------------------------------------------------------


def unboxed(trace: Any, args: Sequence[Any]) -> tuple[list[Any], list[bool]]:
    """The values behind arguments, and which have the batch in front."""
    pairs = [trace.unbox(x) for x in args]
    return [x for x, _ in pairs], [mark for _, mark in pairs]


def boxed(trace: Any, out: Sequence[Tensor], marks: Sequence[bool]) -> tuple[Tensor, ...]:
    return tuple(trace.box(x) if mark else x for x, mark in zip(out, marks, strict=True))


def spread_over(x: Tensor, size: Size) -> Tensor:
    """A value with a batch axis in front, along which it is the same."""
    return broadcast_to(x, (size, *x.shape))


def batched_body(
    body: Recording, marks: Sequence[bool], trace: Any, wanted: Sequence[bool]
) -> tuple[Recording, list[bool]]:
    """A body over many examples, of which the marked inputs have the batch in front; and which results have it, at
    least the first ones that are ``wanted``."""
    capture = Capture(None)
    inner = type(trace)(capture, trace.size)
    specs = (Spec((trace.size, *v.spec.shape) if m else v.spec.shape, v.spec.dtype)
             for v, m in zip(body.inputs, marks, strict=True))  # fmt: skip
    inputs = [capture.input(s) for s in specs]
    with use(inner):
        results = body.replay(boxed(inner, inputs, marks))
    values, found = unboxed(inner, results)
    with use(capture):
        for p, spread in enumerate(wanted):
            if spread and not found[p]:
                values[p], found[p] = spread_over(values[p], trace.size), True
    return capture.finish(inputs, values), found


def until_all_are_done(test: Recording, body: Recording, constants: int) -> tuple[Recording, Recording]:
    """The loop that goes on while one example does; those that are done keep what they have."""
    specs = [v.spec for v in body.inputs]
    one, other = Capture(None), Capture(None)
    asked, given = [one.input(s) for s in specs], [other.input(s) for s in specs]
    with use(one):
        again = test.replay(asked)[0].any()
    with use(other):
        going = test.replay(given)[0]
        done = logical_not(going)
        state = [
            where(reshape(done, (*done.shape, *(1,) * (old.ndim - 1))), old, new)
            for old, new in zip(given[constants:], body.replay(given), strict=True)
        ]
    return one.finish(asked, [again]), other.finish(given, state)
