"""The mean of all places."""

from __future__ import annotations

from brickwork.tensor import mean

from .pooling import GlobalPooling

__all__ = ["GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"]


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of all places over one axis; see `GlobalPooling`."""

    rank, reduce = 1, staticmethod(mean)


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of all places over two axes; see `GlobalPooling`."""

    rank, reduce = 2, staticmethod(mean)


class GlobalAveragePooling3D(GlobalPooling):
    """The mean of all places over three axes; see `GlobalPooling`."""

    rank, reduce = 3, staticmethod(mean)
