"""CUDA C to machine code, in memory, by NVIDIA's runtime compiler: needs its library and no GPU.

The library comes with NVIDIA's wheels (``nvidia-cuda-nvrtc`` for CUDA 13, ``nvidia-cuda-nvrtc-cu12``) or with a
toolkit. It is called through ctypes, so that compiling does not need CuPy. Functions and codes are those of NVIDIA's
NVRTC documentation.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from brickwork.tensor.errors import BrickworkError, DeviceError

from .environment import toolkit_roots, wheel_roots

__all__ = ["CompileError", "Nvrtc", "find_nvrtc", "nvrtc_files", "target_for"]

# Contraction would save nothing in kernels that wait for memory, and would cost the same bits as NumPy; where a fused
# multiply-add is
# meant, the expression says fma.
OPTIONS = ("--std=c++17", "--fmad=false")
IN_WHEELS = (
    "cu[0-9]*/lib/libnvrtc.so.*",
    "cuda_nvrtc/lib/libnvrtc.so.*",
    "cu[0-9]*/bin/**/nvrtc64_*_0.dll",
    "cuda_nvrtc/bin/nvrtc64_*_0.dll",
)
IN_TOOLKITS = ("lib64/libnvrtc.so.*", "lib/libnvrtc.so.*", "targets/*/lib/libnvrtc.so.*", "bin/**/nvrtc64_*_0.dll")
ON_LOADER_PATH = (
    ("nvrtc64_130_0.dll", "nvrtc64_120_0.dll") if sys.platform == "win32" else ("libnvrtc.so.13", "libnvrtc.so.12")
)


class CompileError(BrickworkError):
    """NVRTC refused generated code: a bug of the code generator. ``source`` is what it was given."""

    def __init__(self, message: str, source: str):
        super().__init__(message)
        self.source = source


@dataclass(frozen=True, slots=True)
class Nvrtc:
    """A loaded NVRTC. ``version``: CUDA's; ``architectures``: compute capabilities it has code for, 90 for 9.0."""

    path: str
    version: tuple[int, int]
    architectures: tuple[int, ...]
    library: Any = field(repr=False, compare=False)

    def compile(self, source: str, target: str) -> bytes:
        """Machine code (a cubin) for a target such as ``sm_90``, or PTX for one such as ``compute_90``.

        Raises `CompileError` with the compiler's log, each message under the source line that it is about.
        """
        program = ctypes.c_void_p()
        self._check(
            self.library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None)
        )
        try:
            options = [f"--gpu-architecture={target}".encode(), *(o.encode() for o in OPTIONS)]
            failed = self.library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
            if failed:
                log = self._text(program, "ProgramLog").rstrip(b"\0").decode(errors="replace")
                raise CompileError(
                    f"nvrtc: generated code must compile for {target}; got\n{annotate(log, source)}\n"
                    "This is a bug of the code generator; please report it with this text",
                    source,
                )
            return self._text(program, "PTX" if target.startswith("compute_") else "CUBIN")
        finally:
            self.library.nvrtcDestroyProgram(ctypes.byref(program))

    def _text(self, program: ctypes.c_void_p, what: str) -> bytes:
        size = ctypes.c_size_t()
        self._check(getattr(self.library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
        data = ctypes.create_string_buffer(size.value)
        self._check(getattr(self.library, f"nvrtcGet{what}")(program, data))
        return data.raw

    def _check(self, code: int) -> None:
        if code:
            raise DeviceError(
                f"nvrtc: its calls must succeed; got {self.library.nvrtcGetErrorString(code).decode()} from "
                f"{self.path}. Reinstall it: python -m pip install --force-reinstall {wheel_name(self.version[0])}"
            )


def wheel_name(major: int) -> str:
    """The distribution that holds NVRTC for a major version of CUDA."""
    return "nvidia-cuda-nvrtc-cu12" if major == 12 else "nvidia-cuda-nvrtc"


def nvrtc_files() -> Iterator[tuple[int, str]]:
    """(CUDA's major version, path or loader name) of each NVRTC that may be here: wheels, toolkits, loader."""
    places = [(root, pattern) for root in wheel_roots() for pattern in IN_WHEELS]
    places += [(root, pattern) for root in toolkit_roots() for pattern in IN_TOOLKITS]
    for root, pattern in places:
        for path in sorted(root.glob(pattern)):
            if major := _major(path):
                yield major, str(path)
    for name in ON_LOADER_PATH:
        yield _major(Path(name)), name


def _major(path: Path) -> int:
    """12 of ``libnvrtc.so.12``, ``libnvrtc.so.12.9.86`` and ``nvrtc64_120_0.dll``; 0 where the name says none."""
    found = re.fullmatch(r"libnvrtc\.so\.(\d+)(\..*)?|nvrtc64_(\d+)\d_0\.dll", path.name)
    return int(found[1] or found[3]) if found else 0


@lru_cache(maxsize=4)
def find_nvrtc(driver_major: int | None = None) -> Nvrtc | None:
    """The newest NVRTC that loads and whose code a driver of this major version runs; None where there is none.

    Without ``driver_major`` (to compile for another machine) the newest of all.
    """
    for major, path in sorted(nvrtc_files(), key=lambda found: -found[0]):
        if driver_major is not None and major > driver_major:
            continue
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        return _describe(path, library)
    return None


def _describe(path: str, library: Any) -> Nvrtc:
    library.nvrtcGetErrorString.restype = ctypes.c_char_p
    major, minor, count = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    library.nvrtcGetNumSupportedArchs(ctypes.byref(count))
    architectures = (ctypes.c_int * count.value)()
    library.nvrtcGetSupportedArchs(architectures)
    return Nvrtc(path, (major.value, minor.value), tuple(architectures), library)


def target_for(capability: int, architectures: Sequence[int]) -> str:
    """What to compile for on a GPU of a compute capability (90 for 9.0): its machine code, or PTX where the GPU is
    newer than the compiler.

    Raises `DeviceError` where the compiler no longer knows so old a GPU.
    """
    if capability in architectures:
        return f"sm_{capability}"
    older = [a for a in architectures if a < capability]
    if not older:
        raise DeviceError(
            f"cuda: the GPU must have compute capability {min(architectures) / 10} or newer for this NVRTC; got "
            f"{capability / 10}. Install an older one: python -m pip install 'brickwork-gpu-kernels[cuda12]'"
        )
    return f"compute_{max(older)}"


def annotate(log: str, source: str) -> str:
    """The log with the source line under each message."""
    lines = source.splitlines()
    out = []
    for message in log.splitlines():
        out.append(message)
        if found := re.match(r"kernel\.cu\((\d+)\)", message):
            number = int(found[1])
            out.append(f"  {number} | {lines[number - 1] if number <= len(lines) else ''}")
    return "\n".join(out)
