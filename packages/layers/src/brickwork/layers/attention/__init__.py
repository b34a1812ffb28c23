"""Layers in which places of a sequence look at one another."""

from .grouped_query_attention import GroupQueryAttention
from .multi_head_attention import MultiHeadAttention

__all__ = ["GroupQueryAttention", "MultiHeadAttention"]
