"""Losses, as ``keras.losses``: classes that reduce, functions that give one value per example, and `get` by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import LayerError, unknown
from ..serialization import deserialize as _deserialize
from ..serialization import known, registered_function
from ..serialization import serialize as _serialize
from .binary_crossentropy import BinaryCrossentropy, binary_crossentropy
from .categorical_crossentropy import CategoricalCrossentropy, categorical_crossentropy
from .loss import Loss, LossFunction
from .mean_absolute_error import MeanAbsoluteError, mean_absolute_error
from .mean_squared_error import MeanSquaredError, mean_squared_error
from .sparse_categorical_crossentropy import SparseCategoricalCrossentropy, sparse_categorical_crossentropy

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "Loss", "MeanAbsoluteError", "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy", "categorical_crossentropy", "deserialize", "get", "mean_absolute_error",
    "mean_squared_error", "serialize",
    "sparse_categorical_crossentropy",
]  # fmt: skip

NAMES: Mapping[str, type[Loss]] = {
    "mean_squared_error": MeanSquaredError, "mse": MeanSquaredError, "MSE": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError, "MAE": MeanAbsoluteError, "binary_crossentropy": BinaryCrossentropy,
    "bce": BinaryCrossentropy, "BCE": BinaryCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """The loss of a name ("mse", "MeanSquaredError"), class or config; a function of (y_true, y_pred) becomes a `Loss`
    that means it.
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str):
        table = {**NAMES, **{n: c for n, c in known("loss").items() if n not in ("Loss", "LossFunction")}}
        if identifier in table:
            return table[identifier]()
        function = registered_function(identifier)
        if function is None:
            raise unknown("loss", identifier, table)
        return LossFunction(function)
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if isinstance(identifier, Callable):  # type: ignore[arg-type]
        return LossFunction(identifier)
    raise LayerError(
        f"loss: must be a name, a Loss or a function of (y_true, y_pred); got {identifier!r}. Use loss='mse', say"
    )


def serialize(loss: Loss) -> dict[str, Any]:
    """Its class name and config."""
    return _serialize(loss)


def deserialize(config: Mapping[str, Any]) -> Loss:
    """The loss that `serialize` described."""
    found: Loss = _deserialize(config, "loss")
    return found
