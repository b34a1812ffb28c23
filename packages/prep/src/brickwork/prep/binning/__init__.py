"""Numbers to intervals."""

from .bins import Binarizer, KBinsDiscretizer

__all__ = ["Binarizer", "KBinsDiscretizer"]
