"""What a layer called inside another inherits from it: the training flag and the path of names, per thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["build_scope", "call_scope", "current_path", "current_training"]


class _Calls(threading.local):
    training: bool | None = None
    path: tuple[str, ...] = ()


_calls = _Calls()


def current_training() -> bool | None:
    """The training flag of the call around this one, or None."""
    return _calls.training


def current_path() -> str:
    """The names of the layers being called or built, outermost first: ``sequential/dense_1``."""
    return "/".join(_calls.path)


@contextmanager
def build_scope(name: str) -> Iterator[None]:
    """The layer ``name`` makes its weights: on its own, or as part of a call of it that is already running."""
    if _calls.path[-1:] == (name,):
        yield
    else:
        with call_scope(name, None):
            yield


@contextmanager
def call_scope(name: str, training: bool | None) -> Iterator[None]:
    """A call of the layer ``name``."""
    before = _calls.training, _calls.path
    _calls.training, _calls.path = training, (*_calls.path, name)
    try:
        yield
    finally:
        _calls.training, _calls.path = before
