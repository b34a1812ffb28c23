"""Softmax and its logarithm, with gradients shorter than what differentiation would find."""

from __future__ import annotations

from typing import Any

from ..op import Composite, register
from ..ops import reduce as R
from ..ops.elementwise import exp, isfinite, log
from ..ops.elementwise import where as select
from ..ops.movement import stop_gradient
from ..spec import normalize_axes, normalize_axis
from ..tensor import Tensor, asarray
from ..trace import bind

__all__ = ["log_softmax", "masked_softmax", "softmax"]

Axis = int | tuple[int, ...]


def _softmax_body(x: Tensor, *, axis: Axis) -> Tensor:
    powers = exp(x - stop_gradient(R.max(x, axis, True)))
    return powers / R.sum(powers, axis, True)


def _softmax_rule(i: int, g: Tensor, out: Tensor, x: Tensor, *, axis: Axis) -> Tensor:
    return out * (g - R.sum(g * out, axis, True))


def _masked_body(x: Tensor, *, axis: Axis) -> Tensor:
    """Where a whole row is -inf, no power is above 0, and nothing is divided by 0."""
    top = stop_gradient(R.max(x, axis, True))
    powers = exp(x - select(isfinite(top), top, 0.0))
    total = R.sum(powers, axis, True)
    return powers / select(total == 0.0, 1.0, total)


def _log_softmax_body(x: Tensor, *, axis: Axis) -> Tensor:
    shifted = x - stop_gradient(R.max(x, axis, True))
    return shifted - log(R.sum(exp(shifted), axis, True))


def _log_softmax_rule(i: int, g: Tensor, out: Tensor, x: Tensor, *, axis: Axis) -> Tensor:
    return g - exp(out) * R.sum(g, axis, True)


_softmax = register(Composite("softmax", _softmax_body, _softmax_rule))
_masked_softmax = register(Composite("masked_softmax", _masked_body, _softmax_rule))
_log_softmax = register(Composite("log_softmax", _log_softmax_body, _log_softmax_rule))


def _axes(who: str, axis: Any, ndim: int) -> Axis:
    return normalize_axes(who, axis, ndim) if isinstance(axis, (tuple, list)) else normalize_axis(who, axis, ndim)


def masked_softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    """`softmax` of rows in which -inf means "not there": a row without anything gives zeros, where softmax gives
    NaN."""
    return bind(_masked_softmax, (x,), {"axis": _axes("softmax", axis, x.ndim)})


def softmax(x: Any, axis: int | tuple[int, ...] = -1, where: Any = None) -> Tensor:
    """``exp(x) / sum(exp(x))`` along an axis (or several), without overflow.

    ``where``: booleans that broadcast to ``x``; elements where they are False count as absent and give 0, and so does
    a row in which all are.
    """
    tensor = asarray(x)
    if where is not None:
        return masked_softmax(select(where, tensor, float("-inf")), axis)
    return bind(_softmax, (tensor,), {"axis": _axes("softmax", axis, tensor.ndim)})


def log_softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Tensor:
    """``x - logsumexp(x)`` along an axis (or several): the logarithm of `softmax`, exact where that underflows."""
    tensor = asarray(x)
    return bind(_log_softmax, (tensor,), {"axis": _axes("log_softmax", axis, tensor.ndim)})
