"""What tiles and rows share: which stages run together, accumulators, and loops without carried values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from brickwork.tensor.dtypes import class_of
from brickwork.tensor.expr import ATOMS, Expr, leaves
from brickwork.tensor.kernel import Kernel, Stage, identity

from .point import Point
from .strategy import Strategy
from .types import constant, register_type, suffix, vector
from .values import Values
from .writer import Writer

__all__ = ["ACCUMULATORS", "Stages"]

ACCUMULATORS = -1
"""Stands among the axes that a value moves with, for one that needs the result of an earlier stage."""


class Stages:
    """Runs the stages of a kernel at points. ``stages``: the kernel's, with bodies the machine has instructions for."""

    def __init__(self, writer: Writer, kernel: Kernel, stages: Sequence[Stage], plan: Strategy, values: Values):
        self.w, self.kernel, self.stages, self.plan = writer, kernel, stages, plan
        self.values, self.memory = values, values.memory
        self.bounds: dict[int, tuple[str, str]] = {}
        self.moving = {id(n): axes for s in stages for n, axes in _moving(s.body, kernel)}

    def hoist(self, bodies: Iterable[Expr], point: Point, within: Iterable[int]) -> None:
        """Compute at a point, for its memo, whatever does not vary over the axes ``within``."""
        axes = frozenset(within)
        for body in bodies:
            for node, _ in body.program:
                if not self.moving[id(node)] & axes and (node.args or node.head == "arg"):
                    self.values.of(node, point)

    def share(self, bodies: Iterable[Expr], points: Sequence[Point]) -> None:
        """Compute once what is the same at several points; the rest is left for where it is used, or registers run
        out."""
        differ = {a for a, place in points[0].at.items() if any(p.at[a] != place for p in points)}
        made: dict[tuple[Any, ...], tuple[str, bool]] = {}
        for body in bodies:
            for node, _ in body.program:
                axes = self.moving[id(node)]
                if ACCUMULATORS in axes or differ <= axes or not (node.args or node.head == "arg"):
                    continue
                if not all(a in points[0].at for a in axes):
                    continue
                for p in points:
                    key = (id(node), *(p.at[a] for a in axes))
                    if key in made:
                        p.memo[id(node)] = made[key]
                    else:
                        made[key] = self.values.of(node, p)

    def writes_from(self, n: int) -> Sequence[Stage]:
        """The writing stages without a loop from n on: they compute everything before they store anything."""
        last = n
        while last < len(self.stages) and self.stages[last].combine is None and not self.stages[last].axes:
            last += 1
        return self.stages[n:last]

    def write_now(self, stages: Sequence[Stage], points: Sequence[Point]) -> None:
        """Run writing stages without a loop."""
        self.share([s.body for s in stages], points)
        for p in points:
            made = [(s.write, self.values.of(s.body, p)) for s in stages]
            for write, value in made:
                self.memory.write(write, value, p)  # type: ignore[arg-type]

    def span(self, axis: int) -> tuple[str, str]:
        """Where a loop over an inner axis begins and ends: all of it, or the block that is at work."""
        return self.bounds.get(axis) or ("0", self.w.size(self.kernel.axes[axis]))

    def nest(self, axes: list[int], at: dict[int, str], inside: Callable[[dict[int, str]], None]) -> None:
        if not axes:
            inside(at)
        else:
            low, high = self.span(axes[0])
            self.w.each(low, high, 1, lambda i: self.nest(axes[1:], {**at, axes[0]: i}, inside))

    def group(self, n: int) -> list[int]:
        """Stages from n on that combine over the same axes without needing one another: one loop."""
        group = [n]
        while group[-1] + 1 < len(self.stages):
            k = group[-1] + 1
            s = self.stages[k]
            if s.combine is None or s.axes != self.stages[n].axes or set(leaves(s.body, "acc")) & set(group):
                break
            group.append(k)
        return group

    def accumulator_type(self, k: int, lanes: int) -> str:
        return vector(register_type(self.stages[k].body.dtype), lanes)

    def start_value(self, k: int, lanes: int) -> str:
        stage = self.stages[k]
        dtype = stage.body.dtype
        start = identity(stage.combine, dtype)  # type: ignore[arg-type]
        text = constant(start, dtype)
        if lanes and not any(np.asarray(start).tobytes()):
            return "zeroinitializer"
        return f"<{', '.join([f'{register_type(dtype)} {text}'] * lanes)}>" if lanes else text

    def update(self, stage: Stage, point: Point, value: str, mask: str | None = None) -> str:
        """The accumulator with the body at a point combined in; a product is added by one fused multiply-add."""
        body, dtype = stage.body, stage.body.dtype
        kind = vector(register_type(dtype), point.lanes)
        if stage.combine == "add" and body.head == "mul" and class_of(dtype) == "f" and mask is None:
            a, b = (self.values.vector_of(x, point) for x in body.args)
            return self.w.call(
                kind, f"@llvm.fma.{suffix(register_type(dtype), point.lanes)}", (kind, a), (kind, b), (kind, value)
            )
        new = self.values.vector_of(body, point)
        if mask is not None:
            none = constant(identity(stage.combine, dtype), dtype)  # type: ignore[arg-type]
            spread = f"<{', '.join([f'{register_type(dtype)} {none}'] * point.lanes)}>"
            new = self.w.let(f"select <{point.lanes} x i1> {mask}, {kind} {new}, {kind} {spread}")
        return self.combine_two(stage, value, new, point.lanes)

    def combine_two(self, stage: Stage, a: str, b: str, lanes: int) -> str:
        dtype = stage.body.dtype
        kind, text = vector(register_type(dtype), lanes), ATOMS[stage.combine].llvm.get(class_of(dtype))  # type: ignore[index]
        if (
            text is None
        ):  # floating maximum and minimum: NaN wins, as in NumPy; a NaN in ``a`` is not below, so it stays
            test = "ogt" if stage.combine == "maximum" else "olt"
            better = self.w.let(f"fcmp {test} {kind} {b}, {a}")
            picked = self.w.let(f"select {vector('i1', lanes)} {better}, {kind} {b}, {kind} {a}")
            broken = self.w.let(f"fcmp uno {kind} {b}, {b}")
            return self.w.let(f"select {vector('i1', lanes)} {broken}, {kind} {b}, {kind} {picked}")
        if text.startswith("@"):
            return self.w.call(kind, f"{text}.{suffix(register_type(dtype), lanes)}", (kind, a), (kind, b))
        return self.w.let(f"{text} {kind} {a}, {b}")

    def lanes_below(self, j: str, high: str) -> str:
        """Lanes below the end."""
        lanes = self.plan.lanes
        steps = "<" + ", ".join(f"i64 {k}" for k in range(lanes)) + ">"
        left = self.w.splat(self.w.sub(high, j), "i64", lanes)
        return self.w.let(f"icmp slt <{lanes} x i64> {steps}, {left}")


def _moving(body: Expr, kernel: Kernel) -> Iterator[tuple[Expr, frozenset[int]]]:
    """The axes that each node of a body moves with."""
    everything = frozenset({*range(len(kernel.axes)), ACCUMULATORS})
    written = {w.target for w in kernel.writes}
    known: dict[int, frozenset[int]] = {}
    for node, _ in body.program:
        axes: frozenset[int] = frozenset().union(*(known[id(a)] for a in node.args))
        if node.head == "arg":
            read = kernel.reads[node.value]
            if read.source in written:
                axes = everything
            else:
                strides = [read.strides, *(g.coeffs for g in read.guards)]
                axes = frozenset(a for a in range(len(kernel.axes)) if any(s[a] != 0 for s in strides))
        elif node.head == "index":
            axes = frozenset({node.value})
        elif node.head == "acc":
            axes = frozenset({ACCUMULATORS})
        known[id(node)] = axes
        yield node, axes
