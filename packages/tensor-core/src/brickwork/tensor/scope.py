"""Where in a model an op is asked for: names, outermost first, which layers set and compilers and errors read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["current_scope", "named", "names", "scoped"]


class _Names(threading.local):
    path: tuple[str, ...] = ()


names = _Names()
"""``path`` of this thread. Who sets it puts back what it found."""


def current_scope() -> str:
    """The names around this point, as ``sequential/dense_1``; "" outside all."""
    return "/".join(names.path)


@contextmanager
def scoped() -> Iterator[tuple[str, ...]]:
    """Put the path back at the end of a block that sets it; gives the one around."""
    before = names.path
    try:
        yield before
    finally:
        names.path = before


class named:
    """A ``with`` block in which ops are of the part ``name``: it shows in a graph, a profile and the errors of
    ``debug``."""

    __slots__ = ("before", "name")

    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> None:
        self.before = names.path
        names.path = (*self.before, self.name)

    def __exit__(self, *error: object) -> None:
        names.path = self.before
