"""Rooms that load when they are first asked for, so that importing the package stays quick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["late_names", "later"]


def later(path: str) -> Callable[..., Any]:
    """A function of a room of this package, ``room.name``, whose room loads when it is first called."""
    room, _, name = path.rpartition(".")

    def function(*args: Any, **params: Any) -> Any:
        return getattr(import_module(f"{__package__}.{room}"), name)(*args, **params)

    return function


def late_names(package: dict[str, Any], rooms: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package, given its globals: a name loads its room when it is first asked for.

    ``rooms``: the room of each name; one that is its own name is the room itself. A package hides what this gives from
    type checkers, which would else take any name at all for there.
    """
    home: str = package["__name__"]

    def __getattr__(name: str) -> Any:
        if name not in rooms:
            raise AttributeError(f"module {home!r} has no attribute {name!r}")
        room = import_module(f"{home}.{rooms[name]}")
        value = package[name] = room if rooms[name] == name else getattr(room, name)
        return value

    return __getattr__
