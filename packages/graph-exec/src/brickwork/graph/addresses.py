"""Arrays as compiled code knows them: by address."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from brickwork.tensor.dim import evaluate
from brickwork.tensor.errors import DeviceError
from brickwork.tensor.spec import TensorSpec

__all__ = ["address_of", "array_at", "in_host"]

_SCRATCH = np.zeros(64, np.uint8)


def address_of(array: np.ndarray) -> int:
    """The address of an array; of a scratch place where it is empty, so that nothing is read out of bounds."""
    return array.__array_interface__["data"][0] if array.size else _SCRATCH.ctypes.data


def array_at(address: int | None, spec: TensorSpec, values: Mapping[str, int]) -> np.ndarray:
    """The array at an address that compiled code names."""
    shape = tuple(evaluate(n, values) for n in spec.shape)
    count = prod(shape) * spec.dtype.itemsize
    if count == 0 or address is None:
        return np.empty(shape, spec.dtype)
    return np.ndarray(shape, spec.dtype, (ctypes.c_char * count).from_address(address))


def in_host(array: Any) -> np.ndarray:
    """The array in one run of host memory, of as many axes. Raises `DeviceError` where it is on another device."""
    try:
        return np.asarray(array, order="C")
    except TypeError:
        where = type(array).__module__.partition(".")[0]
        raise DeviceError(
            f"function: compiled code runs on the CPU; got an array of {where}. Move it with .to('cpu'), or call the "
            "function uncompiled"
        ) from None
