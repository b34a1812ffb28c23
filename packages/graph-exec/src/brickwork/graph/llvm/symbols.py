"""What object code expects to find in this process: an ELF reader of the one table that says so.

MCJIT takes a function it can not find for one at address 0, and the process dies when it is called. So the names are
checked first. Mach-O and COFF files give no names here; the code made for their CPUs calls nothing but the C library.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator

__all__ = ["missing_symbols", "undefined_symbols"]

LINKER = ("_GLOBAL_OFFSET_TABLE_",)
"""Names that the loader itself stands for."""


def missing_symbols(code: bytes) -> list[str]:
    """Names that object code needs and this process does not have."""
    names = [n for n in undefined_symbols(code) if n not in LINKER]
    here = ctypes.CDLL(None) if names else None
    return [n for n in names if not hasattr(here, n)]


def undefined_symbols(code: bytes) -> list[str]:
    """Names that 64-bit little-endian ELF object code leaves to be found elsewhere."""
    if code[:6] != b"\x7fELF\x02\x01":
        return []
    sections = sections_of(code)
    return sorted({name for s in sections if s[1] == 2 for name in _undefined(code, s, sections[s[6]])})


def _undefined(code: bytes, table: tuple[int, ...], strings: tuple[int, ...]) -> Iterator[str]:
    for place in range(table[4] + 24, table[4] + table[5], 24):
        name, _, _, section = struct.unpack_from("<IBBH", code, place)
        if section == 0 and name:
            yield text_at(code, strings[4] + name)


def sections_of(code: bytes) -> list[tuple[int, ...]]:
    """The headers of the sections of such a file: name, kind, flags, address, offset, size, link, info, alignment, size
    of an entry."""
    offset = struct.unpack_from("<Q", code, 0x28)[0]
    size, count = struct.unpack_from("<HH", code, 0x3A)
    return [struct.unpack_from("<IIQQQQIIQQ", code, offset + k * size) for k in range(count)]


def text_at(code: bytes, start: int) -> str:
    """The text that starts there and ends with a zero."""
    return code[start : code.index(b"\0", start)].decode()
