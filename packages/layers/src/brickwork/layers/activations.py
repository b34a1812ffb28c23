"""Activation functions by name, as ``keras.activations``: each takes a tensor and gives one of the same shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from brickwork.tensor import Tensor, asarray, exp, minimum, nn, tanh, where
from brickwork.tensor.nn import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh_shrink,
    threshold,
)

from .errors import LayerError, unknown
from .serialization import registered_function, registered_name

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]

Activation = Callable[[Any], Tensor]

swish, hard_swish = silu, hard_silu


def linear(x: Any) -> Tensor:
    """x itself."""
    return asarray(x)


def exponential(x: Any) -> Tensor:
    """``e ** x``."""
    return exp(asarray(x))


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """``x`` above ``threshold``, at most ``max_value``; below it ``negative_slope * (x - threshold)``."""
    if negative_slope == 0.0 and max_value is None and threshold == 0.0:
        return nn.relu(x)
    x = asarray(x)
    below = (x - threshold) * negative_slope if negative_slope else 0.0
    out = where(x > threshold, x, below)
    return out if max_value is None else minimum(out, max_value)


def softmax(x: Any, axis: int = -1) -> Tensor:
    """``exp(x) / sum(exp(x))`` along ``axis``."""
    return nn.softmax(x, axis)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """The logarithm of `softmax`."""
    return nn.log_softmax(x, axis)


FUNCTIONS: Mapping[str, Activation] = {
    f.__name__: f
    for f in (
        *(celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear),
        *(log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign),
        *(sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink, threshold),
    )
}
ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}


def get(identifier: Any) -> Activation:
    """The function of a name (None is `linear`); functions come back as they are. Raises `LayerError` for a name that
    none has.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        name = ALIASES.get(identifier, identifier)
        found = FUNCTIONS.get(name) or registered_function(name)
        if found is None:
            raise unknown("activation", identifier, FUNCTIONS)
        return found
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if callable(identifier):
        return identifier
    raise LayerError(
        f"activation: must be a name or a function of one tensor; got {identifier!r}. Use activation='relu', say"
    )


def serialize(activation: Activation) -> Any:
    """The name of a function. Raises `LayerError` for a function that has none, such as a lambda."""
    name = next((n for n, f in FUNCTIONS.items() if f is activation), None) or registered_name(activation)
    if name is None:
        raise LayerError(
            f"activation: must have a name to be saved; got {activation!r}. Put @register_serializable() above its "
            "definition"
        )
    return name


def deserialize(config: Any) -> Activation:
    """The function that `serialize` named."""
    return get(config)
