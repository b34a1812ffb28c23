"""Object code made ready to run at an address: a linker for what LLVM writes of our text on Linux and x86-64.

Importing llvmlite and asking its engine to load an object takes twenty times as long as all of this, which is most of
the first step of a small model whose code is cached. Code of ours has functions, constants that they read, and
few names from elsewhere; it has no data that is written, no threads' data and no constructors. Whatever else an object
holds is `Unlinkable`, and for the engine.

Sections, symbols and relocations are those of the System V ABI, AMD64 supplement (chapter 4).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from .symbols import sections_of, text_at

__all__ = ["Image", "Unlinkable"]

X86_64 = b"\x7fELF\x02\x01\x01"
RELOCATABLE, MACHINE = 1, 62
PROGBITS, SYMTAB, RELA, REL, UNWIND = 1, 2, 4, 9, 0x70000001
WRITE, ALLOC, EXECUTE, THREADS = 1, 2, 4, 0x400
PC32, PLT32, GOT = 2, 4, (9, 41, 42)
"""Kinds of relocation: of an address relative to the place that names it; of a function that may lie elsewhere; of the
slot that holds an address."""
JUMP = b"\xff\x25\x02\x00\x00\x00\x00\x00"  # jmp [rip + 2]: to the address in the eight bytes after these
SLOT = 16


class Unlinkable(Exception):
    """An object that holds something that is not linked here."""


class Image:
    """Sections one after the other, then a jump and an address for each name from elsewhere. ``size``: bytes;
    ``names``: where the functions of the object start."""

    def __init__(self, code: bytes):
        if not code.startswith(X86_64) or struct.unpack_from("<HH", code, 16) != (RELOCATABLE, MACHINE):
            raise Unlinkable("it is no relocatable ELF object for x86-64")
        self._code, self._sections = code, sections_of(code)
        self._at: dict[int, int] = {}
        self.size = 0
        for k, section in enumerate(self._sections):
            self._place(k, section)
        self._symbols = self._read_symbols()
        self._slots: dict[int, int] = {}
        self._relocations = [r for s in self._sections if s[1] == RELA and s[7] in self._at for r in self._read(s)]
        self.names = {
            text_at(code, name): self._at[home] + value for name, home, value in self._symbols if home in self._at
        }

    def _place(self, k: int, section: tuple[int, ...]) -> None:
        kind, flags, length, align = section[1], section[2], section[5], section[8]
        if kind == REL or flags & THREADS:
            raise Unlinkable(f"section {k} is of kind {kind}, flags {flags:#x}")
        if not flags & ALLOC or kind == UNWIND or not length:
            return
        if kind != PROGBITS or flags & WRITE:
            raise Unlinkable(f"section {k} is of kind {kind}, flags {flags:#x}")
        self.size += -self.size % max(1, align)
        self._at[k] = self.size
        self.size += length

    def _read_symbols(self) -> list[tuple[int, int, int]]:
        """(offset of the name in the file, section, value) of each."""
        tables = [s for s in self._sections if s[1] == SYMTAB]
        if len(tables) != 1:
            raise Unlinkable(f"it has {len(tables)} tables of symbols")
        (table,) = tables
        names = self._sections[table[6]][4]
        rows = struct.iter_unpack("<IBBHQQ", self._code[table[4] : table[4] + table[5]])
        return [(names + name, home, value) for name, _, _, home, value, _ in rows]

    def _read(self, section: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
        """(place, kind, symbol, addend) of each relocation of a section; symbols that need one get a slot."""
        out = []
        start = self._at[section[7]]
        for offset, info, addend in struct.iter_unpack("<QQq", self._code[section[4] : section[4] + section[5]]):
            kind, symbol = info & 0xFFFFFFFF, info >> 32
            home = self._symbols[symbol][1]
            if kind not in (PC32, PLT32, *GOT) or (home not in self._at and (home or kind == PC32)):
                raise Unlinkable(f"a relocation of kind {kind} to section {home}")
            if symbol not in self._slots and (not home or kind in GOT):
                self.size += -self.size % SLOT
                self._slots[symbol] = self.size
                self.size += SLOT
            out.append((start + offset, kind, symbol, addend))
        return out

    def at(self, base: int, find: Callable[[str], int]) -> bytes:
        """The bytes as they run at an address; ``find``: where a function from elsewhere is."""
        out = bytearray(self.size)
        for k, place in self._at.items():
            offset, length = self._sections[k][4], self._sections[k][5]
            out[place : place + length] = self._code[offset : offset + length]
        for symbol, place in self._slots.items():
            name, home, value = self._symbols[symbol]
            target = base + self._at[home] + value if home else find(text_at(self._code, name))
            out[place : place + SLOT] = JUMP + target.to_bytes(8, "little")
        for place, kind, symbol, addend in self._relocations:
            _, home, value = self._symbols[symbol]
            if kind in GOT:
                target = self._slots[symbol] + len(JUMP)
            else:
                target = self._at[home] + value if home else self._slots[symbol]
            struct.pack_into("<i", out, place, target + addend - place)
        return bytes(out)
