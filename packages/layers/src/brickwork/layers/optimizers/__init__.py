"""Optimizers, as ``keras.optimizers``, and `get` by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import LayerError, unknown
from ..serialization import deserialize as _deserialize
from ..serialization import known
from ..serialization import serialize as _serialize
from .adam import Adam, AdamW
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """The optimizer of a name ("adam", "Adam"), class or config."""
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str):
        table = {name.lower(): cls for name, cls in known("optimizer").items() if name != "Optimizer"}
        if identifier.lower() not in table:
            raise unknown("optimizer", identifier, table)
        return table[identifier.lower()]()
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    raise LayerError(f"optimizer: must be a name or an Optimizer; got {identifier!r}. Use optimizer='adam', say")


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Its class name and config."""
    return _serialize(optimizer)


def deserialize(config: Mapping[str, Any]) -> Optimizer:
    """The optimizer that `serialize` described; its slots are not part of it."""
    names = {name.lower(): name for name in known("optimizer")}
    name = config.get("class_name") if isinstance(config, Mapping) else None
    found: Optimizer = _deserialize({**config, "class_name": names.get(name, name)} if name else config, "optimizer")
    return found
