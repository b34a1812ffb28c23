"""`HashingEncoder`: a category to one of a fixed number of columns, without learning any."""

from __future__ import annotations

from typing import Any, ClassVar

from ..column_wise import ColumnWise
from ..columns import Column
from ..encoder import Encoder
from ..params import whole
from ..readings import Hashed
from ..schema import ColumnSchema
from ..statistics import Nothing
from .categories import indicators

__all__ = ["HashingEncoder"]


class HashingEncoder(ColumnWise):
    """A one in the column that the hash of the category names, of `n_components` columns for each column given.

    Nothing is learned, so no category is unknown and memory does not grow with their number; two that share a column
    can not be told apart. The hash is the first 8 bytes of BLAKE2b (RFC 7693, digest of 8 bytes) of the category's text
    in UTF-8, as a little-endian number, modulo n_components: the same in every process, on every machine and whatever
    PYTHONHASHSEED is. 3, 3.0 and "3" are one category; a missing value is none, its row is all zeros.
    Source: Weinberger et al., "Feature hashing for large scale multitask learning" (2009).

    Parameters
    ----------
    n_components : int, default 16

    Examples
    --------
    >>> from brickwork.prep import HashingEncoder
    >>> HashingEncoder(n_components=4).fit_transform([["Ulm"], [None], ["Bonn"]]).tolist()
    [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """

    STATISTICS: ClassVar = (Nothing,)

    def __init__(self, n_components: int = 16):
        self.n_components = n_components

    def _check_params(self, who: str) -> None:
        whole(who, n_components=self.n_components)

    def _gather(self, column: Column, who: str) -> Nothing:
        return Nothing()

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        names = tuple(map(str, range(self.n_components)))
        return Encoder(schema.name, names, indicators(self.n_components), Hashed(self.n_components))
