"""`Variable`, a tensor that can be given a new value."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from .backend import backend_of
from .errors import DTypeError, ShapeError, TraceError
from .memory import ledger
from .tensor import Tensor, asarray
from .trace import current

__all__ = ["Variable"]


class Variable(Tensor):
    """A named tensor that can be given new values of the same shape and dtype.

    Inside a compiled function it is an input, and where it is assigned also an output that is written in place.
    ``shared``: whether the array was handed out by `value`; who writes in place then takes a copy first.
    """

    __slots__ = ("_name", "_trainable", "shared")

    def __init__(self, value: Any, *, name: str = "variable", trainable: bool = True, dtype: Any = None):
        start = asarray(value, dtype)
        if start.symbolic:
            raise TraceError(
                f"Variable: a value must be there; got the symbol {start.spec}. Make {name} before tracing"
            )
        ledger.ask(f"Variable {name}", start.data.nbytes)
        super().__init__(ledger.made(start.data.copy()))
        self._name, self._trainable, self.shared = name, trainable, False

    @property
    def name(self) -> str:
        return self._name

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    @property
    def value(self) -> Tensor:
        """The value now, as a tensor of its own."""
        return current().read(self)

    def numpy(self) -> np.ndarray:
        """The values in host memory; a copy, since an assignment may write in place."""
        return np.array(backend_of(self.data).to_numpy(self.data))

    def __dlpack__(self, **options: Any) -> Any:
        return self.value.__dlpack__(**options)

    def assign(self, value: Any) -> Variable:
        """Set the value. Raises `ShapeError` or `DTypeError` when it does not fit."""
        new = self._operand(value)
        if new.shape != self.shape:
            raise ShapeError(
                f"assign: {self.name} must keep its shape {self.shape}; got {new.shape}. Reshape the value"
            )
        if new.dtype != self.dtype:
            raise DTypeError(
                f"assign: {self.name} must keep its dtype {self.dtype}; got {new.dtype}. Use "
                f"value.astype({str(self.dtype)!r})"
            )
        current().assign(self, new)
        return self

    def assign_add(self, value: Any) -> Variable:
        return self.assign(self.value + self._operand(value))

    def assign_sub(self, value: Any) -> Variable:
        return self.assign(self.value - self._operand(value))

    def _operand(self, value: Any) -> Tensor:
        """Tensors and arrays as they are, Python numbers and lists in the dtype of the variable."""
        return asarray(value, None if hasattr(value, "dtype") else self.dtype)

    def __repr__(self) -> str:
        return f"Variable(name={self.name!r}, {self.spec}, trainable={self.trainable})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.numpy(), self.name, self.trainable))

    def __copy__(self) -> Variable:
        make, args = self.__reduce__()
        return self._on_its_device(make(*args))

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        make, args = self.__reduce__()
        return self._on_its_device(make(*deepcopy(args, memo)))

    def _on_its_device(self, other: Variable) -> Variable:
        other.data = other.to(self.device).data
        return other


def _rebuild(value: np.ndarray, name: str, trainable: bool) -> Variable:
    return Variable(value, name=name, trainable=trainable)
