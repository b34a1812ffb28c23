"""Control flow whose path the numbers decide: `cond`, `switch`, `while_loop`, `fori_loop` and `scan`.

The functions given are recorded once, with tensors that have a shape and no values; then, eager or compiled, the
recording runs. So they must be written in ops, and what they return keeps its structure, shapes and dtypes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .dim import Size
from .dtypes import BOOL, class_of
from .errors import BrickworkError, DTypeError, ShapeError
from .ops.movement import reshape
from .recording import Capture, Outside, Recording
from .regions import COND, SCAN, WHILE
from .spec import TensorSpec, as_bool, as_int
from .tensor import Tensor, asarray
from .trace import bind, current, use
from .tree import Path, flatten, leaves, unflatten

__all__ = ["cond", "fori_loop", "scan", "switch", "while_loop"]


def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], *operands: Any) -> Any:
    """``true_fn(*operands)`` where ``pred`` is true, else ``false_fn(*operands)``; only one of them runs.

    ``pred``: one boolean. ``operands`` and results: trees of tensors; both functions give the same structure, shapes
    and dtypes. They may close over tensors and variables, but not assign variables. Gradients of any order flow through
    the one that ran. Under `vmap` with a ``pred`` per example both run, and each example takes its own. Raises
    `ShapeError` or `DTypeError` naming the first leaf that differs.
    """
    choice = _boolean("cond", asarray(pred))
    values = [asarray(x) for x in leaves(operands)]
    frames = [_Frame("cond", fn) for fn in (true_fn, false_fn)]
    outside = Outside()
    for frame in frames:
        frame.run(outside, operands, [x.spec for x in values])
    one, other = frames
    _alike("cond", "the result of true_fn", one.out, "that of false_fn", other.out)
    bodies = {"on_true": one.recording(), "on_false": other.recording()}
    out: Any = bind(COND, (choice, *outside.tensors, *values), bodies)
    return unflatten(one.out, out)


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """``branches[index](*operands)``, with an index out of range taken to the nearest; see `cond`."""
    if not isinstance(branches, (tuple, list)) or not branches:
        got = "none" if isinstance(branches, (tuple, list)) else type(branches).__name__
        raise ShapeError(
            f"switch: there must be a list of branches to choose from; got {got}. Give a function per case"
        )
    if len(branches) == 1:
        out: Any = _function("switch", branches[0])(*operands)
        return out
    return cond(asarray(index) <= 0, branches[0], lambda *xs: switch(asarray(index) - 1, branches[1:], *xs), *operands)


def while_loop(
    cond_fn: Callable[[Any], Any], body_fn: Callable[[Any], Any], init: Any, *, max_iterations: int | None = None
) -> Any:
    """``state = init; while cond_fn(state): state = body_fn(state)``; gives the last state.

    ``init``: a tree of tensors; ``body_fn`` gives the same structure, shapes and dtypes, ``cond_fn`` one boolean. Both
    may close over tensors and variables, but not assign variables. A gradient in reverse needs ``max_iterations``: then
    the loop is a `scan` of that many steps, of which those after the end change nothing, and it stops there even where
    ``cond_fn`` still holds. Under `vmap` it runs until all examples are done. Raises `ShapeError` or `DTypeError`
    naming the leaf that changes.
    """
    if max_iterations is not None:
        count = as_int("while_loop", "max_iterations", max_iterations, 0)
        _function("while_loop", cond_fn)

        def step(state: Any, _: None) -> tuple[Any, None]:
            return cond(cond_fn(state), body_fn, lambda s: s, state), None

        return scan(step, init, length=count)[0]
    values = [asarray(x) for x in leaves(init)]
    specs = [x.spec for x in values]
    outside = Outside()
    test, body = _Frame("while_loop", cond_fn), _Frame("while_loop", body_fn)
    test.run(outside, (init,), specs)
    tested = [asarray(x) for x in leaves(test.out)]
    if len(tested) != 1:
        raise ShapeError(f"while_loop: cond_fn must give one boolean; got {len(tested)} tensors. Combine them")
    with use(test.trace):
        test.out = _boolean("while_loop", tested[0])
    body.run(outside, (init,), specs)
    _alike("while_loop", "the state", init, "that of body_fn", body.out)
    params = {"test": test.recording(), "body": body.recording(), "constants": len(outside.tensors)}
    out: Any = bind(WHILE, (*outside.tensors, *values), params)
    return unflatten(init, out)


def fori_loop(lower: Any, upper: Any, body_fn: Callable[[Any, Any], Any], init: Any) -> Any:
    """``for i in range(lower, upper): state = body_fn(i, state)``; gives the last state.

    ``i`` is an int64 tensor. Where both bounds are Python integers this is a `scan`, which has gradients; where one is
    a tensor it is a `while_loop`.
    """
    _function("fori_loop", body_fn)
    if isinstance(lower, int) and isinstance(upper, int):

        def step(carry: Any, _: None) -> tuple[Any, None]:
            return (carry[0] + 1, body_fn(*carry)), None

        return scan(step, (asarray(lower, "int64"), init), length=max(0, upper - lower))[0][1]
    end = asarray(upper).astype("int64")
    start = asarray(lower).astype("int64")
    return while_loop(lambda c: c[0] < end, lambda c: (c[0] + 1, body_fn(*c)), (start, init))[1]


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """``carry = init; for t in range(length): carry, y[t] = f(carry, xs[t])``; gives ``(carry, ys)``.

    ``init``: a tree of tensors, whose structure, shapes and dtypes the new carry keeps. ``xs``: a tree of tensors with
    one first axis, whose rows are the steps (None, with ``length``, for none). ``ys``: a tree like ``f``'s second
    result, its rows stacked along a new first axis. ``reverse`` goes from the last row to the first; rows keep their
    places. ``f`` may close over tensors and variables, but not assign variables.

    Gradients of any order; one gradient keeps of each step what it reads of it (`checkpoint` around the body of ``f``
    keeps the carries only). Raises `ShapeError` or `DTypeError` naming the leaf that changes, or sizes that differ.
    """
    rows = [asarray(x) for x in leaves(xs)]
    count = _length(rows, xs, length)
    values = [asarray(x) for x in leaves(init)]
    frame, outside = _Frame("scan", f), Outside()
    specs = [x.spec for x in values] + [TensorSpec(x.shape[1:], x.dtype) for x in rows]
    frame.run(outside, (init, xs), specs)
    if not (isinstance(frame.out, (tuple, list)) and len(frame.out) == 2):
        raise ShapeError(f"scan: the function must return (carry, y); got {type(frame.out).__name__}. See scan's help")
    _alike("scan", "the carry", init, "that of the function", frame.out[0])
    out: Any = bind(
        SCAN,
        (*outside.tensors, *values, *rows),
        {
            "body": frame.recording(),
            "constants": len(outside.tensors),
            "carries": len(values),
            "length": count,
            "reverse": as_bool("scan", "reverse", reverse),
        },
    )
    return unflatten(init, out[: len(values)]), unflatten(frame.out[1], out[len(values) :])


class _Frame:
    """One function, recorded: ``out`` is the tree that it gave."""

    def __init__(self, who: str, fn: Callable[..., Any]):
        self.who, self.fn = who, _function(who, fn)
        self.out: Any = None

    def run(self, outside: Outside, like: tuple[Any, ...], specs: Sequence[TensorSpec]) -> None:
        """Record it for arguments of a structure."""
        self.trace = Capture(current(), outside, who=self.who)
        self.inputs = [self.trace.input(s) for s in specs]
        with use(self.trace):
            self.out = self.fn(*unflatten(like, self.inputs))
            self.lift()

    def lift(self) -> None:
        """Results that are values from outside become inputs, while every function still may add some."""
        for x in leaves(self.out):
            self.trace.var_of(asarray(x))

    def recording(self) -> Recording:
        return self.trace.finish(self.inputs, leaves(self.out))


def _function(who: str, fn: Any) -> Any:
    if not callable(fn):
        raise DTypeError(f"{who}: a body must be a function of tensors; got {type(fn).__name__}. Wrap it in a lambda")
    return fn


def _boolean(who: str, x: Tensor) -> Tensor:
    """One boolean, of no axes."""
    if class_of(x.dtype) != "b" or x.size != 1:
        raise (DTypeError if x.size == 1 else ShapeError)(
            f"{who}: the condition must be one boolean; got {x.spec}. Compare it, or reduce it with .any() or .all()"
        )
    assert x.dtype == BOOL
    return x if x.shape == () else reshape(x, ())


def _length(rows: list[Tensor], xs: Any, length: int | None) -> Size:
    """How many steps."""
    count: Size | None = None if length is None else as_int("scan", "length", length, 0)
    for (path, _), x in zip(flatten(xs), rows, strict=True):
        if not x.shape:
            raise ShapeError(f"scan: xs must have a first axis to go along; got {x.spec} at {_at(path)}. Close over it")
        if count is not None and x.shape[0] != count:
            raise ShapeError(
                f"scan: first axes of xs, and length, must be one size; got {x.spec} at {_at(path)} for {count}. "
                "Slice them, or leave length out"
            )
        count = x.shape[0]
    if count is None:
        raise BrickworkError("scan: the number of steps must be known; got neither xs nor length. Give length=")
    return count


def _at(path: Path) -> str:
    return "".join(f"[{key!r}]" for key in path) or "the only leaf"


def _alike(who: str, what: str, wanted: Any, other: str, given: Any) -> None:
    """Both trees have one structure, and leaves of the same shapes and dtypes."""
    first, second = flatten(wanted), flatten(given)
    if [p for p, _ in first] != [p for p, _ in second]:
        shown = (", ".join(map(_at, (p for p, _ in side))) or "nothing" for side in (second, first))
        raise ShapeError(
            f"{who}: {what} and {other} must have one structure; got {next(shown)} where {next(shown)} stood. "
            "Return the same tree"
        )
    for (path, x), (_, y) in zip(first, second, strict=True):
        a, b = asarray(x).spec, asarray(y).spec
        if a.shape != b.shape:
            raise ShapeError(f"{who}: {what} and {other} must have one shape; got {b} at {_at(path)}, expected {a}. "
                             "Reshape or broadcast one")  # fmt: skip
        if a.dtype != b.dtype:
            raise DTypeError(f"{who}: {what} and {other} must have one dtype; got {b} at {_at(path)}, expected {a}. "
                             "Cast one with astype")  # fmt: skip
