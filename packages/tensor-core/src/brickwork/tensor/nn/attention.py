"""Attention: rows of values averaged by how well their keys match each query."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..dtypes import class_of, promote, to_inexact
from ..errors import DTypeError, ShapeError
from ..ops.contraction import matmul
from ..ops.creation import iota
from ..ops.elementwise import astype, where
from ..ops.movement import reshape, transpose
from ..spec import Shape, as_bool, as_float, broadcast_shapes
from ..tensor import Tensor, asarray, beside
from .attention_blocks import attention_in_blocks, worthwhile
from .attention_tiles import Setting
from .regularization import as_rate
from .regularization import dropout as drop
from .softmax import masked_softmax

__all__ = ["dot_product_attention", "scaled_dot_product_attention"]

WHO = "scaled_dot_product_attention"


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    mask: Any = None,
    bias: Any = None,
    is_causal: bool = False,
    scale: float | None = None,
    dropout: float = 0.0,
    dropout_key: Any = None,
) -> Tensor:
    """``softmax(query @ key^T * scale + bias) @ value`` (Vaswani 2017).

    ``query``: (..., heads, L, width). ``key``: (..., key heads, S, width), ``value``: (..., key heads, S, value width);
    heads are a multiple of key heads, and each key head serves so many in order (grouped queries, Ainslie 2023). Axes
    in front broadcast; heads and they may be left out.

    ``mask``: broadcasts to (..., heads, L, S); booleans say which keys a query sees, numbers are added to the scores.
    ``bias``: added to the scores as well. ``is_causal``: query i sees keys 0 to i. A query that sees no key gives 0.
    ``scale``: ``1 / sqrt(width)`` by default. ``dropout``: the rate at which weights are dropped, by ``dropout_key``.
    float16 and bfloat16 are worked in float32; the result, (..., heads, L, value width), has the promoted dtype of
    query, key and value. Scores of 8 MiB and more are made, and for the gradient made again, in blocks of 256 queries
    by 256 keys (Dao 2022), so that memory grows with the length and not its square. Raises `ShapeError` where shapes
    do not fit, `DTypeError` for complex numbers.
    """
    q, k, v = _operands(query, key, value)
    out_dtype = promote(*(to_inexact(t.dtype) for t in (q, k, v)))
    wide = np.dtype("float32") if out_dtype.itemsize == 2 else out_dtype
    q, k, v = (astype(t, wide, copy=False) for t in (q, k, v))
    heads = _groups(q, k)
    if heads > 1:
        q = reshape(q, (*q.shape[:-3], k.shape[-3], heads, *q.shape[-2:]))
        k, v = (reshape(t, (*t.shape[:-2], 1, *t.shape[-2:])) for t in (k, v))
    width: Any = q.shape[-1]
    factor = width**-0.5 if scale is None else as_float(WHO, "scale", scale)
    whole = (*broadcast_shapes(WHO, q.shape[:-2], k.shape[:-2]), q.shape[-2], k.shape[-2])
    masks = [_split_heads(whole, asarray(m), heads) for m in (mask, bias) if m is not None]
    out = _attend(q * factor, k, v, masks, whole, as_bool(WHO, "is_causal", is_causal), _rate(dropout, dropout_key),
                  dropout_key)  # fmt: skip
    if heads > 1:
        out = reshape(out, (*out.shape[:-4], out.shape[-4] * heads, *out.shape[-2:]))
    return astype(out, out_dtype, copy=False)


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
) -> Tensor:
    """`scaled_dot_product_attention` with heads behind the length: query (batch, L, heads, width), key and value
    (batch, S, key heads, width), result (batch, L, heads, value width). ``mask`` and ``bias`` broadcast to (batch,
    heads, L, S). Raises `ShapeError`."""
    tensors = [asarray(t) for t in (query, key, value)]
    if any(t.ndim != 4 for t in tensors):
        got = ", ".join(str(t.shape) for t in tensors)
        raise ShapeError(f"dot_product_attention: takes (batch, length, heads, width); got {got}")
    q, k, v = (transpose(t, (0, 2, 1, 3)) for t in tensors)
    return transpose(scaled_dot_product_attention(q, k, v, mask, bias, is_causal, scale), (0, 2, 1, 3))


def _operands(query: Any, key: Any, value: Any) -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = asarray(query), asarray(key), asarray(value)
    if any(class_of(t.dtype) == "c" for t in (q, k, v)):
        raise DTypeError(f"{WHO}: takes real numbers; got {q.dtype}, {k.dtype}, {v.dtype}")
    shapes = f"query {q.shape}, key {k.shape}, value {v.shape}"
    if min(q.ndim, k.ndim, v.ndim) < 2 or not q.ndim == k.ndim == v.ndim:
        raise ShapeError(f"{WHO}: takes (..., heads, length, width), of as many axes each; got {shapes}")
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2] or k.shape[:-2] != v.shape[:-2]:
        raise ShapeError(f"{WHO}: query and key must have one width, key and value one length and one number of heads; "
                         f"got {shapes}")  # fmt: skip
    if not isinstance(q.shape[-1], int) or q.shape[-1] < 1:
        raise ShapeError(f"{WHO}: the width must be known and at least 1; got {shapes}")
    return q, k, v


def _groups(q: Tensor, k: Tensor) -> int:
    """How many heads of the query share one of the key. Raises `ShapeError` where that is no whole number."""
    if q.ndim > 2 and isinstance(q.shape[-3], int) and isinstance(k.shape[-3], int) and k.shape[-3] > 1:
        if q.shape[-3] % k.shape[-3]:
            raise ShapeError(f"{WHO}: heads of the query must be a multiple of those of the key; got {q.shape[-3]} and "
                             f"{k.shape[-3]}")  # fmt: skip
        return q.shape[-3] // k.shape[-3]
    return 1


def _attend(
    q: Tensor, k: Tensor, v: Tensor, masks: list[Tensor], whole: Shape, causal: bool, rate: float, key: Any
) -> Tensor:
    """By blocks where the scores, of shape ``whole``, are large, else at once."""
    length, keys = whole[-2:]
    operands = (q, k, v, *masks, *((asarray(key),) if rate else ()))

    def plain(q: Tensor, k: Tensor, v: Tensor, *rest: Tensor) -> Tensor:
        scores = _with_masks(
            matmul(q, transpose(k, (*range(k.ndim - 2), k.ndim - 1, k.ndim - 2))), rest[:count], causal
        )
        weights = masked_softmax(scores)
        return matmul(drop(weights, rate, rest[count]) if rate else weights, v)

    count = len(masks)
    if isinstance(length, int) and isinstance(keys, int):
        setting = Setting(whole[:-2], length, keys, causal, rate, count)
        if worthwhile(setting, q.device):
            return attention_in_blocks(plain, setting, *operands)
    return plain(*operands)


def _with_masks(scores: Tensor, masks: Sequence[Tensor], causal: bool) -> Tensor:
    """Scores with what is added to them, -inf where a key is not seen."""
    for mask in masks:
        if mask.dtype == np.bool_:
            scores = where(mask, scores, float("-inf"))
        else:
            scores = scores + astype(mask, scores.dtype, copy=False)
    if causal:
        length, keys = scores.shape[-2:]
        row, column = reshape(iota((length,)), (length, 1)), iota((keys,))
        scores = where(beside(row >= column, scores), scores, float("-inf"))
    return scores


def _split_heads(scores: Shape, mask: Tensor, heads: int) -> Tensor:
    """A mask over (..., heads, L, S) with its heads in groups, as those of the scores are. Raises `ShapeError`."""
    n = len(scores)
    whole = scores if heads == 1 else (*scores[: n - 4], prod(scores[n - 4 : n - 2]), *scores[-2:])
    if class_of(mask.dtype) == "c" or broadcast_shapes(WHO, mask.shape, whole) != whole:
        raise ShapeError(f"{WHO}: masks must be real and broadcast to the scores; got {mask.spec} for {whole}")
    if heads == 1 or mask.ndim < 3:
        return mask
    split = (1, 1) if mask.shape[-3] == 1 else scores[-4:-2]
    return reshape(mask, (*mask.shape[:-3], *split, *mask.shape[-2:]))


def _rate(rate: Any, key: Any) -> float:
    """The rate of dropout. Raises `ShapeError` for one that has no key."""
    part = as_rate(WHO, rate)
    if key is None and part:
        raise ShapeError(f"{WHO}: dropout needs dropout_key; got a rate of {rate!r} without. Give random.key(seed)")
    return part
