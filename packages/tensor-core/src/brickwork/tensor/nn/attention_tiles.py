"""One pass over the blocks of attention, forward and backward: see `attention_blocks`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from typing import Any

import numpy as np

from ..control import cond, scan
from ..derivative import sum_to
from ..dtypes import DEFAULT_FLOAT, is_floating
from ..expr import Expr
from ..ops import reduce as R
from ..ops.contraction import matmul
from ..ops.creation import iota, zeros_like
from ..ops.elementwise import exp, isfinite, log, map_expr, maximum, where
from ..ops.movement import broadcast_to, pad, reshape, transpose
from ..philox import block, parts, unit
from ..spec import Shape
from ..tensor import Tensor, asarray, beside

__all__ = ["Setting", "backward", "forward"]

QUERIES, KEYS = 256, 256
"""Rows and columns of a block, of each head of each example."""

SMALL = 2**18
"""Bytes of scores that a block has at least where it can: heads and examples come one after the other as long as their
blocks have as many, since what is worked at a time should stay in the second cache of a core."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What attention is besides its tensors. ``lead``: the axes of the scores in front of (``length``, ``keys``).
    ``masks``: how many operands are masks; then comes the key, where ``rate`` (of dropout) is not 0."""

    lead: Shape
    length: int
    keys: int
    causal: bool
    rate: float
    masks: int

    @property
    def rows(self) -> int:
        return min(QUERIES, self.length)

    @property
    def columns(self) -> int:
        return min(KEYS, self.keys)

    @property
    def bytes(self) -> int:
        """Of the scores, where there are several blocks, else 0. Of an axis of open size one element counts."""
        area = self.length * self.keys
        return 4 * area * _known(self.lead) if area >= 4 * self.rows * self.columns else 0

    @property
    def by_example(self) -> bool:
        """Whether to go along the first axis in front, a step at a time."""
        return bool(self.lead) and 4 * self.rows * self.columns * _known(self.lead[1:]) >= SMALL

    def of_one(self) -> Setting:
        """The setting of one example."""
        return replace(self, lead=self.lead[1:])


def _known(sizes: Shape) -> int:
    return prod(n for n in sizes if isinstance(n, int))


# ---- blocks ----------------------------------------------------------------------------------------------------------


def _blocks(x: Tensor, axis: int, size: int, fill: float = 0.0) -> Tensor:
    """Parts of ``size`` along an axis (counted from the end), as a new first axis; what is missing is ``fill``."""
    at = x.ndim + axis
    count = -(-x.shape[at] // size)
    if x.shape[at] != count * size:
        x = pad(x, [(0, count * size - x.shape[at] if a == at else 0) for a in range(x.ndim)], fill)
    split = reshape(x, (*x.shape[:at], count, size, *x.shape[at + 1 :]))
    return transpose(split, (at, *(a for a in range(split.ndim) if a != at)))


def _joined(x: Tensor, axis: int, length: int) -> Tensor:
    """`_blocks` undone: the parts of the first axis one after another along another (counted from the end)."""
    at = x.ndim - 1 + axis
    turned = transpose(x, (*range(1, at + 1), 0, *range(at + 1, x.ndim)))
    whole = reshape(turned, (*turned.shape[:at], turned.shape[at] * turned.shape[at + 1], *turned.shape[at + 2 :]))
    return whole if whole.shape[at] == length else whole[(*(slice(None),) * at, slice(length))]


def _turned(x: Tensor) -> Tensor:
    return transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _mask_blocks(setting: Setting, mask: Tensor) -> Tensor:
    """A mask as (blocks of queries, blocks of keys, ..., rows or 1, columns or 1)."""
    if mask.ndim < 2:
        mask = reshape(mask, (*(1,) * (2 - mask.ndim), *mask.shape))
    for axis, size in ((-1, setting.columns), (-2, setting.rows)):
        wide = mask.shape[axis] != 1 or (setting.keys, setting.length)[-axis - 1] == 1
        mask = _blocks(mask, axis, size) if wide else reshape(mask, (1, *mask.shape))
    counts = -(-setting.length // setting.rows), -(-setting.keys // setting.columns)
    return broadcast_to(mask, (*counts, *mask.shape[2:]))


def _mask_joined(setting: Setting, x: Tensor, shape: Shape) -> Tensor:
    """`_mask_blocks` undone, for a gradient: summed over what was spread."""
    full = (*(1,) * (2 - len(shape)), *shape)
    for axis, n in ((-2, setting.length), (-1, setting.keys)):
        x = R.sum(x, 0) if full[axis] == 1 and n != 1 else _joined(x, axis, n)
    return reshape(x, shape)


def _filled(value: float, shape: Shape, like: Tensor) -> Tensor:
    return broadcast_to(beside(asarray(value, like.dtype), like), shape)


def _starts(length: int, size: int, like: Tensor) -> Tensor:
    """The first row or column of each block."""
    return beside(iota((-(-length // size),)) * size, like)


class _Tile:
    """One block: its scores, and which weights dropout keeps."""

    def __init__(self, setting: Setting, example: Tensor | int, row: Tensor, column: Tensor, key: Sequence[Tensor]):
        self.setting, self.example, self.key = setting, example, key
        self.first, self.last = row, column
        self.row = row + beside(iota((setting.rows, 1)), row)
        self.column = column + beside(iota((setting.columns,)), row)

    def scores(self, q: Tensor, turned_k: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """-inf where a key is not seen."""
        s = matmul(q, turned_k)
        for mask in masks:
            s = where(mask, s, float("-inf")) if mask.dtype == np.bool_ else s + mask.astype(s.dtype)
        if self.setting.causal:
            s = where(self.row >= self.column, s, float("-inf"))
        if self.setting.keys % self.setting.columns:
            s = where(self.column < self.setting.keys, s, float("-inf"))
        return s

    def dropped(self, x: Tensor) -> Tensor:
        """By the numbers that `dropout` of all weights at once would draw: of the place of each in them."""
        setting = self.setting
        if not self.key:
            return x
        heads = reshape(beside(iota(setting.lead), x) + self.example * prod(setting.lead), (*setting.lead, 1, 1))
        places = (heads * setting.length + self.row) * setting.keys + self.column
        first, stream = self.key
        keep = map_expr(_unit(), places, stream, first) >= setting.rate
        return where(keep, x * (0.0 if setting.rate == 1 else 1 / (1 - setting.rate)), 0.0)

    def seen(self, step: Callable[..., Any], skip: Callable[..., Any], *operands: Any) -> Any:
        """``step``, or where no query of the block sees a key of it, ``skip``."""
        if not self.setting.causal:
            return step(*operands)
        return cond(self.last < self.first + self.setting.rows, step, skip, *operands)


@cache
def _unit() -> Expr:
    return unit(block(), DEFAULT_FLOAT)


def _apart(setting: Setting, operands: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """The masks in blocks, and the key in parts."""
    n = 3 + setting.masks
    return [_mask_blocks(setting, m) for m in operands[3:n]], list(parts(operands[n])) if setting.rate else []


# ---- forward ---------------------------------------------------------------------------------------------------------


def forward(setting: Setting, operands: Sequence[Tensor], example: Tensor | int = 0) -> tuple[Tensor, Tensor]:
    """The result, and for each row the logarithm of its sum of powers (0 where it sees no key). ``example``: how
    many of these come before, where `by_example` they come one by one."""
    q, k, v = operands[:3]
    masks, key = _apart(setting, operands)
    columns = _blocks(_turned(k), -1, setting.columns), _blocks(v, -2, setting.columns)
    row_shape = (*setting.lead, setting.rows, 1)
    result_shape = (*setting.lead, setting.rows, v.shape[-1])
    low, none, nothing = _filled(float("-inf"), row_shape, q), _filled(0, row_shape, q), _filled(0, result_shape, q)

    def queries(_: None, given: Any) -> tuple[None, Any]:
        row, q_rows, masks = given

        def keys(state: Any, given: Any) -> tuple[Any, None]:
            column, k_turned, v_rows, tile_masks = given
            tile = _Tile(setting, example, row, column, key)

            def step(top: Tensor, total: Tensor, out: Tensor) -> Any:
                scores = tile.scores(q_rows, k_turned, tile_masks)
                higher = maximum(top, R.max(scores, -1, True))
                safe = where(isfinite(higher), higher, 0.0)
                powers, less = exp(scores - safe), exp(top - safe)
                added = R.sum(powers, -1, True)
                return higher, total * less + added, out * less + matmul(tile.dropped(powers), v_rows)

            return tile.seen(step, lambda *same: same, *state), None

        starts = _starts(setting.keys, setting.columns, q)
        (top, total, out), _ = scan(keys, (low, none, nothing), (starts, *columns, masks))
        total = where(total == 0.0, 1.0, total)
        return None, (out / total, where(isfinite(top), top, 0.0) + log(total))

    rows = _starts(setting.length, setting.rows, q), _blocks(q, -2, setting.rows), masks
    _, (out, sums) = scan(queries, None, rows)
    return _joined(out, -2, setting.length), _joined(sums, -2, setting.length)


# ---- backward --------------------------------------------------------------------------------------------------------


def backward(
    setting: Setting,
    operands: Sequence[Tensor],
    results: Sequence[Tensor],
    masks: bool,
    example: Tensor | int = 0,
) -> dict[int, Tensor]:
    """The gradients of query, key and value by their place; or with ``masks`` those of the floating masks.
    ``results``: those of `forward`, and the gradient of the first."""
    q, k, v = operands[:3]
    out, sums, g = results
    given_masks, key = _apart(setting, operands)
    moving = [p for p, m in enumerate(given_masks) if masks and is_floating(m.dtype)]
    tall, wide = setting.rows, setting.columns
    columns = _blocks(_turned(k), -1, wide), _blocks(k, -2, wide), _blocks(_turned(v), -1, wide)
    across = R.sum(g * out, -1, True)
    totals = () if masks else tuple(zeros_like(_blocks(x, -2, wide)) for x in (k, v))

    def queries(totals: Any, given: Any) -> tuple[Any, Any]:
        row, q_rows, g_rows, sum_rows, across_rows, masks_of_rows = given

        def keys(dq: Any, given: Any) -> tuple[Any, Any]:
            column, k_turned, k_rows, v_turned, tile_masks, totals = given
            tile = _Tile(setting, example, row, column, key)
            shapes = [tile_masks[p].shape for p in moving]

            def step(dq: Any, totals: Any) -> Any:
                weights = exp(tile.scores(q_rows, k_turned, tile_masks) - sum_rows)
                slope = weights * (tile.dropped(matmul(g_rows, v_turned)) - across_rows)
                if masks:
                    return dq, totals, [sum_to(slope, s) for s in shapes]
                dk, dv = totals
                dk = dk + sum_to(matmul(_turned(slope), q_rows), dk.shape)
                dv = dv + sum_to(matmul(_turned(tile.dropped(weights)), g_rows), dv.shape)
                return dq + sum_to(matmul(slope, k_rows), dq.shape), (dk, dv), []

            def skip(dq: Any, totals: Any) -> Any:
                return dq, totals, [_filled(0, s, q) for s in shapes]

            dq, *rows = tile.seen(step, skip, dq, totals)
            return dq, rows

        starts = _starts(setting.keys, wide, q)
        first = None if masks else zeros_like(q_rows)
        dq, (totals, slopes) = scan(keys, first, (starts, *columns, masks_of_rows, totals))
        return totals, (dq, slopes)

    rows = (
        _starts(setting.length, tall, q),
        *(_blocks(x, -2, tall) for x in (q, g)),
        _blocks(sums, -2, tall, float("inf")),  # of rows that are not there: their weights are 0
        _blocks(across, -2, tall),
        given_masks,
    )
    totals, (dq, slopes) = scan(queries, totals, rows)
    if masks:
        return {3 + p: _mask_joined(setting, x, operands[3 + p].shape) for p, x in zip(moving, slopes, strict=True)}
    dk, dv = (_joined(x, -2, setting.keys) for x in totals)
    return {0: _joined(dq, -2, setting.length), 1: dk, 2: dv}
