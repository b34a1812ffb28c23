"""Strings, which stand in NumPy arrays of objects, and counts of n-grams."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import brickwork.tensor as bt
from brickwork.tensor import Tensor

from ..errors import ModelError
from ..foreign import text_of
from ..registry import translator


def _each(function: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    """A function of strings, element by element, broadcasting."""
    spread = np.broadcast_arrays(*arrays)
    out = np.empty(spread[0].shape, object)
    for place in np.ndindex(out.shape):
        out[place] = function(*(text_of(a[place]) for a in spread))
    return out


@translator("StringConcat", 20, eager=True)
def string_concat(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _each(lambda a, b: a + b, x, y)


@translator("StringSplit", 20, eager=True)
def string_split(
    x: np.ndarray, *, delimiter: str | None = None, maxsplit: int | None = None
) -> tuple[np.ndarray, Tensor]:
    """The parts of each string, filled up with empty ones along a new last axis, and their number."""
    most = -1 if maxsplit is None else maxsplit
    parts = [text_of(v).split(delimiter or None, most) for v in x.reshape(-1)]
    longest = max(map(len, parts), default=0)
    table = np.full((len(parts), longest), "", object)
    for row, found in zip(table, parts, strict=True):
        row[: len(found)] = found
    counts = np.array([len(p) for p in parts], "int64").reshape(x.shape)
    return table.reshape(*x.shape, longest), bt.asarray(counts)


@translator("StringNormalizer", 10, eager=True)
def string_normalizer(
    x: np.ndarray,
    *,
    case_change_action: str = "NONE",
    is_case_sensitive: int = 0,
    locale: str = "",
    stopwords: Sequence[str] = (),
) -> np.ndarray:
    """Without the stop words, in upper or lower case; one empty string where nothing is left."""
    cases: dict[str, Callable[[str], str]] = {"NONE": str, "LOWER": str.lower, "UPPER": str.upper}
    if case_change_action not in cases:
        raise ModelError(f"StringNormalizer: the case is one of {', '.join(cases)}; got {case_change_action!r}")
    if x.ndim not in (1, 2) or (x.ndim == 2 and x.shape[0] != 1):
        raise ModelError(f"StringNormalizer: the shape is [C] or [1, C]; got {list(x.shape)}")
    compare: Callable[[str], str] = str if is_case_sensitive else str.lower
    stop = {compare(w) for w in stopwords}
    kept = [cases[case_change_action](w) for w in map(text_of, x.reshape(-1)) if compare(w) not in stop]
    out = np.array(kept or [""], object)
    return out if x.ndim == 1 else out.reshape(1, -1)


@translator("RegexFullMatch", 20, eager=True)
def regex_full_match(x: np.ndarray, *, pattern: str) -> Tensor:
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise ModelError(
            f"RegexFullMatch: the pattern must be a regular expression; got {pattern!r}: {error}"
        ) from None
    return bt.asarray(_each(lambda w: wanted.fullmatch(w) is not None, x).astype(bool))


@translator("TfIdfVectorizer", 9, eager=True)
def tf_idf_vectorizer(
    x: Any,
    *,
    mode: str,
    min_gram_length: int,
    max_gram_length: int,
    max_skip_count: int,
    ngram_counts: Sequence[int],
    ngram_indexes: Sequence[int],
    pool_int64s: Sequence[int] = (),
    pool_strings: Sequence[str] = (),
    weights: Sequence[float] = (),
) -> Tensor:
    """How often each n-gram of a pool stands in each row, up to so many words left out between; times ``weights``."""
    if mode not in ("TF", "IDF", "TFIDF"):
        raise ModelError(f"TfIdfVectorizer: the mode is TF, IDF or TFIDF; got {mode!r}")
    values = x.numpy() if isinstance(x, Tensor) else np.vectorize(text_of, otypes=[object])(x)
    pool = _pool(pool_strings or pool_int64s, ngram_counts, min_gram_length, max_gram_length)
    rows = values.reshape(-1, values.shape[-1] if values.ndim else 1)
    counts = np.zeros((len(rows), max(ngram_indexes) + 1), "float32")
    for row, words in zip(counts, rows.tolist(), strict=True):
        for length in range(min_gram_length, max_gram_length + 1):
            for gram in _grams(words, length, max_skip_count):
                if gram in pool:
                    row[ngram_indexes[pool[gram]]] += 1
    if mode == "IDF":
        counts = np.minimum(counts, 1)
    if mode != "TF" and weights:
        scales = np.ones(counts.shape[1], "float32")
        scales[list(ngram_indexes)] = weights
        counts = counts * scales
    return bt.asarray(counts if values.ndim == 2 else counts[0])


def _pool(words: Sequence[Any], starts: Sequence[int], shortest: int, longest: int) -> dict[tuple[Any, ...], int]:
    """The number of each n-gram of a pool, which holds those of one word from ``starts[0]`` on, of two from
    ``starts[1]`` on, and so on; the ones of other lengths than asked for count too, but are no entries."""
    pool: dict[tuple[Any, ...], int] = {}
    number = 0
    for length, (start, end) in enumerate(zip(starts, [*starts[1:], len(words)], strict=True), start=1):
        for at in range(start, end, length):
            if shortest <= length <= longest:
                pool[tuple(words[at : at + length])] = number
            number += 1
    return pool


def _grams(words: list[Any], length: int, skips: int) -> Iterator[tuple[Any, ...]]:
    """All n-grams of a row, with 0 to ``skips`` words left out between neighbours."""
    for gap in range(1, (skips if length > 1 else 0) + 2):
        for start in range(len(words) - (length - 1) * gap):
            yield tuple(words[start : start + length * gap : gap])
