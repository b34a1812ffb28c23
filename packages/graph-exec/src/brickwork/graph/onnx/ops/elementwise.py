"""Arithmetic, comparisons, logic and functions of one number."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor
from brickwork.tensor.dtypes import class_of

from ..errors import ModelError
from ..registry import translator

_UNARY = {
    "Abs": bt.abs, "Acos": bt.acos, "Acosh": bt.acosh, "Asin": bt.asin, "Asinh": bt.asinh, "Atan": bt.atan,
    "Atanh": bt.atanh, "BitwiseNot": bt.bitwise_invert, "Ceil": bt.ceil, "Cos": bt.cos, "Cosh": bt.cosh, "Erf": bt.erf,
    "Exp": bt.exp, "Floor": bt.floor, "IsNaN": bt.isnan, "Log": bt.log, "Neg": bt.negative, "Not": bt.logical_not,
    "Reciprocal": bt.reciprocal, "Round": bt.round, "Sign": bt.sign, "Sin": bt.sin, "Sinh": bt.sinh, "Sqrt": bt.sqrt,
    "Tan": bt.tan, "Tanh": bt.tanh,
}  # fmt: skip
_BINARY = {
    "Add": bt.add, "And": bt.logical_and, "BitwiseAnd": bt.bitwise_and, "BitwiseOr": bt.bitwise_or,
    "BitwiseXor": bt.bitwise_xor, "Greater": bt.greater, "GreaterOrEqual": bt.greater_equal, "Less": bt.less,
    "LessOrEqual": bt.less_equal, "Mul": bt.multiply, "Or": bt.logical_or, "Sub": bt.subtract, "Xor": bt.logical_xor,
}  # fmt: skip


def _register_tables() -> None:
    for name, function in _UNARY.items():
        translator(name)(_unary(function))
    for name, function in _BINARY.items():
        translator(name)(_aligned(function))
        translator(name, 7)(_binary(function))


def _unary(function: Any) -> Any:
    return lambda x, *, consumed_inputs=(): function(x)


def _binary(function: Any) -> Any:
    return lambda x, y: function(x, y)


def _aligned(function: Any) -> Any:
    """Before op set 7 the axes of y stand for those of x from ``axis`` on, and only where ``broadcast`` says so."""

    def translate(
        x: Tensor, y: Tensor, *, axis: int | None = None, broadcast: int = 0, consumed_inputs: Any = ()
    ) -> Any:
        if broadcast and axis is not None:
            after = x.ndim - y.ndim - axis % x.ndim
            y = bt.reshape(y, (*y.shape, *(1,) * after))
        return function(x, y)

    return translate


_register_tables()


def _divide(x: Tensor, y: Tensor) -> Tensor:
    """Of integers without the fraction of the quotient."""
    kind = class_of(x.dtype)
    if kind == "u":
        return bt.floor_divide(x, y)
    if kind != "i":
        return bt.divide(x, y)
    down = bt.floor_divide(x, y)
    inexact = (down * y) != x
    return bt.where(bt.logical_and(inexact, (x < 0) != (y < 0)), down + 1, down)


translator("Div")(_aligned(_divide))
translator("Div", 7)(_binary(_divide))


def _power(x: Tensor, y: Tensor) -> Tensor:
    """In the dtype of x, whatever that of the exponent."""
    if class_of(x.dtype) == "f":
        return bt.power(x, y.astype(x.dtype))
    if class_of(y.dtype) == "f":
        return bt.power(x.astype(y.dtype), y).astype(x.dtype)
    return bt.power(x, y).astype(x.dtype)


translator("Pow")(_aligned(_power))
translator("Pow", 7)(_binary(_power))


@translator("Mod", 10)
def mod(x: Tensor, y: Tensor, *, fmod: int = 0) -> Tensor:
    """With the sign of y; with ``fmod`` as C has it, with that of x."""
    if not fmod:
        return bt.remainder(x, y)
    if class_of(x.dtype) == "u":
        return bt.remainder(x, y)
    size = bt.remainder(bt.abs(x), bt.abs(y))
    return bt.copysign(size, x) if class_of(x.dtype) == "f" else bt.where(x < 0, -size, size)


@translator("Equal")
@translator("Equal", 7)
def equal(x: Any, y: Any, *, axis: int | None = None, broadcast: int = 0) -> Any:
    if isinstance(x, np.ndarray):
        return bt.asarray(np.asarray(x == y, bool))
    return _aligned(bt.equal)(x, y, axis=axis, broadcast=broadcast)


@translator("BitShift", 11)
def bit_shift(x: Tensor, y: Tensor, *, direction: str) -> Tensor:
    if direction not in ("LEFT", "RIGHT"):
        raise ModelError(f"BitShift: the direction is LEFT or RIGHT; got {direction!r}")
    return bt.bitwise_left_shift(x, y) if direction == "LEFT" else bt.bitwise_right_shift(x, y)


@translator("IsInf", 10)
def is_inf(x: Tensor, *, detect_negative: int = 1, detect_positive: int = 1) -> Tensor:
    if detect_negative and detect_positive:
        return bt.isinf(x)
    if not (detect_negative or detect_positive):
        return bt.zeros(x.shape, bool)
    return x == (float("inf") if detect_positive else -float("inf"))


def _folded(function: Any) -> Any:
    return lambda *xs, consumed_inputs=(): reduce(function, xs)


for _name, _function in {"Max": bt.maximum, "Min": bt.minimum, "Sum": bt.add}.items():
    translator(_name)(_folded(_function))


@translator("Mean")
def mean(*xs: Tensor, consumed_inputs: Any = ()) -> Tensor:
    return reduce(bt.add, xs) / len(xs)


@translator("Where", 9)
def where(condition: Tensor, x: Any, y: Any) -> Any:
    if isinstance(x, np.ndarray):
        return np.where(condition.numpy(), x, y)
    return bt.where(condition, x, y)


@translator("Clip", 1)
def clip_by_attributes(
    x: Tensor, *, min: float | None = None, max: float | None = None, consumed_inputs: Any = ()
) -> Any:
    return bt.clip(x, min, max)


@translator("Clip", 11)
def clip(x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    return bt.clip(x, low, high)
