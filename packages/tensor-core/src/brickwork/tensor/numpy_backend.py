"""The CPU by NumPy: the backend that is always there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["NumpyBackend"]


class NumpyBackend:
    """Arrays in host memory."""

    name = "cpu"
    xp = np
    array_type = np.ndarray
    claims: Mapping[str, Callable[..., Any]] = {
        "argmax": lambda x, axis: np.argmax(x, axis=axis),
        "argmin": lambda x, axis: np.argmin(x, axis=axis),
    }

    def available(self) -> str | None:
        return None

    def asarray(self, data: Any, dtype: np.dtype | None = None) -> np.ndarray:
        return np.asarray(data, dtype=dtype)

    def to_numpy(self, data: Any) -> np.ndarray:
        return np.asarray(data)
