"""What the program says when it cannot go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

DONE, FAULT, MISTAKE, INTERRUPTED = 0, 1, 2, 130  # exit codes; 130 is the shell's own for a program stopped by Ctrl-C


class Mistake(Exception):
    """Something that the person at the terminal can mend; the message is all they are shown, and the exit code is 2."""


@contextmanager
def mistakes(*kinds: type[Exception], about: str = "") -> Iterator[None]:
    """Tell errors of these kinds as mistakes, about a thing in place of the Python name that each begins with.

    Errors of this house read `who: rule; got values. fix`, and `TablePrep.fit` says nothing to someone at a terminal.
    """
    try:
        yield
    except kinds as error:
        _, _, rule = str(error).partition(": ")
        raise Mistake(f"{about}: {rule}" if about else rule) from error


def nearest(name: str, names: Iterable[str]) -> str:
    """` Did you mean 'island'?`, or nothing where no name is near."""
    by_text = {other.casefold(): other for other in names}
    found = get_close_matches(name.casefold(), list(by_text), n=1)
    return f" Did you mean {by_text[found[0]]!r}?" if found else ""


def listed(items: Iterable[object], most: int = 5) -> str:
    """The first few for a sentence: `'a', 'b' (and 7 more)`."""
    every = [_short(item) for item in items]
    return ", ".join(every[:most]) + (f" (and {len(every) - most} more)" if len(every) > most else "")


def counted(n: int, one: str, many: str = "") -> str:
    """`1 row`, `344 rows`; `many` where an s does not make the plural."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _short(item: object) -> str:
    text = repr(item)
    return text if len(text) <= 60 else text[:57] + "..."
