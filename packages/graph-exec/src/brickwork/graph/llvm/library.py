"""Functions of object code in memory: mapped here where it can be linked here, else loaded by LLVM's engine."""

from __future__ import annotations

import ctypes
import os
import sys
import weakref
from collections.abc import Callable

from .linking import Image, Unlinkable

__all__ = ["Library", "native_text"]

READ, WRITE, EXECUTE = 1, 2, 4
PRIVATE, ANONYMOUS = 2, 0x20


def native_text(name: str) -> str:
    """A file of LLVM text that is part of this package."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


class Library:
    """Functions of loaded object code, by name; unloaded with this object. Raises `RuntimeError` where it calls what
    is not here."""

    address: Callable[[str], int]

    def __init__(self, code: bytes):
        try:
            self.address = _mapped(self, Image(code))
        except (Unlinkable, OSError):
            from .engine import Engine  # noqa: PLC0415 - loads LLVM, which takes longer than a small model's first step

            self.address = Engine(code).address


def _mapped(owner: object, image: Image) -> Callable[[str], int]:
    """Where each function of an image is, now in memory for as long as its owner lives."""
    if sys.platform != "linux":
        raise Unlinkable("memory is mapped in another way here")
    here = ctypes.CDLL(None, use_errno=True)
    here.mmap.restype = ctypes.c_void_p
    here.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    here.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    here.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    base = here.mmap(None, image.size, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0)
    if base == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
    # Not at the end of the process: threads of the pool may still be running in it.
    weakref.finalize(owner, here.munmap, base, image.size).atexit = False
    ctypes.memmove(base, image.at(base, lambda name: _found(here, name)), image.size)
    if here.mprotect(base, image.size, READ | EXECUTE):
        raise OSError(ctypes.get_errno(), "mprotect")
    return lambda name: base + image.names[name]


def _found(here: ctypes.CDLL, name: str) -> int:
    """The address of a function of this process."""
    try:
        return ctypes.cast(here[name], ctypes.c_void_p).value
    except AttributeError:
        raise RuntimeError(f"llvm: compiled code needs {name}, which this process does not have") from None
