"""What every statistic of a column can do, and how one is read from a state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from ..columns import Column
from ..errors import StateError
from ..state import FIX, demand, read_fields

__all__ = ["Statistic", "read_statistic"]

REGISTRY: dict[str, type[Statistic]] = {}


class Statistic(ABC):
    """A summary of a column that rows can be added to, and that joins with another of its kind.

    A subclass names its `FIELDS`, attributes by how a state holds them (see `state.read`); its class name is its name.
    """

    FIELDS: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls) -> None:
        if cls.__name__ in REGISTRY and REGISTRY[cls.__name__].__module__ != cls.__module__:
            raise TypeError(f"Statistic: names differ; got two of {cls.__name__}")
        REGISTRY[cls.__name__] = cls

    @abstractmethod
    def update(self, column: Column, y: Any, who: str) -> None:
        """Adds the rows of a column; `y` is what the transformer made of the target, None where it takes none."""

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Adds what another has seen."""

    def check(self, where: str) -> None:  # noqa: B027 - most have nothing to refuse
        """Refuses, with StateError, values that contradict one another; those that were gathered never do."""

    def to_state(self) -> dict[str, Any]:
        """The summary as plain data."""
        return {"statistic": type(self).__name__} | {name: _plain(getattr(self, name)) for name in self.FIELDS}

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        """The summary of values that were read from a state."""
        made = cls.__new__(cls)
        for name, value in values.items():
            setattr(made, name, value)
        made.check(where)
        return made


def read_statistic(state: Any, where: str, *expected: type[Statistic]) -> Statistic:
    """The statistic of a state, of one of the expected types (any where none is given); StateError otherwise."""
    name = state.get("statistic") if isinstance(state, dict) else None
    kind = REGISTRY.get(name) if isinstance(name, str) else None
    if kind is None or (expected and kind not in expected):
        known = ", ".join(sorted(k.__name__ for k in expected)) or "a known one"
        raise StateError.of(where, f"statistic must be {known}", repr(name), FIX)
    values = read_fields(state, {"statistic": "str", **kind.FIELDS}, where)
    del values["statistic"]
    made = kind.from_fields(values, where)
    demand(isinstance(made, kind), where, "statistic must be readable", name)
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, Statistic):
        return value.to_state()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value
