"""`ImageResizer`: images of any size to one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse

from ..errors import PrepError
from ..params import choice, flags
from .base import ImageTransformer, batches, open_images

__all__ = ["ImageResizer"]


class ImageResizer(ImageTransformer):
    """Images (n, h, w, c), (n, h, w), or a list of images of any sizes, to (n, *size, c) or (n, *size).

    The pixel i of n covers [i, i + 1) / n of a side, as Pillow, OpenCV and PyTorch (align_corners=False) have it. Each
    side is resampled by itself: an output pixel is the mean of input pixels, weighted by a kernel at their distance;
    weights beyond the border are left out. The dtype stays; integers are rounded to the nearest.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of what comes out.
    method : {"bilinear", "bicubic", "area", "nearest"}
        The kernel: a triangle; Keys's cubic with a = -0.5 ("Cubic convolution interpolation for digital image
        processing", 1981); the share of each input pixel that the output pixel covers; the one pixel in the middle.
    antialias : bool
        Whether "bilinear" and "bicubic" widen their kernel where a side shrinks, so that no pixel is passed over.

    Attributes
    ----------
    n_channels_ : int, seen at fit; 0 for images without an axis of channels

    Nothing else is learned. Raises PrepError where the input is no images.

    Examples
    --------
    >>> import numpy as np
    >>> from brickwork.prep import ImageResizer
    >>> image = np.array([[[0, 4], [8, 12]]], dtype=np.uint8)
    >>> ImageResizer((1, 2), method="area").fit_transform(image).tolist()
    [[[4, 8]]]
    """

    LEARNED: ClassVar = {"n_channels": "count"}

    def __init__(self, size: int | tuple[int, int] = 224, *, method: str = "bilinear", antialias: bool = True):
        self.size = size
        self.method = method
        self.antialias = antialias

    def fit(self, X: Any, y: Any = None) -> Self:
        """Looks at the images and at the parameters."""
        who = self._who("fit")
        self._check_params(who)
        self.n_channels_ = _channels(open_images(X, who)[0])
        return self

    def transform(self, X: Any) -> np.ndarray:
        """(n, height, width, c) or (n, height, width), of the dtype of X."""
        who = self._who("transform")
        self._need_fit(who)
        images = open_images(X, who)
        if _channels(images[0]) != self.n_channels_:
            rule = f"images must have {self.n_channels_ or 'no axis of'} channels, as at fit"
            raise PrepError.of(who, rule, f"shape {images[0].shape}")
        height, width = self._sides(who)
        first = images[0]
        out = np.empty((len(images), height, width, *first.shape[2:]), dtype=first.dtype)
        for places, block in batches(images):
            made = self._resize(block, height, width)
            out[places] = made if first.ndim == 3 else made[..., 0]
        return out

    def _check_params(self, who: str) -> None:
        choice(who, tuple(METHODS), method=self.method)
        flags(who, antialias=self.antialias)
        self._sides(who)

    def _sides(self, who: str) -> tuple[int, int]:
        sides = self.size if isinstance(self.size, (list, tuple)) else (self.size, self.size)
        if len(sides) != 2 or not all(isinstance(n, (int, np.integer)) and 0 < n < 2**20 for n in map(_whole, sides)):
            raise PrepError.of(who, "size must be a side or (height, width), of 1 pixel or more", repr(self.size))
        return int(sides[0]), int(sides[1])

    def _resize(self, block: np.ndarray, height: int, width: int) -> np.ndarray:
        """(k, h, w, c) as (k, height, width, c)."""
        k, h, w, c = block.shape
        if self.method == "nearest":
            return block[:, _middle(h, height)][:, :, _middle(w, width)]
        dtype = np.float32 if block.dtype in (np.uint8, np.int8, np.float16, np.float32) else np.float64
        rows, columns = (_weights(self.method, n, m, self.antialias, dtype) for n, m in ((h, height), (w, width)))
        tall = block.transpose(1, 0, 2, 3).reshape(h, k * w * c).astype(dtype)
        tall = (rows @ tall).reshape(height, k, w, c)
        wide = columns @ tall.transpose(2, 0, 1, 3).reshape(w, height * k * c)
        made = wide.reshape(width, height, k, c).transpose(2, 1, 0, 3)
        if block.dtype.kind == "f":
            return made
        limits = np.iinfo(block.dtype)
        return np.clip(np.rint(made), limits.min, limits.max)

    def _learned(self) -> dict[str, Any]:
        return {"n_channels": self.n_channels_}

    def _restore(self, values: dict[str, Any], where: str) -> None:
        self.n_channels_ = values["n_channels"]


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(x), 0)


def _cubic(x: np.ndarray, a: float = -0.5) -> np.ndarray:
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = a * (((x - 5) * x + 8) * x - 4)
    return np.where(x < 1, near, np.where(x < 2, far, 0))


METHODS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float] | None] = {
    "bilinear": (_triangle, 1.0),
    "bicubic": (_cubic, 2.0),
    "area": None,
    "nearest": None,
}
"""Kernels, with how far they reach."""


@lru_cache(maxsize=64)
def _weights(method: str, n: int, m: int, antialias: bool, dtype: type) -> sparse.csr_matrix:
    """What each of m output pixels takes of n input pixels: (m, n), rows that add up to 1."""
    step = n / m
    kernel = METHODS[method]
    wide = max(step, 1.0) if antialias else 1.0
    reach = step / 2 if kernel is None else kernel[1] * wide
    middle = (np.arange(m) + 0.5) * step
    first = np.floor(middle - reach).astype(np.int64)
    places = first[:, None] + np.arange(int(np.ceil(2 * reach)) + 2)
    if kernel is None:
        low, high = middle[:, None] - reach, middle[:, None] + reach
        weights = np.clip(np.minimum(places + 1, high) - np.maximum(places, low), 0, None)
    else:
        weights = kernel[0]((places + 0.5 - middle[:, None]) / wide)
    weights = np.where((places < 0) | (places >= n), 0, weights)
    weights /= weights.sum(axis=1, keepdims=True)
    kept = weights != 0
    stops = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return sparse.csr_matrix((weights[kept].astype(dtype), places[kept], stops), shape=(m, n))


def _middle(n: int, m: int) -> np.ndarray:
    """The input pixel in which the middle of each output pixel lies."""
    return (2 * np.arange(m) + 1) * n // (2 * m)


def _channels(image: np.ndarray) -> int:
    return image.shape[2] if image.ndim == 3 else 0


def _whole(n: Any) -> Any:
    return None if isinstance(n, bool) else n
