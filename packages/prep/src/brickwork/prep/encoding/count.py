"""`CountEncoder`: a category to how often it occurs."""

from __future__ import annotations

from typing import Any

from ..encoder import Encoder
from ..formula import number
from ..params import flags
from ..readings import Codes
from ..schema import ColumnSchema
from .categories import CategoryEncoder

__all__ = ["CountEncoder"]


class CountEncoder(CategoryEncoder):
    """How many rows of fit held the category, or which share of them.

    3 and 3.0 are one category; missing values are counted as one too. What fit has not seen occurred 0 times.

    Parameters
    ----------
    normalize : bool, default False
        Shares of all rows in place of counts.

    Attributes
    ----------
    categories_ : list of arrays, as `OrdinalEncoder` has them
    counts_ : list of int64 arrays, how often each of these occurs

    Examples
    --------
    >>> from brickwork.prep import CountEncoder
    >>> CountEncoder().fit([["Ulm"], ["Bonn"], ["Ulm"]]).transform([["Ulm"], ["Trier"]]).ravel().tolist()
    [2.0, 0.0]
    """

    handle_unknown = "ignore"

    def __init__(self, *, normalize: bool = False):
        self.normalize = normalize

    def _check_params(self, who: str) -> None:
        flags(who, normalize=self.normalize)

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        total = (statistic.n + statistic.missing) if self.normalize else 1
        index = {text: count / total for text, count in statistic.times.items()}
        return Encoder(schema.name, ("",), (number(),), Codes(index, 0.0, statistic.missing / max(total, 1)))

    def _publish(self) -> None:
        super()._publish()
        self.counts_ = [one.counts for one in self.kept_.values()]
