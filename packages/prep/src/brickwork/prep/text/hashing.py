"""`HashingVectorizer`: tokens counted in a fixed number of places, without a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, overload

import numpy as np
from scipy import sparse
from sklearn.utils import murmurhash3_32

from ..columns import Column
from ..encoder import Encoder
from ..params import choice, flags, whole
from ..schema import ColumnSchema
from ..statistics import Nothing
from .columns import TextColumns, named_columns
from .counting import normalize
from .documents import Documents
from .tokens import WORDS

__all__ = ["HashingVectorizer"]


class HashingVectorizer(TextColumns):
    """Counts of tokens, each at the place that its hash names; each column of a table has places of its own.

    Equal, column by column, to scikit-learn's of that name. The hash is 32-bit MurmurHash3 of the token's UTF-8 with
    seed 0: the same on every machine. Nothing is learned but the names of columns. The idea: Weinberger and others,
    "Feature hashing for large scale multitask learning" (2009).

    Parameters that are not named here are those of `CountVectorizer`.

    Parameters
    ----------
    n_features : int
        Places of each column. Fewer share more tokens between them.
    alternate_sign : bool
        Whether half the tokens count negatively, so that those which share a place cancel on average.
    norm : {"l2", "l1", None}
        The length of a text's numbers: Euclidean, the sum of absolute values, or as it is.
    binary : bool
        1 in place of what is not 0.

    Examples
    --------
    >>> from brickwork.prep import HashingVectorizer
    >>> words = HashingVectorizer(n_features=4, norm=None, sparse_output=False)
    >>> words.fit_transform({"said": ["to be or not to be", None]}).tolist()
    [[1.0, 0.0, -2.0, 3.0], [0.0, 0.0, 0.0, 0.0]]
    """

    STATISTICS: ClassVar = (Nothing,)

    def __init__(
        self,
        *,
        n_features: int = 2**20,
        analyzer: str = "word",
        ngram_range: tuple[int, int] = (1, 1),
        lowercase: bool = True,
        strip_accents: str | None = None,
        stop_words: Any = None,
        token_pattern: str = WORDS,
        binary: bool = False,
        norm: str | None = "l2",
        alternate_sign: bool = True,
        sparse_output: bool = True,
    ):
        self.n_features = n_features
        self.analyzer = analyzer
        self.ngram_range = ngram_range
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.stop_words = stop_words
        self.token_pattern = token_pattern
        self.binary = binary
        self.norm = norm
        self.alternate_sign = alternate_sign
        self.sparse_output = sparse_output

    def _check_params(self, who: str) -> None:
        super()._check_params(who)
        whole(who, n_features=self.n_features)
        choice(who, ("l1", "l2", None), norm=self.norm)
        flags(who, binary=self.binary, alternate_sign=self.alternate_sign, sparse_output=self.sparse_output)

    def _gather(self, column: Column, who: str) -> Nothing:
        return Nothing()

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        return named_columns(schema.name, _Numbered(int(self.n_features)))

    def _matrix(self, place: int, documents: Documents) -> sparse.csr_matrix:
        hashes = np.array([murmurhash3_32(token) for token in documents.tokens], dtype=np.int64)
        signs = np.where(hashes >= 0, 1.0, -1.0) if self.alternate_sign else None
        found = documents.counts(np.abs(hashes) % self.n_features, self.n_features, signs)
        if self.binary:
            found.data[:] = 1.0
        normalize(found, self.norm)
        return found


class _Numbered(Sequence[str]):
    """The texts of 0 to n - 1, made when they are asked for: a million names are seldom wanted."""

    def __init__(self, n: int) -> None:
        self.numbers = range(n)

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        found = self.numbers[place]
        return str(found) if isinstance(found, int) else list(map(str, found))
