"""Reverse-mode differentiation: a tape records ops and hands them on to the trace below it.

The rules of an op are written in ops and run under the tape's parent. So under a compiler the gradient is part of
the graph, and under another tape it is recorded again: gradients of gradients need nothing more. An absent gradient
is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .dtypes import is_floating
from .errors import BrickworkError, DTypeError, ShapeError
from .op import Composite, Op
from .ops.creation import ones_like, zeros_like
from .ops.movement import identity
from .registry import Region
from .scope import names, scoped
from .spec import as_ints
from .tensor import Tensor, asarray, beside
from .trace import Trace, bind, current, use
from .tree import leaves, unflatten
from .variable import Variable

__all__ = ["GradientTape", "Kept", "Tape", "filled", "grad", "typed", "value_and_grad", "vjp"]


class Entry:
    """An op that was applied. One is made for each op under a tape, which a frozen record would take thrice as long
    for. ``path``: of the layer that asked for it, so that its gradient is of that layer too."""

    __slots__ = ("inputs", "op", "outputs", "params", "path")

    def __init__(self, op: Op, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...], params: Mapping[str, Any]):
        self.op, self.inputs, self.outputs, self.params = op, inputs, outputs, params
        self.path = names.path


class Tape(Trace):
    """Records every op that depends on what is watched. Values are known by their data, which the tape keeps alive."""

    def __init__(self, parent: Trace, *, watch_variables: bool = True):
        self.parent: Trace = parent
        self.watch_variables = watch_variables
        self.entries: list[Entry] = []
        self.watched: dict[int, Any] = {}
        self.variables: dict[int, tuple[Variable, list[Tensor]]] = {}

    def watch(self, tensor: Tensor) -> None:
        self.watched[id(tensor.data)] = tensor.data

    def read(self, variable: Variable) -> Tensor:
        value = self.parent.read(variable)
        self.note(variable, value)
        return value

    def note(self, variable: Variable, value: Tensor) -> None:
        """This is a value that a variable had when it was read; its gradient counts where the variable is trainable."""
        if self.watch_variables and variable.trainable and is_floating(variable.dtype):
            seen = self.variables.setdefault(id(variable), (variable, []))[1]
            if not any(t.data is value.data for t in seen):
                seen.append(value)
            self.watch(value)

    def assign(self, variable: Variable, value: Tensor) -> None:
        """A later read is a value of its own: the gradient of a variable sums over its reads, not through them."""
        with use(self.parent):
            self.parent.assign(variable, identity(value) if id(value.data) in self.watched else value)

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        inputs = tuple(self.read(a) if isinstance(a, Variable) else a for a in args)
        if isinstance(op, Composite) and op.rule is None:
            return op.body(*inputs, **params)
        if isinstance(op, Region):
            return op.record(self, inputs, dict(params))
        with use(self.parent):
            out = bind(op, inputs, params)
        self.record(op, inputs, out if isinstance(out, tuple) else (out,), params)
        return out

    def record(self, op: Op, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...], params: Mapping[str, Any]) -> None:
        """Remember an op that was applied, where its inputs are watched and its outputs can have gradients."""
        if any(isinstance(a, Tensor) and id(a.data) in self.watched for a in inputs):
            if any(is_floating(o.dtype) for o in outputs):
                self.entries.append(Entry(op, _held(typed(op, inputs)), _held(outputs), params))
                for o in outputs:
                    self.watch(o)

    def below(self) -> Trace:
        """Where gradient rules run: under the current trace, or this tape's parent while the tape itself still records.

        So a pullback may be differentiated, mapped by `vmap` or compiled after the tape has closed.
        """
        trace: Trace | None = current()
        while trace is not None and trace is not self:
            trace = trace.parent
        return current() if trace is None else self.parent

    def backward(self, target: Tensor, sources: Sequence[Tensor], g: Tensor | None = None) -> list[Tensor | None]:
        """The gradient of ``sum(target * g)`` for each source; None where the target does not depend on it."""
        return self.pull([(target, g)], sources)

    def pull(self, seeds: Sequence[tuple[Tensor, Tensor | None]], sources: Sequence[Tensor]) -> list[Tensor | None]:
        """The gradient of the sum of ``sum(target * g)`` over the seeds (target, g), for each source; g is one where
        None."""
        with use(self.below()), scoped() as around:
            found: dict[int, Tensor] = {}
            for target, g in seeds:
                _add(found, target, ones_like(target) if g is None else g)
            keep = {id(s.data) for s in sources}
            for entry in reversed(self.entries):
                parts = [
                    found.get(id(o.data)) if id(o.data) in keep else found.pop(id(o.data), None) for o in entry.outputs
                ]
                if all(p is None for p in parts):
                    continue
                out, ct = (entry.outputs[0], parts[0]) if len(parts) == 1 else (entry.outputs, tuple(parts))
                names.path = (*entry.path, "gradient") if entry.path else around
                for i, x in enumerate(entry.inputs):
                    if id(x.data) in self.watched:
                        part = entry.op.vjp(i, ct, out, *entry.inputs, **entry.params)
                        if part is not None:
                            _add(found, x, part)
        return [found.get(id(s.data)) for s in sources]

    def gradient(self, target: Tensor, sources: Sequence[Tensor]) -> list[Tensor | None]:
        """As `backward`; a variable gets the sum over the values that it had when it was read."""
        groups = [self.variables.get(id(s), (s, [s]))[1] or [s] for s in sources]
        found = iter(self.backward(target, [t for group in groups for t in group]))
        out: list[Tensor | None] = []
        with use(self.parent):
            for group in groups:
                total: Tensor | None = None
                for part in [next(found) for _ in group]:
                    if part is not None:
                        total = part if total is None else total + part
                out.append(total)
        return out


def _held(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Handles of our own on the same data: ``x[key] = value`` gives the handle of a person new data."""
    return tuple(Tensor(t.data) for t in tensors)


def _add(found: dict[int, Tensor], x: Tensor, part: Tensor) -> None:
    """One more part of the gradient of ``x``."""
    before = found.get(id(x.data))
    found[id(x.data)] = part if before is None else before + part


def typed(op: Op, inputs: tuple[Any, ...]) -> tuple[Tensor, ...]:
    """Python numbers among the inputs as tensors of the dtype that the op gave them, beside the tensors."""
    if all(isinstance(a, Tensor) for a in inputs):
        return inputs
    like = next(a for a in inputs if isinstance(a, Tensor))
    scalar = op.weak_dtype(*(a.dtype if hasattr(a, "dtype") else type(a) for a in inputs))
    return tuple(a if isinstance(a, Tensor) else beside(asarray(a, getattr(a, "dtype", scalar)), like) for a in inputs)


def filled(gs: Any, xs: Any) -> list[Tensor]:
    """Gradients of tensors (of one, or of a sequence of them), with zeros for those that have none."""
    several = isinstance(xs, (tuple, list))
    pairs = zip(gs, xs, strict=True) if several else ((gs, xs),)
    return [zeros_like(x) if g is None else g for g, x in pairs]


class Kept:
    """What the gradient rule of one call makes for all its inputs at once, while it is asked for them one by one."""

    __slots__ = ("found", "of")

    def __init__(self) -> None:
        self.of: tuple[Any, ...] = ()
        self.found: Any = None

    def get(self, make: Callable[[], Any], *of: Any) -> Any:
        """What ``make`` gives; anew for other objects ``of`` (gradient, result), and under another trace."""
        key = (*of, current())
        if len(self.of) != len(key) or any(a is not b for a, b in zip(self.of, key)):
            self.found, self.of = make(), key
        return self.found


def _scalar_loss(who: str, y: Any) -> Tensor:
    if not isinstance(y, Tensor) or y.shape != ():
        got = y.spec if isinstance(y, Tensor) else type(y).__name__
        raise ShapeError(f"{who}: the function must return one number; got {got}. Reduce it, as with .sum() or .mean()")
    if not is_floating(y.dtype):
        raise DTypeError(
            f"{who}: the function must return a floating-point number; got {y.dtype}. Cast it with astype('float32')"
        )
    return y


def value_and_grad(
    fn: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    *,
    variables: Sequence[Variable] | None = None,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """A function that gives ``(fn(...), gradient)``.

    The gradient is for the arguments ``argnums`` (trees of floating tensors), in their structure; or for
    ``variables``, as a list. ``fn`` returns one number, or with ``has_aux`` that and anything else. Gradients that
    are zero by independence are zeros.
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        tape = Tape(current(), watch_variables=variables is not None)
        if variables is not None:
            out, target = _run(tape, fn, args, kwargs, has_aux)
            return out, filled(tape.gradient(target, variables), list(variables))
        numbers = as_ints("grad", "argnums", argnums)
        if not all(-len(args) <= k < len(args) for k in numbers):
            raise ShapeError(
                f"grad: argnums must name positional arguments; got {argnums} for {len(args)} of them. "
                "Pass them by position"
            )
        numbers = tuple(k % len(args) for k in numbers)
        own = {k: _watched(tape, k, args[k]) for k in numbers}
        moved = [unflatten(x, _held(own[k])) if k in own else x for k, x in enumerate(args)]
        out, target = _run(tape, fn, moved, kwargs, has_aux)
        flat = iter(tape.backward(target, [x for k in numbers for x in own[k]]))
        trees = [unflatten(args[k], filled([next(flat) for _ in own[k]], own[k])) for k in numbers]
        return out, trees[0] if isinstance(argnums, int) else tuple(trees)

    return wrapped


def _watched(tape: Tape, k: int, argument: Any) -> list[Tensor]:
    """The leaves of an argument, as values of the tape's own that it watches."""
    own = [identity(asarray(x)) for x in leaves(argument)]
    for x in own:
        if not is_floating(x.dtype):
            raise DTypeError(
                f"grad: argument {k} must be floating-point; got {x.dtype}. Cast it, or leave it out of argnums"
            )
        tape.watch(x)
    return own


def _run(
    tape: Tape, fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], has_aux: bool
) -> tuple[Any, Tensor]:
    """What the function gives under the tape, and the number in it."""
    with use(tape):
        out = fn(*args, **kwargs)
    if has_aux and not (isinstance(out, tuple) and len(out) == 2):
        raise ShapeError(
            f"grad: with has_aux the function must return (number, anything); got {type(out).__name__}. Return a pair"
        )
    return out, _scalar_loss("grad", out[0] if has_aux else out)


def grad(fn: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The gradient of a function that returns one number; see `value_and_grad`."""
    both = value_and_grad(fn, argnums)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def vjp(fn: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """``fn(*args)`` and the function that pulls a gradient of its result back to its arguments.

    Arguments and result are trees of tensors; the pullback takes a tree like the result and gives a tuple of trees, one
    per argument. It is linear in what it takes, and may be called often, differentiated and mapped. Raises `ShapeError`
    where the gradient has not the shapes of the result.
    """
    tape = Tape(current(), watch_variables=False)
    sources = [identity(asarray(x)) for x in leaves(args)]
    for x in sources:
        tape.watch(x)
    with use(tape):
        out = fn(*unflatten(args, _held(sources)))
    targets = _held([asarray(t) for t in leaves(out)])

    def pull(g: Any) -> tuple[Any, ...]:
        given = [asarray(x) for x in leaves(g)]
        if [x.shape for x in given] != [t.shape for t in targets]:
            got, wanted = (", ".join(str(x.spec) for x in xs) or "nothing" for xs in (given, targets))
            raise ShapeError(
                f"vjp: a gradient must have the shape of the result; got {got} for {wanted}. "
                "Give a tree like the result"
            )
        seeds = [(t, x) for t, x in zip(targets, given, strict=True) if is_floating(t.dtype)]
        back: tuple[Any, ...] = unflatten(args, filled(tape.pull(seeds, sources), sources))
        return back

    return out, pull


class GradientTape:
    """Record ops in a ``with`` block, then ask for gradients; trainable variables are watched by themselves.

    ``persistent``: more than one gradient may be asked for.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True):
        self.persistent, self._watch = persistent, watch_accessed_variables
        self._tape: Tape | None = None
        self._scope: Any = None
        self._used = False

    def __enter__(self) -> GradientTape:
        self._tape = Tape(current(), watch_variables=self._watch)
        self._scope = use(self._tape)
        self._scope.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._scope.__exit__(*error)

    def _open(self) -> Tape:
        if self._tape is None:
            raise BrickworkError(
                "GradientTape: must be entered first; got no recording. Use it as `with GradientTape() as tape:`"
            )
        return self._tape

    def watch(self, tensor: Any) -> None:
        """Watch tensors (or a tree of them) that are not trainable variables."""
        for leaf in leaves(tensor):
            if isinstance(leaf, Variable):
                self._open().variables.setdefault(id(leaf), (leaf, []))
            self._open().watch(leaf)

    def gradient(self, target: Any, sources: Any) -> Any:
        """The gradient of the sum of ``target`` for a tree of tensors and variables; None where it does not depend
        on one."""
        tape = self._open()
        if self._used and not self.persistent:
            raise BrickworkError(
                "GradientTape: gives one gradient; got a second request. Use GradientTape(persistent=True)"
            )
        self._used = True
        flat = leaves(sources)
        found = tape.gradient(target, flat)
        return unflatten(sources, found)
