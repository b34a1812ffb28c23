"""Convolution over one axis."""

from __future__ import annotations

from .conv import Conv

__all__ = ["Conv1D"]


class Conv1D(Conv):
    """Convolution of a series (batch, steps, channels); see `Conv`."""

    rank, causal = 1, True
