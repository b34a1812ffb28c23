"""The CUDA backend of Brickwork: generated kernels, compiled with NVRTC and launched through CuPy."""

__version__ = "0.1.0"
