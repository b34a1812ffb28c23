"""The mean of all places."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import mean, sum

from .pooling import GlobalPooling

__all__ = ["GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"]


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of all places over one axis, of those that count where the input has a mask; see `GlobalPooling`."""

    rank, reduce = 1, staticmethod(mean)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        axis = 1 if self.data_format == "channels_last" else 2
        kept = mask.astype(inputs.dtype)
        kept = kept[..., None] if axis == 1 else kept[:, None]
        return sum(inputs * kept, axis, keepdims=self.keepdims) / sum(kept, axis, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None: there are no steps any more."""

    makes_masks = False


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of all places over two axes; see `GlobalPooling`."""

    rank, reduce = 2, staticmethod(mean)


class GlobalAveragePooling3D(GlobalPooling):
    """The mean of all places over three axes; see `GlobalPooling`."""

    rank, reduce = 3, staticmethod(mean)
