"""Functions of neural networks by NumPy, place by place, written without Brickwork."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def squareplus(x: Any) -> Any:
    """By the conjugate below 0, where the formula cancels."""
    root = np.sqrt(x * x + 4)
    return np.where(x > 0, (x + root) / 2, 2 / (root + np.abs(x)))


def sparsemax(x: Any) -> Any:
    """By bisection for the threshold."""
    low, high = x.max(-1, keepdims=True) - 1, x.max(-1, keepdims=True)
    for _ in range(80):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(-1, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


def masked_softmax(x: Any, axis: Any) -> Any:
    powers = np.exp(x - np.maximum(x.max(axis=axis, keepdims=True), -1e300))
    return powers / np.maximum(powers.sum(axis=axis, keepdims=True), 1e-300)


def standardize(x: Any, axes: Any, epsilon: float) -> Any:
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)


def rms_norm(x: Any, axes: Any, epsilon: float) -> Any:
    return x / np.sqrt((x * x).mean(axis=axes, keepdims=True) + epsilon)


ELEMENTWISE: dict[str, Any] = {
    "celu": lambda x: np.maximum(x, 0) + np.minimum(np.expm1(np.minimum(x, 0)), 0),
    "hard_shrink": lambda x: np.where(np.abs(x) <= 0.5, 0, x),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "mish": lambda x: x * np.tanh(np.logaddexp(x, 0)),
    "prelu": lambda x, alpha: np.where(x > 0, x, alpha * x),
    "soft_shrink": lambda x: x - np.clip(x, -0.5, 0.5),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: np.clip(x / 2 + 0.5, 0, 1),
    "squareplus": squareplus,
    "tanh_shrink": lambda x: x - np.tanh(x),
}
COMPOSITE: dict[str, Any] = {
    "masked_softmax": masked_softmax,
    "rms_norm": rms_norm,
    "sparsemax": sparsemax,
    "standardize": standardize,
}


def conv_transpose(x: Any, w: Any, strides: Any, before: Any, places: Any, dilations: Any, groups: int = 1) -> Any:
    """Every element of ``x`` adds its window to the result, which is then cut; w: (*window, filters / groups,
    channels)."""
    space = x.ndim - 2
    per_group, filters = x.shape[-1] // groups, w.shape[-2]
    spans = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(x.shape[1:-1], strides, w.shape, dilations)]
    whole = np.zeros((x.shape[0], *(max(n, b + p) for n, b, p in zip(spans, before, places)), filters * groups))
    for place in np.ndindex(*x.shape[1:-1]):
        for tap in np.ndindex(*w.shape[:space]):
            at = tuple(p * s + t * d for p, s, t, d in zip(place, strides, tap, dilations))
            for g in range(groups):
                mine = slice(g * per_group, (g + 1) * per_group)
                given = x[(slice(None), *place, mine)] @ w[(*tap, slice(None), mine)].T
                whole[(slice(None), *at, slice(g * filters, (g + 1) * filters))] += given
    return whole[(slice(None), *(slice(b, b + p) for b, p in zip(before, places)))]


def pool(x: Any, size: Any, strides: Any, reduce: Any) -> Any:
    """Windows of a picture without padding."""
    views = np.lib.stride_tricks.sliding_window_view(x, size, (1, 2))[:, :: strides[0], :: strides[1]]
    return reduce(views, axis=(-2, -1))


def adaptive_pool(x: Any, places: int, reduce: Any) -> Any:
    """Along the only axis of space."""
    n = x.shape[1]
    parts = [x[:, i * n // places : math.ceil((i + 1) * n / places)] for i in range(places)]
    return np.stack([reduce(p, axis=1) for p in parts], 1)


def keys(t: float, a: float) -> float:
    t = abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0


def lanczos(t: float, reach: int) -> float:
    return float(np.sinc(t) * np.sinc(t / reach)) if abs(t) < reach else 0.0


KERNELS: dict[str, Any] = {
    "linear": lambda t: max(1 - abs(t), 0),
    "cubic": lambda t: keys(t, -0.5),
    "lanczos3": lambda t: lanczos(t, 3),
}


def resize(x: Any, places: int, kernel: str, antialias: bool = False) -> Any:
    """Along the only axis of space, half-pixel, weights outside dropped."""
    n, out = x.shape[1], []
    wide = max(1.0, n / places) if antialias else 1.0
    for o in range(places):
        at = (o + 0.5) * n / places - 0.5
        weights = [KERNELS[kernel]((i - at) / wide) for i in range(n)]
        out.append(sum(w * x[:, i] for i, w in enumerate(weights)) / sum(weights))
    return np.stack(out, 1)


def resize_repeated(x: Any, places: int) -> Any:
    """Cubic of -0.75, the last place repeated outside, corners on corners."""
    n, out = x.shape[1], []
    for o in range(places):
        at = o * (n - 1) / (places - 1)
        near = range(math.floor(at) - 1, math.floor(at) + 3)
        out.append(sum(keys(i - at, -0.75) * x[:, min(max(i, 0), n - 1)] for i in near))
    return np.stack(out, 1)


def attention(q: Any, k: Any, v: Any, allowed: Any = True, bias: Any = 0.0) -> Any:
    """(heads, L, width), (heads, S, width), (heads, S, values); a query that may see nothing gives 0."""
    scores = q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1]) + bias
    powers = np.where(allowed, np.exp(scores - scores.max(-1, keepdims=True)), 0.0)
    total = powers.sum(-1, keepdims=True)
    return (powers / np.where(total == 0, 1, total)) @ v


def log_softmax(x: Any) -> Any:
    return x - np.log(np.exp(x).sum(-1, keepdims=True))
