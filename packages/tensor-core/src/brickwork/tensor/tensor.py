"""`Tensor`, a thin handle on an array or a symbol, and `asarray`, which makes one of what people have."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import from_array, from_python, offers_memory
from .backend import backend_of, get_backend
from .dtypes import as_dtype
from .errors import BrickworkError, DeviceError, DTypeError, ShapeError, TraceError
from .memory import ledger
from .protocols import Protocols
from .registry import OPS
from .spec import Shape, TensorSpec
from .trace import bind

__all__ = ["Tensor", "asarray", "beside"]

API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")
FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""The functions behind the methods of `Tensor`; `brickwork.tensor.ops`, which builds on it, fills this."""
_NUMBERS = frozenset((bool, int, float, complex))


def _call(name: str, *args: Any) -> Tensor:
    out: Tensor = FUNCTIONS[name](*args)
    return out


def _unary(name: str) -> Callable[[Tensor], Tensor]:
    """The operator that applies a unary op."""
    return lambda self: bind(OPS[name], (self,))


def _binary(name: str) -> Callable[[Tensor, Any], Tensor]:
    """The operator that applies a binary op to ``self`` and what stands at its right."""

    def operator(self: Tensor, other: Any) -> Any:
        operand = other if isinstance(other, Tensor) else _operand(other, self)
        return NotImplemented if operand is None else bind(OPS[name], (self, operand))

    return operator


def _reflected(name: str) -> Callable[[Tensor, Any], Tensor]:
    """The operator that applies a binary op to what stands at the left of ``self`` and ``self``."""

    def operator(self: Tensor, other: Any) -> Any:
        operand = _operand(other, self)
        return NotImplemented if operand is None else bind(OPS[name], (operand, self))

    return operator


def _in_place(name: str) -> Callable[[Tensor, Any], Tensor]:
    """The in-place operator: the name at its left is bound to a result of its own, whose shape and dtype may not be
    others."""
    plain = _binary(name)

    def operator(self: Tensor, other: Any) -> Any:
        out = plain(self, other)
        if out is not NotImplemented and out.spec != self.spec:
            kind = ShapeError if out.shape != self.shape else DTypeError
            raise kind(f"{name}: in place, shape and dtype stay; got {self.spec}, which would be {out.spec}. "
                       "Write x = x op y if that is meant")  # fmt: skip
        return out

    return operator


def _reduced(name: str, x: Tensor, axis: Any, keepdims: bool, dtype: Any, out: None) -> Tensor:
    """A reduction. ``dtype`` and ``out`` are what NumPy's own functions pass on: values are converted to the one first;
    the other must be None."""
    if out is not None:
        raise DTypeError(f"{name}: a result is a tensor of its own; got out={type(out).__name__}. Leave out out")
    return _call(name, x if dtype is None else _call("astype", x, dtype), axis, keepdims)


def _operand(x: Any, like: Tensor) -> Any:
    """What may stand beside a tensor: numbers, which go wherever it is, and arrays; None for anything else."""
    if type(x) in _NUMBERS:
        return x
    if isinstance(x, np.generic):
        return beside(asarray(x), like)
    if isinstance(x, (int, float, complex)):
        return x
    return asarray(x) if isinstance(x, np.ndarray) else None


class Tensor(Protocols):
    """An n-dimensional array of one dtype.

    ``data`` is an array of some backend, or, while a function is traced, a symbol with a shape and a dtype.
    Operators and methods are ops: they compute, record or trace as the current trace says.
    """

    __slots__ = ("__weakref__", "data")
    __hash__ = object.__hash__  # identity, since == compares elements

    def __init__(self, data: Any):
        self.data = data

    # what it is
    @property
    def shape(self) -> Shape:
        shape: Shape = self.data.shape
        return shape

    @property
    def dtype(self) -> np.dtype:
        dtype: np.dtype = self.data.dtype
        return dtype

    @property
    def ndim(self) -> int:
        return len(self.data.shape)

    @property
    def size(self) -> Any:
        return self.spec.size

    @property
    def spec(self) -> TensorSpec:
        return TensorSpec(self.data.shape, self.data.dtype)

    @property
    def device(self) -> str:
        return "symbolic" if self.symbolic else backend_of(self.data).name

    @property
    def symbolic(self) -> bool:
        """Whether this stands for a value that a compiled function will have."""
        return not hasattr(self.data, "__array__") and not hasattr(self.data, "__cuda_array_interface__")

    # the way out
    def numpy(self) -> np.ndarray:
        """The values in host memory; no copy where they are there already. Raises `TraceError` while tracing."""
        if self.symbolic:
            raise TraceError(f"numpy: a value must be there; got the symbol {self.spec} of a traced function. "
                             "Return it from the function, or use tensor ops instead of NumPy inside")  # fmt: skip
        return np.asarray(backend_of(self.data).to_numpy(self.data))

    def item(self) -> Any:
        """The one value as a Python scalar."""
        return self.numpy().item()

    def tolist(self) -> Any:
        return self.numpy().tolist()

    def to(self, device: str) -> Tensor:
        """This tensor on a device (``cpu``, ``cuda``); itself where it is there. Raises `DeviceError` when the
        device is not usable."""
        target = get_backend(device)
        if isinstance(self.data, target.array_type):
            return self
        ledger.ask("to", self.size * self.dtype.itemsize)
        return Tensor(ledger.made(target.asarray(self.numpy())))

    def to_device(self, device: str, /, *, stream: Any = None) -> Tensor:
        """`to`, by the standard's name. Devices order their own work: a ``stream`` is refused with `DeviceError`."""
        if stream is not None:
            raise DeviceError(f"to_device: streams are the device's own; got {stream!r}. Leave the argument out")
        return self.to(device)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The functions for tensors, `brickwork.tensor`, which follow the Array API standard 2025.12."""
        module = sys.modules[__package__]
        if api_version is not None and api_version not in API_VERSIONS:
            raise BrickworkError(
                f"__array_namespace__: versions are {', '.join(API_VERSIONS)}; got {api_version!r}. Use one of these"
            )
        return module

    def __matmul__(self, other: Any) -> Tensor:
        known = isinstance(other, (Tensor, int, float, complex, np.ndarray, np.generic))
        return bind(OPS["matmul"], (self, asarray(other))) if known else NotImplemented

    def __rmatmul__(self, other: Any) -> Tensor:
        known = isinstance(other, (int, float, complex, np.ndarray, np.generic))
        return bind(OPS["matmul"], (asarray(other), self)) if known else NotImplemented

    # shape
    @property
    def T(self) -> Tensor:
        return self.transpose()

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return _call("matrix_transpose", self)

    def reshape(self, *shape: Any) -> Tensor:
        return _call("reshape", self, shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape)

    def transpose(self, *axes: Any) -> Tensor:
        given = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
        return _call("transpose", self, None if given in ((), (None,)) else tuple(given))

    def __getitem__(self, key: Any) -> Tensor:
        return _call("getitem", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _call("setitem", self, key, value)

    @property
    def at(self) -> Any:
        """``x.at[key].add(v)``, and ``set``, ``multiply``, ``min``, ``max``, ``get``: tensors like this one, changed at
        ``x[key]``; see `brickwork.tensor.ops.scattering.At`."""
        return FUNCTIONS["at"](self)

    def astype(self, dtype: Any) -> Tensor:
        return _call("astype", self, dtype)

    # reductions
    def sum(self, axis: Any = None, keepdims: bool = False, *, dtype: Any = None, out: None = None) -> Tensor:
        return _reduced("sum", self, axis, keepdims, dtype, out)

    def mean(self, axis: Any = None, keepdims: bool = False, *, dtype: Any = None, out: None = None) -> Tensor:
        return _reduced("mean", self, axis, keepdims, dtype, out)

    def max(self, axis: Any = None, keepdims: bool = False, *, dtype: Any = None, out: None = None) -> Tensor:
        return _reduced("max", self, axis, keepdims, dtype, out)

    def min(self, axis: Any = None, keepdims: bool = False, *, dtype: Any = None, out: None = None) -> Tensor:
        return _reduced("min", self, axis, keepdims, dtype, out)

    def any(self, axis: Any = None, keepdims: bool = False, *, dtype: Any = None, out: None = None) -> Tensor:
        return _reduced("any", self, axis, keepdims, dtype, out)

    def all(self, axis: Any = None, keepdims: bool = False, *, dtype: Any = None, out: None = None) -> Tensor:
        return _reduced("all", self, axis, keepdims, dtype, out)

    # operators
    __add__, __radd__ = _binary("add"), _reflected("add")
    __sub__, __rsub__ = _binary("subtract"), _reflected("subtract")
    __mul__, __rmul__ = _binary("multiply"), _reflected("multiply")
    __truediv__, __rtruediv__ = _binary("divide"), _reflected("divide")
    __floordiv__, __rfloordiv__ = _binary("floor_divide"), _reflected("floor_divide")
    __mod__, __rmod__ = _binary("remainder"), _reflected("remainder")
    __pow__, __rpow__ = _binary("power"), _reflected("power")

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return other // self, other % self

    __and__, __rand__ = _binary("bitwise_and"), _reflected("bitwise_and")
    __or__, __ror__ = _binary("bitwise_or"), _reflected("bitwise_or")
    __xor__, __rxor__ = _binary("bitwise_xor"), _reflected("bitwise_xor")
    __lshift__, __rlshift__ = _binary("bitwise_left_shift"), _reflected("bitwise_left_shift")
    __rshift__, __rrshift__ = _binary("bitwise_right_shift"), _reflected("bitwise_right_shift")
    __eq__ = _binary("equal")  # type: ignore[assignment]
    __ne__ = _binary("not_equal")  # type: ignore[assignment]
    __lt__, __le__, __gt__, __ge__ = (
        _binary("less"),
        _binary("less_equal"),
        _binary("greater"),
        _binary("greater_equal"),
    )
    __iadd__, __isub__, __imul__ = _in_place("add"), _in_place("subtract"), _in_place("multiply")
    __itruediv__, __ifloordiv__, __imod__ = _in_place("divide"), _in_place("floor_divide"), _in_place("remainder")
    __ipow__, __imatmul__ = _in_place("power"), _in_place("matmul")
    __iand__, __ior__, __ixor__ = _in_place("bitwise_and"), _in_place("bitwise_or"), _in_place("bitwise_xor")
    __ilshift__, __irshift__ = _in_place("bitwise_left_shift"), _in_place("bitwise_right_shift")
    __neg__, __pos__, __abs__, __invert__ = (
        _unary("negative"),
        _unary("positive"),
        _unary("abs"),
        _unary("bitwise_invert"),
    )


def asarray(value: Any, dtype: Any = None, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """A tensor of a tensor, array, buffer, number, or nested list; no copy where none is needed.

    Python floats become float32, ints int64; arrays and buffers keep their dtype. ``device``: where it is to be; where
    it is by default. ``copy``: True for memory of its own, False for an error where that is needed.
    Raises `DTypeError` for what is not numeric or does not fit the dtype, `ShapeError` for ragged lists and where a
    copy is needed but not allowed.
    """
    if type(value) is Tensor and dtype is None and device is None and copy is None:
        return value
    if device is not None or copy is not None:
        return _placed(value, dtype, device, copy)
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        return _call("stack", [asarray(v, wanted) for v in value])
    if isinstance(value, Tensor):
        out: Tensor = value if type(value) is Tensor else getattr(value, "value", value)  # what a variable holds now
    elif (hasattr(value, "dtype") and hasattr(value, "shape")) or offers_memory(value):
        out = Tensor(from_array(value))
    else:
        return Tensor(from_python(value, wanted))
    return out if wanted is None or out.dtype == wanted else _call("astype", out, wanted)


def _placed(value: Any, dtype: Any, device: str | None, copy: bool | None) -> Tensor:
    """The tensor made of a value, on a device, with or without a copy as asked."""
    if isinstance(value, (int, float, complex, list, tuple, np.generic)):
        out, fresh = asarray(value, dtype), True
    else:
        first = asarray(value)
        out = first if dtype is None else asarray(first, dtype)
        fresh = out.data is not first.data
        fresh |= isinstance(value, np.ndarray) and not np.may_share_memory(value, first.numpy())
    moved = out if device is None or out.symbolic else out.to(device)
    fresh |= moved.data is not out.data
    if copy is False and fresh:
        raise ShapeError(f"asarray: without copy a value must be an array as it is to be; got {type(value).__name__} "
                         f"for {moved.spec} on {moved.device}. Leave copy out")  # fmt: skip
    return _call("copy", moved) if copy and not fresh else moved


def beside(x: Tensor, like: Tensor) -> Tensor:
    """``x`` on the device of ``like``; a symbol is on none."""
    return x if type(x.data) is type(like.data) or x.symbolic or like.symbolic else x.to(like.device)
