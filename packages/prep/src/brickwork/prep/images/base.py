"""The base of what takes images: batches of pixels in place of tables, and state that is data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.base import TransformerMixin

from ..errors import SHOWN, PrepError, quote
from ..stateful import Stateful

__all__ = ["ImageTransformer", "batches", "open_images"]

BLOCK = 1 << 22  # bytes of pixels that are worked on at once


class ImageTransformer(TransformerMixin, Stateful):
    """`fit` and `transform` of images; a subclass gives `_check_params`, `_learned` and `_restore`."""

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_channels_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True  # grey ones; scikit-learn has no tag for a fourth axis
        return tags


def open_images(X: Any, who: str) -> list[np.ndarray]:
    """The images as arrays (h, w, c) or all (h, w), of one dtype; a list may hold several sizes.

    PrepError where they are none: not of three or four axes, without a pixel, not whole numbers or floats, of several
    numbers of channels, or not finite.
    """
    shape = "images must be an array (n, height, width, channels) or (n, height, width), or a list of such without n"
    if isinstance(X, (list, tuple)) and len(X) and all(isinstance(image, np.ndarray) for image in X):
        images = list(X)
    else:
        try:
            whole = np.asarray(X)
        except ValueError as cause:
            raise PrepError.of(who, shape, str(cause)) from None
        if whole.ndim not in (3, 4):
            raise PrepError.of(who, shape, f"shape {whole.shape}")
        images = list(whole)
    if not images:
        raise PrepError.of(who, "images must be there", "none")
    kinds = {(image.ndim, image.shape[2:], image.dtype) for image in images}
    if len(kinds) > 1 or images[0].ndim not in (2, 3) or any(not image.size for image in images):
        shapes = quote(dict.fromkeys(f"{image.shape} {image.dtype}" for image in images))
        raise PrepError.of(who, f"{shape}, of one dtype and one number of channels", shapes)
    if images[0].dtype.kind not in "iuf":
        raise PrepError.of(who, "pixels must be integers or floats", str(images[0].dtype), "Cast them to uint8.")
    if images[0].dtype.kind == "f":
        _refuse_infinite(images, who)
    return images


def batches(images: Sequence[np.ndarray]) -> Iterator[tuple[slice, np.ndarray]]:
    """Neighbours of one size together, a few megabytes at a time: their places, and (k, h, w, c) as it stands."""
    start = 0
    while start < len(images):
        shape = images[start].shape
        most = max(1, BLOCK // images[start].nbytes)
        stop = start + 1
        while stop < len(images) and stop - start < most and images[stop].shape == shape:
            stop += 1
        stacked = np.stack(images[start:stop])
        yield slice(start, stop), stacked if stacked.ndim == 4 else stacked[..., None]
        start = stop


def _refuse_infinite(images: Sequence[np.ndarray], who: str) -> None:
    odd = [place for place, image in enumerate(images) if not np.isfinite(image).all()]
    if odd:
        which = f"{'image' if len(odd) == 1 else 'images'} {quote(odd[:SHOWN], len(odd))}"
        raise PrepError.of(who, "pixels must be finite", f"NaN or infinity in {which}", rows=odd[:SHOWN])
