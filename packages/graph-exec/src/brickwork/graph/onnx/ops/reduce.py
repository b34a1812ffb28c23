"""Reductions, places of extremes, running sums and the greatest few."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor
from brickwork.tensor.dtypes import class_of

from ..registry import translator

Axes = tuple[int, ...]


def _extreme(function: Callable[..., Tensor], of_booleans: Callable[..., Tensor], least: bool) -> Callable[..., Tensor]:
    def reduced(x: Tensor, axes: Axes, keep: bool) -> Tensor:
        if class_of(x.dtype) == "b":
            return of_booleans(x, axes, keep)
        if all(x.shape[a] != 0 for a in axes):
            return function(x, axes, keep)
        info = bt.finfo(x.dtype) if class_of(x.dtype) == "f" else bt.iinfo(x.dtype)
        worst = (np.inf if least else -np.inf) if class_of(x.dtype) == "f" else (info.max if least else info.min)
        sizes = [1 if a in axes else n for a, n in enumerate(x.shape)]
        return bt.full(sizes if keep else [n for a, n in enumerate(x.shape) if a not in axes], worst, x.dtype)

    return reduced


def _log_sum(x: Tensor, axes: Axes, keep: bool) -> Tensor:
    return bt.log(bt.sum(x, axes, keep))


def _log_sum_exp(x: Tensor, axes: Axes, keep: bool) -> Tensor:
    some = all(x.shape[a] != 0 for a in axes)
    return bt.logsumexp(x, axes, keep) if some else _log_sum(bt.exp(x), axes, keep)


def _mean(x: Tensor, axes: Axes, keep: bool) -> Tensor:
    return bt.mean(x, axes, keep).astype(x.dtype)


_REDUCTIONS: dict[str, Callable[[Tensor, Axes, bool], Tensor]] = {
    "ReduceL1": lambda x, axes, keep: bt.sum(bt.abs(x), axes, keep),
    "ReduceL2": lambda x, axes, keep: bt.sqrt(bt.sum(bt.square(x), axes, keep)).astype(x.dtype),
    "ReduceLogSum": lambda x, axes, keep: _log_sum(x, axes, keep).astype(x.dtype),
    "ReduceLogSumExp": lambda x, axes, keep: _log_sum_exp(x, axes, keep).astype(x.dtype),
    "ReduceMax": _extreme(bt.max, bt.any, least=False),
    "ReduceMean": _mean,
    "ReduceMin": _extreme(bt.min, bt.all, least=True),
    "ReduceProd": lambda x, axes, keep: bt.prod(x, axes, keep),
    "ReduceSum": lambda x, axes, keep: bt.sum(x, axes, keep),
    "ReduceSumSquare": lambda x, axes, keep: bt.sum(bt.square(x), axes, keep),
}


def _by_attribute(function: Callable[[Tensor, Axes, bool], Tensor]) -> Callable[..., Tensor]:
    return lambda x, *, axes=None, keepdims=1: _reduced(function, x, axes, keepdims, False)


def _by_input(function: Callable[[Tensor, Axes, bool], Tensor]) -> Callable[..., Tensor]:
    def translate(x: Tensor, axes: Any = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Tensor:
        return _reduced(function, x, axes, keepdims, bool(noop_with_empty_axes))

    return translate


def _reduced(
    function: Callable[[Tensor, Axes, bool], Tensor], x: Tensor, axes: Any, keepdims: int, none_is_none: bool
) -> Tensor:
    """Over ``axes``; where there are none, over all, unless ``none_is_none``."""
    some = axes is not None and len(axes) > 0
    over = tuple(int(a) % x.ndim for a in axes) if some else () if none_is_none else tuple(range(x.ndim))
    return function(x, over, bool(keepdims)).astype(x.dtype)


for _name, _function in _REDUCTIONS.items():
    translator(_name)(_by_attribute(_function))
    translator(_name, 13 if _name == "ReduceSum" else 18, static="axes")(_by_input(_function))


def _place(name: str) -> Callable[..., Tensor]:
    function = getattr(bt, name)

    def translate(x: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Tensor:
        if not select_last_index:
            return function(x, axis, bool(keepdims)).astype("int64")
        found = x.shape[axis] - 1 - function(bt.flip(x, axis), axis, bool(keepdims))
        return found.astype("int64")

    return translate


translator("ArgMax")(_place("argmax"))
translator("ArgMin")(_place("argmin"))


def _running(function: Callable[..., Tensor], start: int) -> Callable[..., Tensor]:
    def translate(x: Tensor, axis: Any, *, exclusive: int = 0, reverse: int = 0) -> Tensor:
        along = int(np.asarray(axis).reshape(())) % x.ndim
        values = bt.flip(x, along) if reverse else x
        if exclusive:
            first = bt.full([1 if a == along else n for a, n in enumerate(x.shape)], start, x.dtype)
            keys = (slice(None),) * along
            values = bt.concat([first, values[(*keys, slice(None, -1))]], along)
        out = function(values, axis=along, dtype=x.dtype)
        return bt.flip(out, along) if reverse else out

    return translate


translator("CumSum", 11, static="axis")(_running(bt.cumulative_sum, 0))
translator("CumProd", 26, static="axis")(_running(bt.cumulative_prod, 1))


@translator("TopK")
def top_k_by_attribute(x: Tensor, *, k: int, axis: int = -1) -> tuple[Tensor, Tensor]:
    return top_k(x, k, axis=axis)


@translator("TopK", 10, static="k")
def top_k(x: Tensor, k: Any, *, axis: int = -1, largest: int = 1, sorted: int = 1) -> tuple[Tensor, Tensor]:
    """The k greatest (or least), in order, and their places; of equal values the first comes first."""
    count = int(np.asarray(k).reshape(()))
    values, places = bt.top_k(x, count, axis=axis, mode="largest" if largest else "smallest")
    return values, places.astype("int64")
