"""Attention and what goes with it: rotary positions, caches, linear attention."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor, nn

from ..errors import ModelError
from ..proto import dtype_of
from ..registry import translator


def _heads(x: Tensor, count: int | None) -> Tensor:
    """(batch, heads, time, size) of (batch, time, heads * size)."""
    if not count:
        raise ModelError(f"onnx: the number of heads must be given for inputs of three axes; got {count}")
    return bt.permute_dims(bt.reshape(x, (*x.shape[:2], count, -1)), (0, 2, 1, 3))


def _merged(x: Tensor) -> Tensor:
    """(batch, time, heads * size) of (batch, heads, time, size)."""
    turned = bt.permute_dims(x, (0, 2, 1, 3))
    return bt.reshape(turned, (*turned.shape[:2], -1))


def _shared(x: Tensor, heads: int) -> Tensor:
    """Heads of keys or values, each for as many heads of queries side by side."""
    return x if x.shape[1] == heads else bt.repeat(x, heads // x.shape[1], axis=1)


def _allowed(
    queries: int, keys: int, past: int | None, valid: Tensor | None, is_causal: int, left: int, right: int
) -> Tensor | None:
    """Which keys a query may see, by their places; None where it is all. ``past``: keys ahead of the first query;
    without them the last of the ``valid`` keys is that of the last query."""
    before: Any = past or 0
    if past is None and valid is not None:
        before = bt.reshape(valid, (-1, 1, 1, 1)) - queries
    tests = []
    ahead = bt.reshape(bt.arange(keys), (1, keys)) - bt.reshape(bt.arange(queries), (queries, 1)) - before
    if is_causal:
        tests.append(ahead <= 0)
    if left >= 0:
        tests.append(ahead >= -left)
    if right >= 0:
        tests.append(ahead <= right)
    if valid is not None:
        tests.append(bt.arange(keys) < bt.reshape(valid, (-1, 1, 1, 1)))
    out = None
    for test in tests:
        out = test if out is None else bt.logical_and(out, test)
    return out


def _bias(mask: Tensor | None, allowed: Tensor | None, keys: int, dtype: np.dtype) -> Tensor | None:
    """What is added to the scores: -infinity where a key must not be seen."""
    out = None
    if mask is not None:
        logical = mask.dtype == bool
        if mask.shape[-1] < keys:
            widths = [*[(0, 0)] * (mask.ndim - 1), (0, keys - mask.shape[-1])]
            mask = bt.pad(mask, widths, False if logical else -math.inf)
        out = bt.where(mask, 0.0, -math.inf) if logical else mask
        out = out.astype(dtype)
    if allowed is not None:
        placed = bt.where(allowed, 0.0, -math.inf).astype(dtype)
        out = placed if out is None else out + placed
    return out


@translator("Attention", 23)
def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
    past_key: Tensor | None = None,
    past_value: Tensor | None = None,
    valid: Tensor | None = None,
    *,
    is_causal: int = 0,
    kv_num_heads: int | None = None,
    left_window_size: int = -1,
    q_num_heads: int | None = None,
    qk_matmul_output_mode: int = 0,
    right_window_size: int = -1,
    scale: float | None = None,
    softcap: float = 0.0,
    softmax_precision: int = 0,
) -> tuple[Tensor, ...]:
    """Scaled products of queries and keys, softmax, and the mean of values (Vaswani et al. 2017); with the keys and
    values so far, and the scores at the step ``qk_matmul_output_mode``. A query that sees no key gives zeros."""
    flat = q.ndim == 3
    if flat:
        q, k, v = _heads(q, q_num_heads), _heads(k, kv_num_heads), _heads(v, kv_num_heads)
    present_key = k if past_key is None else bt.concat([past_key, k], 2)
    present_value = v if past_value is None else bt.concat([past_value, v], 2)
    past = None if past_key is None else past_key.shape[2]
    places = q.shape[2], present_key.shape[2], past, valid
    allowed = _allowed(*places, is_causal, left_window_size, right_window_size)
    bias = _bias(mask, allowed, present_key.shape[2], q.dtype)
    raw = _scores(q, present_key, scale)
    capped = softcap * bt.tanh(raw / softcap) if softcap > 0 else raw
    scores = capped if bias is None else capped + bias
    inner = scores.astype(dtype_of(softmax_precision)) if softmax_precision else scores
    shares = nn.softmax(inner, -1)
    if bias is not None:
        shares = bt.where(bt.max(bias, -1, True) == -math.inf, 0.0, shares)
    shares = shares.astype(q.dtype)
    out = shares @ _shared(present_value, q.shape[1])
    shown = (raw, capped, scores, shares)[qk_matmul_output_mode].astype(q.dtype)
    return (_merged(out) if flat else out), present_key, present_value, shown


def _scores(q: Tensor, k: Tensor, scale: float | None) -> Tensor:
    """Each side takes the root of the scale, so that products of narrow numbers do not overflow."""
    root = math.sqrt(1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    return (q * root) @ bt.matrix_transpose(_shared(k, q.shape[1]) * root)


Modifier = Callable[[Tensor], list[Tensor]]


@translator("FlexAttention", domain="ai.onnx.preview")
def flex_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    prob_mod: Modifier | None = None,
    scale: float | None = None,
    score_mod: Modifier | None = None,
    softmax_precision: int = 0,
) -> Tensor:
    """With graphs that change the scores and the shares."""
    wide = (
        dtype_of(softmax_precision) if softmax_precision else np.dtype("float64" if q.dtype == "float64" else "float32")
    )
    factor = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = (q @ bt.matrix_transpose(_shared(k, q.shape[1]))).astype(wide) * factor
    scores = scores if score_mod is None else score_mod(scores)[0]
    shares = nn.softmax(scores, -1)
    shares = shares if prob_mod is None else prob_mod(shares)[0]
    return shares.astype(v.dtype) @ _shared(v, q.shape[1])


@translator("RotaryEmbedding", 23)
def rotary_embedding(
    x: Tensor,
    cos: Tensor,
    sin: Tensor,
    positions: Tensor | None = None,
    *,
    interleaved: int = 0,
    num_heads: int = 0,
    rotary_embedding_dim: int = 0,
) -> Tensor:
    """Pairs of elements turned by angles that grow with their position (Su et al. 2021): neighbours where
    ``interleaved``, else those of the two halves."""
    heads = _heads(x, num_heads) if x.ndim == 3 else x
    turned = rotary_embedding_dim or heads.shape[-1]
    if positions is not None:
        cos, sin = bt.take(cos, positions, 0), bt.take(sin, positions, 0)
    cos, sin = bt.expand_dims(cos, 1), bt.expand_dims(sin, 1)
    part, rest = heads[..., :turned], heads[..., turned:]
    a, b = (part[..., 0::2], part[..., 1::2]) if interleaved else (part[..., : turned // 2], part[..., turned // 2 :])
    real, imaginary = a * cos - b * sin, a * sin + b * cos
    if interleaved:
        out = bt.reshape(bt.stack([real, imaginary], -1), part.shape)
    else:
        out = bt.concat([real, imaginary], -1)
    out = bt.concat([out, rest], -1)
    return _merged(out) if x.ndim == 3 else out


@translator("TensorScatter", 24)
def tensor_scatter(
    past: Tensor, update: Tensor, starts: Tensor | None = None, *, axis: int = -2, mode: str = "linear"
) -> Tensor:
    """A cache with rows written from a position of each example on; "circular" wraps around."""
    if mode not in ("linear", "circular"):
        raise ModelError(f"TensorScatter: the mode is linear or circular; got {mode!r}")
    place = axis % past.ndim
    cache, new = bt.moveaxis(past, place, 1), bt.moveaxis(update, place, 1)
    batch, count = new.shape[:2]
    first: Any = bt.zeros((batch,), "int64") if starts is None else starts
    rows = bt.expand_dims(first, 1) + bt.arange(count)
    if mode == "circular":
        rows = rows % cache.shape[1]
    each = bt.broadcast_to(bt.reshape(bt.arange(batch), (batch, 1)), (batch, count))
    return bt.moveaxis(cache.at[each, rows].set(new), 1, place)


@translator("LinearAttention", 27)
def linear_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    past: Tensor | None = None,
    decay: Tensor | None = None,
    beta: Tensor | None = None,
    *,
    chunk_size: int = 64,
    kv_num_heads: int,
    q_num_heads: int,
    scale: float = 0.0,
    update_rule: str = "gated_delta",
) -> tuple[Tensor, Tensor]:
    """Attention whose memory is one matrix for each head, to which each step adds the product of its key and value.

    Rules with "gated" let it fade first, those with "delta" add only what it does not hold yet (Yang et al. 2024).
    """
    if update_rule not in ("linear", "gated", "delta", "gated_delta"):
        raise ModelError(
            f"LinearAttention: the update rule is linear, gated, delta or gated_delta; got {update_rule!r}"
        )
    if ("gated" in update_rule) != (decay is not None) or ("delta" in update_rule) != (beta is not None):
        raise ModelError(f"LinearAttention: decay goes with gated, and beta with delta rules; got {update_rule!r}")
    q, k, v = (
        _heads(t, n).astype("float32") for t, n in ((query, q_num_heads), (key, kv_num_heads), (value, kv_num_heads))
    )
    batch, _, _, size = k.shape
    fade = None if decay is None else bt.exp(_heads(decay, kv_num_heads).astype("float32"))
    rate = None if beta is None else _heads(beta, beta.shape[-1]).astype("float32")
    start = bt.zeros((batch, kv_num_heads, size, v.shape[-1]), "float32") if past is None else past.astype("float32")
    factor = scale or 1 / math.sqrt(size)

    steps = {name: t for name, t in (("q", q), ("k", k), ("v", v), ("fade", fade), ("rate", rate)) if t is not None}
    step = partial(_recalled, heads=q_num_heads, factor=factor)
    memory, rows = bt.scan(step, start, {name: bt.moveaxis(t, 2, 0) for name, t in steps.items()})
    out = _merged(bt.moveaxis(rows, 0, 2)).astype(query.dtype)
    return out, memory.astype(query.dtype if past is None else past.dtype)


def _recalled(memory: Tensor, row: dict[str, Tensor], *, heads: int, factor: float) -> tuple[Tensor, Tensor]:
    """One step: the memory (batch, heads, keys, values) fades, takes in what is new, and is read."""
    new = row["v"]
    if "fade" in row:
        memory = memory * bt.expand_dims(row["fade"], -1)
    if "rate" in row:
        held = bt.sum(memory * bt.expand_dims(row["k"], -1), -2)
        new = row["rate"] * (new - held)
    memory = memory + bt.expand_dims(row["k"], -1) * bt.expand_dims(new, -2)
    read = bt.expand_dims(row["q"], -2) @ _shared(memory, heads)
    return memory, factor * bt.squeeze(read, -2)
