"""The same functions by NumPy and the C library, written without Brickwork."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import nn_references
import numpy as np

erf = np.vectorize(math.erf, otypes=[float])


def at_each(function: Any) -> Any:
    """A function of one number in arbitrary precision, over arrays; NaN at poles and where it does not converge."""

    def of_one(x: Any) -> float:
        try:
            return float(mpmath.re(function(mpmath.mpf(float(x)))))
        except (ValueError, mpmath.libmp.NoConvergence):
            return math.nan

    return np.vectorize(of_one, otypes=[float])


def lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except ValueError:  # at its poles
        return math.inf


def digamma(x: Any) -> Any:
    zero = np.where(np.signbit(x), np.inf, -np.inf)
    below = np.where((x < 0) & (np.asarray(x) == np.rint(x)), np.nan, x)
    return np.where(x == 0, zero, np.where(np.isinf(x), np.where(x > 0, x, np.nan), at_each(mpmath.digamma)(below)))


def trigamma(x: Any) -> Any:
    pole = (x <= 0) & (np.asarray(x) == np.rint(x))
    inside = np.where(pole | np.isinf(x), 1.0, x)
    return np.where(pole, np.inf, np.where(np.isposinf(x), 0.0, at_each(lambda v: mpmath.psi(1, v))(inside)))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Any, axis: int) -> Any:
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def layer_norm(x: Any, gamma: Any, beta: Any, axis: int, epsilon: float) -> Any:
    axes = tuple(range(axis, x.ndim))
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + epsilon) * gamma + beta


def conv(x: Any, w: Any, strides: Any, padding: Any, dilations: Any, groups: int = 1) -> Any:
    """By loops over places and taps; x (batch, *space, channels), w (*window, channels / groups, filters)."""
    space = x.ndim - 2
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    spans = [(w.shape[d] - 1) * dilations[d] + 1 for d in range(space)]
    places = [(x.shape[1 + d] - spans[d]) // strides[d] + 1 for d in range(space)]
    per_group, filters = w.shape[-2], w.shape[-1] // groups
    out = np.zeros((x.shape[0], *places, w.shape[-1]), np.result_type(x, w))
    for place in np.ndindex(*places):
        for tap in np.ndindex(*w.shape[:space]):
            at = tuple(p * s + t * d for p, s, t, d in zip(place, strides, tap, dilations, strict=True))
            for g in range(groups):
                inputs = x[(slice(None), *at, slice(g * per_group, (g + 1) * per_group))]
                chosen = slice(g * filters, (g + 1) * filters)
                out[(slice(None), *place, chosen)] += inputs @ w[(*tap, slice(None), chosen)]
    return out


def scatter_add(g: Any, indices: Any, axis: int, size: int) -> Any:
    assert axis == 0
    out = np.zeros((size, *g.shape[indices.ndim :]), g.dtype)
    for place in np.ndindex(*indices.shape):
        out[indices[place]] += g[place]
    return out


def scatter_nd(g: Any, *indices: Any, sizes: Any) -> Any:
    places = np.broadcast_arrays(*indices)
    out = np.zeros((*sizes, *g.shape[places[0].ndim :]), g.dtype)
    for at in np.ndindex(*places[0].shape):
        out[tuple(p[at] for p in places)] += g[at]
    return out


def put(x: Any, value: Any, *indices: Any) -> Any:
    places = np.broadcast_arrays(*indices)
    out = x.copy()
    for at in np.ndindex(*places[0].shape):
        out[tuple(p[at] for p in places)] = value[at]
    return out


def scatter(x: Any, value: Any, *indices: Any, mode: str) -> Any:
    combine = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}[mode]
    places = np.broadcast_arrays(*indices)
    out = x.copy()
    for at in np.ndindex(*places[0].shape):
        row = tuple(p[at] for p in places)
        out[row] = combine(out[row], value[at])
    return out


def set_slice(x: Any, value: Any, start: Any, size: Any, step: Any) -> Any:
    out = x.copy()
    out[np.ix_(*(b + s * np.arange(n) for b, n, s in zip(start, size, step, strict=True)))] = value
    return out


def add_along_axis(g: Any, indices: Any, axis: int, size: int) -> Any:
    out = np.zeros((*g.shape[:axis], size, *g.shape[axis + 1 :]))
    for at in np.ndindex(*g.shape):
        out[(*at[:axis], indices[at], *at[axis + 1 :])] += g[at]
    return out


def sort(x: Any, axis: int, descending: bool) -> Any:
    out = np.sort(x, axis)
    return np.flip(out, axis) if descending else out


def symmetric(x: Any) -> Any:
    return (x + np.swapaxes(x, -1, -2)) / 2


def sliding_window(x: Any, axes: Any, sizes: Any, strides: Any, dilations: Any) -> Any:
    spans = [(k - 1) * d + 1 for k, d in zip(sizes, dilations, strict=True)]
    views = np.lib.stride_tricks.sliding_window_view(x, spans, axes)
    keys: list[Any] = [slice(None)] * views.ndim
    for n, (a, s, d) in enumerate(zip(axes, strides, dilations, strict=True)):
        keys[a], keys[x.ndim + n] = slice(None, None, s), slice(None, None, d)
    return views[tuple(keys)]


def slice_(x: Any, start: Any, size: Any, step: Any) -> Any:
    return x[np.ix_(*(b + s * np.arange(n) for b, n, s in zip(start, size, step, strict=True)))]


def contract(a: Any, b: Any, form: Any) -> Any:
    """The sum of products that a `Form` says, point by point; operands are zero outside their shape."""
    out = np.zeros([form.extents[n] for n in form.out])
    for point in np.ndindex(*form.extents):
        value = 1.0
        for operand, dims in zip((a, b), form.maps, strict=True):
            at = [(d.const + sum(c * i for c, i in zip(d.coeffs, point, strict=True))) / d.div for d in dims]
            inside = all(i == int(i) and 0 <= i < n for i, n in zip(at, operand.shape, strict=True))
            value *= operand[tuple(map(int, at))] if inside else 0.0
        out[tuple(point[n] for n in form.out)] += value
    return out


SELU = (1.0507009873554805, 1.6732632423543772)
REFERENCES: dict[str, Any] = {
    "bitwise_left_shift": np.left_shift,
    "bitwise_right_shift": np.right_shift,
    "bitwise_invert": np.invert,
    "round": np.rint,
    "positive": lambda x: x,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "erf": erf,
    "erfc": np.vectorize(math.erfc, otypes=[float]),
    "erfinv": lambda x: np.where(
        np.abs(x) < 1, at_each(mpmath.erfinv)(x), np.where(np.abs(x) == 1, x * np.inf, np.nan)
    ),
    "logit": lambda x: np.log(x) - np.log1p(-x),
    "xlogy": lambda x, y: np.where((x == 0) & ~np.isnan(y), 0.0, x * np.log(y)),
    "lgamma": np.vectorize(lgamma, otypes=[float]),
    "digamma": digamma,
    "trigamma": trigamma,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.minimum(np.maximum(x, 0), 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: SELU[0] * np.where(x > 0, x, SELU[1] * np.expm1(x)),
    "sigmoid": sigmoid,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: x * 0.5 * (1 + erf(x / math.sqrt(2))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "log_sigmoid": lambda x: -np.logaddexp(-x, 0),
    "map": lambda x, y, body: np.tanh(x * y),
    "iota": lambda shape: np.arange(math.prod(shape)).reshape(shape),
    "identity": lambda x: x,
    "stop_gradient": lambda x: x,
    "after": lambda x, signal: x,
    "slice": slice_,
    "pad": lambda x, widths, value: np.pad(x, widths, constant_values=value),
    "concat": lambda *xs, axis: np.concatenate(xs, axis),
    "sliding_window": sliding_window,
    "scatter_add": scatter_add,
    "cholesky": np.linalg.cholesky,
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "slogdet": np.linalg.slogdet,
    "solve": np.linalg.solve,
    "pinv": lambda x, rtol: np.linalg.pinv(x),
    "cofactors": lambda x: np.linalg.det(x)[..., None, None] * np.swapaxes(np.linalg.inv(x), -1, -2),
    "eig": lambda x: tuple(t.astype(complex) for t in np.linalg.eig(x)),
    "eigvals": lambda x: np.linalg.eigvals(x).astype(complex),
    "eigh": lambda x: np.linalg.eigh(symmetric(x)),
    "eigvalsh": lambda x: np.linalg.eigvalsh(symmetric(x)),
    "svd": lambda x, full: np.linalg.svd(x, full_matrices=full),
    "svdvals": np.linalg.svdvals,
    "qr": lambda x, complete: np.linalg.qr(x, "complete" if complete else "reduced"),
    "fft": lambda x, inverse, **params: (np.fft.ifft if inverse else np.fft.fft)(x, **params),
    "rfft": np.fft.rfft,
    "irfft": np.fft.irfft,
    "gather_nd": lambda x, *indices: x[indices],
    "scatter_nd": scatter_nd,
    "put": put,
    "scatter": scatter,
    "set_slice": set_slice,
    "add_along_axis": add_along_axis,
    "sort": sort,
    "argsort": lambda x, axis, descending: np.argsort(-x if descending else x, axis, kind="stable"),
    "contract": contract,
    "conv": conv,
    "softmax": softmax,
    "log_softmax": lambda x, axis: np.log(softmax(x, axis)),
    "layer_norm": layer_norm,
    **nn_references.ELEMENTWISE,
    **nn_references.COMPOSITE,
}


def reference(op: str) -> Any:
    """The function: ours, or NumPy's of the same name."""
    return REFERENCES[op] if op in REFERENCES else getattr(np, op)
