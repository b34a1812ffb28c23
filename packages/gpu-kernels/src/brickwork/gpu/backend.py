"""The device ``cuda``, behind the entry point ``brickwork.backends``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from brickwork.tensor.errors import DeviceError, DTypeError

from .probe import probe_machine, problem

__all__ = ["CudaBackend"]


class NoArray:
    """The array type of a device that is not usable: nothing is one."""


class CudaBackend:
    """Arrays in the memory of an NVIDIA GPU, through CuPy.

    Making one touches nothing. ``available`` looks once and remembers success; CuPy is imported there and nowhere else.
    """

    name = "cuda"

    def __init__(self) -> None:
        self._cupy: Any = None

    def available(self) -> str | None:
        """None where CuPy can compute on a GPU, else the cause and the command that mends it, as one sentence."""
        if self._cupy is not None:
            return None
        reason = problem(probe_machine())
        if reason is not None:
            return reason
        try:
            cupy = import_module("cupy")
            cupy.zeros(1) + 1  # the first kernel: finds what a driver, a library or a header hides until then
        except Exception as error:  # CuPy, its libraries and the driver each raise their own kinds
            return f"CuPy does not work here ({_first_line(error)}): python -m brickwork.gpu shows what was found"
        self._cupy = cupy
        return None

    @property
    def xp(self) -> Any:
        """The CuPy module. Raises `DeviceError` where the GPU can not be used."""
        if self._cupy is None:
            reason = self.available()
            if reason is not None:
                raise DeviceError(f"device: 'cuda' can not be used here; {reason}")
        return self._cupy

    @property
    def array_type(self) -> type:
        """``cupy.ndarray``; before the device was found usable, a type that no array has."""
        return NoArray if self._cupy is None else self._cupy.ndarray

    @cached_property
    def claims(self) -> Mapping[str, Callable[..., Any]]:
        """Composite ops that CuPy has as one function."""
        cupy = self.xp
        return {
            "argmax": lambda x, axis: cupy.argmax(x, axis=axis),
            "argmin": lambda x, axis: cupy.argmin(x, axis=axis),
        }

    def asarray(self, data: Any, dtype: np.dtype | None = None) -> Any:
        """The data on the GPU; what is there already stays. Raises `DTypeError` for dtypes that CuPy does not have."""
        try:
            return self.xp.asarray(data, dtype=dtype)
        except (TypeError, ValueError) as error:
            got = dtype if dtype is not None else getattr(data, "dtype", type(data).__name__)
            rule = f"cuda: CuPy must have the dtype; got {got}: {_first_line(error)}"
            raise DTypeError(f"{rule}. Cast with astype first") from error

    def to_numpy(self, data: Any) -> np.ndarray:
        """The data in host memory; waits for the work that makes it."""
        return np.asarray(self.xp.asnumpy(data))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
