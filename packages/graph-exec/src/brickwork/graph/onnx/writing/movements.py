"""Movement: reshape, transpose, slice, pad and windows; concat, and slices that are written."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from brickwork.tensor.dim import Dim

from ...ir import Node
from .writer import Refusal, Writer, rule

__all__ = ["windows_of"]

LARGEST = 1 << 24
"""The most positions that an initializer may list."""


@rule("identity", "stop_gradient")
def identity(w: Writer, node: Node, names: list[str]) -> str:
    return names[0]


@rule("reshape")
def reshape(w: Writer, node: Node, names: list[str]) -> str:
    return w.reshape(names[0], node.out.spec.shape)


@rule("transpose")
def transpose(w: Writer, node: Node, names: list[str]) -> str:
    return w.transpose(names[0], node.settings["axes"])


@rule("broadcast_to")
def broadcast_to(w: Writer, node: Node, names: list[str]) -> str:
    return w.expand(names[0], node.inputs[0].spec.shape, node.out.spec.shape)


@rule("slice")
def slice_(w: Writer, node: Node, names: list[str]) -> str:
    s = node.settings
    return w.slice(names[0], s["start"], s["size"], s["step"], node.inputs[0].spec.shape)


@rule("pad")
def pad(w: Writer, node: Node, names: list[str]) -> str:
    return w.pad(names[0], node.settings["widths"], node.settings["value"], node.out.spec.dtype)


@rule("concat")
def concat(w: Writer, node: Node, names: list[str]) -> str:
    return names[0] if len(names) == 1 else w.emit("Concat", *names, axis=node.settings["axis"])


@rule("sliding_window")
def sliding_window(w: Writer, node: Node, names: list[str]) -> str:
    s, shape = node.settings, node.out.spec.shape
    ndim = node.inputs[0].spec.ndim
    name, order = names[0], list(range(ndim))
    for k in sorted(range(len(s["axes"])), key=lambda k: -s["axes"][k]):  # from the back, so that earlier axes stay
        axis = s["axes"][k]
        places = shape[axis]
        if isinstance(places, Dim):
            raise Refusal(f"windows along an axis need its size; got {places}")
        name = windows_of(
            w, name, axis, s["strides"][k] * _grid(places, 0) + s["dilations"][k] * _grid(s["sizes"][k], 1)
        )
        order.insert(order.index(axis) + 1, ndim + k)
    return w.transpose(name, [order.index(a) for a in range(len(order))])


def _grid(count: int, axis: int) -> np.ndarray:
    return np.arange(count, dtype=np.int64).reshape((-1, 1) if axis == 0 else (1, -1))


def windows_of(w: Writer, name: str, axis: int, positions: np.ndarray) -> str:
    """An axis replaced by those of an array of positions along it."""
    return w.emit("Gather", name, w.constant(positions), axis=axis)


@rule("set_slice")
def set_slice(w: Writer, node: Node, names: list[str]) -> str:
    """By joining what is around, where one axis is written in part; else by flat positions."""
    x, value = names
    s, shape = node.settings, node.out.spec.shape
    part = [a for a in range(len(shape)) if (s["start"][a], s["size"][a], s["step"][a]) != (0, shape[a], 1)]
    if not part:
        return value
    if len(part) == 1 and s["step"][part[0]] == 1:
        (axis,) = part
        return w.emit("Concat", *_around(w, x, value, axis, s["start"][axis], s["size"][axis], shape), axis=axis)
    if any(isinstance(n, Dim) for n in shape) or prod(shape) > LARGEST:
        raise Refusal(f"slices of several axes, or with steps, need known sizes; got {shape}")
    flat = np.arange(prod(shape), dtype=np.int64).reshape(shape)
    keys = (np.arange(n) * d + b for b, n, d in zip(s["start"], s["size"], s["step"], strict=True))
    places = flat[np.ix_(*keys)].reshape(-1)
    out = w.emit("ScatterElements", w.reshape(x, (-1,)), w.constant(places), w.reshape(value, (-1,)), axis=0)
    return w.reshape(out, shape)


def _around(w: Writer, x: str, value: str, axis: int, start: int, size: int, shape: Sequence[int]) -> list[str]:
    def piece(begin: int, count: int) -> list[str]:
        if isinstance(count, int) and count == 0:
            return []
        starts = [begin if a == axis else 0 for a in range(len(shape))]
        counts = [count if a == axis else n for a, n in enumerate(shape)]
        return [w.slice(x, starts, counts, [1] * len(shape), shape)]

    return [*piece(0, start), value, *piece(start + size, shape[axis] - start - size)]
