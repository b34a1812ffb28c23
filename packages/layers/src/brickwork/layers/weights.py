"""The weights of layers by what they are for: each starts, is penalised and is bounded as its layer was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import constraints, initializers, regularizers

if TYPE_CHECKING:
    from .layer import Layer

__all__ = ["add_role", "keep_roles", "role_of", "roles_config"]

ROOMS = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}


def keep_roles(layer: Layer, **roles: tuple[Any, Any, Any]) -> None:
    """Keeps (initializer, regularizer, constraint) of each role: ``kernel`` as ``kernel_initializer``, and so on."""
    for role, given in roles.items():
        for (kind, room), one in zip(ROOMS.items(), given, strict=True):
            setattr(layer, f"{role}_{kind}", room.get(one))


def role_of(layer: Layer, role: str) -> tuple[Any, Any, Any]:
    """What a layer keeps of a role: (initializer, regularizer, constraint)."""
    initializer, regularizer, constraint = (getattr(layer, f"{role}_{kind}") for kind in ROOMS)
    return initializer, regularizer, constraint


def add_role(layer: Layer, role: str, shape: tuple[int, ...], name: str | None = None, initializer: Any = None) -> Any:
    """The weight of a role, made as the layer keeps it; ``initializer`` in place of that one."""
    own, regularizer, constraint = role_of(layer, role)
    return layer.add_weight(
        shape, initializer or own, regularizer=regularizer, constraint=constraint, name=name or role
    )


def roles_config(layer: Layer, *roles: str) -> dict[str, Any]:
    """What a layer keeps of these roles, as plain data."""
    config = {}
    for role in roles:
        for (kind, room), value in zip(ROOMS.items(), role_of(layer, role), strict=True):
            config[f"{role}_{kind}"] = None if value is None else room.serialize(value)
    return config
