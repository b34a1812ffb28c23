"""The mean of each window."""

from __future__ import annotations

from brickwork.tensor import nn

from .pooling import Pooling

__all__ = ["AveragePooling1D", "AveragePooling2D", "AveragePooling3D"]


class AveragePooling1D(Pooling):
    """The mean of each window, without padding, over one axis; see `Pooling`."""

    rank, reduce = 1, staticmethod(nn.average_pool)


class AveragePooling2D(Pooling):
    """The mean of each window, without padding, over two axes; see `Pooling`."""

    rank, reduce = 2, staticmethod(nn.average_pool)


class AveragePooling3D(Pooling):
    """The mean of each window, without padding, over three axes; see `Pooling`."""

    rank, reduce = 3, staticmethod(nn.average_pool)
