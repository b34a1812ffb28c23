"""Gated recurrent units."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import matmul, split

from .. import activations
from .cell import Noise, RecurrentCell, product
from .recurrent import Recurrent

__all__ = ["GRU", "GRUCell"]


class GRUCell(RecurrentCell):
    """Gates z and r and a candidate g, in this order along the last axis; then ``h = z * h + (1 - z) * g`` (Cho 2014).

    z and r pass through ``recurrent_activation``, ``g = activation(x_g + r * (h @ kernel_g + bias_g))`` with
    ``reset_after`` (then ``bias`` is (2, 3 * units): of inputs, of states), else ``activation(x_g + (r * h) @
    kernel_g)``. State: h (batch, units).
    """

    gates = 3
    options = (*RecurrentCell.options, "recurrent_activation", "reset_after")

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0, reset_after: bool = True,
        seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        roles = {
            "kernel": (kernel_initializer, kernel_regularizer, kernel_constraint),
            "recurrent": (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        super().__init__(units, activation, use_bias, roles, dropout, recurrent_dropout, seed, **kwargs)
        self.recurrent_activation, self.reset_after = activations.get(recurrent_activation), reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _input_bias(self) -> Any:
        return self.bias[0] if self.reset_after else self.bias

    def step(self, row: Any, states: Any, noise: Noise) -> tuple[Any, list[Any]]:
        (h,) = states
        z, r, g = split(row, 3, axis=-1)
        if self.reset_after:
            inner = product(h, self.recurrent_kernel, noise.states)
            inner = inner if self.bias is None else inner + self.bias[1]
            own_z, own_r, own_g = split(inner, 3, axis=-1)
            r = self.recurrent_activation(r + own_r)
            own_g = r * own_g
        else:
            both, last = self.recurrent_kernel[:, : 2 * self.units], self.recurrent_kernel[:, 2 * self.units :]
            own_z, own_r = split(product(h, both, noise.states[:2]), 2, axis=-1)
            r = self.recurrent_activation(r + own_r)
            own_g = matmul(r * (h * noise.states[-1] if noise.states else h), last)
        z = self.recurrent_activation(z + own_z)
        h = z * h + (1.0 - z) * self.activation(g + own_g)
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
        }


class GRU(Recurrent):
    """`GRUCell` along (batch, steps, n); see `RNN`."""

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: int | None = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        reset_after: bool = True, **kwargs: Any,
    ):  # fmt: skip
        cell = GRUCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout, reset_after, seed,
            dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True), name="gru_cell",
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
