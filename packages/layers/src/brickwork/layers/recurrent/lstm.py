"""Long short-term memory."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import concat, ones, split

from .. import activations
from .cell import Noise, RecurrentCell, product
from .recurrent import Recurrent

__all__ = ["LSTM", "LSTMCell"]


class LSTMCell(RecurrentCell):
    """Gates i, f, g, o of ``x @ kernel + h @ recurrent_kernel + bias``, in this order along its last axis; then
    ``c = f * c + i * g`` and ``h = o * activation(c)`` (Hochreiter and Schmidhuber 1997, Gers 2000).

    g passes through ``activation``, the others through ``recurrent_activation``. States: h and c, each (batch, units).
    ``unit_forget_bias``: the bias of f starts at 1 (Jozefowicz 2015).
    """

    gates = 4
    options = (*RecurrentCell.options, "recurrent_activation", "unit_forget_bias")

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        roles = {
            "kernel": (kernel_initializer, kernel_regularizer, kernel_constraint),
            "recurrent": (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        super().__init__(units, activation, use_bias, roles, dropout, recurrent_dropout, seed, **kwargs)
        self.recurrent_activation, self.unit_forget_bias = activations.get(recurrent_activation), unit_forget_bias
        self.state_size = [units, units]

    def _first_bias(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer

        def initializer(shape: Any, dtype: Any) -> Any:
            parts = (self.bias_initializer((n * self.units,), dtype=dtype) for n in (1, 2))
            return concat([next(parts), ones((self.units,), dtype), next(parts)], 0)

        return initializer

    def step(self, row: Any, states: Any, noise: Noise) -> tuple[Any, list[Any]]:
        h, c = states
        i, f, g, o = split(row + product(h, self.recurrent_kernel, noise.states), 4, axis=-1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(g)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }


class LSTM(Recurrent):
    """`LSTMCell` along (batch, steps, n); see `RNN`."""

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None,
        return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False,
        stateful: bool = False, unroll: bool = False, **kwargs: Any,
    ):  # fmt: skip
        cell = LSTMCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer,
            kernel_constraint, recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed,
            dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True), name="lstm_cell",
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
