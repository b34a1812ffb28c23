"""`TextIndexer`: texts as rows of token numbers, for a network with an embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..columns import Column
from ..encoder import Encoder
from ..errors import SchemaError
from ..frame import Table
from ..params import choice, whole
from ..schema import ColumnSchema
from .columns import TextColumns, named_columns
from .documents import Documents, Tokens, read_documents

__all__ = ["TextIndexer"]

PADDING, UNKNOWN, FIRST = 0, 1, 2
LONGEST = 1 << 20  # tokens of a text, beyond which a row of all of them is refused


class TextIndexer(TextColumns):
    """Each text becomes the numbers of its first tokens: 0 is padding, 1 a token not in the vocabulary, 2 the most
    frequent token, and so on. int32 (n, length) for each column, side by side.

    An `Embedding(vocabulary_sizes_[column], ..., mask_zero=True)` takes them, and masks the padding. A missing text is
    all padding. Each distinct text is read once.

    Parameters
    ----------
    length : int, optional
        Tokens of each text; None: those of the longest at fit.
    max_tokens : int, optional
        The most numbers of a column, with those of padding and of the unknown.
    min_df : int
        In how many texts a token must stand at least.
    padding, truncation : {"post", "pre"}
        Whether short texts are filled up at the end or at the beginning, and where long ones are cut off.
    analyzer : {"word", "char"}
        Tokens are words or letters.
    lowercase, strip_accents, stop_words, token_pattern : as in `CountVectorizer`; a word may have one letter

    Attributes
    ----------
    vocabularies_ : dict of column names to lists: the token of each number, "" for padding and "[UNK]" for the unknown
    vocabulary_sizes_ : dict of column names to the lengths of these lists
    lengths_ : dict of column names to the tokens of each text

    Examples
    --------
    >>> from brickwork.prep import TextIndexer
    >>> indexer = TextIndexer(length=4).fit({"said": ["to be or not to be", "be it so"]})
    >>> indexer.transform({"said": ["to be, I say", None]}).tolist()
    [[3, 2, 1, 1], [0, 0, 0, 0]]
    """

    STATISTICS: ClassVar = (Tokens,)
    sparse_output = False

    def __init__(
        self,
        *,
        length: int | None = None,
        max_tokens: int | None = None,
        min_df: int = 1,
        padding: str = "post",
        truncation: str = "post",
        analyzer: str = "word",
        lowercase: bool = True,
        strip_accents: str | None = None,
        stop_words: Any = None,
        token_pattern: str = r"(?u)\b\w+\b",
    ):
        self.length = length
        self.max_tokens = max_tokens
        self.min_df = min_df
        self.padding = padding
        self.truncation = truncation
        self.analyzer = analyzer
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.stop_words = stop_words
        self.token_pattern = token_pattern

    def _check_params(self, who: str) -> None:
        super()._check_params(who)
        choice(who, ("word", "char"), analyzer=self.analyzer)
        choice(who, ("post", "pre"), padding=self.padding, truncation=self.truncation)
        whole(who, min_df=self.min_df)
        if self.length is not None:
            whole(who, length=self.length)
        if self.max_tokens is not None:
            whole(who, 2, max_tokens=self.max_tokens)

    def _gather(self, column: Column, who: str) -> Tokens:
        return Tokens()

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        length = int(self.length or statistic.longest)
        if length > LONGEST:
            rule = f"column {schema.name!r} needs length=: the longest text has more than {LONGEST} tokens"
            raise SchemaError.of(who, rule, str(length), column=schema.name)
        return named_columns(schema.name, [str(place) for place in range(length)])

    def _publish(self) -> None:
        self.vocabularies_ = {
            encoder.name: self._vocabulary(found)
            for encoder, found in zip(self.encoders_, self.statistics_, strict=True)
        }
        self.vocabulary_sizes_ = {name: len(words) for name, words in self.vocabularies_.items()}
        self.lengths_ = {encoder.name: len(encoder.suffixes) for encoder in self.encoders_}
        self._numbers = {
            name: {token: number for number, token in enumerate(words) if number >= FIRST}
            for name, words in self.vocabularies_.items()
        }

    def _vocabulary(self, found: Any) -> list[str]:
        times = found.times
        kept = [token for token in times if times[token][0] >= self.min_df]
        kept.sort(key=lambda token: (-times[token][1], token))
        most = len(kept) if self.max_tokens is None else self.max_tokens - FIRST
        return ["", "[UNK]", *kept[:most]]

    def _give(self, table: Table, positions: Sequence[int], X: Any, who: str) -> np.ndarray:
        known, analyze = getattr(self, "_kept", {}), self._analyzer()
        out = np.zeros((table.n_rows, self.n_features_out_), dtype=np.int32)
        for encoder, (start, stop), position in zip(self.encoders_, self.spans_, positions, strict=True):
            if stop > start:
                documents = known.get(encoder.name) or read_documents(table.column(position), analyze, who)
                out[:, start:stop] = self._indices(encoder.name, documents, stop - start)[documents.codes]
        return out

    def _indices(self, name: str, documents: Documents, length: int) -> np.ndarray:
        """Int32 (d + 1, length): the numbers of each distinct text's tokens."""
        numbers = self._numbers[name]
        places = np.array([numbers.get(token, UNKNOWN) for token in documents.tokens], dtype=np.int32)
        tokens, lengths = places[documents.flat], np.diff(documents.stops)
        texts = np.repeat(np.arange(len(lengths)), lengths)
        at = np.arange(len(tokens)) - np.repeat(documents.stops[:-1], lengths)  # the place of a token in its text
        if self.truncation == "pre":
            at -= np.repeat(np.maximum(lengths - length, 0), lengths)
        if self.padding == "pre":
            at += np.repeat(np.maximum(length - lengths, 0), lengths)
        inside = (at >= 0) & (at < length)
        out = np.full((len(lengths), length), PADDING, dtype=np.int32)
        out[texts[inside], at[inside]] = tokens[inside]
        return out

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
