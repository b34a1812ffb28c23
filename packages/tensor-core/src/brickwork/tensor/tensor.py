"""`Tensor`, a thin handle on an array or a symbol, and `Variable`, one that can be given a new value."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .backend import array_types, backend_of, get_backend
from .dtypes import DEFAULT_FLOAT, as_dtype, class_of, default_of
from .errors import BrickworkError, DeviceError, DTypeError, ShapeError, TraceError
from .registry import OPS
from .spec import Shape, TensorSpec
from .trace import bind, current

__all__ = ["Tensor", "Variable", "asarray", "beside"]

API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")
FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""The functions behind the methods of `Tensor`; `brickwork.tensor.ops`, which builds on it, fills this."""


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


def _operand(x: Any, like: Tensor) -> Any:
    """What may stand beside a tensor: numbers, which go wherever it is, and arrays; None for anything else."""
    if isinstance(x, np.generic):
        return beside(asarray(x), like)
    if isinstance(x, (int, float, complex)):
        return x
    return asarray(x) if isinstance(x, np.ndarray) else None


class Tensor:
    """An n-dimensional array of one dtype.

    ``data`` is an array of some backend, or, while a function is traced, a symbol with a shape and a dtype.
    Operators and methods are ops: they compute, record or trace as the current trace says.
    """

    __slots__ = ("__weakref__", "data")
    __array_priority__ = 100
    __hash__ = object.__hash__

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

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        out = self.numpy()
        if dtype is not None and out.dtype != dtype:
            return out.astype(dtype)
        return out.copy() if copy else out

    def __dlpack__(self, **options: Any) -> Any:
        return (self.data if hasattr(self.data, "__dlpack__") else self.numpy()).__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (self.data if hasattr(self.data, "__dlpack_device__") else self.numpy()).__dlpack_device__()

    def to(self, device: str) -> Tensor:
        """This tensor on a device (``cpu``, ``cuda``); itself where it is there. Raises `DeviceError` when the
        device is not usable."""
        target = get_backend(device)
        return self if isinstance(self.data, target.array_type) else Tensor(target.asarray(self.numpy()))

    def to_device(self, device: str, /, *, stream: Any = None) -> Tensor:
        """`to`, by the standard's name. Devices order their own work: a ``stream`` is refused with `DeviceError`."""
        if stream is not None:
            raise DeviceError(f"to_device: streams are the device's own; got {stream!r}. Leave the argument out")
        return self.to(device)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The functions for tensors, `brickwork.tensor`, which follow the Array API standard 2024.12."""
        module = sys.modules[__package__]
        if api_version is not None and api_version not in API_VERSIONS:
            raise BrickworkError(
                f"__array_namespace__: versions are {', '.join(API_VERSIONS)}; got {api_version!r}. Use one of these"
            )
        return module

    def __bool__(self) -> bool:
        return bool(self._scalar("bool"))

    def __int__(self) -> int:
        return int(self._scalar("int"))

    def __float__(self) -> float:
        return float(self._scalar("float"))

    def __complex__(self) -> complex:
        return complex(self._scalar("complex"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.shape != ():
            raise DTypeError(f"index: needs an integer of no axes; got {self.spec}. Use int(x) if that is meant")
        return int(self.numpy())

    def _scalar(self, what: str) -> Any:
        if self.size != 1:
            raise ShapeError(
                f"{what}: needs exactly one element; got {self.spec}. Reduce it first, as with .any() or .all()"
            )
        return self.numpy().item()

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError(f"len: needs at least one axis; got {self.spec}")
        return self.shape[0]  # type: ignore[return-value]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        if self.symbolic:
            return f"Tensor(<{self.spec}>)"
        body = np.array2string(self.numpy(), separator=", ", prefix="Tensor(", threshold=200)
        return f"Tensor({body}, dtype={self.dtype.name})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.numpy(),))

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
        axes = tuple(range(self.ndim))
        return self.transpose((*axes[:-2], axes[-1], axes[-2]))

    def reshape(self, *shape: Any) -> Tensor:
        return _call("reshape", self, shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape)

    def transpose(self, *axes: Any) -> Tensor:
        given = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
        return _call("transpose", self, tuple(given) or None)

    def __getitem__(self, key: Any) -> Tensor:
        return _call("getitem", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _call("setitem", self, key, value)

    def astype(self, dtype: Any) -> Tensor:
        return _call("astype", self, dtype)

    # reductions
    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return _call("sum", self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return _call("mean", self, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return _call("max", self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return _call("min", self, axis, keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return _call("any", self, axis, keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return _call("all", self, axis, keepdims)

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
        super().__init__(start.data.copy())
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
        return (_rebuild_variable, (self.numpy(), self.name, self.trainable))


def _rebuild_variable(value: np.ndarray, name: str, trainable: bool) -> Variable:
    return Variable(value, name=name, trainable=trainable)


def asarray(value: Any, dtype: Any = None, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """A tensor of a tensor, array, number, or nested list; no copy where none is needed.

    Python floats become float32, ints int64. ``device``: where it is to be; where it is by default. ``copy``: True for
    memory of its own, False for an error where that is needed.
    Raises `DTypeError` for what is not numeric or does not fit the dtype, `ShapeError` for ragged lists and where a
    copy is needed but not allowed.
    """
    if device is not None or copy is not None:
        return _placed(value, dtype, device, copy)
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(value, Variable):
        value = value.value
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        return _call("stack", [asarray(v, wanted) for v in value])
    if isinstance(value, Tensor):
        out = value
    elif hasattr(value, "dtype") and hasattr(value, "shape"):
        out = Tensor(_from_array(value))
    else:
        return Tensor(_from_python(value, wanted))
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


def _from_array(value: Any) -> Any:
    """An array of a backend in use: the value itself, what it offers by DLPack, or what NumPy makes of it."""
    if not isinstance(value, array_types()):
        foreign = hasattr(value, "__dlpack__") and not isinstance(value, np.generic)
        value = np.from_dlpack(value) if foreign else np.asarray(value)
    exact = as_dtype(value.dtype)
    return value if value.dtype == exact and value.dtype.isnative else value.astype(exact)


def _from_python(value: Any, wanted: np.dtype | None) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:
        raise ShapeError(
            f"asarray: nested lists must be rectangular; got {type(value).__name__} with rows of several lengths. "
            "Pad them"
        ) from None
    if array.dtype.kind not in "biufcV" or array.dtype.names is not None:
        raise DTypeError(
            f"asarray: values must be numbers or booleans; got {type(value).__name__} of {array.dtype}. "
            "Encode text first, and cast integers beyond 64 bits to float"
        )
    if array.dtype.kind == "c" and wanted is not None and wanted.kind != "c":
        raise DTypeError(f"asarray: complex numbers need a complex dtype; got {wanted}. Use complex64 or complex128")
    if wanted is None:
        wanted = default_of(class_of(array.dtype)) if array.size else DEFAULT_FLOAT
    try:
        with np.errstate(all="ignore"):
            return np.asarray(value, dtype=wanted) if array.dtype.kind in "iu" else array.astype(wanted, copy=False)
    except OverflowError as error:
        raise DTypeError(f"asarray: values must fit {wanted}; {error}. Choose a wider dtype") from None
