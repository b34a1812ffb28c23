"""The NVIDIA driver, asked through ctypes (CUDA Driver API: cuDriverGetVersion, cuInit, cuDeviceGetCount, ...)."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import Any

__all__ = ["Device", "Driver", "ask_driver"]

LIBRARIES = ("nvcuda.dll",) if sys.platform == "win32" else ("libcuda.so.1", "libcuda.so")
CAPABILITY_MAJOR, CAPABILITY_MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU. ``capability``: 90 for compute capability 9.0; ``memory``: bytes."""

    name: str
    capability: int
    memory: int


@dataclass(frozen=True, slots=True)
class Driver:
    """``library``: what was loaded, None where there is no driver. ``version``: the newest CUDA it runs, as (major,
    minor).

    ``error``: what ``cuInit`` answered, None where it started.
    """

    library: str | None = None
    version: tuple[int, int] | None = None
    error: str | None = None
    devices: tuple[Device, ...] = ()


def ask_driver() -> Driver:
    """What the driver says of itself and its GPUs. Starts the driver, but no context on any device."""
    for name in LIBRARIES:
        try:
            return _ask(name, ctypes.CDLL(name))
        except OSError:
            continue
    return Driver()


def _ask(name: str, cuda: Any) -> Driver:
    number = ctypes.c_int()
    answered = cuda.cuDriverGetVersion(ctypes.byref(number)) == 0
    version = (number.value // 1000, number.value % 1000 // 10) if answered else None
    code = cuda.cuInit(0)
    if code:
        return Driver(name, version, _error_name(cuda, code))
    count = ctypes.c_int()
    cuda.cuDeviceGetCount(ctypes.byref(count))
    return Driver(name, version, None, tuple(_device(cuda, i) for i in range(count.value)))


def _error_name(cuda: Any, code: int) -> str:
    text = ctypes.c_char_p()
    known = cuda.cuGetErrorName(code, ctypes.byref(text)) == 0 and text.value
    return text.value.decode() if known and text.value else f"error {code}"


def _device(cuda: Any, ordinal: int) -> Device:
    handle, memory, name = ctypes.c_int(), ctypes.c_size_t(), ctypes.create_string_buffer(256)
    cuda.cuDeviceGet(ctypes.byref(handle), ordinal)
    cuda.cuDeviceGetName(name, len(name), handle)
    cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), handle)
    capability = 0
    for scale, attribute in ((10, CAPABILITY_MAJOR), (1, CAPABILITY_MINOR)):
        value = ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, handle)
        capability += scale * value.value
    return Device(name.value.decode(errors="replace"), capability, memory.value)
