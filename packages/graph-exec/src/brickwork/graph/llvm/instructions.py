"""Atoms that take more than one LLVM instruction, or one of another shape."""

from __future__ import annotations

import re
from collections.abc import Callable

from .types import vector
from .writer import Writer

__all__ = ["SPECIAL"]

CONSTANT = re.compile(r"(?:splat \(i\d+ )?(-?\d+)\)?")
Special = Callable[[Writer, list[str], str, str, int, str], str]
"""``emit(writer, args, type, scalar type, lanes, class)``: the value."""


def _neg(w: Writer, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
    return w.let(f"sub {kind} {'zeroinitializer' if lanes else '0'}, {args[0]}")


def _fneg(w: Writer, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
    return w.let(f"fneg {kind} {args[0]}")


def _not(w: Writer, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
    ones = "true" if scalar == "i1" else "-1"
    return w.let(f"xor {kind} {args[0]}, {'<' + ', '.join([f'{scalar} {ones}'] * lanes) + '>' if lanes else ones}")


def _shift(name: str) -> Special:
    """A shift that is 0 (or the sign) past the width, as NumPy's is; LLVM leaves it open."""

    def emit(w: Writer, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
        bits = int(scalar[1:])
        limit = w.splat(str(bits - 1), scalar, lanes) if lanes else str(bits - 1)
        over = w.let(f"icmp ugt {kind} {args[1]}, {limit}")
        amount = w.let(f"select {vector('i1', lanes)} {over}, {kind} {limit}, {kind} {args[1]}")
        out = w.let(f"{name} {kind} {args[0]}, {amount}")
        if name == "ashr":
            return out
        return w.let(f"select {vector('i1', lanes)} {over}, {kind} {'zeroinitializer' if lanes else '0'}, {kind} {out}")

    return emit


def _mulhi(w: Writer, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
    bits = int(scalar[1:])
    double = vector(f"i{2 * bits}", lanes)
    a, b = (w.let(f"zext {kind} {x} to {double}") for x in args)
    shift = w.splat(str(bits), f"i{2 * bits}", lanes) if lanes else str(bits)
    high = w.let(f"lshr {double} {w.let(f'mul {double} {a}, {b}')}, {shift}")
    return w.let(f"trunc {double} {high} to {kind}")


def _idiv(w: Writer, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
    """Floor division; by zero gives 0 as NumPy does, and the one overflow wraps, where the machine would trap."""
    known = CONSTANT.fullmatch(args[1])
    if known is not None and int(known[1]) > 0:
        quotient = w.let(f"{'udiv' if cls == 'u' else 'sdiv'} {kind} {args[0]}, {args[1]}")
        if cls == "u":
            return quotient
        rest = w.let(f"sub {kind} {args[0]}, {w.let(f'mul {kind} {quotient}, {args[1]}')}")
        top = str(int(scalar[1:]) - 1)
        below = w.let(f"ashr {kind} {rest}, {w.splat(top, scalar, lanes) if lanes else top}")
        return w.let(f"add {kind} {quotient}, {below}")
    zero, one = ("zeroinitializer", w.splat("1", scalar, lanes)) if lanes else ("0", "1")
    boolean = vector("i1", lanes)
    by_zero = w.let(f"icmp eq {kind} {args[1]}, {zero}")
    if cls == "u":
        safe = w.let(f"select {boolean} {by_zero}, {kind} {one}, {kind} {args[1]}")
        out = w.let(f"udiv {kind} {args[0]}, {safe}")
        return w.let(f"select {boolean} {by_zero}, {kind} {zero}, {kind} {out}")
    ones = w.splat("-1", scalar, lanes) if lanes else "-1"
    by_minus = w.let(f"icmp eq {kind} {args[1]}, {ones}")
    odd = w.let(f"or {boolean} {by_zero}, {by_minus}")
    safe = w.let(f"select {boolean} {odd}, {kind} {one}, {kind} {args[1]}")
    quotient = w.let(f"sdiv {kind} {args[0]}, {safe}")
    rest = w.let(f"sub {kind} {args[0]}, {w.let(f'mul {kind} {quotient}, {safe}')}")
    inexact = w.let(f"icmp ne {kind} {rest}, {zero}")
    signs = w.let(f"icmp slt {kind} {w.let(f'xor {kind} {rest}, {safe}')}, {zero}")
    down = w.let(f"and {boolean} {inexact}, {signs}")
    floored = w.let(f"sub {kind} {quotient}, {w.let(f'zext {boolean} {down} to {kind}')}")
    negated = w.let(f"sub {kind} {zero}, {args[0]}")
    out = w.let(f"select {boolean} {by_minus}, {kind} {negated}, {kind} {floored}")
    return w.let(f"select {boolean} {by_zero}, {kind} {zero}, {kind} {out}")


SPECIAL: dict[str, Special] = {
    "neg": _neg,
    "fneg": _fneg,
    "not": _not,
    "mulhi": _mulhi,
    "idiv": _idiv,
    "shl": _shift("shl"),
    "ashr": _shift("ashr"),
    "lshr": _shift("lshr"),
}
