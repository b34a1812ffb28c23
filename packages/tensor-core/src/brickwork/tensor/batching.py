"""`vmap`: a function of one example becomes a function of many, by a trace that carries the batch axis along.

Under it a tensor's data is a `Batched`: it has the shape of one example, and holds the tensor of all of them, the batch
axis in front. How ops of each kind carry that axis is in `batch_rules`; what is not batched goes to the parent trace
as it is. So gradients, other vmaps and compilers meet only ordinary ops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import Any

import numpy as np

from .autodiff import Kept
from .batch_rules import batched, move_axis
from .dim import Size
from .errors import ShapeError, TraceError
from .op import Composite, Op
from .ops.movement import broadcast_to
from .registry import Region
from .spec import Shape, normalize_axis
from .tensor import Tensor, asarray
from .trace import Trace, bind, current, use
from .tree import Path, flatten, leaves, map_tree, unflatten
from .variable import Variable

__all__ = ["BatchTrace", "Batched", "vmap"]

Axes = Any
"""An axis, None, or a tree of them whose branches may end early."""


class _Left(TraceError, AttributeError):
    """A batched value met something that looks into its data."""


class Batched:
    """The data of a tensor that stands for one example of many: ``value`` holds all, the batch axis in front."""

    __slots__ = ("dtype", "shape", "trace", "value")

    def __init__(self, trace: BatchTrace, value: Tensor):
        self.trace, self.value = trace, value
        self.shape: Shape = value.shape[1:]
        self.dtype: np.dtype = value.dtype

    def __getattr__(self, name: str) -> Any:
        raise _Left(
            "vmap: a value of one example must stay inside the mapped function; "
            f"got one of shape {self.shape} where its data ({name}) is asked for. Return it instead"
        )

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__getattr__("ufunc")


class BatchTrace(Trace):
    """Applies ops to all examples at once."""

    def __init__(self, parent: Trace, size: Size):
        self.parent: Trace = parent
        self.size = size

    def box(self, value: Tensor) -> Tensor:
        """The tensor that stands for one example of ``value``."""
        return Tensor(Batched(self, value))

    def unbox(self, x: Any) -> tuple[Any, bool]:
        """What the parent knows of a value, and whether its first axis is the batch."""
        if isinstance(x, Tensor) and isinstance(x.data, Batched) and x.data.trace is self:
            return x.data.value, True
        return x, False

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        inputs = tuple(self.read(a) if isinstance(a, Variable) else a for a in args)
        values, marks = zip(*map(self.unbox, inputs), strict=True) if inputs else ((), ())
        if isinstance(op, Composite) and any(marks) and op.rule is None:
            return op.body(*inputs, **params)
        with use(self.parent):
            if not any(marks):
                return bind(op, values, params)
        if isinstance(op, Region):
            return op.map(self, inputs, dict(params))
        with use(self.parent):
            if isinstance(op, Composite):
                lifted = _Lifted(op, marks, self.size)
                out = bind(Composite(f"vmap of {op.name}", lifted.body, lifted.rule), values, params)
            else:
                out = batched(op, values, marks, params, self.size)
        return tuple(map(self.box, out)) if isinstance(out, tuple) else self.box(out)

    def assign(self, variable: Variable, value: Tensor) -> None:
        if self.unbox(value)[1]:
            raise TraceError(
                f"vmap: a variable holds one value for all examples; got a value per example for {variable.name}. "
                "Return it and assign its mean, or whatever is meant, outside"
            )
        with use(self.parent):
            self.parent.assign(variable, value)


class _Lifted:
    """A composite with a gradient of its own, over many examples: both its body and its gradient are mapped."""

    def __init__(self, op: Composite, marks: tuple[bool, ...], size: Size):
        self.op, self.marks, self.size = op, marks, size
        self.opened = Kept()

    def _box(self, trace: BatchTrace, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(trace.box(v) if mark else v for v, mark in zip(values, self.marks, strict=True))

    def body(self, *values: Any, **params: Any) -> Any:
        trace = BatchTrace(current(), self.size)
        with use(trace):
            out = self.op.body(*self._box(trace, values), **params)
        return tuple(_result(trace, x, 0) for x in out) if isinstance(out, tuple) else _result(trace, out, 0)

    def rule(self, i: int, g: Any, out: Any, *values: Any, **params: Any) -> Tensor | None:
        """The gradient of an input that all examples share is the sum over them."""
        trace, given = self.opened.get(lambda: self._open(g, out, values), g)
        with use(trace):
            part = self.op.vjp(i, *given, **params)
        if part is None:
            return None
        whole = _result(trace, part, 0)
        return whole if self.marks[i] else whole.sum(0)

    def _open(self, g: Any, out: Any, values: tuple[Any, ...]) -> tuple[BatchTrace, tuple[Any, ...]]:
        """A trace of the examples, and in it what a gradient rule is asked with."""
        trace = BatchTrace(current(), self.size)
        return trace, (*map_tree(trace.box, (g, out)), *self._box(trace, values))


def vmap(fn: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """``fn``, written for one example, for many at once.

    ``in_axes``: for each positional argument the axis that runs over the examples, or None where all share it; one
    for all, or a tuple with an axis or a tree of axes per argument. Keyword arguments are shared. ``out_axes``: where
    the axis of examples goes in the results, in the same way; None where a result is the same for all. Equal to a
    loop over the examples and a `stack`, but each op runs once. Random numbers of a shared key are shared. Maps,
    gradients and compiled functions nest in any order. Raises `ShapeError` naming the argument where sizes differ.
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        paths = [path for path, _ in flatten(args)]
        tensors = [asarray(x) for x in leaves(args)]
        wanted = [_axis_at(in_axes, p, "in_axes", len(args)) for p in paths]
        axes = [
            None if a is None else normalize_axis(f"vmap, {_name(p)}", a, x.ndim)
            for a, p, x in zip(wanted, paths, tensors, strict=True)
        ]
        size = _common_size(paths, tensors, axes)
        trace = BatchTrace(current(), size)
        moved = [x if a is None else trace.box(move_axis(x, a, 0)) for x, a in zip(tensors, axes, strict=True)]
        with use(trace):
            out = fn(*unflatten(args, moved), **kwargs)
        return unflatten(out, [_result(trace, x, _axis_at(out_axes, p, "out_axes", None)) for p, x in flatten(out)])

    return wrapped


def _common_size(paths: list[Path], tensors: list[Tensor], axes: list[int | None]) -> Size:
    """The one size of the mapped axes."""
    first: tuple[str, Size] | None = None
    for path, x, axis in zip(paths, tensors, axes, strict=True):
        if axis is None:
            continue
        here = f"{_name(path)} with {x.shape[axis]} (axis {axis} of {x.spec})", x.shape[axis]
        if first is not None and first[1] != here[1]:
            raise ShapeError(f"vmap: mapped axes must have one size; got {first[0]} and {here[0]}. See in_axes")
        first = first or here
    if first is None:
        raise ShapeError("vmap: at least one argument must be mapped; got in_axes of None for all. Call fn itself")
    return first[1]


def _name(path: Path) -> str:
    return f"argument {path[0]}" + "".join(f"[{key!r}]" for key in path[1:])


def _axis_at(axes: Axes, path: Path, what: str, count: int | None) -> int | None:
    """The axis for one leaf: that of the longest branch of ``axes`` which leads to it."""
    if count is not None and isinstance(axes, (tuple, list)) and len(axes) != count:
        raise ShapeError(
            f"vmap: {what} must have one entry per argument; got {len(axes)} for {count}. "
            "Use None for what all examples share"
        )
    found = axes
    for key in path:
        if found is None or isinstance(found, (int, np.integer)):
            break
        try:
            found = getattr(found, str(key)) if is_dataclass(found) else found[key]
        except (KeyError, IndexError, TypeError, AttributeError):
            raise ShapeError(
                f"vmap: {what} must follow the tree it speaks of; got nothing for {path}. Give it the same keys"
            ) from None
    if found is not None and not isinstance(found, (int, np.integer)):
        raise ShapeError(
            f"vmap: {what} must hold an integer or None for each tensor; got {found!r} for {path}. "
            "Use None for what all examples share"
        )
    return None if found is None else int(found)


def _result(trace: BatchTrace, x: Any, axis: int | None) -> Tensor:
    tensor = asarray(x)
    value, mapped = trace.unbox(tensor)
    if axis is None:
        if mapped:
            raise ShapeError(
                f"vmap: a result with out_axes of None must be the same for all; got {tensor.spec} per example. "
                "Give it an axis"
            )
        return tensor
    place = normalize_axis("vmap, out_axes", axis, tensor.ndim + 1)
    return move_axis(value if mapped else broadcast_to(value, (trace.size, *tensor.shape)), 0, place)
