"""Gradients inside a model and updates of optimizers, as the domain of training has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import brickwork.tensor as bt
from brickwork.tensor import Tensor

from ..registry import translator

DOMAIN = "ai.onnx.preview.training"


def _for_each(inputs: tuple[Tensor, ...], parts: int, update: Callable[..., tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """``update`` of each weight with what goes with it: inputs come as all weights, then all gradients, and so on."""
    count = len(inputs) // parts
    columns = [update(*inputs[k::count]) for k in range(count)]
    return tuple(c[p] for p in range(len(columns[0])) for c in columns)


@translator("Gradient", domain=DOMAIN)
def gradient(
    *inputs: Tensor, body: Callable[..., list[Tensor]], xs: Sequence[str], y: str, zs: Sequence[str] = ()
) -> tuple[Tensor, ...]:
    """That of y by each of ``xs``, at the values of the inputs. ``body``, which the reader adds: the nodes between, as
    a function of ``xs`` and ``zs``."""
    by = inputs[: len(xs)]
    out, pullback = bt.vjp(lambda *values: body(*values, *inputs[len(xs) :])[0], *by)
    return tuple(pullback(bt.ones_like(out)))


@translator("Adagrad", domain=DOMAIN)
def adagrad(
    rate: Tensor,
    step: Tensor,
    *inputs: Tensor,
    decay_factor: float = 0.0,
    epsilon: float = 0.0,
    norm_coefficient: float = 0.0,
) -> tuple[Tensor, ...]:
    """``h = h + g**2; x = x - rate * g / (sqrt(h) + epsilon)`` (Duchi, Hazan and Singer 2011)."""
    decayed = rate / (1 + step.astype(rate.dtype) * decay_factor)

    def update(x: Tensor, g: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        slope = norm_coefficient * x + g
        total = h + slope * slope
        return x - decayed * slope / (bt.sqrt(total) + epsilon), total

    return _for_each(inputs, 3, update)


@translator("Adam", domain=DOMAIN)
def adam(
    rate: Tensor,
    step: Tensor,
    *inputs: Tensor,
    alpha: float = 0.9,
    beta: float = 0.999,
    epsilon: float = 0.0,
    norm_coefficient: float = 0.0,
    norm_coefficient_post: float = 0.0,
) -> tuple[Tensor, ...]:
    """Running means of the gradient and its square (Kingma and Ba 2015), corrected from the second step on."""
    times = step.astype(rate.dtype)
    correction = bt.sqrt(1 - beta**times) / (1 - alpha**times)
    scaled = bt.where(step > 0, rate * correction, rate)

    def update(x: Tensor, g: Tensor, v: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        slope = norm_coefficient * x + g
        mean = alpha * v + (1 - alpha) * slope
        square = beta * h + (1 - beta) * slope * slope
        new = x - scaled * mean / (bt.sqrt(square) + epsilon)
        return (1 - norm_coefficient_post) * new, mean, square

    return _for_each(inputs, 4, update)


@translator("Momentum", domain=DOMAIN)
def momentum(
    rate: Tensor,
    step: Tensor,
    *inputs: Tensor,
    alpha: float,
    beta: float,
    mode: str,
    norm_coefficient: float,
) -> tuple[Tensor, ...]:
    """``v = alpha * v + beta * g; x = x - rate * v``; Nesterov's looks a step ahead. At step 0 beta counts as 1."""
    share = bt.where(step > 0, beta, 1.0).astype(rate.dtype)

    def update(x: Tensor, g: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        slope = norm_coefficient * x + g
        speed = alpha * v + share * slope
        return x - rate * (slope + alpha * speed if mode == "nesterov" else speed), speed

    return _for_each(inputs, 3, update)
