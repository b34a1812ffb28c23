"""The CUDA backend of Brickwork: generated kernels, compiled with NVRTC and launched through CuPy.

Importing this imports no CuPy and touches no device.
"""

from .backend import CudaBackend
from .cuda_c import CudaSource, emit
from .kernels import CompiledKernel, compile_binary, compile_kernel
from .nvrtc import CompileError, find_nvrtc
from .probe import Probe, probe_machine, problem

__version__ = "0.1.0"
__all__ = [
    "CompileError",
    "CompiledKernel",
    "CudaBackend",
    "CudaSource",
    "Probe",
    "compile_binary",
    "compile_kernel",
    "emit",
    "find_nvrtc",
    "probe_machine",
    "problem",
]
