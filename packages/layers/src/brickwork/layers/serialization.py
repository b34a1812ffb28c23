"""Objects as data: a class name and a config, found again in a registry that no file can widen.

Classes of this package are in it by being defined; a user's are after ``@register_serializable()``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from .errors import LayerError, unknown

__all__ = ["Configurable", "deserialize", "known", "register_serializable", "registered_name", "serialize"]

HOME = __name__.rpartition(".")[0] + "."
_CLASSES: dict[str, dict[str, type[Configurable]]] = {}
_FUNCTIONS: dict[str, Callable[..., Any]] = {}


class Configurable:
    """Something that `get_config` describes as plain data and `from_config` makes again. ``kind``: which registry it is
    in.
    """

    kind: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.startswith(HOME) and hasattr(cls, "kind"):
            _CLASSES.setdefault(cls.kind, {})[cls.__name__] = cls

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain data."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An object of the same configuration."""
        return cls(**config)


def register_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Class or function decorator: lets saved models name it, as ``package>name``. Classes must have `get_config`."""

    def decorate(target: Any) -> Any:
        full = f"{package}>{name or target.__name__}"
        if isinstance(target, type):
            if not issubclass(target, Configurable):
                raise LayerError(
                    f"register_serializable: classes must be layers, losses, metrics, optimizers, ...; got {target!r}"
                )
            _CLASSES.setdefault(target.kind, {})[full] = target
        else:
            _FUNCTIONS[full] = target
        return target

    return decorate


def known(kind: str) -> Mapping[str, type[Configurable]]:
    """The classes of a kind by registered name."""
    return _CLASSES.get(kind, {})


def registered_name(target: Any) -> str | None:
    """The name under which a class or function is registered, or None."""
    table: Mapping[str, Any] = known(target.kind) if isinstance(target, type) else _FUNCTIONS
    return next((name for name, value in table.items() if value is target), None)


def registered_function(name: str) -> Callable[..., Any] | None:
    """The user's function of a registered name, or None."""
    return _FUNCTIONS.get(name)


def serialize(obj: Configurable) -> dict[str, Any]:
    """``{"kind", "class_name", "config"}``. Raises `LayerError` for a class that no registry holds: it could not come
    back.
    """
    name = registered_name(type(obj))
    if name is None:
        who = type(obj).__name__
        raise LayerError(
            f"serialize: the class must be registered; got {who}. Put @register_serializable() above `class {who}`"
        )
    return {"kind": obj.kind, "class_name": name, "config": obj.get_config()}


def deserialize(
    data: Mapping[str, Any], kind: str | None = None, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The object that `serialize` described. ``custom_objects``: more classes by name. Raises `LayerError` for a name
    in neither.
    """
    if not isinstance(data, Mapping) or "class_name" not in data:
        raise LayerError(f"deserialize: needs a dict with class_name and config; got {data!r}")
    wanted = kind or data.get("kind", "layer")
    table = {**known(wanted), **(custom_objects or {})}
    cls = table.get(data["class_name"])
    if cls is None:
        raise unknown(wanted, data["class_name"], table)
    return cls.from_config(data.get("config", {}))
