"""Where heads and places are: tensors as layers have them, and as attention takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from brickwork.tensor import abs, expand_dims, iota, logical_and, reshape, transpose

__all__ = ["Layout", "band", "both"]


def both(mask: Any, other: Any) -> Any:
    """What two masks let through; None lets all through."""
    return other if mask is None else logical_and(mask, other)


def band(rows: Any, columns: Any, width: int) -> Any:
    """(rows, columns): whether row and column are nearer than ``width``."""
    return abs(reshape(iota((rows,)), (rows, 1)) - iota((columns,))) < width


@dataclass(frozen=True, slots=True)
class Layout:
    """Tensors (batch, *places, heads, width), of which the axes ``over`` are attended over and the axes ``rest`` are
    not."""

    over: tuple[int, ...]
    rest: tuple[int, ...]

    @staticmethod
    def of(shape: Sequence[Any], axes: Sequence[int] | None) -> Layout:
        """For an input (batch, *places, width)."""
        between = range(1, len(shape) - 1)
        over = tuple(between) if axes is None else tuple(a % len(shape) for a in axes)
        return Layout(over, (0, *(a for a in between if a not in over)))

    def fold(self, x: Any) -> Any:
        """(batch, *rest, heads, places, width), with the axes attended over as one."""
        n = x.ndim
        turned = transpose(x, (*self.rest, n - 2, *self.over, n - 1))
        if len(self.over) == 1:
            return turned
        places = prod(x.shape[a] for a in self.over)
        return reshape(turned, (*turned.shape[: len(self.rest) + 1], places, x.shape[-1]))

    def unfold(self, x: Any, like: Sequence[Any]) -> Any:
        """Undo `fold`, for a tensor whose places are those of a tensor of shape ``like``."""
        order = (*self.rest, len(like) - 2, *self.over, len(like) - 1)
        if len(self.over) > 1:
            x = reshape(x, (*x.shape[:-2], *(like[a] for a in self.over), x.shape[-1]))
        return transpose(x, tuple(order.index(a) for a in range(len(order))))

    def fold_mask(self, mask: Any, heads: int) -> Any:
        """A mask (batch, *rest, heads, *places, *places), or of fewer axes in front, as the scores have their axes;
        where one axis is missing it is that of the heads."""
        if mask is None:
            return None
        k = len(self.over)
        while mask.ndim < len(self.rest) + 1 + 2 * k:
            mask = expand_dims(mask, -2 * k - 1)
        if k == 1:
            return mask
        front, tail = mask.shape[: -2 * k], mask.shape[-2 * k :]
        return reshape(mask, (*front, prod(tail[:k]), prod(tail[k:])))

    def unfold_scores(self, scores: Any, query: Sequence[Any], key: Sequence[Any]) -> Any:
        """Scores with the axes attended over apart."""
        if len(self.over) == 1:
            return scores
        places = [tuple(shape[a] for a in self.over) for shape in (query, key)]
        return reshape(scores, (*scores.shape[:-2], *places[0], *places[1]))
