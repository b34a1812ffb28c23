"""The translators, a room for each family of ops; importing this registers them all."""

from . import activation, cast, elementwise, indexing, matmul, reduce, shape

__all__ = ["activation", "cast", "elementwise", "indexing", "matmul", "reduce", "shape"]
