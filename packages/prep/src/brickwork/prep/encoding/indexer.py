"""`CategoryIndexer`: a category to its row of an embedding table."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..columns import as_numbers
from ..encoder import Encoder
from ..errors import PrepError, bad_values
from ..formula import number
from ..frame import open_table
from ..readings import Codes
from ..schema import ColumnSchema
from .categories import CategoryEncoder, check_rarity, common

__all__ = ["CategoryIndexer"]

MISSING, UNSEEN, FIRST = 0, 1, 2


class CategoryIndexer(CategoryEncoder):
    """Whole numbers for an embedding layer: 0 where missing, 1 for a category not known, 2 and on for those known.

    The known ones stand by how often they occur, the most frequent first, equal ones in their order; so the first rows
    of the table are those most trained, and an embedding can mask 0. There is always room for missing and unknown,
    whether fit saw such or not: `Embedding(vocabulary_sizes_[i], ...)` takes whatever `transform` gives. With
    `min_frequency` or `max_categories` the rare ones share the place of the unknown, which thereby is trained. Chunks
    that are added by `partial_fit` and `merge` may move places: take the numbers when all has been seen.

    Parameters
    ----------
    min_frequency : int or float, optional
        Categories of fewer rows, or of a smaller share of the rows, count as unknown.
    max_categories : int, optional
        So many places for those known and, joined with the unknown, the others.

    Attributes
    ----------
    vocabulary_sizes_ : int64 (n_features_in_,), the rows an embedding table of each column needs: known ones and two
    categories_ : list of arrays, the known categories of each column; number 2 is the first

    Examples
    --------
    >>> from brickwork.prep import CategoryIndexer
    >>> indexer = CategoryIndexer().fit([["Ulm"], ["Bonn"], ["Ulm"]])
    >>> indexer.transform([["Ulm"], ["Bonn"], ["Trier"], [None]]).ravel().tolist(), indexer.vocabulary_sizes_.tolist()
    ([2, 3, 1, 0], [4])
    """

    JOINS_MISSING: ClassVar = False
    handle_unknown = "ignore"

    def __init__(self, *, min_frequency: Any = None, max_categories: int | None = None):
        self.min_frequency = min_frequency
        self.max_categories = max_categories

    def _check_params(self, who: str) -> None:
        check_rarity(self.min_frequency, self.max_categories, who)

    def _known(self, name: str) -> np.ndarray:
        """Which categories of a column are known, as positions in their order, the most frequent first."""
        kept = self.kept_[name].present()
        found = np.argsort(-kept.counts, kind="stable")
        return found[~kept.rare[found]]

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        texts = self.kept_[schema.name].texts
        index = {texts[row]: place for place, row in enumerate(self._known(schema.name).tolist(), start=FIRST)}
        return Encoder(schema.name, ("",), (number(),), Codes(index, UNSEEN, MISSING))

    def _publish(self) -> None:
        self.categories_ = [self.kept_[name].present().values[self._known(name)] for name in self.kept_]
        self.vocabulary_sizes_ = np.array([len(one) + FIRST for one in self.categories_], dtype=np.int64)

    def _dtype(self, X: Any) -> np.dtype:
        return np.dtype(np.int32)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """The categories (n, n_features_in_) of numbers (n, n_features_in_), as objects: NaN of 0, None of 1.

        PrepError where a number stands for nothing, with its column and rows.
        """
        who = self._who("inverse_transform")
        self._need_fit(who)
        table = open_table(X, who)
        if len(table.names) != self.n_features_in_:
            raise PrepError.of(who, f"numbers have {self.n_features_in_} columns", str(len(table.names)))
        columns = []
        for place, (schema, values) in enumerate(zip(self.schema_, self.categories_, strict=True)):
            codes = as_numbers(table.column(place), who)
            inside = (codes >= 0) & (codes < len(values) + FIRST) & (codes == np.floor(codes))
            if len(wrong := np.flatnonzero(~inside)):
                rule = f"holds what is no number of a category (0 to {len(values) + 1})"
                raise bad_values(who, schema.name, rule, wrong, codes[wrong].tolist(), "Give what transform gave.")
            columns.append(np.array([np.nan, None, *values.tolist()], dtype=object)[codes.astype(np.int64)])
        return common(columns)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
