"""What this package raises beside the core's errors, and the part of a sentence that suggests a name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from brickwork.tensor import BrickworkError

__all__ = ["LayerError", "nearest", "unknown"]


class LayerError(BrickworkError, ValueError):
    """A layer, model or training argument that can not be used. The sentence reads ``who: rule; got values. fix``."""


def nearest(name: object, names: Iterable[str]) -> str:
    """The fix for a name that is not there: ``Did you mean 'relu'?``, or the whole list where no name is near."""
    known = sorted(names)
    found = get_close_matches(str(name).casefold(), [n.casefold() for n in known], n=1)
    if found:
        return f"Did you mean {max(n for n in known if n.casefold() == found[0])!r}?"
    return f"Use one of {', '.join(known)}"


def unknown(kind: str, name: object, names: Iterable[str]) -> LayerError:
    """The error for a name of a ``kind`` (activation, loss, ...) that nothing has."""
    return LayerError(f"{kind}: must be the name of one; got {name!r}. {nearest(name, names)}")
