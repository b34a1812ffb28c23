"""What one part of a split tells of another: equal rows, shared groups, shared times."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import PrepError, quote_rows
from ..hashing import hash_rows
from . import keys


class LeakageWarning(UserWarning):
    """Rows to judge by are known from the rows to learn from, so a score would be too good."""


@dataclass(frozen=True, slots=True, eq=False)
class Leak:
    """What `part` shares with an earlier part, `other`: `what` is "duplicates", "groups" or "times".

    `rows` are the positions of all rows to blame, int64; `text` says it in a sentence.
    """

    what: str
    part: str
    other: str
    rows: np.ndarray
    text: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What parts are called, where the rows of each stand in arrays over all rows, and what a person knows them by."""

    names: Sequence[str]
    rows: Sequence[np.ndarray]
    known_as: Sequence[np.ndarray]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Each pair of parts that have rows, the earlier first."""
        return combinations([i for i, rows in enumerate(self.rows) if len(rows)], 2)

    def leak(self, what: str, first: int, second: int, shared: np.ndarray, sentence: str) -> Leak:
        """The leak of the rows of the second part where `shared`, bool, is set."""
        part, other = self.names[second], self.names[first]
        rows = self.known_as[second][shared]
        text = f"{len(rows)} of {len(shared)} rows of {part} {sentence.format(other=other)}: {quote_rows(rows)}."
        return Leak(what, part, other, rows, text)


def check_leakage(*parts: Any, groups: Any = None, time: Any = None) -> tuple[Leak, ...]:
    """What parts that were split elsewhere share with one another; warns (LeakageWarning) of each.

    - parts: two or more tables or arrays of one type, the rows to learn from first; equal rows in two are a leak.
    - groups: a column's name or position, or a sequence of one array for each part; a group in two parts is a leak.
    - time: likewise; a row that is no later than the last of an earlier part is a leak.

    Raises PrepError where a part is no table, or where a group or a time is missing.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", LeakageWarning)
    ...     [leak] = check_leakage({"x": [1, 2, 3]}, {"x": [4, 3]})
    >>> leak.text
    '1 of 2 rows of part 1 equal rows of part 0: row 1.'
    """
    who = "check_leakage"
    if len(parts) < 2:
        raise PrepError.of(who, "two parts or more are compared", str(len(parts)))
    known_as = [np.arange(keys.n_rows(part, who)) for part in parts]
    starts = np.cumsum([0, *map(len, known_as)])
    names = [f"part {i}" for i in range(len(parts))]
    all_parts = Parts(names, [own + start for own, start in zip(known_as, starts, strict=False)], known_as)
    leaks = duplicates_in(all_parts, np.concatenate([hash_rows(part, who) for part in parts]))
    if groups is not None:
        values = _of_parts(keys.group_values, groups, parts, "groups", who)
        leaks += groups_in(all_parts, keys.codes(np.concatenate(values)))
    if time is not None:
        leaks += times_in(all_parts, np.concatenate(_of_parts(keys.times_of, time, parts, "time", who)))
    for leak in leaks:
        warnings.warn(f"{who}: {leak.text}", LeakageWarning, stacklevel=2)
    return tuple(leaks)


def duplicates_in(parts: Parts, hashes: np.ndarray) -> list[Leak]:
    """Rows that equal a row of an earlier part, by the hashes (n,) of all rows."""
    return _shared(parts, hashes, "duplicates", "equal rows of {other}")


def groups_in(parts: Parts, codes: np.ndarray) -> list[Leak]:
    """Rows whose group, one of the codes (n,), is in an earlier part."""
    return _shared(parts, codes, "groups", "have groups of {other}")


def times_in(parts: Parts, times: np.ndarray) -> list[Leak]:
    """Rows no later than the last of an earlier part, by the times (n,) of all rows."""
    leaks = []
    for first, second in parts.pairs():
        last = times[parts.rows[first]].max()
        early = times[parts.rows[second]] <= last
        if early.any():
            leaks.append(parts.leak("times", first, second, early, f"are no later than the last of {{other}}, {last}"))
    return leaks


def _shared(parts: Parts, codes: np.ndarray, what: str, sentence: str) -> list[Leak]:
    if len(np.unique(codes)) == len(codes):  # the usual case, at the price of one sort
        return []
    leaks = []
    for first, second in parts.pairs():
        shared = np.isin(codes[parts.rows[second]], codes[parts.rows[first]])
        if shared.any():
            leaks.append(parts.leak(what, first, second, shared, sentence))
    return leaks


def _of_parts(read: Callable[..., np.ndarray], key: Any, parts: Sequence[Any], what: str, who: str) -> list[np.ndarray]:
    named = keys.is_name(key)
    if not named and len(key) != len(parts):
        raise PrepError.of(who, f"{what} is a column, or one array for each part", f"{len(key)} for {len(parts)} parts")
    own = [key] * len(parts) if named else key
    return [read(values, part, keys.n_rows(part, who), who) for values, part in zip(own, parts, strict=True)]
