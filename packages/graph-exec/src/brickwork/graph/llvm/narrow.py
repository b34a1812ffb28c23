"""16-bit floats: bits in memory, float32 in registers.

LLVM would call a library for what a CPU can not convert itself, and that library may not be there. So bfloat16 is
always converted here, in integer arithmetic, and float16 where the CPU has no instruction for it. Both round to
nearest, ties to even, and keep infinities, NaN and subnormals.
"""

from __future__ import annotations

import numpy as np

from .types import vector
from .writer import Writer

__all__ = ["narrow", "spread", "widen"]


def widen(w: Writer, bits: str, dtype: np.dtype, lanes: int) -> str:
    """float32 values of 16-bit patterns (i16)."""
    value = _widened(w, bits, dtype, lanes)
    w.patterns[value] = dtype.name, bits
    return value


def _widened(w: Writer, bits: str, dtype: np.dtype, lanes: int) -> str:
    short, single, word = (vector(t, lanes) for t in ("i16", "float", "i32"))
    if dtype.name == "float16" and w.half:
        half = w.let(f"bitcast {short} {bits} to {vector('half', lanes)}")
        return w.let(f"fpext {vector('half', lanes)} {half} to {single}")
    wide = w.let(f"zext {short} {bits} to {word}")
    if dtype.name == "bfloat16":
        return w.let(f"bitcast {word} {w.let(f'shl {word} {wide}, {_all(w, 16, lanes)}')} to {single}")
    sign = w.let(f"shl {word} {w.let(f'and {word} {wide}, {_all(w, 0x8000, lanes)}')}, {_all(w, 16, lanes)}")
    magnitude = w.let(f"and {word} {wide}, {_all(w, 0x7FFF, lanes)}")
    small = w.let(f"bitcast {word} {w.let(f'shl {word} {magnitude}, {_all(w, 13, lanes)}')} to {single}")
    scale = "0x46F0000000000000"  # 2^112 moves the exponent from the bias of 16 bits to that of 32, subnormals too
    scaled = w.let(f"fmul {single} {small}, {w.splat(scale, 'float', lanes) if lanes else scale}")
    number = w.let(f"bitcast {single} {scaled} to {word}")
    special = w.let(f"icmp uge {word} {magnitude}, {_all(w, 0x7C00, lanes)}")
    infinite = w.let(f"or {word} {number}, {_all(w, 0x7F800000, lanes)}")
    picked = w.let(f"select {vector('i1', lanes)} {special}, {word} {infinite}, {word} {number}")
    return w.let(f"bitcast {word} {w.let(f'or {word} {picked}, {sign}')} to {single}")


def spread(w: Writer, value: str, lanes: int) -> str:
    """A float32 value in every lane. The bits of a bfloat16 are spread as they lie in memory, which a load does by
    itself, and widened then."""
    name, bits = w.patterns.get(value, ("", ""))
    if name != "bfloat16":
        return w.splat(value, "float", lanes)
    word = vector("i32", lanes)
    twice = w.same(f"bitcast {vector('i16', 2 * lanes)} {w.splat(bits, 'i16', 2 * lanes)} to {word}")
    high = w.same(f"and {word} {twice}, {_all(w, -(1 << 16), lanes)}")
    return w.same(f"bitcast {word} {high} to {vector('float', lanes)}")


def narrow(w: Writer, value: str, dtype: np.dtype, lanes: int) -> str:
    """16-bit patterns (i16) of float32 values: those that they were made of, where they were."""
    name, made_of = w.patterns.get(value, ("", ""))
    if name == dtype.name:
        return made_of
    short, single, word, truth = (vector(t, lanes) for t in ("i16", "float", "i32", "i1"))
    if dtype.name == "float16" and w.half:
        half = w.let(f"fptrunc {single} {value} to {vector('half', lanes)}")
        return w.let(f"bitcast {vector('half', lanes)} {half} to {short}")
    bits = w.let(f"bitcast {single} {value} to {word}")
    if dtype.name == "bfloat16":
        top = w.let(f"lshr {word} {bits}, {_all(w, 16, lanes)}")
        odd = w.let(f"and {word} {top}, {_all(w, 1, lanes)}")
        up = w.let(f"add {word} {w.let(f'add {word} {bits}, {odd}')}, {_all(w, 0x7FFF, lanes)}")
        rounded = w.let(f"lshr {word} {up}, {_all(w, 16, lanes)}")
        quiet = w.let(f"or {word} {top}, {_all(w, 0x40, lanes)}")
        broken = w.let(f"fcmp uno {single} {value}, {value}")
        return w.let(f"trunc {word} {w.let(f'select {truth} {broken}, {word} {quiet}, {word} {rounded}')} to {short}")
    return _to_half(w, bits, lanes)


def _to_half(w: Writer, bits: str, lanes: int) -> str:
    """float32 bits to float16 bits: three ranges, picked by the magnitude."""
    short, single, word, truth = (vector(t, lanes) for t in ("i16", "float", "i32", "i1"))
    magnitude = w.let(f"and {word} {bits}, {_all(w, 0x7FFFFFFF, lanes)}")
    sign = w.let(f"lshr {word} {w.let(f'xor {word} {bits}, {magnitude}')}, {_all(w, 16, lanes)}")
    odd = w.let(f"and {word} {w.let(f'lshr {word} {magnitude}, {_all(w, 13, lanes)}')}, {_all(w, 1, lanes)}")
    moved = w.let(f"add {word} {magnitude}, {_all(w, 0x0FFF - (112 << 23), lanes)}")
    normal = w.let(f"lshr {word} {w.let(f'add {word} {moved}, {odd}')}, {_all(w, 13, lanes)}")
    half = "0x3FE0000000000000"  # adding 0.5 aligns the mantissa of a subnormal, and rounds it
    shifter = w.splat(half, "float", lanes) if lanes else half
    aligned = w.let(f"fadd {single} {w.let(f'bitcast {word} {magnitude} to {single}')}, {shifter}")
    tiny = w.let(f"sub {word} {w.let(f'bitcast {single} {aligned} to {word}')}, {_all(w, 0x3F000000, lanes)}")
    broken = w.let(f"icmp ugt {word} {magnitude}, {_all(w, 0x7F800000, lanes)}")
    beyond = w.let(f"select {truth} {broken}, {word} {_all(w, 0x7E00, lanes)}, {word} {_all(w, 0x7C00, lanes)}")
    below = w.let(f"icmp ult {word} {magnitude}, {_all(w, 113 << 23, lanes)}")
    above = w.let(f"icmp uge {word} {magnitude}, {_all(w, 143 << 23, lanes)}")
    finite = w.let(f"select {truth} {below}, {word} {tiny}, {word} {normal}")
    picked = w.let(f"select {truth} {above}, {word} {beyond}, {word} {finite}")
    return w.let(f"trunc {word} {w.let(f'or {word} {picked}, {sign}')} to {short}")


def _all(w: Writer, number: int, lanes: int) -> str:
    """An i32 constant in every lane."""
    return w.splat(str(number), "i32", lanes) if lanes else str(number)
