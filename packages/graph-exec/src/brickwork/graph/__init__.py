"""Brickwork's graph executor: functions of tensors, compiled to one native call."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compiled import Function, RetraceError, Variant, function
    from .ir import Graph, Node, Value

__version__ = "0.1.0"
__all__ = ["Function", "Graph", "Node", "RetraceError", "Value", "Variant", "function"]

_ROOMS = {
    "Function": "compiled",
    "RetraceError": "compiled",
    "Variant": "compiled",
    "function": "compiled",
    "Graph": "ir",
    "Node": "ir",
    "Value": "ir",
}


def __getattr__(name: str) -> Any:
    """Names load with their first use, so that importing the package loads no LLVM."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value
