"""`CountVectorizer`: how often each token occurs; `TfidfVectorizer`: weighted by how rare it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from ..columns import Column
from ..encoder import Encoder
from ..errors import PrepError
from ..params import choice, flags, whole
from ..schema import ColumnSchema
from .columns import TextColumns, named_columns
from .documents import Documents, Tokens
from .tokens import WORDS

__all__ = ["CountVectorizer", "TfidfVectorizer"]


class CountVectorizer(TextColumns):
    """How often each token occurs in a text; each column of a table has a vocabulary of its own.

    Equal, column by column, to scikit-learn's of that name; a missing text is one without tokens. Each distinct text is
    read once. What is learned merges, so it holds tokens that `min_df`, `max_df` and `max_features` leave out as well.

    Parameters
    ----------
    analyzer : {"word", "char", "char_wb"}
        Words; letters; letters within words, with a space at both ends.
    ngram_range : (int, int)
        How many of them make a token, from and to.
    lowercase : bool
    strip_accents : {None, "ascii", "unicode"}
    stop_words : None, "english" (scikit-learn's list) or a list of words
    token_pattern : str
        The regular expression of a word; the default is two letters, digits or underscores or more.
    min_df, max_df : int or float
        In how many texts a token must stand at least and at most; a float is their share.
    max_features : int, optional
        The most tokens of a column, those that occur most.
    vocabulary : list of str, optional
        The tokens of each column, in place of those that fit finds.
    binary : bool
        1 in place of the count.
    sparse_output : bool
        A CSR matrix, or a dense array.

    Attributes
    ----------
    vocabularies_ : dict of column names to dicts of tokens to their place

    Raises
    ------
    PrepError where no column has a token to learn from.

    Examples
    --------
    >>> from brickwork.prep import CountVectorizer
    >>> words = CountVectorizer(sparse_output=False).fit({"said": ["to be or not to be", "be it so", None]})
    >>> words.get_feature_names_out().tolist()
    ['said_be', 'said_it', 'said_not', 'said_or', 'said_so', 'said_to']
    >>> words.transform({"said": ["so be it, be it"]}).tolist()
    [[2.0, 2.0, 0.0, 0.0, 1.0, 0.0]]
    """

    STATISTICS: ClassVar = (Tokens,)

    def __init__(
        self,
        *,
        analyzer: str = "word",
        ngram_range: tuple[int, int] = (1, 1),
        lowercase: bool = True,
        strip_accents: str | None = None,
        stop_words: Any = None,
        token_pattern: str = WORDS,
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        vocabulary: Sequence[str] | None = None,
        binary: bool = False,
        sparse_output: bool = True,
    ):
        self.analyzer = analyzer
        self.ngram_range = ngram_range
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.stop_words = stop_words
        self.token_pattern = token_pattern
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.binary = binary
        self.sparse_output = sparse_output

    def _check_params(self, who: str) -> None:
        super()._check_params(who)
        flags(who, binary=self.binary, sparse_output=self.sparse_output)
        for name in ("min_df", "max_df"):
            value = getattr(self, name)
            share = isinstance(value, (float, np.floating)) and 0 <= value <= 1
            if not share and (isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1):
                rule = f"{name} must be a share from 0.0 to 1.0 or an integer of 1 or more"
                raise PrepError.of(who, rule, repr(value))
        if self.max_features is not None:
            whole(who, max_features=self.max_features)
        words = self.vocabulary
        if words is not None and (isinstance(words, str) or not len(words) or len(set(words)) < len(words)):
            raise PrepError.of(who, "vocabulary must be a list of distinct tokens", repr(words))

    def _gather(self, column: Column, who: str) -> Tokens:
        return Tokens()

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        tokens = self._kept_tokens(statistic) if self.vocabulary is None else [str(token) for token in self.vocabulary]
        return named_columns(schema.name, tokens)

    def _kept_tokens(self, found: Tokens) -> list[str]:
        """The tokens that come out, in their order."""
        tokens = sorted(found.times)
        times = np.array([found.times[token] for token in tokens], dtype=np.int64).reshape(-1, 2)
        low, high = (
            bound * found.n if isinstance(bound, (float, np.floating)) else bound
            for bound in (self.min_df, self.max_df)
        )
        kept = np.flatnonzero((times[:, 0] >= low) & (times[:, 0] <= high))
        if self.max_features is not None and len(kept) > self.max_features:
            occurrences = times[kept, 0 if self.binary else 1]
            kept = np.sort(kept[(-occurrences).argsort()[: self.max_features]])
        return [tokens[place] for place in kept.tolist()]

    def _publish(self) -> None:
        self.vocabularies_ = {
            encoder.name: {token: place for place, token in enumerate(encoder.suffixes)} for encoder in self.encoders_
        }

    def _matrix(self, place: int, documents: Documents) -> sparse.csr_matrix:
        known = self.vocabularies_[self.encoders_[place].name]
        places = np.array([known.get(token, -1) for token in documents.tokens], dtype=np.int64)
        counts = documents.counts(places, len(known))
        if self.binary:
            counts.data[:] = 1.0
        return counts


class TfidfVectorizer(CountVectorizer):
    """Counts of tokens times the inverse share of texts they stand in; each column of a table by itself.

    Equal, column by column, to scikit-learn's of that name: idf(t) = log((1 + n) / (1 + df(t))) + 1 for df(t) of n
    texts (without the two ones inside where `smooth_idf` is False), then each text's weights are brought to length 1.
    The formula is that of scikit-learn; the idea is K. Sparck Jones, "A statistical interpretation of term specificity
    and its application in retrieval" (1972).

    Parameters that are not named here are those of `CountVectorizer`.

    Parameters
    ----------
    norm : {"l2", "l1", None}
        The length of a text's weights: Euclidean, the sum of absolute values, or as it is.
    use_idf, smooth_idf : bool
    sublinear_tf : bool
        1 + log(count) in place of the count.

    Attributes
    ----------
    vocabularies_ : as in `CountVectorizer`
    idf_ : float64 (n_features_out_,)

    Raises
    ------
    PrepError where no column has a token to learn from.

    Examples
    --------
    >>> from brickwork.prep import TfidfVectorizer
    >>> words = TfidfVectorizer(norm=None, sparse_output=False).fit({"said": ["to be", "to do", "to be done"]})
    >>> words.transform({"said": ["to be"]}).round(3).tolist()
    [[1.288, 0.0, 0.0, 1.0]]
    """

    def __init__(
        self,
        *,
        analyzer: str = "word",
        ngram_range: tuple[int, int] = (1, 1),
        lowercase: bool = True,
        strip_accents: str | None = None,
        stop_words: Any = None,
        token_pattern: str = WORDS,
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        vocabulary: Sequence[str] | None = None,
        binary: bool = False,
        norm: str | None = "l2",
        use_idf: bool = True,
        smooth_idf: bool = True,
        sublinear_tf: bool = False,
        sparse_output: bool = True,
    ):
        super().__init__(
            analyzer=analyzer, ngram_range=ngram_range, lowercase=lowercase, strip_accents=strip_accents,
            stop_words=stop_words, token_pattern=token_pattern, min_df=min_df, max_df=max_df,
            max_features=max_features, vocabulary=vocabulary, binary=binary, sparse_output=sparse_output,
        )  # fmt: skip
        self.norm = norm
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.sublinear_tf = sublinear_tf

    def _check_params(self, who: str) -> None:
        super()._check_params(who)
        choice(who, ("l1", "l2", None), norm=self.norm)
        flags(who, use_idf=self.use_idf, smooth_idf=self.smooth_idf, sublinear_tf=self.sublinear_tf)

    def _publish(self) -> None:
        super()._publish()
        weights = []
        for encoder, found in zip(self.encoders_, self.statistics_, strict=True):
            assert isinstance(found, Tokens)
            documents = np.array([found.times.get(token, (0, 0))[0] for token in encoder.suffixes], dtype=np.float64)
            smooth = float(self.smooth_idf)
            with np.errstate(divide="ignore"):
                weights.append(np.log((found.n + smooth) / (documents + smooth)) + 1)
        self.idf_ = np.concatenate([np.zeros(0), *weights])

    def _matrix(self, place: int, documents: Documents) -> sparse.csr_matrix:
        found = super()._matrix(place, documents)
        if self.sublinear_tf:
            found.data = np.log(found.data) + 1
        if self.use_idf:
            found.data *= self.idf_[slice(*self.spans_[place])][found.indices]
        normalize(found, self.norm)
        return found


def normalize(matrix: sparse.csr_matrix, norm: str | None) -> None:
    """Divides each row by its length, in place; a row of zeros stays."""
    if norm is None:
        return
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    sizes = matrix.data**2 if norm == "l2" else np.abs(matrix.data)
    lengths = np.bincount(rows, weights=sizes, minlength=matrix.shape[0])
    lengths = np.sqrt(lengths) if norm == "l2" else lengths
    lengths[lengths == 0] = 1
    matrix.data /= lengths[rows]
