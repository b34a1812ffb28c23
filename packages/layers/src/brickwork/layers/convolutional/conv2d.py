"""Convolution over two axes."""

from __future__ import annotations

from .conv import Conv

__all__ = ["Conv2D"]


class Conv2D(Conv):
    """Convolution of images (batch, height, width, channels); see `Conv`."""

    rank = 2
