"""The base of what makes numbers of columns of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy import sparse

from ..column_wise import ColumnWise
from ..columns import Column
from ..encoder import Encoder
from ..errors import PrepError
from ..frame import Table, open_table
from .documents import Documents, read_documents
from .tokens import WORDS, Analyzer, check_analyzer, make_analyzer

__all__ = ["TextColumns"]


class TextColumns(ColumnWise):
    """A `ColumnWise` of text: each column is read as tokens, which statistics count and `_matrix` makes numbers of.

    A list or Series of texts is a table of one column.
    """

    analyzer: str = "word"
    ngram_range: tuple[int, int] = (1, 1)
    lowercase: bool = True
    strip_accents: str | None = None
    stop_words: Any = None
    token_pattern: str = WORDS
    sparse_output: bool = True

    def _matrix(self, place: int, documents: Documents) -> sparse.csr_matrix:
        """What becomes of the distinct texts of a column: float64 (d + 1, width)."""
        raise NotImplementedError

    def _options(self) -> dict[str, Any]:
        names = ("analyzer", "ngram_range", "lowercase", "strip_accents", "stop_words", "token_pattern")
        return {name: getattr(self, name) for name in names}

    def _check_params(self, who: str) -> None:
        check_analyzer(who, **self._options())

    def _analyzer(self) -> Analyzer:
        return make_analyzer(**self._options())

    # ---- tables, and texts without one -------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learns from a table of n rows, or from n texts."""
        return super().fit(_table_of(X), y)

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Adds the rows of a table to what was learned; the first call is `fit`."""
        return super().partial_fit(_table_of(X, self._only()), y)

    def transform(self, X: Any) -> Any:
        """The texts as numbers: (n, number of names out), a CSR matrix where `sparse_output`."""
        return super().transform(_table_of(X, self._only()))

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """`fit`, then `transform`, for which each text is read once."""
        who = self._who("fit_transform")
        self._check_params(who)
        X = _table_of(X)
        table = open_table(X, who)
        self._kept: dict[str, Documents] = {}
        try:
            self._fit_table(table, y, who)
            return self._give(table, range(len(table.names)), X, who)
        finally:
            del self._kept

    def _only(self) -> str:
        """The name of texts that have none: that of the one column of fit."""
        fitted = self.__sklearn_is_fitted__() and self.named_ and len(self.schema_) == 1
        return self.schema_[0].name if fitted else "text"

    # ---- learning and giving -----------------------------------------------------------------------------------------

    def _learn(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> None:
        super()._learn(table, columns, y, who)
        texts = any(column.form == "text" and (column.values >= 0).any() for column in columns)
        if texts and not self.n_features_out_:
            rule = "no token to learn from"
            fix = "Look at min_df, max_df, stop_words and token_pattern (which leaves out words of one letter)."
            raise PrepError.of(who, rule, f"{table.n_rows} rows", fix)

    def _beside(self, columns: Sequence[Column], y: Any, who: str) -> dict[str, Documents]:
        analyze = self._analyzer()
        found = {column.name: read_documents(column, analyze, who) for column in columns}
        if hasattr(self, "_kept"):  # `fit_transform` needs them again
            self._kept.update(found)
        return found

    def _give(self, table: Table, positions: Sequence[int], X: Any, who: str) -> Any:
        known, analyze = getattr(self, "_kept", {}), self._analyzer()
        blocks = []
        for place, (encoder, position) in enumerate(zip(self.encoders_, positions, strict=True)):
            if encoder.suffixes:
                documents = known.get(encoder.name) or read_documents(table.column(position), analyze, who)
                blocks.append(documents.rows(self._matrix(place, documents)))
        whole = sparse.hstack(blocks, format="csr") if blocks else sparse.csr_matrix((table.n_rows, 0))
        return whole if self.sparse_output else whole.toarray()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags


def named_columns(name: str, suffixes: Sequence[str]) -> Encoder:
    """An encoder that names what comes out, and that has no formula: counts are made column by column, not by rows."""
    return Encoder(name, suffixes, ())


def _table_of(X: Any, name: str = "text") -> Any:
    """A table; of texts that stand in no table, one of a single column, called `name` where they have no name."""
    if hasattr(X, "to_frame"):  # a Series of pandas or polars
        return X.to_frame(X.name) if isinstance(X.name, str) and X.name else X.to_frame(name)
    if isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.ndim == 1):
        texts = any(isinstance(text, str) for text in X)
        if texts and all(isinstance(text, str) or text is None or text != text for text in X):
            return {name: X}
    return X
