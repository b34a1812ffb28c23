"""Arithmetic on symbolic tensors: ``x * 2 + y`` and ``x[:, 0]`` draw layers into the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brickwork import tensor

from ..errors import unknown
from ..layer import Layer
from ..symbolic import SymbolicTensor

__all__ = ["GetItem", "Operator"]

BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power",
    "matmul": "matmul", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
}  # fmt: skip
UNARY = {"neg": "negative", "abs": "abs"}
OPERATIONS = (*BINARY.values(), *UNARY.values())


class Operator(Layer):
    """One operator of tensors, by the name of its function. Operands that are numbers stand in the graph as they
    are.
    """

    def __init__(self, operation: str, **kwargs: Any):
        super().__init__(**kwargs)
        if operation not in OPERATIONS:
            raise unknown("operator", operation, OPERATIONS)
        self.operation = operation
        self.built = True

    def call(self, x: Any, y: Any = None) -> Any:
        function = getattr(tensor, self.operation)
        return function(x) if self.operation in UNARY.values() else function(x, y)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "operation": self.operation}


class GetItem(Layer):
    """``x[key]`` for integers, slices, ``...`` and None; key parts are these, or ``["slice", start, stop, step]`` and
    ``"..."`` as data.
    """

    def __init__(self, key: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.key = tuple(_part(k) for k in (key if isinstance(key, (tuple, list)) else (key,)))
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs[self.key]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "key": [_data(k) for k in self.key]}


def _part(k: Any) -> Any:
    if isinstance(k, list):
        return slice(*k[1:])
    return Ellipsis if k == "..." else k


def _data(k: Any) -> Any:
    if isinstance(k, slice):
        return ["slice", k.start, k.stop, k.step]
    return "..." if k is Ellipsis else k


def _binary(operation: str, *, reflected: bool = False) -> Callable[..., Any]:
    def operator(self: SymbolicTensor, other: Any) -> Any:
        if not isinstance(other, (SymbolicTensor, int, float)):
            return NotImplemented
        return Operator(operation)(other, self) if reflected else Operator(operation)(self, other)

    return operator


def _unary(operation: str) -> Callable[..., Any]:
    return lambda self: Operator(operation)(self)


def _install() -> None:
    for method, operation in BINARY.items():
        setattr(SymbolicTensor, f"__{method}__", _binary(operation))
        if method not in ("lt", "le", "gt", "ge"):
            setattr(SymbolicTensor, f"__r{method}__", _binary(operation, reflected=True))
    for method, operation in UNARY.items():
        setattr(SymbolicTensor, f"__{method}__", _unary(operation))
    SymbolicTensor.__getitem__ = lambda self, key: GetItem(key)(self)  # type: ignore[attr-defined]


_install()
