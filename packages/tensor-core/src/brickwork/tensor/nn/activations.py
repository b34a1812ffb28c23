"""Activations: a scalar expression each, so that they fuse into what makes their argument."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from ..dtypes import is_floating
from ..errors import ShapeError
from ..expr import Expr, apply, arg
from ..op import Elementwise, map_op, register
from ..ops.movement import split
from ..spec import as_bool, as_float
from ..tensor import Tensor, asarray
from ..trace import bind

__all__ = [
    "ACTIVATIONS",
    "celu",
    "elu",
    "gelu",
    "gelu_tanh",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "tanh_shrink",
    "threshold",
]

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
Body = Callable[..., Expr]


def _where(c: Expr, x: Any, y: Any) -> Expr:
    return apply("where", c, x, y)


def _limited(x: Expr, low: float, high: float) -> Expr:
    return apply("minimum", apply("maximum", x, low), high)


def _below(x: Expr) -> Expr:
    """e^x - 1 below 0; the minimum keeps the unused branch from overflowing."""
    return apply("expm1", apply("minimum", x, 0.0))


def _sigmoid(x: Expr) -> Expr:
    return 1.0 / (1.0 + apply("exp", -x))


def _hard_sigmoid(x: Expr) -> Expr:
    return _limited(x / 6.0 + 0.5, 0.0, 1.0)


def _softplus(x: Expr) -> Expr:
    return apply("maximum", x, 0.0) + apply("log1p", apply("exp", -apply("abs", x)))


def _gelu(x: Expr) -> Expr:
    return 0.5 * x * (1.0 + apply("erf", x * math.sqrt(0.5)))


def _gelu_tanh(x: Expr) -> Expr:
    return 0.5 * x * (1.0 + apply("tanh", math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def _celu(x: Expr, alpha: float = 1.0) -> Expr:
    return apply("maximum", x, 0.0) + alpha * _below(x / alpha)


def _leaky_relu(x: Expr, negative_slope: float = 0.2) -> Expr:
    return _where(x > 0.0, x, negative_slope * x)


def _elu(x: Expr, alpha: float = 1.0) -> Expr:
    return _where(x > 0.0, x, _below(x) if alpha == 1.0 else alpha * _below(x))


def _selu(x: Expr) -> Expr:
    return SELU_SCALE * _where(x > 0.0, x, SELU_ALPHA * _below(x))


def _hard_shrink(x: Expr, threshold: float = 0.5) -> Expr:
    return _where(apply("abs", x) <= threshold, 0.0, x)


def _soft_shrink(x: Expr, threshold: float = 0.5) -> Expr:
    return x - _limited(x, -threshold, threshold)


def _squareplus(x: Expr, b: float = 4.0) -> Expr:
    """Below 0 by its conjugate, where the formula would cancel."""
    root = apply("sqrt", x * x + b)
    return _where(x > 0.0, 0.5 * (x + root), 0.5 * b / (root + apply("abs", x)))


def _sparse_plus(x: Expr) -> Expr:
    return _where(x <= -1.0, 0.0, _where(x < 1.0, 0.25 * (x + 1.0) * (x + 1.0), x))


def _threshold(x: Expr, threshold: float, value: float) -> Expr:
    return _where(x <= threshold, value, x)


ACTIVATIONS: dict[str, tuple[Body, str]] = {}
"""(body, formula) of each activation by name."""


class Sigmoid(Elementwise):
    """Its gradient is s * (1 - s) of the output s; by the body it would need the input and the exponential again."""

    def vjp(self, i: int, g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
        if not is_floating(inputs[0].dtype):
            return None
        s = arg(0, out.dtype)
        return bind(map_op, (out, g), {"body": arg(1, out.dtype) * (s * (1.0 - s))})


def _activation(
    name: str, body: str | Body, formula: str, kind: type[Elementwise] = Elementwise
) -> Callable[[Any], Tensor]:
    op = register(kind(name, body, 1, "float"))
    ACTIVATIONS[name] = op.body, formula

    def function(x: Any) -> Tensor:
        return bind(op, (x if isinstance(x, Tensor) else asarray(x),))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{formula}, element by element.\n\n    x: tensor, array or number; integers give float32."
    return function


@lru_cache(maxsize=256)
def _variant(name: str, body: Body, settings: tuple[float, ...]) -> Elementwise:
    """An activation with other settings than the registered one: only its body is used."""
    return Elementwise(name, partial(_with_settings, body, settings), 1, "float")


def _with_settings(body: Body, settings: tuple[float, ...], x: Expr) -> Expr:
    with np.errstate(over="ignore"):  # a setting beyond a narrow dtype is infinite there
        return body(x, *settings)


def _set(name: str, body: Body, x: Any, **settings: Any) -> Tensor:
    """The body with its settings as constants, applied by the op `map`."""
    values = tuple(as_float(name, what, value) for what, value in settings.items())
    tensor = asarray(x)
    return bind(map_op, (tensor,), {"body": _variant(name, body, values).expr(tensor.dtype)})


relu = _activation("relu", "relu", "max(x, 0); the gradient at 0 is 0")
relu6 = _activation("relu6", lambda x: apply("minimum", apply("relu", x), 6.0), "min(max(x, 0), 6)")
selu = _activation("selu", _selu, "the self-normalising elu (Klambauer 2017)")
sigmoid = _activation("sigmoid", _sigmoid, "1 / (1 + e^-x)", Sigmoid)
hard_sigmoid = _activation("hard_sigmoid", _hard_sigmoid, "min(max(x / 6 + 1/2, 0), 1)")
sparse_sigmoid = _activation(
    "sparse_sigmoid", lambda x: _limited(0.5 * x + 0.5, 0.0, 1.0), "min(max((x + 1) / 2, 0), 1)"
)
hard_tanh = _activation("hard_tanh", lambda x: _limited(x, -1.0, 1.0), "min(max(x, -1), 1)")
softplus = _activation("softplus", _softplus, "log(1 + e^x), without overflow")
sparse_plus = _activation("sparse_plus", _sparse_plus, "0 to -1, (x + 1)^2 / 4 to 1, then x")
softsign = _activation("softsign", lambda x: x / (1.0 + apply("abs", x)), "x / (1 + |x|)")
tanh_shrink = _activation("tanh_shrink", lambda x: x - apply("tanh", x), "x - tanh(x)")
silu = _activation("silu", lambda x: x * _sigmoid(x), "x * sigmoid(x) (Elfwing 2017)")
hard_silu = _activation("hard_silu", lambda x: x * _hard_sigmoid(x), "x * hard_sigmoid(x) (Howard 2019)")
mish = _activation("mish", lambda x: x * apply("tanh", _softplus(x)), "x * tanh(softplus(x)) (Misra 2019)")
gelu_tanh = _activation("gelu_tanh", _gelu_tanh, "gelu with the tanh approximation (Hendrycks 2016)")
log_sigmoid = _activation("log_sigmoid", lambda x: -_softplus(-x), "log(sigmoid(x)), without overflow")
_exact_gelu = _activation("gelu", _gelu, "x * Phi(x), with the exact normal distribution (Hendrycks 2016)")
_plain = {
    name: _activation(name, body, formula)
    for name, body, formula in (
        ("leaky_relu", _leaky_relu, "x where positive, else 0.2 x"),
        ("elu", _elu, "x where positive, else e^x - 1 (Clevert 2016)"),
        ("celu", _celu, "max(x, 0) + min(e^x - 1, 0) (Barron 2017)"),
        ("hard_shrink", _hard_shrink, "0 where |x| <= 1/2, else x"),
        ("soft_shrink", _soft_shrink, "x - min(max(x, -1/2), 1/2)"),
        ("squareplus", _squareplus, "(x + sqrt(x^2 + 4)) / 2 (Barron 2021)"),
    )
}
_prelu = register(Elementwise("prelu", lambda x, alpha: _where(x > 0.0, x, alpha * x), 2, "float"))


def gelu(x: Any, approximate: bool = False) -> Tensor:
    """``x * Phi(x)`` with the normal distribution Phi, or its approximation by tanh (Hendrycks and Gimpel 2016);
    integers give float32."""
    return gelu_tanh(x) if as_bool("gelu", "approximate", approximate) else _exact_gelu(x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """``x`` where positive, else ``negative_slope * x``; integers give float32."""
    if type(negative_slope) is float and negative_slope == 0.2:
        return _plain["leaky_relu"](x)
    return _set("leaky_relu", _leaky_relu, x, negative_slope=negative_slope)


def prelu(x: Any, alpha: Any) -> Tensor:
    """``x`` where positive, else ``alpha * x``, with a slope that can be learned: ``alpha`` broadcasts (He 2015)."""
    return bind(_prelu, (asarray(x), alpha if isinstance(alpha, (Tensor, float)) else asarray(alpha)))


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """``x`` where positive, else ``alpha * (e^x - 1)`` (Clevert, Unterthiner and Hochreiter 2016); integers give
    float32."""
    if type(alpha) is float and alpha == 1.0:
        return _plain["elu"](x)
    return _set("elu", _elu, x, alpha=alpha)


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """``max(x, 0) + min(alpha * (e^(x / alpha) - 1), 0)``, smooth at 0 for every alpha > 0 (Barron 2017). Integers give
    float32. Raises `ShapeError` for another alpha."""
    slope = as_float("celu", "alpha", alpha)
    if not slope > 0:
        raise ShapeError(f"celu: alpha must be above 0; got {alpha!r}. Use elu for others")
    return _plain["celu"](x) if slope == 1.0 else _set("celu", _celu, x, alpha=slope)


def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """0 where ``|x| <= threshold``, else ``x``; integers give float32."""
    if type(threshold) is float and threshold == 0.5:
        return _plain["hard_shrink"](x)
    return _set("hard_shrink", _hard_shrink, x, threshold=threshold)


def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """``sign(x) * max(|x| - threshold, 0)``, for a threshold of at least 0; integers give float32."""
    if type(threshold) is float and threshold == 0.5:
        return _plain["soft_shrink"](x)
    return _set("soft_shrink", _soft_shrink, x, threshold=threshold)


def squareplus(x: Any, b: float = 4.0) -> Tensor:
    """``(x + sqrt(x^2 + b)) / 2`` for b > 0, a softplus without exponential (Barron 2021). Integers give float32.
    Raises `ShapeError` for another b."""
    bend = as_float("squareplus", "b", b)
    if not bend > 0:
        raise ShapeError(f"squareplus: b must be above 0; got {b!r}. Use relu for 0")
    return _plain["squareplus"](x) if bend == 4.0 else _set("squareplus", _squareplus, x, b=bend)


def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """``x`` where it is above ``threshold``, else ``default_value``; integers give float32."""
    return _set("threshold", _threshold, x, threshold=threshold, default_value=default_value)


def glu(x: Any, axis: int = -1) -> Tensor:
    """The gated linear unit: the first half of an axis times the sigmoid of the second (Dauphin 2017).

    Raises `ShapeError` where the axis does not divide by two.
    """
    values, gates = split(x, 2, axis)
    return values * sigmoid(gates)
