"""Penalties on weights, as ``keras.regularizers``: called with a tensor, they give one number that joins the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brickwork.tensor import Tensor, abs, asarray, square, sum

from .errors import LayerError, unknown
from .serialization import Configurable
from .serialization import deserialize as _deserialize
from .serialization import serialize as _serialize

__all__ = ["L1", "L1L2", "L2", "Regularizer", "deserialize", "get", "serialize"]


class Regularizer(Configurable):
    """Base: subclasses define ``__call__(x)``."""

    kind = "regularizer"

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: define __call__(self, x)")


class L1L2(Regularizer):
    """``l1 * sum(|x|) + l2 * sum(x ** 2)``."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1, self.l2 = _weight("l1", l1), _weight("l2", l2)

    def __call__(self, x: Any) -> Tensor | float:
        x = asarray(x)
        parts = [weight * sum(f(x)) for weight, f in ((self.l1, abs), (self.l2, square)) if weight]
        return parts[0] + parts[1] if len(parts) == 2 else parts[0] if parts else sum(x) * 0.0

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """``l1 * sum(|x|)``."""

    def __init__(self, l1: float = 0.01):
        super().__init__(0.01 if l1 is None else l1, 0.0)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(L1L2):
    """``l2 * sum(x ** 2)``."""

    def __init__(self, l2: float = 0.01):
        super().__init__(0.0, 0.01 if l2 is None else l2)

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


def _weight(name: str, value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise LayerError(f"regularizer: {name} must be a finite number of at least 0; got {value!r}")
    return float(value)


NAMES: Mapping[str, type[L1L2]] = {"l1": L1, "l2": L2, "l1_l2": L1L2, "L1": L1, "L2": L2, "L1L2": L1L2}


def get(identifier: Any) -> Any:
    """The regularizer of a name, config or function; None stays None."""
    if identifier is None or isinstance(identifier, Regularizer):
        return identifier
    if isinstance(identifier, str):
        if identifier not in NAMES:
            raise unknown("regularizer", identifier, NAMES)
        return NAMES[identifier]()
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if callable(identifier):
        return identifier() if isinstance(identifier, type) else identifier
    raise LayerError(
        f"regularizer: must be a name or a function of a tensor; got {identifier!r}. Use kernel_regularizer='l2', say"
    )


def serialize(regularizer: Regularizer) -> dict[str, Any]:
    """Its class name and config."""
    return _serialize(regularizer)


def deserialize(config: Mapping[str, Any]) -> Regularizer:
    """The regularizer that `serialize` described."""
    found: Regularizer = _deserialize(config, "regularizer")
    return found
