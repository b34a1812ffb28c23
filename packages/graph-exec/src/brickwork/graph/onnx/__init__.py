"""Models of the ONNX standard as functions of tensors: `from_onnx` reads one, `to_onnx` writes one, and `prepare` and
its kin are a backend.

Needs the `onnx` package, which is an extra: ``pip install "brickwork-graph-exec[onnx]"``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import BrickworkBackend, BrickworkRep, is_compatible, prepare, run_model, run_node, supports_device
    from .errors import MissingPackageError, ModelError, UnsupportedError
    from .exporter import to_onnx
    from .model import Model, from_onnx

__all__ = [
    "BrickworkBackend",
    "BrickworkRep",
    "MissingPackageError",
    "Model",
    "ModelError",
    "UnsupportedError",
    "from_onnx",
    "is_compatible",
    "prepare",
    "run_model",
    "run_node",
    "supports_device",
    "to_onnx",
]

_BACKEND = ("BrickworkBackend", "BrickworkRep", "is_compatible", "prepare", "run_model", "run_node", "supports_device")
_ROOMS = {
    **dict.fromkeys(_BACKEND, "backend"),
    **dict.fromkeys(("MissingPackageError", "ModelError", "UnsupportedError"), "errors"),
    **dict.fromkeys(("Model", "from_onnx"), "model"),
    "to_onnx": "exporter",
}


def __getattr__(name: str) -> Any:
    """Names load with their first use, so that the package can be imported where `onnx` is missing."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    return value
