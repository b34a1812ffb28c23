"""The greatest of all places."""

from __future__ import annotations

from brickwork.tensor import max

from .pooling import GlobalPooling

__all__ = ["GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D"]


class GlobalMaxPooling1D(GlobalPooling):
    """The greatest of all places over one axis; see `GlobalPooling`."""

    rank, reduce = 1, staticmethod(max)


class GlobalMaxPooling2D(GlobalPooling):
    """The greatest of all places over two axes; see `GlobalPooling`."""

    rank, reduce = 2, staticmethod(max)


class GlobalMaxPooling3D(GlobalPooling):
    """The greatest of all places over three axes; see `GlobalPooling`."""

    rank, reduce = 3, staticmethod(max)
