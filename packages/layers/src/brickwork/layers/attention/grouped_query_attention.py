"""Attention in which several heads of the query share one of key and value."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import repeat

from ..errors import LayerError
from .multi_head_attention import MultiHeadAttention

__all__ = ["GroupQueryAttention"]


class GroupQueryAttention(MultiHeadAttention):
    """`MultiHeadAttention` with ``num_query_heads`` heads of ``head_dim`` for the query, and ``num_key_value_heads``,
    which divides them, for key and value (Ainslie 2023)."""

    def __init__(
        self, head_dim: int, num_query_heads: int, num_key_value_heads: int, dropout: float = 0.0,
        use_bias: bool = True, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(num_query_heads, head_dim, None, dropout, use_bias, **kwargs)
        if not isinstance(num_key_value_heads, int) or num_key_value_heads < 1 or num_query_heads % num_key_value_heads:
            raise LayerError(f"GroupQueryAttention: num_key_value_heads must divide num_query_heads; got "
                             f"{num_key_value_heads!r} and {num_query_heads}")  # fmt: skip
        self.head_dim, self.num_query_heads = head_dim, num_query_heads
        self.num_key_value_heads = num_key_value_heads

    def _key_heads(self) -> int:
        return self.num_key_value_heads

    def _per_head(self, x: Any) -> Any:
        return repeat(x, self.num_query_heads // self.num_key_value_heads, axis=-3)

    def get_config(self) -> dict[str, Any]:
        own = super().get_config()
        for name in ("num_heads", "key_dim", "value_dim", "output_shape", "attention_axes"):
            del own[name]
        names = ("head_dim", "num_query_heads", "num_key_value_heads")
        return {**own, **{name: getattr(self, name) for name in names}}
