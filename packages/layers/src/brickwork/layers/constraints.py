"""Bounds that weights are brought back to after each step, as ``keras.constraints``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brickwork.tensor import Tensor, asarray, clip, maximum, sqrt, square, sum

from .errors import LayerError, unknown
from .naming import snake_case
from .serialization import Configurable, known
from .serialization import deserialize as _deserialize
from .serialization import serialize as _serialize

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "serialize"]

EPSILON = 1e-7


class Constraint(Configurable):
    """Base: subclasses define ``__call__(w)``, which gives the weight in bounds."""

    kind = "constraint"

    def __call__(self, w: Any) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__}: define __call__(self, w)")


def _norm(w: Tensor, axis: Any) -> Tensor:
    return sqrt(sum(square(w), axis, True))


class MaxNorm(Constraint):
    """Norm along ``axis`` at most ``max_value``."""

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Tensor:
        w = asarray(w)
        norms = _norm(w, self.axis)
        return w * (clip(norms, 0.0, float(self.max_value)) / (norms + EPSILON))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Nothing below 0."""

    def __call__(self, w: Any) -> Tensor:
        return maximum(asarray(w), 0.0)


class UnitNorm(Constraint):
    """Norm along ``axis`` 1."""

    def __init__(self, axis: int | Sequence[int] = 0):
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w = asarray(w)
        return w / (_norm(w, self.axis) + EPSILON)

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Norm along ``axis`` brought ``rate`` of the way into [``min_value``, ``max_value``]."""

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Tensor:
        w = asarray(w)
        norms = _norm(w, self.axis)
        wanted = self.rate * clip(norms, float(self.min_value), float(self.max_value)) + (1 - self.rate) * norms
        return w * (wanted / (norms + EPSILON))

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


def get(identifier: Any) -> Any:
    """The constraint of a name, class, config or function; None stays None."""
    if identifier is None or isinstance(identifier, Constraint):
        return identifier
    if isinstance(identifier, str):
        table = {**{snake_case(n): c for n, c in known("constraint").items()}, **known("constraint")}
        if identifier not in table:
            raise unknown("constraint", identifier, table)
        return table[identifier]()
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if callable(identifier):
        return identifier() if isinstance(identifier, type) else identifier
    raise LayerError(
        f"constraint: must be a name or a function of a weight; got {identifier!r}. Use kernel_constraint='max_norm', "
        "say"
    )


def serialize(constraint: Constraint) -> dict[str, Any]:
    """Its class name and config."""
    return _serialize(constraint)


def deserialize(config: Mapping[str, Any]) -> Constraint:
    """The constraint that `serialize` described."""
    found: Constraint = _deserialize(config, "constraint")
    return found
