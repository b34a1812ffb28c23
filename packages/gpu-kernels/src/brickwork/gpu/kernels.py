"""From a `Kernel` to something that can be called with arrays on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from brickwork.tensor.dim import evaluate
from brickwork.tensor.errors import DeviceError, DTypeError
from brickwork.tensor.kernel import Kernel

from .cuda_c import Buffer, CudaSource, emit
from .driver import ask_driver
from .nvrtc import Nvrtc, find_nvrtc, target_for, wheel_name

__all__ = ["CompiledKernel", "compile_binary", "compile_kernel"]

BLOCKS_PER_MULTIPROCESSOR = 32


def compile_binary(kernel: Kernel, target: str = "sm_90") -> bytes:
    """Machine code (``sm_90``) or PTX (``compute_90``) of a kernel; needs NVRTC, and no GPU.

    Raises `DeviceError` where there is no NVRTC.
    """
    return _binary(emit(kernel).program, target, None)


def compile_kernel(kernel: Kernel) -> CompiledKernel:
    """A function ``(buffers, symbols) -> None`` that runs the kernel on the current CuPy device and stream.

    The code is made at once and compiled for a device on the first call there.
    """
    return CompiledKernel(emit(kernel))


class CompiledKernel:
    """A kernel on its way to devices; ``source`` is its CUDA C. Mutable only in what it has loaded, one per device."""

    def __init__(self, source: CudaSource):
        self.source = source
        self._loaded: dict[int, Callable[[Mapping[int, Any], Mapping[str, int]], None]] = {}

    def __call__(self, buffers: Mapping[int, Any], symbols: Mapping[str, int] | None = None) -> None:
        """Run it. ``buffers``: the flat CuPy array of each buffer number, C-contiguous and of the kernel's dtype;
        ``symbols``: the symbolic sizes.

        Two buffers may not overlap; one that the kernel reads and writes is one number. Returns as soon as the work
        is queued. Raises `DTypeError` for a wrong dtype or layout, `DeviceError` for an array in host memory or where
        the GPU can not be used.
        """
        self._check(buffers, symbols or {})
        device = _launcher().current_device()
        if device not in self._loaded:
            self._loaded[device] = self._load()
        self._loaded[device](buffers, symbols or {})

    def _check(self, buffers: Mapping[int, Any], symbols: Mapping[str, int]) -> None:
        missing = [
            *(str(b.number) for b in self.source.buffers if b.number not in buffers),
            *(s for s in self.source.symbols if s not in symbols),
        ]
        if missing:
            raise DeviceError(
                f"kernel: every buffer and symbol must be given; got none for {', '.join(missing)}. Pass it"
            )
        for buffer in self.source.buffers:
            check_buffer(buffer, buffers[buffer.number])

    def _load(self) -> Callable[[Mapping[int, Any], Mapping[str, int]], None]:
        on_gpu, source = _launcher(), self.source
        driver = ask_driver().version
        function = on_gpu.load(
            _compiled_for(source.program, on_gpu.capability(), driver[0] if driver else None), source.entry
        )
        most = on_gpu.multiprocessors() * BLOCKS_PER_MULTIPROCESSOR

        def run(buffers: Mapping[int, Any], symbols: Mapping[str, int]) -> None:
            points = evaluate(source.points, symbols)
            if points == 0:
                return
            arguments = [*(buffers[b.number] for b in source.buffers), *(np.int64(symbols[s]) for s in source.symbols)]
            on_gpu.launch(function, min(-(-points // source.points_per_block), most), source.threads, arguments)

        return run


def check_buffer(buffer: Buffer, array: Any) -> None:
    """Raises `DeviceError` or `DTypeError` unless an array is what a kernel's pointer may point to."""
    if not hasattr(array, "__cuda_array_interface__"):
        raise DeviceError(
            f"kernel: buffer {buffer.number} must be on the GPU; got a "
            f"{type(array).__module__}.{type(array).__qualname__}. Move it with .to('cuda')"
        )
    if array.dtype != buffer.dtype or not array.flags.c_contiguous:
        layout = "contiguous" if array.flags.c_contiguous else "strided"
        raise DTypeError(
            f"kernel: buffer {buffer.number} must be contiguous {buffer.dtype.name}; got {layout} {array.dtype.name}. "
            "Convert it with astype or copy"
        )


def _launcher() -> Any:
    """The room that needs CuPy, entered only when a kernel runs."""
    return import_module(".launch", __package__)


def _compiled_for(program: str, capability: int, driver_major: int | None) -> bytes:
    return _binary(program, target_for(capability, _nvrtc(driver_major).architectures), driver_major)


@lru_cache(maxsize=512)
def _binary(program: str, target: str, driver_major: int | None) -> bytes:
    """Equal kernels compile once, whoever asks."""
    return _nvrtc(driver_major).compile(program, target)


def _nvrtc(driver_major: int | None) -> Nvrtc:
    found = find_nvrtc(driver_major)
    if found is None:
        raise DeviceError(
            "nvrtc: CUDA's runtime compiler must be installed; got none that loads. "
            f"python -m pip install {wheel_name(driver_major or 13)}"
        )
    return found
