"""Attention in several heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brickwork.tensor import iota, matmul, matrix_transpose, nn, reshape

from ..checks import positive, rates
from ..errors import LayerError
from ..layer import Layer
from ..masks import without_mask
from ..seeds import generator
from ..weights import keep_roles, role_of, roles_config
from .heads import Layout, band, both
from .projection import Projection

__all__ = ["MultiHeadAttention"]


class MultiHeadAttention(Layer):
    """``softmax(q @ k^T / sqrt(key_dim)) @ v`` in each head, heads joined by a last linear map (Vaswani 2017).

    Called as ``layer(query, value, key=value)``: query (batch, T, ...), value and key (batch, S, ...) give (batch, T,
    width of query), or the widths of ``output_shape``. q, k and v are linear maps of query, key and value to
    ``num_heads`` heads of ``key_dim`` (``value_dim`` for v, by default the same).

    ``attention_mask``: booleans that broadcast to (batch, heads, T, S), or without the heads: which keys a query sees;
    masks of the inputs, ``use_causal_mask`` (query i sees keys 0 to i) and ``sliding_window`` (those nearer than so
    many places) narrow it. A query that sees no key gives 0. ``dropout``: of the weights of the keys, while training.
    ``attention_axes``: the axes that are attended over, by default all between the first and the last. ``use_gate``:
    heads are multiplied by the sigmoid of a linear map of query (Qiu 2025). ``return_attention_scores``: the weights
    (batch, heads, T, S) too.
    """

    def __init__(
        self, num_heads: int, key_dim: int, value_dim: int | None = None, dropout: float = 0.0, use_bias: bool = True,
        output_shape: Any = None, attention_axes: Any = None, sliding_window: int | None = None,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, use_gate: bool = False, seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        value_dim = key_dim if value_dim is None else value_dim
        who = type(self).__name__
        positive(who, num_heads=num_heads, key_dim=key_dim, value_dim=value_dim)
        if sliding_window is not None:
            positive(who, sliding_window=sliding_window)
        rates(who, dropout=dropout)
        self.num_heads, self.key_dim, self.value_dim = num_heads, key_dim, value_dim
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        self.sliding_window = sliding_window
        self._output_sizes = None if output_shape is None else _sizes(output_shape)
        self.attention_axes = None if attention_axes is None else _sizes(attention_axes)
        keep_roles(
            self,
            kernel=(kernel_initializer, kernel_regularizer, kernel_constraint),
            bias=(bias_initializer, bias_regularizer, bias_constraint),
        )
        self.seed_generator = generator(seed) if dropout else None

    supports_masking = True

    # building
    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise LayerError(f"{type(self).__name__}: value and key must have the same places; got shapes "
                             f"{tuple(value_shape)} and {tuple(key_shape)}")  # fmt: skip
        heads, key_heads = self.num_heads, self._key_heads()
        self.query_dense = self._projection("query", query_shape, (heads, self.key_dim))
        self.key_dense = self._projection("key", key_shape, (key_heads, self.key_dim))
        if self.use_gate:
            self.gate_dense = self._projection("gate", query_shape, (heads, self.value_dim))
        self.value_dense = self._projection("value", value_shape, (key_heads, self.value_dim))
        sizes = self._output_sizes or (query_shape[-1],)
        joined = (*query_shape[:-1], heads, self.value_dim)
        self.output_dense = self._projection("attention_output", joined, sizes, bound=2)

    def _key_heads(self) -> int:
        return self.num_heads

    def _projection(self, name: str, shape: Any, sizes: Sequence[int], bound: int = 1) -> Projection:
        roles = {role: role_of(self, role) for role in ("kernel", "bias")}
        made = Projection(sizes, bound, self.use_bias, roles, name=name, dtype=self.dtype)
        made.build(shape)
        return made

    # calling
    def call(
        self, query: Any, value: Any, key: Any = None, query_mask: Any = None, value_mask: Any = None,
        key_mask: Any = None, attention_mask: Any = None, return_attention_scores: bool = False,
        training: bool = False, use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        query, value, key = (without_mask(t) for t in (query, value, value if key is None else key))
        layout = Layout.of(query.shape, self.attention_axes)
        gate = nn.sigmoid(self.gate_dense(query)) if self.use_gate else None
        q, k, v = self.query_dense(query), self.key_dense(key), self.value_dense(value)
        mask = self._mask(query, value, query_mask, value_mask, key_mask, attention_mask)
        out, scores = self._attend(
            *(layout.fold(t) for t in (q, k, v)),
            layout.fold_mask(mask, self.num_heads),
            causal=use_causal_mask,
            training=training,
            with_scores=return_attention_scores,
        )
        out = layout.unfold(out, q.shape)
        out = self.output_dense(out if gate is None else out * gate)
        return (out, layout.unfold_scores(scores, q.shape, k.shape)) if return_attention_scores else out

    def _mask(self, query: Any, value: Any, query_mask: Any, value_mask: Any, key_mask: Any, given: Any) -> Any:
        """Which keys a query sees, (..., T, S), or None where all see all."""
        mask = None if given is None else given.astype("bool")
        if query_mask is not None:
            mask = both(mask, query_mask.astype("bool")[..., None])
        for one in (value_mask, key_mask):
            if one is not None:
                mask = both(mask, one.astype("bool")[..., None, :])
        if self.sliding_window is not None:
            mask = both(mask, band(query.shape[1], value.shape[1], self.sliding_window))
        return mask

    def _attend(
        self, q: Any, k: Any, v: Any, mask: Any, causal: bool, training: bool, with_scores: bool
    ) -> tuple[Any, Any]:
        """(output, weights or None), for tensors (..., heads, places, width)."""
        drops = training and self.seed_generator is not None
        seed = self.seed_generator.next() if drops else None
        rate = self.dropout if drops else 0.0
        if not with_scores:
            out = nn.scaled_dot_product_attention(
                q, k, v, mask, is_causal=causal, scale=self.key_dim**-0.5, dropout=rate, dropout_key=seed
            )
            return out, None
        if causal:
            rows, columns = q.shape[-2], k.shape[-2]
            mask = both(mask, reshape(iota((rows,)), (rows, 1)) >= iota((columns,)))
        k, v = (self._per_head(t) for t in (k, v))
        scores = matmul(q * self.key_dim**-0.5, matrix_transpose(k))
        weights = nn.softmax(scores, where=mask)
        return matmul(nn.dropout(weights, rate, seed) if drops else weights, v), weights

    def _per_head(self, x: Any) -> Any:
        return x

    # shapes and data
    def compute_output_shape(
        self, query_shape: Any, value_shape: Any, key_shape: Any = None, return_attention_scores: bool = False
    ) -> Any:
        out = (*query_shape[:-1], *(self._output_sizes or query_shape[-1:]))
        if not return_attention_scores:
            return out
        layout = Layout.of(query_shape, self.attention_axes)
        places = [tuple(shape[a] for a in layout.over) for shape in (query_shape, value_shape)]
        return out, (*(query_shape[a] for a in layout.rest), self.num_heads, *places[0], *places[1])

    def get_config(self) -> dict[str, Any]:
        names = ("num_heads", "key_dim", "value_dim", "dropout", "use_bias", "attention_axes", "sliding_window",
                 "use_gate", "seed")  # fmt: skip
        own = {name: getattr(self, name) for name in names}
        return {
            **super().get_config(),
            **own,
            "output_shape": self._output_sizes,
            **roles_config(self, "kernel", "bias"),
        }


def _sizes(value: Any) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)
