"""LLVM as it is installed, and the CPU that it writes code for: all that keys need, told without loading LLVM."""

from __future__ import annotations

import os
from itertools import takewhile

import llvmlite

__all__ = ["VERSION", "library_state", "processor"]

VERSION: str = llvmlite.__version__
"""Of llvmlite, and so of LLVM."""
CPUINFO = "/proc/cpuinfo"
CPU_FACTS = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags")


def library_state() -> str:
    """Where LLVM's libraries are, with their sizes and times: what was found to load may not, once these are others."""
    folder = os.path.join(os.path.dirname(llvmlite.__file__), "binding")
    try:
        files = [(e.name, e.stat()) for e in os.scandir(folder) if e.is_file() and not e.name.endswith(".py")]
    except OSError:  # llvmlite keeps them elsewhere: its version, which is in all keys, has to tell states apart
        files = []
    return repr([folder, *sorted((name, state.st_size, state.st_mtime_ns) for name, state in files)])


def processor() -> str:
    """What decides the code that LLVM writes for this CPU: what Linux says of an x86 (the first, they are alike), else
    what LLVM finds out itself."""
    try:
        with open(CPUINFO, encoding="utf-8", errors="replace") as file:
            lines = [line.partition(":") for line in takewhile(str.strip, file)]  # one CPU, then an empty line
    except OSError:
        lines = []
    facts = {name.strip(): value.strip() for name, _, value in lines}
    if all(name in facts for name in CPU_FACTS):
        return "|".join(facts[name] for name in CPU_FACTS)
    from .engine import host  # noqa: PLC0415 - loads LLVM

    return f"{host().name}|{host().features}"
