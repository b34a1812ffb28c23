"""A column of texts as an imputer leaves it, read by whoever comes after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..columns import Column, as_texts
from ..readings import Reading

__all__ = ["Filled"]


@dataclass(frozen=True, slots=True)
class Filled(Reading):
    """What `inner` reads of a column in which `fill` stands where a text is missing."""

    inner: Reading
    fill: str

    @property
    def kind(self) -> Any:
        """What the numbers are."""
        return self.inner.kind

    def read(self, column: Column, who: str) -> np.ndarray:
        codes, vocabulary = as_texts(column, who)
        filled = np.where(codes < 0, len(vocabulary), codes)
        texts = replace(column, form="text", values=filled, vocabulary=[*vocabulary, self.fill])
        return self.inner.read(texts, who)

    def check(self, where: str) -> None:
        self.inner.check(where)
