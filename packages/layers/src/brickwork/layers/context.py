"""What a layer called inside another inherits from it: the training flag and the path of names, per thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from brickwork.tensor.scope import current_scope, names

__all__ = ["build_scope", "call_scope", "current_path", "current_run", "current_training"]


class _Calls(threading.local):
    training: bool | None = None
    run: object = None


_calls = _Calls()


def current_training() -> bool | None:
    """The training flag of the call around this one, or None."""
    return _calls.training


def current_path() -> str:
    """The names of the layers being called or built, outermost first: ``sequential/dense_1``."""
    return current_scope()


def current_run() -> object:
    """What tells the outermost call that is running from all others; None where none is."""
    return _calls.run


class call_scope:
    """A ``with`` block: the call of the layer ``name``. The outermost one begins a new run."""

    __slots__ = ("before", "now")

    def __init__(self, name: str, training: bool | None):
        self.now = (training, (*names.path, name), _calls.run or object())

    def __enter__(self) -> None:
        self.before = _calls.training, names.path, _calls.run
        _calls.training, names.path, _calls.run = self.now

    def __exit__(self, *error: object) -> None:
        _calls.training, names.path, _calls.run = self.before


@contextmanager
def build_scope(name: str) -> Iterator[None]:
    """The layer ``name`` makes its weights: on its own, or as part of a call of it that is already running."""
    if names.path[-1:] == (name,):
        yield
    else:
        with call_scope(name, None):
            yield
