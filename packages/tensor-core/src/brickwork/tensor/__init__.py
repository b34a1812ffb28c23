"""Tensors, operations, gradients, random numbers and the data-only bundle format of Brickwork, on NumPy."""

__version__ = "0.1.0"
