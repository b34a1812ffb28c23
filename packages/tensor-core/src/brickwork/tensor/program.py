"""An `Expr` on whole arrays: its nodes as steps, made once for each expression, that call NumPy's functions.

Places are shared: a value that no later step reads gives its place, and so its memory, to the next. Large arrays go
through all steps in blocks that stay in the cache, so memory is read once and written once, however many steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter, methodcaller
from typing import Any

import numpy as np

from .expr import ATOMS, Expr

__all__ = ["Program", "evaluate", "program_of"]

BLOCK = 1 << 16
"""Elements of a block: a handful of places of this many fit in a core's own cache."""
LARGE = 1 << 17
"""Elements from which on blocks are worth their slices."""

Step = tuple[int, Callable[..., Any], int, int, tuple[int, ...]]


class Program:
    """The steps of one expression. Each is (place of its result, function, first and second operand or -1, all
    operands).

    Of the places, constants have the first, results share the next, and the operands of a call come last.
    """

    __slots__ = ("constants", "dtype", "into", "own", "places", "steps")

    def __init__(self, body: Expr):
        nodes = body.program
        constants = [node.value for node, _ in nodes if node.head == "const"]
        where, count = _places(nodes)
        made = [(n, node, _function(node)) for n, (node, _) in enumerate(nodes) if node.head not in ("arg", "const")]
        self.steps: tuple[Step, ...] = tuple(_step(where, n, fn, nodes[n][1]) for n, _, fn in made)
        self.places = [*constants, *[None] * count]
        self.constants = [*(np.asarray(c) for c in constants), *[None] * count]
        self.dtype, self.own = body.dtype, where[len(nodes) - 1]
        # Steps whose result may be written where that of all is to be; only the last where a value may be a view.
        copies = all(isinstance(fn, np.ufunc) or node.head in ("cast", "where") for _, node, fn in made)
        self.into = tuple(
            isinstance(fn, np.ufunc)
            and where[n] == self.own
            and node.dtype == body.dtype
            and (copies or n == len(nodes) - 1)
            for n, node, fn in made
        )

    def __call__(self, *arrays: Any) -> Any:
        """The value on arrays that broadcast (of NumPy, or of a module that answers its functions)."""
        if not self.steps:
            return self._leaf(arrays)
        if arrays and type(arrays[0]) is np.ndarray:
            if arrays[0].size >= LARGE and len(self.steps) > 1:
                parts = _parts(arrays)
                if parts is not None:
                    return self._by_blocks(arrays, parts)
            out = _run(self.steps, [*self.constants, *arrays])[self.own]
        else:
            out = _run(self.steps, [*self.places, *arrays])[self.own]
        return out if out.dtype is self.dtype or out.dtype == self.dtype else out.astype(self.dtype)

    def _leaf(self, arrays: tuple[Any, ...]) -> Any:
        """A result is an array of its own."""
        value = [*self.places, *arrays][self.own]
        return value.copy() if self.own >= len(self.places) else value

    def _by_blocks(self, arrays: tuple[Any, ...], parts: list[tuple[np.ndarray, bool]]) -> np.ndarray:
        shape = next(a.shape for a, (_, whole) in zip(arrays, parts) if not whole)
        out = np.empty(shape, self.dtype)
        flat = out.reshape(-1)
        for start in range(0, flat.size, BLOCK):
            piece = slice(start, start + BLOCK)
            result = flat[piece]
            at = [*self.constants, *[a if whole else a[piece] for a, whole in parts]]
            for (to, fn, i, j, rest), into in zip(self.steps, self.into):
                operands = [at[k] for k in rest] if rest else [at[i], at[j]] if j >= 0 else [at[i]]
                at[to] = fn(*operands, out=result) if into else fn(*operands)
            if at[self.own] is not result:
                result[...] = at[self.own]
        return out


def _places(nodes: Sequence[tuple[Expr, tuple[int, ...]]]) -> tuple[list[int], int]:
    """The place of each node, and how many places results share: constants come first, then results, then operands."""
    last = {p: n for n, (_, positions) in enumerate(nodes) for p in positions}
    constants = [n for n, (node, _) in enumerate(nodes) if node.head == "const"]
    place = {n: k for k, n in enumerate(constants)}
    fixed = {n for n, (node, _) in enumerate(nodes) if node.head in ("arg", "const")}
    free: list[int] = []
    count = 0
    for n, (_, positions) in enumerate(nodes):
        if n in fixed:
            continue
        free += [place[p] for p in dict.fromkeys(positions) if last[p] == n and p not in fixed]
        if free:
            place[n] = free.pop()
        else:
            place[n], count = len(constants) + count, count + 1
    before = len(constants) + count
    return [before + node.value if node.head == "arg" else place[n] for n, (node, _) in enumerate(nodes)], count


def _run(steps: Sequence[Step], at: list[Any]) -> list[Any]:
    """Take the steps, on values at their places."""
    for to, fn, i, j, rest in steps:
        if j < 0:
            at[to] = fn(at[i])
        elif not rest:
            at[to] = fn(at[i], at[j])
        else:
            at[to] = fn(*[at[k] for k in rest])
    return at


def _step(where: Sequence[int], n: int, fn: Callable[..., Any], positions: tuple[int, ...]) -> Step:
    at = tuple(where[p] for p in positions)
    i, j = at[0], at[1] if len(at) > 1 else -1
    return where[n], fn, i, j, at if len(at) > 2 else ()


def _function(node: Expr) -> Callable[..., Any]:
    """What makes the value of a node of the values of its operands."""
    if node.head == "cast":
        source = node.args[0].dtype
        if source.kind == "c" and node.dtype.kind not in "cb":
            real, cast = attrgetter("real"), methodcaller("astype", node.dtype)
            return lambda x: cast(real(x))
        return methodcaller("astype", node.dtype)
    if node.head == "bitcast":
        return methodcaller("view", node.dtype)
    return ATOMS[node.head].numpy


def _parts(arrays: Sequence[Any]) -> list[tuple[np.ndarray, bool]] | None:
    """Each array flat, and whether it is one number for all blocks; None where that is not how they lie."""
    shape = arrays[0].shape
    out = []
    for a in arrays:
        if type(a) is not np.ndarray:
            return None
        if a.shape == shape and a.flags.c_contiguous:
            out.append((a.reshape(-1), False))
        elif a.ndim == 0:
            out.append((a, True))
        else:
            return None
    return out


def program_of(body: Expr) -> Program:
    """The steps of an expression, which keeps them."""
    found: Program | None = body.steps
    if found is None:
        found = body.steps = Program(body)
    return found


def evaluate(body: Expr, arrays: Sequence[Any]) -> Any:
    """An expression on arrays, by NumPy's functions (CuPy arrays answer them too)."""
    return program_of(body)(*arrays)
