"""The texts of a column as rows of token numbers, each distinct text once; and how often tokens occur."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse

from ..columns import Column, as_texts
from ..errors import SchemaError
from ..state import demand
from ..statistics import Statistic

__all__ = ["Documents", "Tokens", "read_documents"]

MOST = 2**22  # distinct tokens of one column, beyond which counting them is refused


@dataclass(frozen=True, slots=True)
class Documents:
    """A column of text (n rows, d distinct texts) as tokens.

    `tokens`: the distinct tokens, by first appearance; `flat` holds the place of each token of each distinct text among
    them, text i from `stops[i]` to `stops[i + 1]`; the last text is empty. `codes`, int64 (n,), gives the text of each
    row, -1 (the last) where it is missing.
    """

    name: str
    tokens: Sequence[str]
    flat: np.ndarray
    stops: np.ndarray
    codes: np.ndarray

    def counts(self, places: np.ndarray, width: int, weights: np.ndarray | None = None) -> sparse.csr_matrix:
        """How often tokens of column j occur in each distinct text, float64 (d + 1, width), each once and in order.

        `places`, int64 (len(tokens),), says which column a token counts in, -1 for none; `weights` how much (1).
        """
        found, stops = places[self.flat], self.stops
        data = np.ones(len(found)) if weights is None else weights[self.flat]
        kept = found >= 0
        if not kept.all():
            stops = np.concatenate([[0], np.cumsum(kept)])[stops]
            found, data = found[kept], data[kept]
        made = sparse.csr_matrix((data, found, stops), shape=(len(stops) - 1, width))
        made.sum_duplicates()
        return made

    def rows(self, of_texts: sparse.csr_matrix) -> sparse.csr_matrix:
        """The same for each row: (n, width)."""
        n = of_texts.shape[0] - 1
        if len(self.codes) == n and np.array_equal(self.codes, np.arange(n)):
            return of_texts[:n]
        return of_texts[np.where(self.codes < 0, n, self.codes)]


def read_documents(column: Column, analyze: Callable[[str], Sequence[str]], who: str) -> Documents:
    """The tokens of a column; values that are no text count as their text."""
    codes, vocabulary = as_texts(column, who)
    used = np.bincount(codes + 1, minlength=len(vocabulary) + 1)[1:] > 0
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    flat, stops = array("q"), array("q", [0])
    for text, is_used in zip(vocabulary, used.tolist(), strict=True):
        if is_used:
            flat.extend(map(numbers.__getitem__, analyze(text)))
        stops.append(len(flat))
    stops.append(len(flat))
    return Documents(column.name, list(numbers), *(np.array(a, dtype=np.int64) for a in (flat, stops)), codes)


class Tokens(Statistic):
    """Of each token: in how many rows it stands (`documents`), and how often in all (`occurrences`).

    Of `n` rows the longest text has `longest` tokens; a missing one has none. Nothing is cut off, so that merged parts
    tell what the whole tells.
    """

    FIELDS: ClassVar = {"n": "count", "longest": "count", "tokens": "tuple[str, ...]",
                        "documents": "tuple[count, ...]", "occurrences": "tuple[count, ...]"}  # fmt: skip

    def __init__(self) -> None:
        self.n = self.longest = 0
        self.times: dict[str, tuple[int, int]] = {}

    @property
    def tokens(self) -> tuple[str, ...]:
        return tuple(self.times)

    @property
    def documents(self) -> tuple[int, ...]:
        return tuple(pair[0] for pair in self.times.values())

    @property
    def occurrences(self) -> tuple[int, ...]:
        return tuple(pair[1] for pair in self.times.values())

    def update(self, column: Column, y: Any, who: str) -> None:
        self.add(y[column.name], who)

    def add(self, found: Documents, who: str) -> None:
        """Adds the rows of a column that was read."""
        rows = np.bincount(found.codes + 1, minlength=len(found.stops) - 1)[1:].astype(np.float64)
        weights = np.append(rows, 0.0)
        counts = found.counts(np.arange(len(found.tokens)), len(found.tokens))
        occurrences = (weights @ counts).astype(np.int64).tolist()
        counts.data[:] = 1.0
        documents = (weights @ counts).astype(np.int64).tolist()
        lengths = np.diff(found.stops)
        self.n += len(found.codes)
        self.longest = max(self.longest, int(lengths.max()))
        self._add(zip(found.tokens, zip(documents, occurrences, strict=True), strict=True))
        if len(self.times) > MOST:
            rule, fix = f"column {found.name!r} must have at most {MOST} tokens", "Hash them (HashingVectorizer)."
            raise SchemaError.of(who, rule, str(len(self.times)), fix, column=found.name)

    def merge(self, other: Self) -> None:
        self.n, self.longest = self.n + other.n, max(self.longest, other.longest)
        self._add(other.times.items())

    def _add(self, pairs: Any) -> None:
        if not self.times:
            self.times = dict(pairs)
            return
        for token, (documents, occurrences) in pairs:
            known = self.times.get(token, (0, 0))
            self.times[token] = known[0] + documents, known[1] + occurrences

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        tokens, documents, occurrences = values["tokens"], values["documents"], values["occurrences"]
        as_many = len(tokens) == len(documents) == len(occurrences)
        demand(as_many, where, "documents and occurrences must be as many as tokens", len(documents))
        made = cls()
        made.n, made.longest = values["n"], values["longest"]
        made.times = dict(zip(tokens, zip(documents, occurrences, strict=True), strict=True))
        demand(len(made.times) == len(tokens), where, "tokens must differ", len(tokens))
        fits = all(0 < a <= min(b, made.n) for a, b in made.times.values())
        demand(fits, where, "documents must be above 0 and at most occurrences and n", made.n)
        return made
