"""Zeros and ones as a sparse matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["ones_at"]


def ones_at(places: np.ndarray, width: int, dtype: Any) -> sparse.csr_matrix:
    """A CSR matrix (n, width) with a one at each of the places (n, k) of its row, rising; none where a place is -1."""
    held = places >= 0
    ends = np.zeros(len(places) + 1, dtype=np.int64)
    np.cumsum(np.count_nonzero(held, axis=1), out=ends[1:])
    columns = places.ravel() if ends[-1] == places.size else places[held]
    return sparse.csr_matrix((np.ones(len(columns), dtype=dtype), columns, ends), shape=(len(places), width))
