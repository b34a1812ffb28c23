"""Random programs over tensors, drawn as short lists of numbers so that hypothesis can shrink them.

A program is built on real arrays first: each step picks an op and operands that fit. What comes out is a list of
closures that can be run again on tensors, traced or not. Floats are small multiples of 1/8 and stay so (`tidy`), so
sums and products are exact in any order and comparisons never depend on rounding; values behind a transcendental
function are `rough` and feed no decision.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

import brickwork.tensor as bt

MOST_ELEMENTS, MOST_AXES = 3000, 5
codes = st.lists(st.tuples(*[st.integers(0, 999)] * 4), min_size=1, max_size=12)


@dataclass
class Program:
    """``steps``: (function, places of its operands); ``rough``: places whose bits depend on how they are computed."""

    inputs: list[np.ndarray]
    steps: list[tuple[Callable[..., Any], tuple[int, ...]]] = field(default_factory=list)
    rough: set[int] = field(default_factory=set)
    results: tuple[int, ...] = ()

    def __call__(self, *inputs: Any) -> tuple[Any, ...]:
        values = list(inputs)
        for fn, places in self.steps:
            values.append(fn(*(values[p] for p in places)))
        return tuple(values[k] for k in self.results)


def tidy(x):
    """Back to multiples of 1/8 between -8 and 8."""
    return bt.clip(bt.floor(x * 8.0) * 0.125, -8.0, 8.0) if x.dtype.kind == "f" else x


def bounded(x):
    """Between -8 and 8, as far as that leaves bits alone: what `tidy` is to rough values."""
    return bt.clip(x, -8.0, 8.0) if x.dtype.kind == "f" else x


def inputs_of(seed: int, shapes: tuple[tuple[int, ...], ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [(rng.integers(-16, 17, size=s) / 8).astype(np.float32) for s in shapes]


def build(seed: int, shapes: tuple[tuple[int, ...], ...], drawn: list[tuple[int, int, int, int]]) -> Program:
    """The program of some codes. Steps that do not fit, or that would grow too large, are left out."""
    program = Program(inputs_of(seed, shapes))
    values = [bt.asarray(a) for a in program.inputs]
    for op, first, second, how in drawn:
        x = len(values) - 1 - first % min(len(values), 4)
        y = second % len(values)
        made = STEPS[op % len(STEPS)](values[x], values[y], how, x in program.rough, y in program.rough)
        if made is None:
            continue
        fn, count, rough = made
        places = (x, y)[:count]
        value = fn(*(values[p] for p in places))
        if not 0 < value.size <= MOST_ELEMENTS or value.ndim > MOST_AXES:
            continue
        if rough or any(p in program.rough for p in places):
            program.rough.add(len(values))
        values.append(value)
        program.steps.append((fn, places))
    last = len(values) - 1
    program.results = tuple(dict.fromkeys((last, min(last, max(len(program.inputs), last - 2)), last // 2)))
    return program


def _fits(a, b):
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return a.dtype == b.dtype


def _axes(x, how):
    """Some axes, at least one."""
    chosen = tuple(a for a in range(x.ndim) if how >> a & 1)
    return chosen or (how % x.ndim,)


def binary(x, y, how, rx, ry):
    neat = bounded if rx or ry else tidy
    if not _fits(x, y):
        return None
    if x.dtype.kind == "b":
        return (bt.logical_and, bt.logical_or, bt.logical_xor)[how % 3], 2, False
    return (
        (lambda a, b: neat(a + b), lambda a, b: neat(a - b), lambda a, b: neat(a * b), bt.maximum, bt.minimum)[how % 5],
        2,
        False,
    )


def unary(x, y, how, rx, ry):
    neat = bounded if rx or ry else tidy
    if x.dtype.kind == "b":
        return bt.logical_not, 1, False
    return (bt.negative, bt.abs, lambda a: neat(a * a), lambda a: bt.nn.relu(a))[how % 4], 1, False


def rough(x, y, how, rx, ry):
    if x.dtype.kind != "f":
        return None
    return (
        (
            bt.tanh,
            bt.sin,
            lambda a: bt.exp(-bt.abs(a)),
            lambda a: bt.sqrt(bt.abs(a)),
            lambda a: bt.nn.softmax(a, -1) if a.ndim else a,
        )[how % 5],
        1,
        True,
    )


def compare(x, y, how, rx, ry):
    if not _fits(x, y) or rx or ry or x.dtype.kind == "b":
        return None
    return (bt.less, bt.greater_equal, bt.equal)[how % 3], 2, False


def where(x, y, how, rx, ry):
    if not _fits(x, y) or rx or x.dtype.kind == "b":
        return None
    return lambda a, b: bt.where(a > 0, a, b), 2, False


def cast(x, y, how, rx, ry):
    kinds = ("float32", "float64") if rx else ("float32", "int32", "bool", "int64", "float64", "int8")
    kind = kinds[how % len(kinds)]
    return lambda a: a.astype(kind), 1, False


def reduce(x, y, how, rx, ry):
    neat = bounded if rx or ry else tidy
    if not x.ndim:
        return None
    axes, keep = _axes(x, how), bool(how >> 6 & 1)
    if x.dtype.kind == "b":
        some = bt.any if how & 256 else bt.all
        return (lambda a: some(a, axis=axes, keepdims=keep)), 1, False
    fn = (bt.sum, bt.sum, bt.max, bt.min)[how >> 7 & 3]
    return (lambda a: neat(fn(a, axis=axes, keepdims=keep))), 1, False


def argmax(x, y, how, rx, ry):
    return (
        None
        if not x.ndim or rx or x.dtype.kind == "b"
        else ((lambda a: bt.argmax(a, how % x.ndim).astype("int32")), 1, False)
    )


def transpose(x, y, how, rx, ry):
    order = tuple(np.random.default_rng(how).permutation(x.ndim).tolist())
    return lambda a: bt.permute_dims(a, order), 1, False


def reshape(x, y, how, rx, ry):
    if x.ndim < 2:
        return None
    k = 1 + how % (x.ndim - 1)
    tail = int(np.prod(x.shape[k:]))
    return (
        (lambda a: bt.reshape(a, (*a.shape[:k], tail)) if how & 512 else bt.reshape(a, (*a.shape[:k], tail, 1))),
        1,
        False,
    )


def merge(x, y, how, rx, ry):
    return lambda a: bt.reshape(a, (-1,)), 1, False


def cut(x, y, how, rx, ry):
    if not x.ndim:
        return None
    axis, step = how % x.ndim, (-2, -1, 1, 2, 3)[how // 5 % 5]
    start = how // 25 % 3
    where = slice(start, None, step) if step > 0 else slice(-1 - start, None, step)
    return lambda a: a[(slice(None),) * axis + (where,)], 1, False


def pad(x, y, how, rx, ry):
    if not x.ndim or x.dtype.kind == "b":
        return None
    widths = [(0, 0)] * x.ndim
    widths[how % x.ndim] = (how // 5 % 3, how // 15 % 3)
    return lambda a: bt.pad(a, tuple(widths), how % 3), 1, False


def flip(x, y, how, rx, ry):
    return None if not x.ndim else ((lambda a: bt.flip(a, how % x.ndim)), 1, False)


def grow(x, y, how, rx, ry):
    return (lambda a: bt.expand_dims(a, how % (x.ndim + 1))), 1, False


def spread(x, y, how, rx, ry):
    return (lambda a: bt.broadcast_to(a, (2, *a.shape))), 1, False


def matmul(x, y, how, rx, ry):
    neat = bounded if rx or ry else tidy
    if x.dtype != y.dtype or x.dtype.kind != "f" or x.ndim < 2 or y.ndim < 2:
        return None
    if x.shape[-1] == y.shape[-1] and (how & 1 or x.shape[-1] != y.shape[-2]):
        y_turned = True
    elif x.shape[-1] == y.shape[-2]:
        y_turned = False
    else:
        return None
    try:
        np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except ValueError:
        return None
    return (lambda a, b: neat(a @ (b.mT if y_turned else b))), 2, False


def gram(x, y, how, rx, ry):
    neat = bounded if rx or ry else tidy
    return (
        None if x.ndim < 2 or x.dtype.kind != "f" else ((lambda a: neat((a.mT @ a) if how & 1 else a @ a.mT)), 1, False)
    )


def concat(x, y, how, rx, ry):
    if not x.ndim or x.ndim != y.ndim or x.dtype != y.dtype:
        return None
    axis = how % x.ndim
    if any(m != n for a, (m, n) in enumerate(zip(x.shape, y.shape)) if a != axis):
        return None
    return (lambda a, b: bt.concat([a, b, a][: 2 + how % 2], axis)), 2, False


def index(x, y, how, rx, ry):
    neat = bounded if rx or ry else tidy
    if not x.ndim or x.dtype.kind != "f":
        return None
    return (lambda a: neat(a + bt.arange(a.shape[-1]).astype(x.dtype.name))), 1, False


STEPS = (
    binary, binary, binary, unary, unary, rough, compare, where, cast, reduce, reduce, reduce, argmax,
    transpose, transpose, reshape, merge, cut, cut, pad, flip, grow, spread, matmul, matmul, gram, concat, index,
)  # fmt: skip
