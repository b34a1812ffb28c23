"""What cells have in common: weights, dropout, and the split into work for all steps at once and for each in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from brickwork.tensor import Tensor, concat, matmul, nn, ones, split, zeros

from .. import activations
from ..checks import positive, rates
from ..errors import LayerError
from ..layer import Layer
from ..seeds import generator
from ..weights import add_role, keep_roles, roles_config

__all__ = ["Parts", "RecurrentCell", "parts_of", "product"]

ROLES = ("kernel", "recurrent", "bias")


@dataclass(frozen=True, slots=True)
class Noise:
    """What inputs and states are multiplied by while training, the same at every step: one tensor for all gates, or one
    for each; none where nothing is dropped."""

    inputs: tuple[Tensor, ...] = ()
    states: tuple[Tensor, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """A cell in a loop: ``project`` takes inputs of any number of leading axes to rows, ``step(row, states)`` gives
    (output, states). ``output``: finds the output among the states, where it is one of them."""

    project: Callable[[Any], Any]
    step: Callable[[Any, Any], tuple[Any, Any]]
    output: Callable[[Any], Any] | None = None


def product(x: Any, kernel: Any, factors: tuple[Tensor, ...]) -> Tensor:
    """``x @ kernel`` with ``x`` multiplied by one factor, or by another one for each of the parts of the kernel."""
    if len(factors) < 2:
        return matmul(x * factors[0] if factors else x, kernel)
    parts = split(kernel, len(factors), axis=1)
    return concat([matmul(x * f, part) for f, part in zip(factors, parts, strict=True)], -1)


class RecurrentCell(Layer):
    """Base of the cells: ``kernel`` (n, gates * units), ``recurrent_kernel`` (units, gates * units), ``bias``.

    Subclasses say how many ``gates`` they have and define ``step(row, states, noise)``. ``dropout`` and
    ``recurrent_dropout``: the parts of inputs and of states that are dropped while training, the same ones at every
    step (Gal and Ghahramani 2016).
    """

    gates = 1
    options: tuple[str, ...] = (
        "units", "activation", "use_bias", "dropout", "recurrent_dropout", "seed",
        *(f"{role}_{kind}" for kind in ("initializer", "regularizer", "constraint") for role in ROLES),
    )  # fmt: skip

    def __init__(
        self, units: int, activation: Any, use_bias: bool, roles: Mapping[str, tuple[Any, Any, Any]], dropout: float,
        recurrent_dropout: float, seed: int | None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        who = type(self).__name__
        positive(who, units=units)
        rates(who, dropout=dropout, recurrent_dropout=recurrent_dropout)
        self.units, self.use_bias, self.seed = units, use_bias, seed
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.activation = activations.get(activation)
        keep_roles(self, **roles)
        self.seed_generator = generator(seed) if dropout or recurrent_dropout else None
        self.state_size: Any = units
        self.output_size = units
        self.bias: Any = None

    # weights
    def build(self, input_shape: Any) -> None:
        if input_shape[-1] is None:
            raise LayerError(f"{type(self).__name__}: the last axis of its input must have a known size; got "
                             f"{tuple(input_shape)}. Give Input() that size")  # fmt: skip
        wide = self.gates * self.units
        self.kernel = add_role(self, "kernel", (input_shape[-1], wide))
        self.recurrent_kernel = add_role(self, "recurrent", (self.units, wide), "recurrent_kernel")
        if self.use_bias:
            self.bias = add_role(self, "bias", self._bias_shape(), initializer=self._first_bias())

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _first_bias(self) -> Any:
        return self.bias_initializer

    # a step
    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Zeros (batch, units), one for each state."""
        count = len(self.state_size) if isinstance(self.state_size, list) else 1
        return [zeros((batch_size, self.units), self.compute_dtype) for _ in range(count)]

    def parts(self, batch: Any, features: int, training: bool) -> Parts:
        """The cell in a loop, with what it drops there."""
        noise = self._noise(batch, features) if training and self.seed_generator is not None else Noise()
        return Parts(partial(self.project, noise=noise), partial(self.step, noise=noise), itemgetter(0))

    def project(self, x: Any, noise: Noise) -> Any:
        """What the inputs add to the gates: (..., n) to (..., gates * units)."""
        out = product(x, self.kernel, noise.inputs)
        return out if self.bias is None else out + self._input_bias()

    def _input_bias(self) -> Any:
        return self.bias

    def step(self, row: Any, states: Any, noise: Noise) -> tuple[Any, list[Any]]:
        """One step, from a row of `project` and the states before: (output, states)."""
        raise NotImplementedError(f"{type(self).__name__}: define step(self, row, states, noise)")

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        parts = self.parts(inputs.shape[0], inputs.shape[-1], training)
        several = isinstance(states, (list, tuple))
        out, after = parts.step(parts.project(inputs), states if several else [states])
        return out, after if several else after[0]

    def _noise(self, batch: Any, features: int) -> Noise:
        """Gates drop what they like where states are dropped too, else all the same, as in Keras."""
        count = self.gates if self.recurrent_dropout else 1

        def factors(rate: float, size: int) -> tuple[Tensor, ...]:
            whole = ones((batch, size), self.compute_dtype)
            return tuple(nn.dropout(whole, rate, self.seed_generator.next()) for _ in range(count if rate else 0))

        return Noise(factors(self.dropout, features), factors(self.recurrent_dropout, self.units))

    # data
    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        shape = (input_shape[0], self.units)
        return shape, [shape] * (len(self.state_size) if isinstance(self.state_size, list) else 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **roles_config(self, *ROLES),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }


def parts_of(cell: Any, batch: Any, features: int, training: bool) -> Parts:
    """`Parts` of any cell; one written by a person takes its inputs as they are and does all its work in a step."""
    if hasattr(cell, "parts"):
        found: Parts = cell.parts(batch, features, training)
        return found

    def step(row: Any, states: Any) -> tuple[Any, list[Any]]:
        output, after = cell(row, list(states))
        return output, list(after) if isinstance(after, (list, tuple)) else [after]

    return Parts(lambda x: x, step)
