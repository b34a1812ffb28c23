"""Attention in blocks of queries by blocks of keys, so that the scores are never there as a whole.

The softmax of a row is made as its blocks come, by the running maximum and sum (Milakov and Gimelshein 2018, "Online
normalizer calculation for softmax"; Rabe and Staats 2021, "Self-attention does not need O(n^2) memory"). The gradient
makes each block again from the logarithm of the row's sum, which is kept (Dao 2022, "FlashAttention", algorithm 4; Dao
2023, "FlashAttention-2", section 3.1). Both are loops, `scan` in `scan`, of ordinary ops: they run eagerly, compile,
and map. The gradient of the gradient, and forward mode, go by the formula without blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autodiff import Kept, filled, vjp
from ..control import scan
from ..dtypes import is_floating
from ..op import Composite
from ..ops.creation import iota, zeros_like
from ..ops.movement import reshape
from ..philox import as_sizes
from ..tensor import Tensor, beside
from ..trace import bind
from .attention_tiles import Setting, backward, forward

__all__ = ["attention_in_blocks", "worthwhile"]

LARGE, LARGE_ELSEWHERE = 8 * 2**20, 4 * 2**30
"""Bytes of scores from which on they are made in blocks; on a device that waits for each op to be launched, only those
that would hardly fit."""

Plain = Callable[..., Tensor]


def worthwhile(setting: Setting, device: str) -> bool:
    """Whether blocks are faster than the formula, or need so much less memory."""
    return setting.bytes >= (LARGE if device in ("cpu", "symbolic") else LARGE_ELSEWHERE)


def attention_in_blocks(plain: Plain, setting: Setting, *operands: Tensor) -> Tensor:
    """Attention of ``operands``: query (scaled), key, value, masks, the key of dropout. ``plain``: the formula of the
    same operands, for derivatives of the gradient."""
    if setting.rate:
        as_sizes((*setting.lead, setting.length, setting.keys))
    call = _Call(plain, setting)
    out: Any = bind(Composite("attention_in_blocks", call.value, call.rule), operands)
    first: Tensor = out[0]
    return first


class _Call:
    """One call: what it gives (the result, and the logarithm of the sum of each row), and its gradient."""

    def __init__(self, plain: Plain, setting: Setting):
        self.plain, self.setting = plain, setting
        self.pulled = {masks: Kept() for masks in (False, True)}

    def value(self, *operands: Tensor) -> tuple[Tensor, Tensor]:
        return _forward(self.setting, operands)

    def rule(self, i: int, g: Any, out: Any, *operands: Tensor) -> Tensor | None:
        """The gradients of query, key and value are made together; those of masks when one is asked for."""
        masks = i > 2
        found: dict[int, Tensor] = self.pulled[masks].get(lambda: self._gradients(masks, g[0], out, operands), g)
        return found.get(i)

    def _gradients(
        self, masks: bool, g: Tensor, out: tuple[Tensor, Tensor], operands: Sequence[Tensor]
    ) -> dict[int, Tensor]:
        count = 3 + self.setting.masks
        places = [i for i in range(3, count) if is_floating(operands[i].dtype)] if masks else [0, 1, 2]
        back = _Backward(self.plain, self.setting, len(operands), places)
        made: Any = bind(Composite("attention_in_blocks_gradient", back.value, back.rule), (*operands, *out, g))
        return dict(zip(places, made, strict=True))


class _Backward:
    """The gradient of one call, for the operands at some ``places``; its operands: those, both results, and ``g``."""

    def __init__(self, plain: Plain, setting: Setting, count: int, places: Sequence[int]):
        self.plain, self.setting, self.count, self.places = plain, setting, count, places
        self.pulled = Kept()

    def value(self, *operands: Tensor) -> tuple[Tensor, ...]:
        n = self.count
        made = _backward(self.setting, operands[:n], operands[n:], self.places)
        return tuple(made[i] for i in self.places)

    def rule(self, i: int, g: Any, out: Any, *operands: Tensor) -> Tensor | None:
        found: dict[int, Tensor] = self.pulled.get(lambda: self._pull(filled(g, out), operands), g)
        return found.get(i)

    def _pull(self, seeds: list[Tensor], operands: tuple[Tensor, ...]) -> dict[int, Tensor]:
        """By the formula of all blocks at once."""
        floats = [p for p, x in enumerate(operands) if is_floating(x.dtype) and not 0 <= p - self.count < 2]

        def formula(*moving: Tensor) -> tuple[Tensor, ...]:
            given = list(operands)
            for p, x in zip(floats, moving, strict=True):
                given[p] = x
            _, pull = vjp(self.plain, *given[: self.count])
            found = pull(given[-1])
            return tuple(found[p] for p in self.places)

        _, pull = vjp(formula, *(operands[p] for p in floats))
        return dict(zip(floats, pull(tuple(seeds)), strict=True))


# ---- examples and heads one by one -----------------------------------------------------------------------------------


def _own(setting: Setting, operands: Sequence[Tensor]) -> list[int]:
    """The places of operands that each step along the first axis has its own of."""
    whole, lead = len(setting.lead) + 2, setting.lead[0]
    return [i for i, x in enumerate(operands[: 3 + setting.masks]) if x.ndim == whole and x.shape[0] == lead]


def _of_one(setting: Setting, operands: Sequence[Tensor], rows: dict[int, Tensor]) -> list[Tensor]:
    """The operands of one step, given those of its own."""
    whole = len(setting.lead) + 2
    rest = (reshape(x, x.shape[1:]) if x.ndim == whole and i not in rows else x for i, x in enumerate(operands))
    return [rows.get(i, x) for i, x in enumerate(rest)]


def _numbers(setting: Setting, example: Tensor | int, like: Tensor) -> Tensor:
    """How many examples come before each of the first axis."""
    return beside(iota((setting.lead[0],)), like) + example * setting.lead[0]


def _forward(setting: Setting, operands: Sequence[Tensor], example: Tensor | int = 0) -> tuple[Tensor, Tensor]:
    if not setting.by_example:
        return forward(setting, operands, example)
    own = _own(setting, operands)

    def step(_: None, given: Any) -> tuple[None, Any]:
        number, rows = given
        return None, _forward(setting.of_one(), _of_one(setting, operands, dict(zip(own, rows, strict=True))), number)

    _, (out, sums) = scan(step, None, (_numbers(setting, example, operands[0]), [operands[i] for i in own]))
    return out, sums


def _backward(
    setting: Setting,
    operands: Sequence[Tensor],
    results: Sequence[Tensor],
    places: Sequence[int],
    example: Tensor | int = 0,
) -> dict[int, Tensor]:
    """The gradients of the operands at ``places``; of those that steps share, the sum."""
    if not setting.by_example:
        return backward(setting, operands, results, places[0] > 2, example)
    own = _own(setting, operands)
    apart, shared = [i for i in places if i in own], [i for i in places if i not in own]

    def step(totals: list[Tensor], given: Any) -> tuple[list[Tensor], list[Tensor]]:
        number, rows, results = given
        one = _of_one(setting, operands, dict(zip(own, rows, strict=True)))
        found = _backward(setting.of_one(), one, results, places, number)
        totals = [total + reshape(found[i], total.shape) for i, total in zip(shared, totals, strict=True)]
        return totals, [found[i] for i in apart]

    start = [zeros_like(operands[i]) for i in shared]
    given = _numbers(setting, example, operands[0]), [operands[i] for i in own], list(results)
    totals, rows = scan(step, start, given)
    return {**dict(zip(shared, totals, strict=True)), **dict(zip(apart, rows, strict=True))}
