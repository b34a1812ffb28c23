"""Vectors for whole numbers."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import asarray, nn, not_equal

from ..checks import positive
from ..layer import Layer
from ..weights import add_role, keep_roles, roles_config

__all__ = ["Embedding"]


class Embedding(Layer):
    """Row i of a table for each number i: whole numbers (batch, ...) to (batch, ..., output_dim).

    ``embeddings`` (input_dim, output_dim); numbers are 0 to input_dim - 1. ``mask_zero``: 0 stands for a step that does
    not count, and layers after this one that heed masks leave it out. ``weights``: the table to begin with.
    """

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None, embeddings_constraint: Any = None, mask_zero: bool = False,
        weights: Any = None, **kwargs: Any,
    ):  # fmt: skip
        kwargs.pop("input_length", None)  # said nothing that the input does not say; old code still passes it
        super().__init__(**{"autocast": False, **kwargs})
        positive("Embedding", input_dim=input_dim, output_dim=output_dim)
        self.input_dim, self.output_dim, self.mask_zero = input_dim, output_dim, mask_zero
        keep_roles(self, embeddings=(embeddings_initializer, embeddings_regularizer, embeddings_constraint))
        self.supports_masking = self.makes_masks = mask_zero
        if weights is not None:
            self.build(())
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape: Any = None) -> None:
        self.embeddings = add_role(self, "embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs: Any) -> Any:
        numbers = asarray(inputs)
        return nn.embedding(numbers if numbers.dtype.kind in "iu" else numbers.astype("int32"), self.embeddings)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return not_equal(asarray(inputs), 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            **roles_config(self, "embeddings"),
            "mask_zero": self.mask_zero,
        }
