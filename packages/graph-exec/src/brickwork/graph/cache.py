"""Compiled code and plans on disk, keyed by the graph, the CPU and the versions of everything that had a hand in it.

The folder is the user's own: whoever can write there can run code as the user, as with any cache of compiled code. A
damaged or half-written file is compiled again.
"""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from types import ModuleType
from typing import IO, Any

import brickwork.graph as here
import brickwork.tensor

from . import __version__
from .config import cache_folder
from .llvm.installed import VERSION, processor

__all__ = ["cache_statistics", "cached_object", "cached_value"]

MAGIC = b"BRICKOBJ"
_hits = [0, 0]


@lru_cache(maxsize=1)
def _machine_key() -> str:
    """Versions, the CPU, and the state of the sources that write code: an edited generator never meets old code."""
    return "|".join([__version__, VERSION, processor(), _sources(brickwork.tensor), _sources(here)])


def _sources(package: ModuleType) -> str:
    """Names, sizes and times of the files of a package: cheaper than their text, and as good for installed code."""
    facts = sorted(fact for root in package.__path__ for fact in _facts(root))
    return sha256(repr(facts).encode()).hexdigest()


def _facts(folder: str) -> Iterator[tuple[str, int, int]]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _facts(entry.path)
        elif entry.name.endswith((".py", ".ll")):
            state = entry.stat()
            yield entry.name, state.st_size, state.st_mtime_ns


def cached_object(kind: str, key: str, text: Callable[[], str]) -> tuple[bytes, bool]:
    """Object code for a key, and whether it was found; ``text`` gives the LLVM module where it has to be compiled."""
    path = _path(kind, key, "o")
    code = None if path is None else _read(path)
    if code is not None:
        _hits[0] += 1
        return code, True
    from .llvm.engine import compile_text  # noqa: PLC0415 - loads LLVM, which nobody needs who finds all code

    _hits[1] += path is not None
    code = compile_text(text())
    if path is not None:
        _write(path, code)
    return code, False


def cached_value(kind: str, key: str, make: Callable[[], Any], apart: Sequence[str] = ()) -> Any:
    """What ``make`` gives, or what it gave for this key before. It is pickled: reading the folder runs what is in it,
    as it does for code. ``apart``: texts that may stand in the value and do not follow from the key; in a value that
    was kept, those of this call stand in their places."""
    path = _path(kind, key, "pickle")
    raw = None if path is None else _read(path)
    if raw is not None:
        with contextlib.suppress(Exception):  # whatever is wrong with it, it can be made again
            return _Reader(raw, apart).load()  # as trusted as the code beside it
    value = make()
    if path is not None:
        with contextlib.suppress(Exception):  # what does not pickle is made each time
            _write(path, _written(value, apart))
    return value


class _Writer(pickle.Pickler):
    """Writes the number of what is kept apart in its place."""

    def __init__(self, file: IO[bytes], apart: Sequence[str]):
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._numbers = {id(part): k for k, part in enumerate(apart) if part}  # "" is one object anywhere

    def persistent_id(self, value: Any) -> int | None:
        return self._numbers.get(id(value))


class _Reader(pickle.Unpickler):
    """Reads what `_Writer` wrote."""

    def __init__(self, raw: bytes, apart: Sequence[str]):
        super().__init__(BytesIO(raw))
        self._apart = apart

    def persistent_load(self, number: int) -> str:
        return self._apart[number]


def _written(value: Any, apart: Sequence[str]) -> bytes:
    file = BytesIO()
    _Writer(file, apart).dump(value)
    return file.getvalue()


def _path(kind: str, key: str, suffix: str) -> str | None:
    folder = cache_folder()
    if folder is None:
        return None
    digest = sha256(f"{_machine_key()}\n{kind}\n{key}".encode()).hexdigest()
    return os.path.join(folder, digest[:2], f"{digest}.{suffix}")


def cache_statistics() -> tuple[int, int]:
    """(found, compiled) in this process."""
    return _hits[0], _hits[1]


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError:
        return None
    code = raw[len(MAGIC) + 32 :]
    return code if raw.startswith(MAGIC) and sha256(code).digest() == raw[len(MAGIC) : len(MAGIC) + 32] else None


def _write(path: str, code: bytes) -> None:
    """Beside, then moved into place; a cache that can not be written is no reason to stop."""
    import tempfile  # noqa: PLC0415 - a start that finds everything writes nothing

    with contextlib.suppress(OSError):
        folder = os.path.dirname(path)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + sha256(code).digest() + code)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
