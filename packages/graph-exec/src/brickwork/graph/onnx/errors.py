"""Errors of models: one that is none, one that asks for what is not here, and the package that reads them missing."""

from brickwork.tensor.errors import BrickworkError

__all__ = ["MissingPackageError", "ModelError", "UnsupportedError"]


class MissingPackageError(BrickworkError, ImportError):
    """The `onnx` package is not installed."""


class ModelError(BrickworkError, ValueError):
    """A model that does not follow the standard, or inputs that do not fit it."""


class UnsupportedError(BrickworkError, NotImplementedError):
    """A model within the standard that this package can not run: an op, an attribute or a type."""
