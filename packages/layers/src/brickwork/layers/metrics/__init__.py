"""Metrics, as ``keras.metrics``, and `get` by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import LayerError, unknown
from ..serialization import deserialize as _deserialize
from ..serialization import known, registered_function
from ..serialization import serialize as _serialize
from .accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
)
from .crossentropy import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from .mean import Mean, MeanMetricWrapper
from .metric import Metric
from .regression import MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError

__all__ = [
    "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "CategoricalAccuracy", "CategoricalCrossentropy", "Mean",
    "MeanAbsoluteError", "MeanMetricWrapper",
    "MeanSquaredError", "Metric", "RootMeanSquaredError", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
    "binary_accuracy",
    "categorical_accuracy", "deserialize", "get", "serialize", "sparse_categorical_accuracy",
]  # fmt: skip

NAMES: Mapping[str, type[Metric]] = {
    "mean_squared_error": MeanSquaredError, "mse": MeanSquaredError, "MSE": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError, "MAE": MeanAbsoluteError, "root_mean_squared_error": RootMeanSquaredError,
    "rmse": RootMeanSquaredError,
    "binary_accuracy": BinaryAccuracy, "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "binary_crossentropy": BinaryCrossentropy, "bce": BinaryCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy, "mean": Mean,
}  # fmt: skip
SHORT = {"mse", "MSE", "mae", "MAE", "rmse", "bce"}


def get(identifier: Any) -> Any:
    """The metric of a name, class or config; a function of (y_true, y_pred) becomes a metric that means it.

    A name that is short for another ("mae") names the metric in logs as well.
    """
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        table = {**NAMES, **{n: c for n, c in known("metric").items() if n not in ("Metric", "MeanMetricWrapper")}}
        if identifier in table:
            return table[identifier](name=identifier) if identifier in SHORT else table[identifier]()
        function = registered_function(identifier)
        if function is None:
            raise unknown("metric", identifier, [*table, "accuracy", "crossentropy"])
        return MeanMetricWrapper(function)
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if callable(identifier):
        return MeanMetricWrapper(identifier)
    raise LayerError(
        f"metric: must be a name, a Metric or a function of (y_true, y_pred); got {identifier!r}. Use "
        "metrics=['accuracy'], say"
    )


def serialize(metric: Metric) -> dict[str, Any]:
    """Its class name and config."""
    return _serialize(metric)


def deserialize(config: Mapping[str, Any]) -> Metric:
    """The metric that `serialize` described."""
    found: Metric = _deserialize(config, "metric")
    return found
