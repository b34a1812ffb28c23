"""Fitted estimators as data: parameters, what was learned of the table and its target, and the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import LayerError
from .models import Model
from .optimizers import Optimizer
from .serialization import deserialize, registered_function, registered_name, serialize

VERSION = 1
LEARNED = ("classes_", "y_mean_", "y_scale_", "n_features_in_", "feature_names_in_", "history_", "n_epochs_", "_flat")


def to_state(estimator: Any) -> dict[str, Any]:
    """``{"type", "version", "parameters", "learned", "model"}`` of a fitted estimator."""
    learned = {name: vars(estimator)[name] for name in LEARNED if name in vars(estimator)}
    return {
        "type": type(estimator).__name__,
        "version": VERSION,
        "parameters": {k: _plain(estimator, k, v) for k, v in estimator.get_params(deep=False).items()},
        "learned": {k: _labels(estimator, k, v) if isinstance(v, np.ndarray) else v for k, v in learned.items()},
        "model": estimator.model_.to_state(),
    }


def from_state(cls: Any, state: Any) -> Any:
    """The estimator of a state. Raises `LayerError` where it is damaged."""
    who = f"{cls.__name__}.from_state"
    if not isinstance(state, Mapping) or (state.get("type"), state.get("version")) != (cls.__name__, VERSION):
        raise LayerError(f"{who}: must be a state of {cls.__name__}, version {VERSION}; got {str(state)[:80]}")
    try:
        estimator = cls(**{k: _restored(v) for k, v in state["parameters"].items()})
        learned = {k: _array(v) for k, v in state["learned"].items()}
        network = Model.from_state(state["model"])
    except (KeyError, TypeError, AttributeError) as error:
        raise LayerError(f"{who}: the state is damaged; got {type(error).__name__}: {error}") from error
    needed = {"classes_"} if hasattr(cls, "predict_proba") else {"y_mean_", "y_scale_", "_flat"}
    if not (needed | {"n_features_in_", "history_", "n_epochs_"}) <= learned.keys() <= set(LEARNED):
        raise LayerError(f"{who}: the state is damaged; it tells of {', '.join(learned)}")
    vars(estimator).update(learned, model_=network)
    return estimator


def _plain(estimator: Any, name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return tuple(_plain(estimator, name, v) for v in value)
    if isinstance(value, Mapping):  # class weights; a file has only text for keys
        return {"pairs": [(_plain(estimator, name, k), _plain(estimator, name, v)) for k, v in value.items()]}
    if isinstance(value, Optimizer):
        return {"optimizer": serialize(value)}
    if isinstance(value, np.random.RandomState):
        return None  # it has moved on since fit; what it gave is in the network
    function = registered_name(value) if callable(value) else None
    if function is None:
        raise LayerError(
            f"{type(estimator).__name__}: {name} must be plain data or a registered function to be saved; got "
            f"{value!r}. Put @register_serializable() above its definition"
        )
    return {"function": function}


def _restored(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    ((kind, given),) = value.items()
    if kind == "pairs":
        return dict(given)
    if kind == "optimizer":
        return deserialize(given, "optimizer")
    found = registered_function(given) if kind == "function" else None
    if found is None:
        raise LayerError(f"estimator: a function must be registered before it is loaded; got {given!r}")
    return found


def _labels(estimator: Any, name: str, values: np.ndarray) -> Any:
    """Numbers and booleans as an array; text as a list with its dtype, which a file of arrays cannot hold."""
    if values.dtype.kind in "biuf":
        return values
    found = values.tolist()
    odd = next((v for v in found if not isinstance(v, (str, int, float, bool))), None)
    if odd is not None:
        got = f"{odd!r} of type {type(odd).__name__}"
        raise LayerError(f"{type(estimator).__name__}: {name} must be text or numbers to be saved; got {got}")
    return {"labels": found, "object": values.dtype == object}


def _array(value: Any) -> Any:
    if isinstance(value, Mapping) and value.keys() == {"labels", "object"}:
        return np.array(list(value["labels"]), dtype=object if value["object"] else None)
    return value
