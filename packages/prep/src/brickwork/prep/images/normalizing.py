"""`ImageNormalizer`: each channel of images to mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from ..errors import PrepError
from ..state import demand
from ..statistics import Moments, read_statistic
from .base import ImageTransformer, batches, open_images

__all__ = ["ImageNormalizer"]


class ImageNormalizer(ImageTransformer):
    """(x - mean) / std of each channel, float32; pixels of unsigned integers are first divided by their largest value.

    Images are (n, h, w, c), or (n, h, w) of one channel, of one size. Mean and population standard deviation are those
    of all pixels at fit, 1 in place of a deviation of 0; what is learned merges.

    Parameters
    ----------
    mean, std : float or list of float, optional
        What is taken in place of what fit finds: one for all channels or one for each, of pixels from 0 to 1 where they
        are unsigned integers ([0.485, 0.456, 0.406] and [0.229, 0.224, 0.225] for networks trained on ImageNet).

    Attributes
    ----------
    mean_, std_ : float64 (n_channels_,)
    scale_ : float, what pixels are divided by: 255 for uint8, 1 for floats
    n_channels_ : int

    Raises
    ------
    PrepError where the input is no images, of another number of channels than at fit, or of another dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from brickwork.prep import ImageNormalizer
    >>> image = np.array([[[0, 255], [255, 0]]], dtype=np.uint8)
    >>> normalizer = ImageNormalizer().fit(image)
    >>> normalizer.transform(image).tolist()
    [[[-1.0, 1.0], [1.0, -1.0]]]
    >>> normalizer.inverse_transform(normalizer.transform(image)).tolist()
    [[[0, 255], [255, 0]]]
    """

    LEARNED: ClassVar = {"dtype": "str", "channels": "tuple[any, ...]"}

    def __init__(self, *, mean: float | Sequence[float] | None = None, std: float | Sequence[float] | None = None):
        self.mean = mean
        self.std = std

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learns mean and deviation of each channel."""
        self.__dict__.pop("n_channels_", None)
        return self._add(X, self._who("fit"))

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Adds images to what was learned; the first call is `fit`."""
        return self._add(X, self._who("partial_fit"))

    def merge(self, *others: Self) -> Self:
        """Adds what others, fitted on other images of the same kind, have learned."""
        who = self._who("merge")
        for one in (self, *others):
            one._need_fit(who)
            if (one.n_channels_, one.dtype_) != (self.n_channels_, self.dtype_):
                got = f"{one.n_channels_} channels of {one.dtype_} beside {self.n_channels_} of {self.dtype_}"
                raise PrepError.of(who, "normalizers to merge are of images of one kind", got)
        for other in others:
            for mine, theirs in zip(self.statistics_, other.statistics_, strict=True):
                mine.merge(theirs)
        self._settle(self.statistics_, self.dtype_, who)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Float32 of the shape of X."""
        who = self._who("transform")
        self._need_fit(who)
        images = self._images(X, who)
        out = np.empty((len(images), *images[0].shape), dtype=np.float32)
        shift, factor = (np.float32(v) for v in (self.mean_ * self.scale_, 1 / (self.std_ * self.scale_)))
        exact = images[0].dtype.itemsize <= 2  # whole numbers that float32 holds
        for places, block in batches(images):
            pixels = block.astype(np.float32) if exact else block.astype(np.float64)
            made = (pixels - shift) * factor if exact else (pixels / self.scale_ - self.mean_) / self.std_
            out[places] = made if images[0].ndim == 3 else made[..., 0]
        return out

    def inverse_transform(self, X: Any) -> np.ndarray:
        """The pixels again, of the dtype of fit; integers are rounded to the nearest."""
        who = self._who("inverse_transform")
        self._need_fit(who)
        images = open_images(X, who)
        self._need_channels(images[0], who)
        dtype = np.dtype(self.dtype_)
        out = np.empty((len(images), *images[0].shape), dtype=dtype)
        for places, block in batches(images):
            made = (block.astype(np.float64) * self.std_ + self.mean_) * self.scale_
            if dtype.kind in "iu":
                made = np.clip(np.rint(made), np.iinfo(dtype).min, np.iinfo(dtype).max)
            out[places] = made if images[0].ndim == 3 else made[..., 0]
        return out

    def _check_params(self, who: str) -> None:
        for name in ("mean", "std"):
            value = getattr(self, name)
            numbers = np.array([] if value is None else value)
            if value is not None and (
                numbers.dtype.kind not in "iuf" or numbers.ndim > 1 or not np.isfinite(numbers).all()
            ):
                raise PrepError.of(who, f"{name} must be a finite number, or one for each channel", repr(value))
            if name == "std" and (numbers <= 0).any():
                raise PrepError.of(who, "std must be above 0", repr(value))

    def _add(self, X: Any, who: str) -> Self:
        self._check_params(who)
        first = not self.__sklearn_is_fitted__()
        images = open_images(X, who) if first else self._images(X, who)
        n = images[0].shape[2] if images[0].ndim == 3 else 1
        statistics = [Moments() for _ in range(n)] if first else self.statistics_
        scale = _scale(images[0].dtype)
        for _, block in batches(images):
            for channel, found in enumerate(statistics):
                found.add(block[..., channel].ravel().astype(np.float64) / scale)
        self._settle(statistics, images[0].dtype.name, who)
        return self

    def _images(self, X: Any, who: str) -> list[np.ndarray]:
        images = open_images(X, who)
        self._need_channels(images[0], who)
        if _scale(images[0].dtype) != self.scale_:
            rule = f"pixels must be {self.dtype_}, as at fit"
            fix = "Cast them; uint8 goes from 0 to 255, floats as they are."
            raise PrepError.of(who, rule, str(images[0].dtype), fix)
        if len({image.shape for image in images}) > 1:
            raise PrepError.of(who, "images must be of one size", "several", "Use ImageResizer before.")
        return images

    def _need_channels(self, image: np.ndarray, who: str) -> None:
        n = image.shape[2] if image.ndim == 3 else 1
        if n != self.n_channels_:
            raise PrepError.of(who, f"images must have {self.n_channels_} channels, as at fit", f"{n}")

    def _settle(self, statistics: Sequence[Moments], dtype: str, who: str) -> None:
        n = len(statistics)
        found = ([one.mean for one in statistics], [1.0 if one.constant else one.deviation for one in statistics])
        sides = []
        for name, learned in zip(("mean", "std"), found, strict=True):
            given = getattr(self, name)
            numbers = np.array(learned if given is None else given, dtype=np.float64).ravel()
            if len(numbers) not in (1, n):
                raise PrepError.of(
                    who, f"{name} must be one number, or one for each of {n} channels", str(len(numbers))
                )
            sides.append(np.array(np.broadcast_to(numbers, n)))
        self.mean_, self.std_ = sides
        self.statistics_, self.n_channels_, self.dtype_ = tuple(statistics), n, dtype
        self.scale_ = _scale(np.dtype(dtype))

    def _learned(self) -> dict[str, Any]:
        return {"dtype": self.dtype_, "channels": [one.to_state() for one in self.statistics_]}

    def _restore(self, values: dict[str, Any], where: str) -> None:
        demand(values["dtype"] in DTYPES, where, "dtype must be one of pixels", values["dtype"])
        statistics: Any = [read_statistic(one, where, Moments) for one in values["channels"]]
        demand(len(statistics) > 0, where, "channels must be there", len(statistics))
        self._settle(statistics, values["dtype"], where)


DTYPES = tuple(np.dtype(kind).name for kind in "B H I Q b h i q e f d".split())


def _scale(dtype: np.dtype) -> float:
    """What pixels of a dtype are divided by."""
    return float(np.iinfo(dtype).max) if dtype.kind == "u" else 1.0
