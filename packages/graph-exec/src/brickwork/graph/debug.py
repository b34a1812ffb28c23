"""`function(..., debug=True)`: op by op, at once, until the first value that is not finite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brickwork.tensor.backend import backend_of
from brickwork.tensor.dtypes import class_of
from brickwork.tensor.eager import EagerTrace
from brickwork.tensor.errors import BrickworkError
from brickwork.tensor.op import Composite, Op
from brickwork.tensor.registry import Region
from brickwork.tensor.tensor import Tensor
from brickwork.tensor.trace import Trace
from brickwork.tensor.variable import Variable

from .tracing import line_and_layer, user_line

__all__ = ["DebugTrace", "NonFiniteError"]


class NonFiniteError(BrickworkError, FloatingPointError):
    """An op made a NaN or an infinity. ``op``, ``layer`` (path of names, or ""), ``line`` (file:line) and ``value``
    (the result, as an array) tell of it."""

    op: str = ""
    layer: str = ""
    line: str = ""
    value: np.ndarray | None = None


class DebugTrace(Trace):
    """Computes at once and looks at each result.

    An op is blamed for a NaN (or, with ``infinities``, an infinity) where none of its operands has one: so minus
    infinity as a mask, which the user wrote, is none of its doing.
    """

    def __init__(self, name: str, infinities: bool):
        self.parent = EagerTrace()
        self.name, self.infinities = name, infinities

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        args = tuple([self.read(a) if isinstance(a, Variable) else a for a in args])
        if isinstance(op, (Composite, Region)):  # their parts come by here themselves
            return op.body(*args, **params)
        out = self.parent.process(op, args, params)  # type: ignore[union-attr]
        for made in out if isinstance(out, tuple) else (out,):
            fault = self._fault(made.data)
            if fault is not None and not any(self._same(fault, a) for a in args):
                self._stop(op, args, made, fault)
        return out

    def check(self, what: str, tensor: Tensor) -> None:
        """Raises `NonFiniteError` where a value that goes in is not finite."""
        fault = self._fault(tensor.data)
        if fault is not None:
            raise self._error(
                f"{self.name}: {what} must be finite; got {_where(tensor, fault)} of {tensor.spec}. Correct the data"
                + (', or look for NaN alone with debug="nan"' if fault == "infinity" else ""),
                tensor,
            )

    def read(self, variable: Variable) -> Tensor:
        value = super().read(variable)
        self.check(f"variable {variable.name}", value)
        return value

    def _fault(self, data: Any) -> str | None:
        array = _host(data)
        if array is None:
            return None
        if np.isnan(array).any():
            return "NaN"
        return "infinity" if self.infinities and np.isinf(array).any() else None

    def _same(self, fault: str, operand: Any) -> bool:
        """Whether an operand has that already. An infinity explains a NaN no more than a number does."""
        array = _host(operand.data if isinstance(operand, Tensor) else operand)
        return array is not None and bool((np.isnan(array) if fault == "NaN" else np.isinf(array)).any())

    def _stop(self, op: Op, args: Sequence[Any], made: Tensor, fault: str) -> None:
        line, layer = line_and_layer(user_line(3))
        place = f" in layer {layer}" if layer else ""
        place += f" at {line}" if line else ""
        error = self._error(
            f"{self.name}: {op.name}{place}: results must be finite; got {_where(made, fault)} of {made.spec} from "
            f"{', '.join(map(_range, args)) or 'no operands'}. Look at that line: what it is given is finite",
            made,
        )
        error.op, error.layer, error.line = op.name, layer, line
        raise error

    @staticmethod
    def _error(text: str, made: Tensor) -> NonFiniteError:
        error = NonFiniteError(text)
        error.value = _host(made.data)
        return error


def _host(data: Any) -> np.ndarray | None:
    """Floating values in host memory; None for all else."""
    if isinstance(data, (bool, int, str)) or data is None:
        return None
    if isinstance(data, (float, complex)):
        return np.asarray(data)
    if not hasattr(data, "dtype") or class_of(data.dtype) not in "fc":
        return None
    return np.asarray(backend_of(data).to_numpy(data))


def _where(made: Tensor, fault: str) -> str:
    """``3 NaN (first at [0, 2])``."""
    array = _host(made.data)
    assert array is not None
    bad = np.isnan(array) if fault == "NaN" else np.isinf(array)
    first = [int(k) for k in np.unravel_index(int(np.argmax(bad)), bad.shape)] if bad.ndim else []
    return f"{int(bad.sum())} {fault}" + (f" (first at {first})" if first else "")


def _range(operand: Any) -> str:
    """``f32[3, 4] from -2 to 7.5``; a number as it is."""
    if not isinstance(operand, Tensor):
        return str(operand)
    array = _host(operand.data)
    if array is None or array.size == 0 or array.dtype.kind == "c":
        return str(operand.spec)
    wide = array.astype(np.float64, copy=False)
    return f"{operand.spec} from {wide.min():.4g} to {wide.max():.4g}"
