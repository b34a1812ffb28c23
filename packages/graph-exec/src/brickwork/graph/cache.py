"""Compiled code and plans on disk, keyed by the graph, the CPU and the versions of everything that had a hand in it.

The folder is the user's own: whoever can write there can run code as the user, as with any cache of compiled code. A
damaged or half-written file is compiled again.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import tempfile
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import brickwork.graph as here
import brickwork.tensor

from . import __version__
from .config import cache_folder
from .llvm.engine import VERSION, compile_text, host

__all__ = ["cache_statistics", "cached_object", "cached_value"]

MAGIC = b"BRICKOBJ"
_hits = [0, 0]


@lru_cache(maxsize=1)
def _machine_key() -> str:
    """Versions, the CPU, and the state of the sources that write code: an edited generator never meets old code."""
    cpu = host()
    return "|".join([__version__, VERSION, cpu.name, cpu.features, _sources(brickwork.tensor), _sources(here)])


def _sources(package: ModuleType) -> str:
    """Names, sizes and times of the files of a package: cheaper than their text, and as good for installed code."""
    roots = [Path(p) for p in package.__path__]
    files = sorted(f for root in roots for kind in ("*.py", "*.ll") for f in root.rglob(kind))
    facts = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return sha256(repr(facts).encode()).hexdigest()


def cached_object(kind: str, key: str, text: Callable[[], str]) -> tuple[bytes, bool]:
    """Object code for a key, and whether it was found; ``text`` gives the LLVM module where it has to be compiled."""
    path = _path(kind, key, "o")
    if path is None:
        return compile_text(text()), False
    code = _read(path)
    if code is not None:
        _hits[0] += 1
        return code, True
    _hits[1] += 1
    code = compile_text(text())
    _write(path, code)
    return code, False


def cached_value(kind: str, key: str, make: Callable[[], Any]) -> Any:
    """What ``make`` gives, or what it gave for this key before. It is pickled: reading the folder runs what is in it,
    as it does for code."""
    path = _path(kind, key, "pickle")
    raw = None if path is None else _read(path)
    if raw is not None:
        with contextlib.suppress(Exception):  # whatever is wrong with it, it can be made again
            return pickle.loads(raw)  # noqa: S301 - as trusted as the code beside it
    value = make()
    if path is not None:
        with contextlib.suppress(Exception):  # what does not pickle is made each time
            _write(path, pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
    return value


def _path(kind: str, key: str, suffix: str) -> Path | None:
    folder = cache_folder()
    if folder is None:
        return None
    digest = sha256(f"{_machine_key()}\n{kind}\n{key}".encode()).hexdigest()
    return folder / digest[:2] / f"{digest}.{suffix}"


def cache_statistics() -> tuple[int, int]:
    """(found, compiled) in this process."""
    return _hits[0], _hits[1]


def _read(path: Path) -> bytes | None:
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    code = raw[len(MAGIC) + 32 :]
    return code if raw.startswith(MAGIC) and sha256(code).digest() == raw[len(MAGIC) : len(MAGIC) + 32] else None


def _write(path: Path, code: bytes) -> None:
    """Beside, then moved into place; a cache that can not be written is no reason to stop."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + sha256(code).digest() + code)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
