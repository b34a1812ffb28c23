"""Devices: the protocol, and how one is found.

A device is a distribution of its own that names a `Backend` in the entry-point group ``brickwork.backends``.
Nothing is loaded, probed or started until a device is asked for by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from .errors import DeviceError
from .late import later
from .numpy_backend import NumpyBackend

if TYPE_CHECKING:
    from .entry_points import EntryPoint

__all__ = ["Backend", "backend_names", "get_backend", "module_of"]

entry_points = later("entry_points.entry_points")


@runtime_checkable
class Backend(Protocol):
    """What a device offers. ``xp``: its NumPy-like array module; ``claims``: composite ops by name that it does better
    than their body; one gives NotImplemented for operands that it leaves to the body."""

    name: str
    xp: Any
    array_type: type
    claims: Mapping[str, Callable[..., Any]]

    def available(self) -> str | None:
        """None when usable, else the reason and the command that mends it."""

    def asarray(self, data: Any, dtype: np.dtype | None = None) -> Any:
        """The data on this device; copies only where it must."""

    def to_numpy(self, data: Any) -> np.ndarray:
        """The data in host memory."""


_LOADED: dict[str, Backend] = {}
MODULES: dict[type, Any] = {np.ndarray: np}
"""Array types of the backends in use, and their modules."""


@lru_cache(maxsize=1)
def _entry_points() -> dict[str, EntryPoint]:
    return {e.name: e for e in entry_points("brickwork.backends")}


def backend_names() -> list[str]:
    """Names of the installed backends, usable or not; ``cpu`` is always there."""
    return sorted({"cpu", *(n for n in _entry_points() if n != "numpy")})


def get_backend(name: str) -> Backend:
    """The backend of a device name (``cpu``, ``cuda``, ``cuda:1``).

    Raises `DeviceError` with the cause and the fix where the device can not be used; never another device instead.
    """
    kind = name.partition(":")[0]
    kind = {"cpu": "numpy", "gpu": "cuda"}.get(kind, kind)
    if kind not in _LOADED:
        if kind == "numpy":
            factory: Any = NumpyBackend
        elif kind in _entry_points():
            factory = _entry_points()[kind].load()
        else:
            hint = (
                "python -m pip install 'brickwork-gpu-kernels[cuda12]'"
                if kind == "cuda"
                else f"one of {', '.join(backend_names())}"
            )
            raise DeviceError(
                f"device: no package provides {name!r}; got devices {', '.join(backend_names())}. Use {hint}"
            )
        _LOADED[kind] = factory()
    backend = _LOADED[kind]
    reason = backend.available()
    if reason is not None:
        raise DeviceError(f"device: {name!r} can not be used here; {reason}")
    MODULES[backend.array_type] = backend.xp
    return backend


def array_types() -> tuple[type, ...]:
    """The array types of the backends in use."""
    return tuple(MODULES)


def module_of(arrays: Sequence[Any]) -> Any:
    """The array module that the first real array belongs to; NumPy when all are Python scalars."""
    for a in arrays:
        found = MODULES.get(type(a))
        if found is not None:
            return found
    return np


def claim_of(op: str, arrays: Sequence[Any]) -> Callable[..., Any] | None:
    """What the device of these arrays does for a composite op itself, if it claims it."""
    for a in arrays:
        if type(a) is np.ndarray:
            return NumpyBackend.claims.get(op)
        if type(a) in MODULES:
            return backend_of(a).claims.get(op)
    return None


def backend_of(data: Any) -> Backend:
    """The backend whose arrays these are."""
    for backend in _LOADED.values():
        if isinstance(data, backend.array_type):
            return backend
    return get_backend("cpu")
