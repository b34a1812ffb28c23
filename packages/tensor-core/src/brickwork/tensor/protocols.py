"""What a tensor answers Python, NumPy and other libraries: numbers, sequence, text, copies, exchange of arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .errors import DTypeError, ShapeError
from .late import later
from .memory import ledger

__all__ = ["Protocols"]

_summary, _html = later("text.summary"), later("text.html")


class Protocols:
    """The protocols of `Tensor`, by what it has: ``data``, ``spec``, ``numpy()`` and indexing.

    Operators between tensors and NumPy arrays give tensors, on whichever side; NumPy's functions take tensors as arrays
    and give arrays, but for those that hand on to a method (``np.sum``).
    """

    __slots__ = ()
    __array_priority__ = 100

    def __array__(self: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """For NumPy: the values themselves where they are in host memory and of the dtype. ``copy``: True for memory of
        its own, False for an error (a `ShapeError`, which is a ValueError) where that is needed."""
        out = self.numpy()
        made: np.ndarray = out if dtype is None or out.dtype == dtype else out.astype(dtype)
        shared = made is self.data
        if copy is False and not shared:
            raise ShapeError(f"__array__: without copy the values must be as they are to be; got {self.spec} on "
                             f"{self.device} for {made.dtype}. Leave copy out")  # fmt: skip
        return made.copy() if copy and shared else made

    def __dlpack__(
        self: Any,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A capsule for `from_dlpack` of any library, as the standard has it: ``stream`` of the one who asks, the
        ``max_version`` of DLPack that it reads, the ``dl_device`` that it wants, and whether a ``copy`` is made.

        Raises BufferError where the array can not be had so, ValueError where ``copy=False`` can not be kept.
        """
        source = self.data if hasattr(self.data, "__dlpack__") else self.numpy()
        asked = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
        return source.__dlpack__(**{name: value for name, value in asked.items() if value is not None})

    def __dlpack_device__(self: Any) -> tuple[int, int]:
        source = self.data if hasattr(self.data, "__dlpack_device__") else self.numpy()
        kind, number = source.__dlpack_device__()
        return kind, number

    def __bool__(self: Any) -> bool:
        return bool(self._scalar("bool"))

    def __int__(self: Any) -> int:
        return int(self._real("int"))

    def __float__(self: Any) -> float:
        return float(self._real("float"))

    def __complex__(self: Any) -> complex:
        return complex(self._scalar("complex"))

    def __index__(self: Any) -> int:
        if self.dtype.kind not in "iu" or self.shape != ():
            raise DTypeError(f"index: needs an integer of no axes; got {self.spec}. Use int(x) if that is meant")
        return int(self.numpy())

    def _real(self: Any, what: str) -> Any:
        if self.dtype.kind == "c":
            raise DTypeError(f"{what}: needs a real number; got {self.spec}. Use real(x) or abs(x)")
        return self._scalar(what)

    def _scalar(self: Any, what: str) -> Any:
        if self.size != 1:
            raise ShapeError(
                f"{what}: needs exactly one element; got {self.spec}. Reduce it first, as with .any() or .all()"
            )
        return self.numpy().item()

    def __len__(self: Any) -> int:
        if not self.shape:
            raise ShapeError(f"len: needs at least one axis; got {self.spec}. Use x.size")
        size: int = self.shape[0]
        return size

    def __iter__(self: Any) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __repr__(self: Any) -> str:
        if self.symbolic:
            return f"Tensor(<{self.spec}>)"
        text: str = _summary(self.numpy(), self.device)
        return text

    def _repr_html_(self: Any) -> str | None:
        """For notebooks; None asks for `repr`."""
        return None if self.symbolic else _html(self.numpy(), self.device)

    def __format__(self: Any, how: str) -> str:
        """One number formats as a number (``f"{loss:.3f}"``), anything else as its text."""
        return format(self.item() if self.shape == () and not self.symbolic else str(self), how)

    def __reduce__(self: Any) -> tuple[Any, ...]:
        return (type(self), (self.numpy(),))

    def __copy__(self: Any) -> Any:
        """Another handle on the same values."""
        return type(self)(self.data)

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        """The same values in memory of their own, on the device where they are."""
        if self.symbolic:
            return type(self)(self.data)
        ledger.ask("deepcopy", self.data.nbytes)
        return type(self)(ledger.made(self.data.copy()))
