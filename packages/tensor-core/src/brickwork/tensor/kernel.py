"""`Kernel`: the narrow waist between the graph and every machine.

A kernel is a set of loops and what happens inside them. The first ``outer`` axes are parallel. For each point of
those, the stages run in order; a stage may loop over further axes. It either combines its body over those axes into
one scalar, which later stages read as ``acc(k)``, or writes its body to memory. That is enough for everything that
is not opaque:

- elementwise: no inner axes, one writing stage;
- reduction: a combining stage, then a writing one (the epilogue);
- softmax, layer_norm and their gradients: combining stages over the row, then a writing stage over the same row;
- matrix product and convolution with both gradients: a combining stage ``a0 * a1`` over the contracted axes, then
  an epilogue.

Writing stages that follow one another without loops of their own compute everything before any of them stores, so a
buffer may be read and overwritten at the same point, as an optimizer does with a weight. Across points of the outer
axes, and across loops, a kernel must not read what it writes elsewhere.

Reads and writes are affine: a flat element offset plus a stride per axis. A guarded read gives ``fill`` where one
of its guards is out of range, which is how padding is read without being stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from .dim import Size, evaluate
from .errors import BrickworkError
from .expr import ATOMS, Expr, fold

__all__ = ["Guard", "Kernel", "KernelError", "Read", "Stage", "Write", "interpret"]

IDENTITY: dict[str, Any] = {"add": 0, "mul": 1, "or": False, "and": True}


class KernelError(BrickworkError, ValueError):
    """A kernel that breaks a rule of the waist: a bug of whoever built it."""


@dataclass(frozen=True, slots=True)
class Guard:
    """In range where ``0 <= const + sum(coeffs[a] * i[a]) < extent``."""

    coeffs: tuple[int, ...]
    const: int
    extent: Size


@dataclass(frozen=True, slots=True)
class Read:
    """Operand k of the bodies: element ``offset + sum(strides[a] * i[a])`` of buffer ``source``, or ``fill``
    outside the guards."""

    source: int
    dtype: np.dtype
    offset: Size
    strides: tuple[Size, ...]
    guards: tuple[Guard, ...] = ()
    fill: float = 0.0


@dataclass(frozen=True, slots=True)
class Write:
    """Where a writing stage puts its body: an element of buffer ``target``."""

    target: int
    dtype: np.dtype
    offset: Size
    strides: tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """``axes``: the inner axes it loops over. Exactly one of ``combine`` (an atom: add, mul, maximum, minimum, or,
    and) and ``write``."""

    axes: tuple[int, ...]
    body: Expr
    combine: str | None = None
    write: Write | None = None


@dataclass(frozen=True, slots=True)
class Kernel:
    """``axes``: extents of all loops, the ``outer`` parallel ones first. ``reads``: what ``arg(k)`` means."""

    axes: tuple[Size, ...]
    outer: int
    reads: tuple[Read, ...]
    stages: tuple[Stage, ...]

    @property
    def writes(self) -> tuple[Write, ...]:
        return tuple(s.write for s in self.stages if s.write is not None)

    def check(self) -> None:
        """Raises `KernelError` when a rule of the waist is broken."""
        n = len(self.axes)
        for k, read in enumerate(self.reads):
            _require(len(read.strides) == n, f"read {k} must have a stride per axis; got {read.strides} for {n} axes")
            _require(
                all(len(g.coeffs) == n for g in read.guards), f"guards of read {k} must have a coefficient per axis"
            )
        for k, stage in enumerate(self.stages):
            _require((stage.combine is None) != (stage.write is None), f"stage {k} must either combine or write")
            _require(
                all(self.outer <= a < n for a in stage.axes), f"stage {k} must loop over inner axes; got {stage.axes}"
            )
            open_axes = {*range(self.outer), *stage.axes}
            if stage.write is not None:
                self._check_strides(f"write of stage {k}", stage.write.strides, open_axes)
                _require(
                    stage.write.dtype == stage.body.dtype, f"stage {k} must write its own dtype; got {stage.body.dtype}"
                )
            for node, _ in stage.body.program:
                if node.head == "arg":
                    _require(node.dtype == self.reads[node.value].dtype, f"arg {node.value} must have its read's dtype")
                    self._check_strides(f"read {node.value} in stage {k}", self.reads[node.value].strides, open_axes)
                elif node.head == "acc":
                    _require(
                        node.value < k and self.stages[node.value].combine is not None,
                        f"stage {k} reads acc {node.value} too early",
                    )
                elif node.head == "index":
                    _require(
                        node.value in open_axes,
                        f"stage {k} reads the index of axis {node.value}, which it does not loop over",
                    )

    @staticmethod
    def _check_strides(what: str, strides: Sequence[Size], open_axes: set[int]) -> None:
        _require(
            all(s == 0 for a, s in enumerate(strides) if a not in open_axes),
            f"{what} must not depend on other stages' axes",
        )


def _require(ok: bool, rule: str) -> None:
    if not ok:
        raise KernelError(f"kernel: {rule}. This is a bug in a lowering rule; please report it")


def identity(combine: str, dtype: np.dtype) -> Any:
    """The value that a combining stage starts from."""
    if combine in IDENTITY:
        return dtype.type(IDENTITY[combine])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return dtype.type(info.min if combine == "maximum" else info.max)
    if dtype.kind == "b":
        return dtype.type(combine == "minimum")
    return dtype.type(-np.inf if combine == "maximum" else np.inf)


def interpret(kernel: Kernel, buffers: Mapping[int, np.ndarray], symbols: Mapping[str, int] | None = None) -> None:
    """Run a kernel point by point on flat arrays: the meaning of the waist, for tests of every compiler. Slow on
    purpose."""
    values = symbols or {}
    sizes = [evaluate(s, values) for s in kernel.axes]
    with np.errstate(all="ignore"):
        for point in product(*map(range, sizes[: kernel.outer])):
            _run_point(kernel, [*point, *([0] * (len(sizes) - kernel.outer))], sizes, buffers, values)


def _run_point(
    kernel: Kernel, where: list[int], sizes: Sequence[int], buffers: Mapping[int, np.ndarray], values: Mapping[str, int]
) -> None:
    """All stages at one point of the outer axes; writes wait for the end of the run of loopless ones they stand in."""
    accs: dict[int, Any] = {}
    waiting: list[tuple[int, int, Any]] = []
    for k, stage in enumerate(kernel.stages):
        if stage.write is None or stage.axes:
            _store(waiting, buffers)
        result = None if stage.combine is None else identity(stage.combine, stage.body.dtype)
        for inner in product(*(range(sizes[a]) for a in stage.axes)):
            for a, i in zip(stage.axes, inner, strict=True):
                where[a] = i
            value = _evaluate(kernel, stage.body, where, accs, buffers, values)
            if stage.write is None:
                result = ATOMS[stage.combine or ""].numpy(result, value)
            else:
                waiting.append((stage.write.target, _place(stage.write, where, values), value))
                if stage.axes:
                    _store(waiting, buffers)
        accs[k] = result
    _store(waiting, buffers)


def _store(waiting: list[tuple[int, int, Any]], buffers: Mapping[int, np.ndarray]) -> None:
    for target, place, value in waiting:
        buffers[target][place] = value
    waiting.clear()


def _place(access: Read | Write, where: Sequence[int], values: Mapping[str, int]) -> int:
    return evaluate(access.offset, values) + sum(
        evaluate(s, values) * i for s, i in zip(access.strides, where, strict=True)
    )


def _evaluate(
    kernel: Kernel,
    body: Expr,
    where: Sequence[int],
    accs: Mapping[int, Any],
    buffers: Mapping[int, np.ndarray],
    values: Mapping[str, int],
) -> Any:
    def visit(node: Expr, *args: Any) -> Any:
        match node.head:
            case "arg":
                read = kernel.reads[node.value]
                inside = all(
                    0 <= g.const + sum(c * i for c, i in zip(g.coeffs, where, strict=True)) < evaluate(g.extent, values)
                    for g in read.guards
                )
                return buffers[read.source][_place(read, where, values)] if inside else read.dtype.type(read.fill)
            case "acc":
                return accs[node.value]
            case "index":
                return np.int64(where[node.value])
            case "size":
                return np.int64(evaluate(node.value, values))
            case "const":
                return node.value
            case "cast":
                return np.asarray(args[0]).astype(node.dtype)[()]
            case "bitcast":
                return np.asarray(args[0]).view(node.dtype)[()]
        return np.asarray(ATOMS[node.head].numpy(*args)).astype(node.dtype)[()]

    return fold(body, visit)
