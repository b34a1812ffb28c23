"""Functions of neural networks, and their gradients where those are shorter than what differentiation would find."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..dtypes import to_inexact
from ..errors import ShapeError
from ..expr import Expr, apply
from ..op import Composite, Elementwise, register
from ..spec import as_float, as_ints, normalize_axis
from ..tensor import Tensor, asarray
from ..trace import bind
from . import reduce as R
from .composite import mean
from .contraction import conv, padding_widths
from .creation import full
from .elementwise import exp, log, rsqrt
from .gathering import one_hot
from .movement import pad, sliding_window, stop_gradient

__all__ = [
    "average_pool",
    "conv",
    "elu",
    "gelu",
    "gelu_tanh",
    "hard_sigmoid",
    "layer_norm",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "max_pool",
    "one_hot",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
]

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _sigmoid(x: Expr) -> Expr:
    return 1.0 / (1.0 + apply("exp", -x))


def _softplus(x: Expr) -> Expr:
    return apply("maximum", x, 0.0) + apply("log1p", apply("exp", -apply("abs", x)))


def _where(c: Expr, x: Any, y: Any) -> Expr:
    return apply("where", c, x, y)


def _below(x: Expr) -> Expr:
    """e^x - 1 below 0; the minimum keeps the unused branch from overflowing."""
    return apply("expm1", apply("minimum", x, 0.0))


def _gelu(x: Expr) -> Expr:
    return 0.5 * x * (1.0 + apply("erf", x * math.sqrt(0.5)))


def _gelu_tanh(x: Expr) -> Expr:
    return 0.5 * x * (1.0 + apply("tanh", math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


ACTIVATIONS: dict[str, tuple[Callable[[Expr], Expr], str]] = {}
"""(body, formula) of each activation by name."""


def _activation(name: str, body: str | Callable[[Expr], Expr], formula: str) -> Callable[[Any], Tensor]:
    op = register(Elementwise(name, body, 1, "float"))
    ACTIVATIONS[name] = op.body, formula

    def function(x: Any) -> Tensor:
        return bind(op, (x if isinstance(x, Tensor) else asarray(x),))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{formula}, element by element.\n\n    x: tensor, array or number; integers give float32."
    return function


relu = _activation("relu", "relu", "max(x, 0); the gradient at 0 is 0")
relu6 = _activation("relu6", lambda x: apply("minimum", apply("relu", x), 6.0), "min(max(x, 0), 6)")
leaky_relu = _activation("leaky_relu", lambda x: _where(x > 0.0, x, 0.2 * x), "x where positive, else 0.2 x")
elu = _activation("elu", lambda x: _where(x > 0.0, x, _below(x)), "x where positive, else e^x - 1 (Clevert 2016)")
selu = _activation(
    "selu",
    lambda x: SELU_SCALE * _where(x > 0.0, x, SELU_ALPHA * _below(x)),
    "the self-normalising elu (Klambauer 2017)",
)
sigmoid = _activation("sigmoid", _sigmoid, "1 / (1 + e^-x)")
hard_sigmoid = _activation(
    "hard_sigmoid",
    lambda x: apply("minimum", apply("maximum", x / 6.0 + 0.5, 0.0), 1.0),
    "min(max(x / 6 + 1/2, 0), 1)",
)
softplus = _activation("softplus", _softplus, "log(1 + e^x), without overflow")
softsign = _activation("softsign", lambda x: x / (1.0 + apply("abs", x)), "x / (1 + |x|)")
silu = _activation("silu", lambda x: x * _sigmoid(x), "x * sigmoid(x) (Elfwing 2017)")
gelu = _activation("gelu", _gelu, "x * Phi(x), with the exact normal distribution (Hendrycks 2016)")
gelu_tanh = _activation("gelu_tanh", _gelu_tanh, "gelu with the tanh approximation (Hendrycks 2016)")
log_sigmoid = _activation("log_sigmoid", lambda x: -_softplus(-x), "log(sigmoid(x)), without overflow")


def _softmax_body(x: Tensor, *, axis: int) -> Tensor:
    powers = exp(x - stop_gradient(R.max(x, axis, True)))
    return powers / R.sum(powers, axis, True)


def _softmax_rule(i: int, g: Tensor, out: Tensor, x: Tensor, *, axis: int) -> Tensor:
    return out * (g - R.sum(g * out, axis, True))


def _log_softmax_body(x: Tensor, *, axis: int) -> Tensor:
    shifted = x - stop_gradient(R.max(x, axis, True))
    return shifted - log(R.sum(exp(shifted), axis, True))


def _log_softmax_rule(i: int, g: Tensor, out: Tensor, x: Tensor, *, axis: int) -> Tensor:
    return g - exp(out) * R.sum(g, axis, True)


def _layer_norm_body(x: Tensor, gamma: Tensor, beta: Tensor, *, axis: int, epsilon: float) -> Tensor:
    axes = tuple(range(axis, x.ndim))
    centred = x - mean(x, axes, True)
    return centred * rsqrt(mean(centred * centred, axes, True) + epsilon) * gamma + beta


def _layer_norm_rule(
    i: int, g: Tensor, out: Tensor, x: Tensor, gamma: Tensor, beta: Tensor, *, axis: int, epsilon: float
) -> Tensor:
    """Three sums over the row (Ba, Kiros and Hinton 2016, by the chain rule): of g, of g * xhat, and those of x."""
    axes, lead = tuple(range(axis, x.ndim)), tuple(range(axis))
    if i == 2:
        return R.sum(g, lead)
    centred = x - mean(x, axes, True)
    scale = rsqrt(mean(centred * centred, axes, True) + epsilon)
    unit = centred * scale
    if i == 1:
        return R.sum(g * unit, lead)
    inner = g * gamma
    return scale * (inner - mean(inner, axes, True) - unit * mean(inner * unit, axes, True))


_softmax = register(Composite("softmax", _softmax_body, _softmax_rule))
_log_softmax = register(Composite("log_softmax", _log_softmax_body, _log_softmax_rule))
_layer_norm = register(Composite("layer_norm", _layer_norm_body, _layer_norm_rule))


def softmax(x: Any, axis: int = -1) -> Tensor:
    """``exp(x) / sum(exp(x))`` along an axis, without overflow."""
    tensor = asarray(x)
    return bind(_softmax, (tensor,), {"axis": normalize_axis("softmax", axis, tensor.ndim)})


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """``x - logsumexp(x)`` along an axis: the logarithm of `softmax`, exact where that underflows."""
    tensor = asarray(x)
    return bind(_log_softmax, (tensor,), {"axis": normalize_axis("log_softmax", axis, tensor.ndim)})


def layer_norm(x: Any, gamma: Any, beta: Any, axis: int = -1, epsilon: float = 1e-3) -> Tensor:
    """``(x - mean) / sqrt(var + epsilon) * gamma + beta`` over the axes from ``axis`` on; gamma and beta have their
    shape."""
    tensor = asarray(x)
    return bind(
        _layer_norm,
        (tensor, asarray(gamma), asarray(beta)),
        {
            "axis": normalize_axis("layer_norm", axis, tensor.ndim),
            "epsilon": as_float("layer_norm", "epsilon", epsilon),
        },
    )


def _pooled(who: str, x: Tensor, size: Sequence[int], strides: Any, padding: Any, fill: float) -> Tensor:
    """Windows of an (batch, *space, channels) tensor, as axes at the end."""
    space = x.ndim - 2
    if space < 1:
        raise ShapeError(f"{who}: x must be (batch, *space, channels); got {x.shape}")
    steps = as_ints(who, "strides", size if strides is None else strides, space, 1)
    widths = padding_widths(who, padding, x.shape[1:-1], size, steps, (1,) * space)
    if any(w != (0, 0) for w in widths):
        x = pad(x, ((0, 0), *widths, (0, 0)), fill)
    return sliding_window(x, range(1, 1 + space), size, steps)


def max_pool(x: Any, size: Any, strides: Any = None, padding: Any = "valid") -> Tensor:
    """The greatest element of each window of ``x`` (batch, *space, channels). Padding never wins. Ties share the
    gradient.

    ``size``, ``strides`` (of ``size`` by default): an int, or one per axis of space. ``padding``: as `conv` takes it.
    Raises `ShapeError` where a window does not fit.
    """
    tensor = asarray(x)
    sizes = as_ints("max_pool", "size", size, max(tensor.ndim - 2, 0), 1)
    windows = _pooled("max_pool", tensor, sizes, strides, padding, -math.inf)
    return R.max(windows, tuple(range(tensor.ndim, windows.ndim)))


def average_pool(x: Any, size: Any, strides: Any = None, padding: Any = "valid") -> Tensor:
    """The mean of each window of ``x`` (batch, *space, channels); padding does not count. Arguments as of
    `max_pool`."""
    tensor = asarray(x)
    sizes = as_ints("average_pool", "size", size, max(tensor.ndim - 2, 0), 1)
    windows = _pooled("average_pool", tensor, sizes, strides, padding, 0.0)
    axes = tuple(range(tensor.ndim, windows.ndim))
    total = R.sum(windows, axes)
    if isinstance(padding, str) and padding == "valid":
        return total / float(math.prod(sizes))
    ones = full((1, *tensor.shape[1:-1], 1), 1, to_inexact(tensor.dtype))  # one row: the batch may be symbolic
    return total / R.sum(_pooled("average_pool", ones, sizes, strides, padding, 0.0), axes)
