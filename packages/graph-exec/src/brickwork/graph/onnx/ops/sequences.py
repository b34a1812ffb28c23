"""Sequences, which are lists here, and optionals, which are a value or None."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import brickwork.tensor as bt

from ..errors import ModelError
from ..foreign import value_of
from ..registry import translator


def _place(position: Any, count: int, who: str) -> int:
    found = int(np.asarray(position).reshape(()))
    if not -count <= found < max(count, 1):
        raise ModelError(f"{who}: the position must be in the sequence; got {found} of {count}")
    return found


translator("SequenceEmpty", 11)(lambda *, dtype=1: [])
translator("SequenceConstruct", 11)(lambda *xs: list(xs))


@translator("SequenceAt", 11, static="position")
def sequence_at(xs: list[Any], position: Any) -> Any:
    return xs[_place(position, len(xs), "SequenceAt")]


@translator("SequenceErase", 11, static="position")
def sequence_erase(xs: list[Any], position: Any = -1) -> list[Any]:
    at = _place(position, len(xs), "SequenceErase") % len(xs)
    return xs[:at] + xs[at + 1 :]


@translator("SequenceInsert", 11, static="position")
def sequence_insert(xs: list[Any], x: Any, position: Any = None) -> list[Any]:
    at = len(xs) if position is None else int(np.asarray(position).reshape(()))
    if not -len(xs) <= at <= len(xs):
        raise ModelError(f"SequenceInsert: the position must be in the sequence or at its end; got {at} of {len(xs)}")
    out = list(xs)
    out.insert(at, x)
    return out


@translator("SequenceLength", 11, of_shape=True)
def sequence_length(xs: list[Any]) -> Any:
    return bt.asarray(np.int64(len(xs)))


@translator("SequenceMap", 17)
def sequence_map(first: list[Any], *others: Any, body: Callable[..., list[Any]]) -> tuple[list[Any], ...]:
    """``body`` on each element, and on the elements beside it of the other sequences; tensors go to all."""
    rounds = [
        body(x, *(other[k] if isinstance(other, list) else other for other in others)) for k, x in enumerate(first)
    ]
    if not rounds:
        return tuple([] for _ in body.graph.outputs)  # type: ignore[attr-defined]
    return tuple(list(column) for column in zip(*rounds, strict=True))


@translator("ConcatFromSequence", 11)
def concat_from_sequence(xs: list[Any], *, axis: int, new_axis: int = 0) -> Any:
    return bt.stack(xs, axis) if new_axis else bt.concat(xs, axis)


@translator("SplitToSequence", 11, static="split")
def split_to_sequence(x: Any, split: Any = None, *, axis: int = 0, keepdims: int = 1) -> list[Any]:
    """Parts of one size, of given sizes, or of size 1, whose axis goes where not ``keepdims``."""
    total = x.shape[axis]
    if split is None:
        sizes = [1] * total
    elif np.ndim(split) == 0:
        part = int(split)
        sizes = [min(part, total - k) for k in range(0, total, part)]
    else:
        sizes = [int(n) for n in split]
    ends = np.cumsum(sizes)
    keys = (slice(None),) * (axis % x.ndim)
    parts = [x[(*keys, slice(int(e) - n, int(e)))] for n, e in zip(sizes, ends, strict=True)]
    return [bt.squeeze(p, axis) for p in parts] if split is None and not keepdims else parts


# optionals
@translator("Optional", 15)
def optional(x: Any = None, *, type: Any = None) -> Any:
    return x


@translator("OptionalHasElement", 15, of_shape=True)
def optional_has_element(x: Any = None) -> Any:
    return value_of(np.array(x is not None))


@translator("OptionalGetElement", 15)
def optional_get_element(x: Any) -> Any:
    if x is None:
        raise ModelError("OptionalGetElement: there must be an element; got an empty optional")
    return x
