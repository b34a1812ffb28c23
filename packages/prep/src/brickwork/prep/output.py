"""What a transformer gives whose columns are not all numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["contain"]


def contain(blocks: Sequence[np.ndarray], names: Sequence[str], X: Any, estimator: Any) -> Any:
    """Columns (n,) side by side: a float64 matrix where all are numbers, else one of objects."""
    if all(block.dtype.kind in "biuf" for block in blocks):
        return np.column_stack(blocks).astype(np.float64)
    out = np.empty((len(blocks[0]), len(blocks)), dtype=object)
    for place, block in enumerate(blocks):
        out[:, place] = block
    return out
