"""`Optimizer`: the state beside the weights, and one step of them.

The arithmetic of an optimizer is a pure function of a weight, its gradient and its slots (`rule`), so that a compiler
fuses the whole step into
one pass over each weight. Numbers such as the learning rate are variables: changing one does not compile again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from brickwork.tensor import Tensor, Variable, asarray, clip, minimum, sqrt, square, stack, sum

from ..errors import LayerError
from ..naming import auto_name
from ..serialization import Configurable

__all__ = ["Optimizer"]


class Optimizer(Configurable):
    """Base: subclasses name their ``slots``, compute per-step ``scalars`` and define the ``rule``.

    ``weight_decay``: each step first takes ``w * weight_decay * learning_rate`` off the weights (Loshchilov and Hutter
    2019). ``clipnorm``: the greatest
    norm of each gradient. ``global_clipnorm``: of all of them together. ``clipvalue``: the greatest element. At most
    one of the three.
    """

    kind = "optimizer"
    slots: tuple[str, ...] = ()

    def __init__(
        self,
        learning_rate: float = 0.01,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
    ):
        if sum_of_set(clipnorm, clipvalue, global_clipnorm) > 1:
            raise LayerError(
                f"{type(self).__name__}: at most one of clipnorm, clipvalue, global_clipnorm; got {clipnorm}, "
                f"{clipvalue}, {global_clipnorm}"
            )
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay, self.clipnorm, self.clipvalue, self.global_clipnorm = (
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
        )
        self.iterations = Variable(np.int64(0), name="iteration", trainable=False)
        self._learning_rate = Variable(
            _positive(self, "learning_rate", learning_rate), name="learning_rate", trainable=False, dtype="float32"
        )
        self._slots: dict[int, tuple[Variable, tuple[Variable, ...]]] = {}
        self._undecayed: list[Variable] = []

    @property
    def learning_rate(self) -> Variable:
        """The step size; assigning a number changes it at once."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._learning_rate.assign(asarray(value, "float32"))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Slots are found by the identity of their weight, which a copy has anew."""
        self.__dict__.update(state)
        self._slots = {id(w): (w, slots) for w, slots in state["_slots"].values()}

    @property
    def built(self) -> bool:
        return bool(self._slots)

    @property
    def variables(self) -> list[Variable]:
        """The iteration count, the learning rate, then the slots of each weight in turn."""
        return [self.iterations, self._learning_rate, *(slot for _, slots in self._slots.values() for slot in slots)]

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots of weights that have none yet, all zero."""
        for w in variables:
            if id(w) not in self._slots:
                path = getattr(w, "path", w.name).replace("/", "_")
                made = tuple(
                    Variable(np.zeros(w.shape, w.dtype), name=f"{path}_{slot}", trainable=False) for slot in self.slots
                )
                self._slots[id(w)] = (w, made)

    def slot_values(self) -> dict[str, list[Variable]]:
        """The slots by name, each in the order of the weights."""
        return {slot: [own[k] for _, own in self._slots.values()] for k, slot in enumerate(self.slots)}

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Weights that do not decay: these, and those whose path holds one of these texts. Call it before training."""
        self._undecayed += list(var_list or ())
        self._undecayed_names = tuple(var_names or ())

    _undecayed_names: tuple[str, ...] = ()

    def scalars(self, learning_rate: Tensor, step: Tensor) -> tuple[Any, ...]:
        """What a step needs beside the slots, once for all weights. ``step`` counts from 1, float32."""
        return (learning_rate,)

    def rule(self, w: Tensor, g: Tensor, scalars: tuple[Any, ...], *slots: Tensor) -> tuple[Tensor, ...]:
        """The weight and the slots after the step."""
        raise NotImplementedError(f"{type(self).__name__}: define rule(self, w, g, scalars, *slots)")

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step. ``grads``: one gradient per variable; None leaves its variable alone."""
        weights = [w for w, _ in self._slots.values()] if trainable_variables is None else list(trainable_variables)
        if len(grads) != len(weights):
            raise LayerError(
                f"{type(self).__name__}: needs one gradient per variable; got {len(grads)} for {len(weights)}"
            )
        self.build(weights)
        pairs = [(asarray(g), w) for g, w in zip(grads, weights, strict=True) if g is not None]
        step = self.iterations.value + 1
        rate = self._learning_rate.value
        scalars = self.scalars(rate, step.astype("float32"))
        for g, w in zip(self._clipped([g for g, _ in pairs]), [w for _, w in pairs], strict=True):
            own = self._slots[id(w)][1]
            value = w.value
            if self.weight_decay is not None and self._decays(w):
                value = value - value * self.weight_decay * rate
            after = self.rule(value, g.astype(w.dtype), scalars, *(s.value for s in own))
            bound = getattr(w, "constraint", None)
            w.assign(_like(after[0] if bound is None else bound(after[0]), w))
            for slot, new in zip(own, after[1:], strict=True):
                slot.assign(_like(new, slot))
        self.iterations.assign(step)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """As `apply`, from (gradient, variable) pairs."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)

    def _decays(self, w: Variable) -> bool:
        path = getattr(w, "path", w.name)
        return not any(w is v for v in self._undecayed) and not any(name in path for name in self._undecayed_names)

    def _clipped(self, grads: list[Tensor]) -> list[Tensor]:
        if self.clipvalue:
            return [clip(g, -float(self.clipvalue), float(self.clipvalue)) for g in grads]
        if self.clipnorm:
            return [g * _shrink(sum(square(g)), self.clipnorm) for g in grads]
        if self.global_clipnorm and grads:
            total = sum(stack([sum(square(g)) for g in grads]))
            return [g * _shrink(total, self.global_clipnorm) for g in grads]
        return grads

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": float(self._learning_rate.numpy()),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "clipvalue": self.clipvalue,
            "global_clipnorm": self.global_clipnorm,
            "name": self.name,
        }


def _shrink(squares: Tensor, limit: float) -> Tensor:
    """The factor that brings a norm, given as the sum of squares, to at most ``limit``; 1 for a gradient of zeros."""
    return minimum(float(limit) / sqrt(squares), 1.0)


def _like(value: Tensor, variable: Variable) -> Tensor:
    return value if value.dtype == variable.dtype else value.astype(variable.dtype)


def sum_of_set(*values: Any) -> int:
    return len([v for v in values if v is not None])


def _positive(optimizer: Optimizer, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not value >= 0:
        raise LayerError(f"{type(optimizer).__name__}: {name} must be a number of at least 0; got {value!r}. Try 0.001")
    return float(value)
