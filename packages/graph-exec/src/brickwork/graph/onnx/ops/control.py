"""Branches and loops. Where all numbers are there Python goes the way they say; while a function is traced they become
regions of its graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor
from brickwork.tensor.errors import DTypeError, ShapeError, TraceError

from ..errors import ModelError, UnsupportedError
from ..registry import translator

Body = Callable[..., list[Any]]
_TRUE = bt.asarray(True)


def truth(x: Any) -> bool | None:
    """Whether a condition holds; None where only a later run can tell."""
    try:
        return bool(x.numpy().reshape(()))
    except TraceError:
        return None


@translator("If", hints="cond")
def if_(cond: Tensor, *, then_branch: Body, else_branch: Body) -> tuple[Any, ...]:
    holds = truth(cond)
    if holds is not None:
        return tuple(then_branch() if holds else else_branch())
    return tuple(bt.cond(cond, then_branch, else_branch))


@translator("Loop", hints="trips cond")
def loop(trips: Any = None, cond: Any = None, *carried: Any, body: Body) -> tuple[Any, ...]:
    """``body(i, cond, *carried)`` gives the next condition, what is carried, and rows of results, which are stacked."""
    count = None if trips is None else _number(trips)
    open_end = trips is not None and count is None
    start = True if cond is None else truth(cond)
    rows = len(body.graph.outputs) - 1 - len(carried)  # type: ignore[attr-defined]
    if open_end or start is None:
        return _while(trips, cond, carried, body, rows)
    if not start:
        return _finished(carried, [], body, rows)
    if count is not None and _goes_on(body) and any(isinstance(c, Tensor) and c.symbolic for c in carried):
        try:
            return _scanned(count, carried, body)
        except (ShapeError, DTypeError, TraceError, AttributeError):
            pass  # what is carried changes its shape, or is a sequence: then the loop is written out
    return _stepped(count, carried, body, rows, trips, cond)


def _number(x: Tensor) -> int | None:
    try:
        return int(x.numpy().reshape(()))
    except TraceError:
        return None


def _goes_on(body: Body) -> bool:
    """Whether the condition that the body gives is the one it got, or true."""
    graph = body.graph  # type: ignore[attr-defined]
    name = graph.outputs[0].name
    makers = {o: n for n in graph.nodes for o in n.outputs}
    while name in makers and makers[name].op == "Identity":
        name = makers[name].inputs[0]
    if name in makers and makers[name].op == "Constant":
        return bool(np.asarray(makers[name].attributes.get("value", False)).all())
    return name == graph.inputs[1].name or bool(np.asarray(graph.constants.get(name, False)).all())


def _stepped(
    count: int | None, carried: Sequence[Any], body: Body, rows: int, trips: Any, cond: Any
) -> tuple[Any, ...]:
    """Round by round in Python."""
    first, found, i = carried, [], 0
    while count is None or i < count:
        proceeds, *out = body(bt.asarray(np.int64(i)), _TRUE, *carried, known=2)
        carried, i = out[: len(carried)], i + 1
        found.append(out[len(carried) :])
        holds = truth(proceeds)
        if holds is None:
            return _while(trips, cond, first, body, rows)
        if not holds:
            break
    return _finished(carried, found, body, rows)


def _finished(carried: Sequence[Any], found: list[list[Any]], body: Body, rows: int) -> tuple[Any, ...]:
    if found:
        return (*carried, *(bt.stack(column) for column in zip(*found, strict=True)))
    return (*carried, *(_nothing(v) for v in body.graph.outputs[len(carried) + 1 :]))  # type: ignore[attr-defined]


def _nothing(declared: Any) -> Tensor:
    """No rows, of the shape that the model declares."""
    sizes = [n if isinstance(n, int) else 0 for n in declared.shape or ()]
    return bt.zeros((0, *sizes), declared.dtype or "float32")


def _scanned(count: int, carried: Sequence[Any], body: Body) -> tuple[Any, ...]:
    def step(state: Any, i: Tensor) -> tuple[Any, Any]:
        _, *out = body(i, _TRUE, *state)
        return out[: len(carried)], out[len(carried) :]

    final, rows = bt.scan(step, list(carried), bt.iota((count,)))
    return (*final, *rows)


def _while(trips: Any, cond: Any, carried: Sequence[Any], body: Body, rows: int) -> tuple[Any, ...]:
    """A loop whose end the numbers decide, while a function is traced."""
    if rows:
        raise TraceError(
            "Loop: while tracing, a loop that stacks rows must have a known number of rounds; got one that its numbers "
            "decide. Run the model eagerly"
        )
    limit = bt.asarray(np.int64(2**62)) if trips is None else bt.reshape(trips, ()).astype("int64")
    start = _TRUE if cond is None else bt.reshape(cond, ())

    def goes(state: Any) -> Tensor:
        return bt.logical_and(state[0] < limit, state[1])

    def step(state: Any) -> Any:
        proceeds, *out = body(state[0], state[1], *state[2:])
        return [state[0] + 1, bt.reshape(proceeds, ()), *out]

    return tuple(bt.while_loop(goes, step, [bt.asarray(np.int64(0)), start, *carried])[2:])


@translator("Scan", 9)
def scan(
    *values: Tensor,
    body: Body,
    num_scan_inputs: int,
    scan_input_axes: Sequence[int] = (),
    scan_input_directions: Sequence[int] = (),
    scan_output_axes: Sequence[int] = (),
    scan_output_directions: Sequence[int] = (),
) -> tuple[Tensor, ...]:
    """``body(*states, *slices)`` gives the next states and slices of the results."""
    states = len(values) - num_scan_inputs
    xs = [
        _turned(bt.moveaxis(x, axis, 0), direction)
        for x, axis, direction in zip(
            values[states:],
            scan_input_axes or (0,) * num_scan_inputs,
            scan_input_directions or (0,) * num_scan_inputs,
            strict=True,
        )
    ]

    def step(state: Any, slices: Any) -> tuple[Any, Any]:
        out = body(*state, *slices)
        return out[:states], out[states:]

    final, ys = bt.scan(step, list(values[:states]), xs)
    axes, directions = scan_output_axes or (0,) * len(ys), scan_output_directions or (0,) * len(ys)
    return (*final, *(bt.moveaxis(_turned(y, d), 0, a) for y, a, d in zip(ys, axes, directions, strict=True)))


def _turned(x: Tensor, direction: int) -> Tensor:
    return bt.flip(x, 0) if direction else x


@translator("Scan", 8)
def scan_of_batch(
    lengths: Any, *values: Tensor, body: Body, num_scan_inputs: int, directions: Sequence[int] = ()
) -> tuple[Tensor, ...]:
    """Op set 8: each example of a batch by itself; the second axis is the one that is gone along."""
    if lengths is not None:
        raise UnsupportedError("Scan: in op set 8 all sequences have one length; got sequence_lens. Use op set 9")
    if not values:
        raise ModelError("Scan: something must be gone along; got no inputs")
    parts = [
        scan(*(v[k] for v in values), body=body, num_scan_inputs=num_scan_inputs, scan_input_directions=directions)
        for k in range(values[0].shape[0])
    ]
    return tuple(bt.stack(column) for column in zip(*parts, strict=True))
