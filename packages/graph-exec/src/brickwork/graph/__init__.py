"""Compiles Brickwork functions, whole training steps included, to one native call through LLVM."""

__version__ = "0.1.0"
