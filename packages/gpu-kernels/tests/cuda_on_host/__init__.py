"""Generated CUDA C run on the host: the same source, compiled as C++ behind a header that stands in for CUDA."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from brickwork.gpu import CudaSource
from brickwork.gpu.c_types import c_type
from brickwork.gpu.cuda_c import prelude

COMPILER = shutil.which("g++") or shutil.which("clang++")
HERE = Path(__file__).parent


def one_unit(sources: Mapping[str, CudaSource]) -> str:
    """Many kernels as one translation unit, each under a name of its own."""
    parts = [prelude()]
    for name, source in sources.items():
        parts += [f"#define {source.entry} {name}", source.text, f"#undef {source.entry}"]
    return "\n".join(parts) + "\n"


def _runner(name: str, source: CudaSource) -> str:
    arguments = [f"({c_type(b.dtype).memory}*)buffers[{k}]" for k, b in enumerate(source.buffers)]
    arguments += [f"sizes[{k}]" for k in range(len(source.symbols))]
    synchronises = "true" if "__syncthreads" in source.text else "false"
    return (
        f'extern "C" void run_{name}(void** buffers, const long long* sizes, unsigned int blocks)\n'
        f"{{ run_grid(blocks, {source.threads}, {synchronises}, [&] {{ {name}({', '.join(arguments)}); }}); }}\n"
    )


class Host:
    """Kernels compiled for the host, by name."""

    def __init__(self, sources: Mapping[str, CudaSource], folder: Path):
        self.sources = sources
        unit, library = folder / "kernels.cpp", folder / "kernels.so"
        runners = [_runner(name, source) for name, source in sources.items()]
        unit.write_text('#include "cuda_host.h"\n' + one_unit(sources) + "".join(runners))
        command = [
            str(COMPILER),
            "-std=c++20",
            "-O0",
            "-ffp-contract=off",
            "-fPIC",
            "-shared",
            "-pthread",
            "-Wall",
            "-Werror",
        ]
        done = subprocess.run(
            [*command, "-Wno-unused", "-Wno-int-in-bool-context", f"-I{HERE}", str(unit), "-o", str(library)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[:4000]
        self.library = ctypes.CDLL(str(library))

    def run(
        self, name: str, buffers: Mapping[int, np.ndarray], symbols: Mapping[str, int] | None = None, blocks: int = 2
    ) -> None:
        """Run a kernel on NumPy arrays, in place."""
        source = self.sources[name]
        for b in source.buffers:
            assert buffers[b.number].dtype == b.dtype
        pointers = (ctypes.c_void_p * len(source.buffers))(*(buffers[b.number].ctypes.data for b in source.buffers))
        sizes = (ctypes.c_longlong * len(source.symbols))(*((symbols or {})[s] for s in source.symbols))
        getattr(self.library, f"run_{name}")(pointers, sizes, ctypes.c_uint(blocks))
