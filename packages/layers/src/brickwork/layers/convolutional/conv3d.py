"""Convolution over three axes."""

from __future__ import annotations

from .conv import Conv

__all__ = ["Conv3D"]


class Conv3D(Conv):
    """Convolution of volumes (batch, depth, height, width, channels); see `Conv`."""

    rank = 3
