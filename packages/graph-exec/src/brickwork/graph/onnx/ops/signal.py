"""Fourier transforms of signals whose last axis holds real and imaginary parts, and mel weights."""

from __future__ import annotations

from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor

from ..errors import ModelError
from ..proto import dtype_of
from ..registry import translator


def _complex(x: Tensor) -> Tensor:
    """Complex numbers of their parts; float32 for narrower ones."""
    if x.shape[-1] not in (1, 2):
        raise ModelError(f"DFT: the last axis must hold a real part, or a real and an imaginary one; got {x.shape}")
    wide = x if x.dtype == "float64" else x.astype("float32")
    return wide[..., 0] if x.shape[-1] == 1 else wide[..., 0] + 1j * wide[..., 1]


def _parts(z: Tensor, dtype: np.dtype) -> Tensor:
    return bt.stack([bt.real(z), bt.imag(z)], -1).astype(dtype)


@translator("DFT", 20, static="dft_length axis")
def dft(x: Tensor, dft_length: Any = None, axis: Any = None, *, inverse: int = 0, onesided: int = 0) -> Tensor:
    """``sum(x[n] exp(-2 pi i k n / N))``, or its inverse. ``onesided``: half of the frequencies, which are all that
    real signals have; its inverse gives a real signal."""
    place = (-2 if axis is None else int(np.asarray(axis).reshape(-1)[0])) % x.ndim
    signal = _complex(x)
    length = x.shape[place] if dft_length is None else int(np.asarray(dft_length).reshape(-1)[0])
    if inverse and onesided:
        whole = 2 * (x.shape[place] - 1) if dft_length is None else length
        return bt.expand_dims(bt.fft.irfft(signal, n=whole, axis=place), -1).astype(x.dtype)
    if inverse:
        return _parts(bt.fft.ifft(signal, n=length, axis=place), x.dtype)
    if onesided and x.shape[-1] == 1:
        return _parts(bt.fft.rfft(signal, n=length, axis=place), x.dtype)
    out = bt.fft.fft(signal, n=length, axis=place)
    return _parts(out[(slice(None),) * place + (slice(0, length // 2 + 1),)] if onesided else out, x.dtype)


@translator("DFT", 17, static="dft_length")
def dft_along_attribute(
    x: Tensor, dft_length: Any = None, *, axis: int = 1, inverse: int = 0, onesided: int = 0
) -> Tensor:
    return dft(x, dft_length, axis, inverse=inverse, onesided=onesided)


@translator("STFT", 17, static="frame_step frame_length")
def stft(
    x: Tensor, frame_step: Any, window: Tensor | None = None, frame_length: Any = None, *, onesided: int = 1
) -> Tensor:
    """The transform of each of the frames that begin every ``frame_step`` samples: (batch, frames, frequencies, 2)."""
    step = int(np.asarray(frame_step).reshape(-1)[0])
    if frame_length is None and window is None:
        raise ModelError("STFT: a window or the length of a frame must be given; got neither")
    length = window.shape[0] if frame_length is None else int(np.asarray(frame_length).reshape(-1)[0])  # type: ignore[union-attr]
    frames = bt.sliding_window(x, 1, length, step)  # (batch, frames, parts, length)
    if window is not None:
        frames = frames * window.astype(x.dtype)
    return dft(bt.permute_dims(frames, (0, 1, 3, 2)), None, 2, onesided=onesided)


@translator("MelWeightMatrix", 17, static="bands length rate low high")
def mel_weight_matrix(bands: Any, length: Any, rate: Any, low: Any, high: Any, *, output_datatype: int = 1) -> Tensor:
    """Triangles on the mel scale, ``2595 log10(1 + f / 700)``: (length // 2 + 1 frequencies, bands)."""
    count, size, sampling = (int(np.asarray(v).reshape(-1)[0]) for v in (bands, length, rate))
    ends = [2595 * np.log10(1 + float(np.asarray(f).reshape(-1)[0]) / 700) for f in (low, high)]
    points = ends[0] + np.arange(count + 2) * (ends[1] - ends[0]) / (count + 2)
    bins = np.floor((size + 1) * 700 * (10 ** (points / 2595) - 1) / sampling).astype(int)
    out = np.zeros((size // 2 + 1, count))
    for band, (left, middle, right) in enumerate(zip(bins, bins[1:], bins[2:], strict=False)):
        rising, falling = np.arange(left, middle + 1), np.arange(middle, right)
        out[rising, band] = (rising - left) / (middle - left) if middle > left else 1.0
        if right > middle:
            out[falling, band] = (right - falling) / (right - middle)
    return bt.asarray(out.astype(dtype_of(output_datatype)))
