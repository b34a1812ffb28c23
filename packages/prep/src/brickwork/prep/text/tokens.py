"""From a text to its tokens: words, or letters in a row, and n of them together."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from ..errors import PrepError
from ..params import choice, flags

__all__ = ["ANALYZERS", "WORDS", "Analyzer", "check_analyzer"]

ANALYZERS = ("word", "char", "char_wb")
WORDS = r"(?u)\b\w\w+\b"
"""scikit-learn's pattern of a token: two or more letters, digits or underscores."""

_SPACES = re.compile(r"\s\s+")


@dataclass(frozen=True)
class Analyzer:
    """Tokens of a text, as scikit-learn's vectorizers of the same parameters make them."""

    analyzer: str = "word"
    ngram_range: tuple[int, int] = (1, 1)
    lowercase: bool = True
    strip_accents: str | None = None
    stop_words: frozenset[str] = frozenset()
    token_pattern: str = WORDS
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pattern", re.compile(self.token_pattern))

    def __call__(self, text: str) -> list[str]:
        """The tokens: of one length after the other, each in the order of the text."""
        if self.lowercase:
            text = text.lower()
        if self.strip_accents is not None:
            text = _without_accents(text, self.strip_accents)
        if self.analyzer == "word":
            words = self._pattern.findall(text)
            if self.stop_words:
                words = [word for word in words if word not in self.stop_words]
            return words if self.ngram_range == (1, 1) else self._of_words(words)
        text = _SPACES.sub(" ", text)
        if self.analyzer == "char":
            low, high = self.ngram_range
            return [token for n in range(low, min(high, len(text)) + 1) for token in _grams(text, n)]
        tokens: list[str] = []
        for word in text.split():
            tokens += _of_word(word, *self.ngram_range)
        return tokens

    def _of_words(self, words: list[str]) -> list[str]:
        low, high = self.ngram_range
        tokens = []
        for n in range(low, min(high, len(words)) + 1):
            tokens += [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)] if n > 1 else words
        return tokens


def check_analyzer(
    who: str,
    *,
    analyzer: str,
    ngram_range: Sequence[int],
    lowercase: bool,
    strip_accents: str | None,
    stop_words: str | Sequence[str] | None,
    token_pattern: str,
) -> None:
    """PrepError where a parameter of an analyzer is not one."""
    choice(who, ANALYZERS, analyzer=analyzer)
    choice(who, (None, "ascii", "unicode"), strip_accents=strip_accents)
    flags(who, lowercase=lowercase)
    whole = (
        isinstance(ngram_range, (list, tuple)) and len(ngram_range) == 2 and all(type(n) is int for n in ngram_range)
    )
    if not whole or not 1 <= ngram_range[0] <= ngram_range[1]:
        raise PrepError.of(who, "ngram_range must be two integers with 1 <= low <= high", repr(ngram_range))
    texts = isinstance(stop_words, (list, tuple, set, frozenset)) and all(isinstance(word, str) for word in stop_words)
    if stop_words not in (None, "english") and not texts:
        raise PrepError.of(who, "stop_words must be None, 'english' or a list of words", repr(stop_words))
    try:
        groups = re.compile(token_pattern).groups
    except (re.error, TypeError) as cause:
        raise PrepError.of(who, "token_pattern must be a regular expression", f"{token_pattern!r}: {cause}") from None
    if groups > 1:
        raise PrepError.of(who, "token_pattern must have at most one group", repr(token_pattern))


def make_analyzer(
    analyzer: str,
    ngram_range: Sequence[int],
    lowercase: bool,
    strip_accents: str | None,
    stop_words: str | Sequence[str] | None,
    token_pattern: str,
) -> Analyzer:
    """The analyzer of parameters as users give them."""
    words = ENGLISH_STOP_WORDS if stop_words == "english" else frozenset(stop_words or ())
    return Analyzer(analyzer, (ngram_range[0], ngram_range[1]), lowercase, strip_accents, words, token_pattern)


@lru_cache(maxsize=1 << 13)
def _of_word(word: str, low: int, high: int) -> list[str]:
    """Letters of a word between two spaces; a word shorter than n is taken whole, once."""
    word, tokens = f" {word} ", []
    for n in range(low, high + 1):
        tokens += _grams(word, n) if n <= len(word) else [word]
        if n >= len(word):
            break
    return tokens


def _grams(text: str, n: int) -> list[str]:
    return [text[i : i + n] for i in range(len(text) - n + 1)] if n > 1 else list(text)


def _without_accents(text: str, form: str) -> str:
    if text.isascii():
        return text
    if form == "ascii":
        return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return "".join(part for part in unicodedata.normalize("NFKD", text) if not unicodedata.combining(part))
