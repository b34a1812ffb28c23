"""Exceptions of the whole house. Every message reads ``who: rule; got values. fix``."""

__all__ = [
    "BrickworkError",
    "DTypeError",
    "DeviceError",
    "ExchangeError",
    "IndexingError",
    "MemoryLimitError",
    "ShapeError",
    "TraceError",
]


class BrickworkError(Exception):
    """Base of every error that Brickwork raises on purpose."""


class ShapeError(BrickworkError, ValueError):
    """Shapes, axes or sizes that an operation can not take."""


class IndexingError(ShapeError, IndexError):
    """An index or an axis that is not there, or a key that does not fit the axes."""


class DTypeError(BrickworkError, TypeError):
    """A dtype that an operation can not take."""


class DeviceError(BrickworkError, RuntimeError):
    """A device that is not there or can not do what was asked."""


class ExchangeError(DeviceError, BufferError, ValueError):
    """Another library's array that can not be taken over as asked."""


class TraceError(BrickworkError, RuntimeError):
    """Something was asked of a symbolic value that only a concrete one has."""


class MemoryLimitError(BrickworkError, MemoryError):
    """An allocation would pass the limit that was set."""
