"""The reader of graph text: tokens with their places, and the error that names one.

Text may come from anywhere, so nothing here trusts it: a bound on nesting and on
numbers, and every failure is a `GraphTextError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple, NoReturn, TypeVar

from brickwork.tensor.errors import BrickworkError

__all__ = ["RESERVED", "GraphTextError", "Reader", "Token", "name_text"]

T = TypeVar("T")
MAX_DEPTH = 64
MAX_DIGITS = 400
"""Longest number: every float64 written out in full fits, and reading one takes no noticeable time."""
RESERVED = frozenset("affine bits complex dtype false form graph inf nan none true".split())
"""Words that start a value of some kind, and so are no names of sizes or atoms."""
_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
_TOKEN = rf"""(?P<skip>[ \t\r\n]+|\#[^\n]*)
    |(?P<float>[0-9]+\.[0-9]*(?:e[+-]?[0-9]+)?|[0-9]+e[+-]?[0-9]+)
    |(?P<hex>0x[0-9a-f]+)
    |(?P<int>[0-9]+)
    |(?P<value>%[0-9]+)
    |(?P<axis>\$[0-9]+)
    |(?P<name>{_NAME})
    |(?P<string>"(?:[^"\\\n]|\\.)*")
    |(?P<quoted>'(?:[^'\\\n]|\\.)*')
    |(?P<mark>->|[()\[\]{{}}=,;:*+/-])"""
_PLAIN_NAME = re.compile(_NAME)
_ESCAPE = r"(?s)\\(.)"
_QUOTED = str.maketrans({"'": "\\'", "\\": "\\\\", "\n": "\\n"})


class GraphTextError(BrickworkError, ValueError):
    """Text that is no graph (the message names line and column), or a value that has no text."""


class Token(NamedTuple):
    """``kind``: a group of the token pattern, or ``end``. ``at``: offset in the text."""

    kind: str
    text: str
    at: int


@lru_cache(maxsize=4096)
def name_text(name: str, reserved: frozenset[str] = frozenset()) -> str:
    """A name as it stands in the text: bare where it can not be taken for anything else, else in single quotes."""
    bare = _PLAIN_NAME.fullmatch(name) and name not in reserved
    return name if bare else f"'{name.translate(_QUOTED)}'"


class Reader:
    """A cursor over the tokens of a text."""

    def __init__(self, text: str):
        self.text = text
        self.depth = 0
        self._tokens = self._split()
        self.token = next(self._tokens)

    def _split(self) -> Iterator[Token]:
        at, match = 0, re.compile(_TOKEN, re.VERBOSE).match
        while at < len(self.text):
            found = match(self.text, at)
            if found is None:
                self.fail("a character that the text form uses", repr(self.text[at]), at)
            kind, at = found.lastgroup or "", found.end()
            if kind in ("float", "hex", "int", "value", "axis") and found.end() - found.start() > MAX_DIGITS:
                self.fail(
                    f"a number of at most {MAX_DIGITS} characters",
                    f"one of {found.end() - found.start()}",
                    found.start(),
                )
            if kind != "skip":
                yield Token(kind, found.group(), found.start())
        yield Token("end", "", len(self.text))

    def fail(self, wanted: str, got: str | None = None, at: int | None = None) -> NoReturn:
        """Raise the error for what stands at ``at`` (the present token by default)."""
        place = self.token.at if at is None else at
        line = self.text.count("\n", 0, place) + 1
        column = place - self.text.rfind("\n", 0, place)
        if got is None:
            got = repr(_short(self.token.text)) if self.token.kind != "end" else "the end of the text"
        raise GraphTextError(
            f"graph text: line {line}, column {column}: must be {wanted}; got {got}. "
            "Correct the text, or print the graph again"
        )

    def at(self, text: str) -> bool:
        """Whether the present token is this mark or word."""
        return self.token.text == text and self.token.kind in ("mark", "name")

    def next(self) -> Token:
        """The present token, and on to the one after it."""
        token = self.token
        if token.kind != "end":
            self.token = next(self._tokens)
        return token

    def accept(self, text: str) -> bool:
        """Step over a mark or word if it stands here."""
        if not self.at(text):
            return False
        self.next()
        return True

    def expect(self, text: str) -> None:
        """Step over a mark or word that must stand here."""
        if not self.accept(text):
            self.fail(repr(text))

    def take(self, kind: str, wanted: str) -> str:
        """The text of a token of one kind, which must stand here."""
        if self.token.kind != kind:
            self.fail(wanted)
        return self.next().text

    def number(self, kind: str, wanted: str) -> int:
        """The number in a token such as ``12``, ``%12`` or ``$12``; counts and positions are below 2**31."""
        at = self.token.at
        number = int(self.take(kind, wanted).lstrip("%$"))
        if number >= 2**31:
            self.fail(f"{wanted} below 2**31", str(number)[:24], at)
        return number

    def name(self, wanted: str, reserved: frozenset[str] = frozenset()) -> str:
        """A name, bare or in single quotes; ``reserved``: words that mean something else here unless quoted."""
        if self.token.kind == "quoted":
            inner = self.next().text[1:-1]
            return re.sub(_ESCAPE, lambda m: "\n" if m[1] == "n" else m[1], inner)
        if self.token.text in reserved:
            self.fail(wanted)
        return self.take("name", wanted)

    def several(self, item: Callable[[], T], close: str) -> tuple[T, ...]:
        """Items between commas up to a closing mark, which is stepped over; a comma may stand before it."""
        out: list[T] = []
        while not self.accept(close):
            out.append(item())
            if not self.at(close):
                self.expect(",")
        return tuple(out)

    @contextmanager
    def nested(self) -> Iterator[None]:
        """One level deeper, within the bound."""
        if self.depth >= MAX_DEPTH:
            self.fail(f"nested at most {MAX_DEPTH} deep", "more")
        self.depth += 1
        yield
        self.depth -= 1


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:21] + "..."
