"""Images to batches of one size, and their channels to a common scale."""

from .normalizing import ImageNormalizer
from .resizing import ImageResizer

__all__ = ["ImageNormalizer", "ImageResizer"]
