"""The base of what is learned of a target: one column y in place of a table X, and state that is data."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import TransformerMixin

from ..stateful import Stateful

__all__ = ["TargetTransformer"]


class TargetTransformer(TransformerMixin, Stateful):
    """`fit(y)`, `transform(y)`, `inverse_transform`; a subclass gives `_check_params`, `_learned` and `_restore`."""

    def fit(self, y: Any) -> Self:
        """Learns from a target."""
        raise NotImplementedError

    def fit_transform(self, y: Any) -> Any:
        """`fit(y).transform(y)`."""
        return self.fit(y).transform(y)

    def transform(self, y: Any) -> Any:
        """What models are trained on."""
        raise NotImplementedError

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classes_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.target_tags.one_d_labels = True
        return tags
