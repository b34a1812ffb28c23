"""Brickwork's graph executor: functions of tensors, compiled to one native call."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .check import GraphError
    from .compiled import Function, RetraceError, function
    from .debug import NonFiniteError
    from .donation import DonatedError
    from .exporting import export, load
    from .ir import Graph, Node, Value
    from .lowered import Lowered, spec
    from .memory import Memory
    from .profile import Profile
    from .program import Program
    from .safety import GraphLimits
    from .variant import Variant

__version__ = "0.1.0"
__all__ = [
    "DonatedError",
    "Function",
    "Graph",
    "GraphError",
    "GraphLimits",
    "Lowered",
    "Memory",
    "Node",
    "NonFiniteError",
    "Profile",
    "Program",
    "RetraceError",
    "Value",
    "Variant",
    "export",
    "function",
    "load",
    "spec",
]

_ROOMS = {
    "DonatedError": "donation",
    "Function": "compiled",
    "GraphError": "check",
    "GraphLimits": "safety",
    "Lowered": "lowered",
    "Memory": "memory",
    "NonFiniteError": "debug",
    "Profile": "profile",
    "Program": "program",
    "export": "exporting",
    "load": "exporting",
    "spec": "lowered",
    "RetraceError": "compiled",
    "Variant": "variant",
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
