"""Activations: functions of one number with settings, and the softmax family."""

from __future__ import annotations

from typing import Any

import brickwork.tensor as bt
from brickwork.tensor import Tensor, nn

from ..errors import ModelError
from ..registry import translator

translator("Relu")(lambda x, *, consumed_inputs=(): nn.relu(x))
translator("Sigmoid")(lambda x, *, consumed_inputs=(): nn.sigmoid(x))
translator("Softplus")(nn.softplus)
translator("Softsign")(nn.softsign)
translator("Mish", 18)(nn.mish)
translator("HardSwish", 14)(nn.hard_silu)
translator("Elu")(lambda x, *, alpha=1.0, consumed_inputs=(): nn.elu(x, alpha))
translator("Celu", 12)(lambda x, *, alpha=1.0: nn.celu(x, alpha))
translator("LeakyRelu")(lambda x, *, alpha=0.01, consumed_inputs=(): nn.leaky_relu(x, alpha))
translator("ThresholdedRelu", 10)(lambda x, *, alpha=1.0: bt.where(x > alpha, x, 0))
translator("Swish", 24)(lambda x, *, alpha=1.0: x * nn.sigmoid(alpha * x))


@translator("Gelu", 20)
def gelu(x: Tensor, *, approximate: str = "none") -> Tensor:
    if approximate not in ("none", "tanh"):
        raise ModelError(f"Gelu: approximate is none or tanh; got {approximate!r}")
    return nn.gelu(x, approximate == "tanh")


@translator("HardSigmoid")
def hard_sigmoid(x: Tensor, *, alpha: float = 0.2, beta: float = 0.5, consumed_inputs: Any = ()) -> Tensor:
    return bt.clip(alpha * x + beta, 0, 1)


@translator("Selu", 6)
@translator("Selu")
def selu(x: Tensor, *, alpha: float = 1.6732632, gamma: float = 1.0507010, consumed_inputs: Any = ()) -> Tensor:
    return gamma * bt.where(x > 0, x, alpha * bt.expm1(bt.minimum(x, 0)))


@translator("Shrink", 9)
def shrink(x: Tensor, *, lambd: float = 0.5, bias: float = 0.0) -> Tensor:
    return bt.where(x < -lambd, x + bias, bt.where(x > lambd, x - bias, 0)).astype(x.dtype)


@translator("PRelu")
def prelu_of_channels(x: Tensor, slope: Tensor, *, consumed_inputs: Any = ()) -> Tensor:
    """Before op set 7 a slope for each channel, along axis 1, or one for all."""
    return prelu(x, slope if slope.size == 1 else bt.reshape(slope, (-1, *(1,) * (x.ndim - 2))))


@translator("PRelu", 7)
def prelu(x: Tensor, slope: Tensor) -> Tensor:
    return bt.where(x < 0, slope * x, x)


def _trailing(x: Tensor, axis: int) -> tuple[int, ...]:
    """The axes from one on, which before op set 13 counted as one."""
    return tuple(range(axis % x.ndim, x.ndim))


@translator("Softmax")
def softmax_of_rows(x: Tensor, *, axis: int = 1) -> Tensor:
    return nn.softmax(x, _trailing(x, axis))


@translator("Softmax", 13)
def softmax(x: Tensor, *, axis: int = -1) -> Tensor:
    return nn.softmax(x, axis)


@translator("LogSoftmax")
def log_softmax_of_rows(x: Tensor, *, axis: int = 1) -> Tensor:
    return nn.log_softmax(x, _trailing(x, axis))


@translator("LogSoftmax", 13)
def log_softmax(x: Tensor, *, axis: int = -1) -> Tensor:
    return nn.log_softmax(x, axis)


@translator("Hardmax")
def hardmax_of_rows(x: Tensor, *, axis: int = 1) -> Tensor:
    rows = bt.reshape(x, (*x.shape[: axis % x.ndim], -1))
    return bt.reshape(hardmax(rows), x.shape)


@translator("Hardmax", 13)
def hardmax(x: Tensor, *, axis: int = -1) -> Tensor:
    """1 at the first greatest value, 0 elsewhere."""
    best = bt.argmax(bt.moveaxis(x, axis, -1), -1)
    return bt.moveaxis(bt.one_hot(best, x.shape[axis], x.dtype), -1, axis)
