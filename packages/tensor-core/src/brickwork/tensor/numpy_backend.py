"""The CPU by NumPy: the backend that is always there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["NumpyBackend"]


def softmax(x: Any, axis: int | tuple[int, ...]) -> Any:
    """In two passes over memory of its own, where the body of the op makes four arrays; the same bits."""
    if x.dtype not in (np.float32, np.float64):
        return NotImplemented
    out = np.subtract(x, np.maximum.reduce(x, axis, keepdims=True))
    np.exp(out, out=out)
    return np.divide(out, np.add.reduce(out, axis, keepdims=True), out=out)


class NumpyBackend:
    """Arrays in host memory."""

    name = "cpu"
    xp = np
    array_type = np.ndarray
    claims: Mapping[str, Callable[..., Any]] = {
        "argmax": lambda x, axis: np.argmax(x, axis=axis),
        "argmin": lambda x, axis: np.argmin(x, axis=axis),
        "softmax": softmax,
    }

    def available(self) -> str | None:
        return None

    def asarray(self, data: Any, dtype: np.dtype | None = None) -> np.ndarray:
        return np.asarray(data, dtype=dtype)

    def to_numpy(self, data: Any) -> np.ndarray:
        return np.asarray(data)
