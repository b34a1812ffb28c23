"""The greatest element of each window."""

from __future__ import annotations

from brickwork.tensor import nn

from .pooling import Pooling

__all__ = ["MaxPooling1D", "MaxPooling2D", "MaxPooling3D"]


class MaxPooling1D(Pooling):
    """The greatest element of each window over one axis; see `Pooling`."""

    rank, reduce = 1, staticmethod(nn.max_pool)


class MaxPooling2D(Pooling):
    """The greatest element of each window over two axes; see `Pooling`."""

    rank, reduce = 2, staticmethod(nn.max_pool)


class MaxPooling3D(Pooling):
    """The greatest element of each window over three axes; see `Pooling`."""

    rank, reduce = 3, staticmethod(nn.max_pool)
