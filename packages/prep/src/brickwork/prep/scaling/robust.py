"""`RobustScaler`: numbers by median and quantiles, which outliers do not move."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtri

from ..column_wise import Invertible
from ..columns import Column
from ..encoder import Encoder
from ..formula import number
from ..params import flags, pair
from ..schema import ColumnSchema
from ..statistics import Quantiles
from .ranges import nonzero

__all__ = ["RobustScaler"]


class RobustScaler(Invertible):
    """(x - median) / (q_high - q_low) of each column, over the values present; NaN stays NaN.

    Equals scikit-learn's of that name. Over chunks, the quantiles are those of `statistics.Quantiles`.

    Parameters
    ----------
    with_centering, with_scaling : bool, default True
    quantile_range : (low, high) in percent, default (25, 75)
    unit_variance : bool, default False
        Whether the scale is such that normal values get variance 1.

    Attributes
    ----------
    center_, scale_ : float64 (n_features_in_,); None where not asked for

    Examples
    --------
    >>> from brickwork.prep import RobustScaler
    >>> RobustScaler().fit_transform([[1.0], [2.0], [3.0], [4.0], [1000.0]]).ravel().tolist()
    [-1.0, -0.5, 0.0, 0.5, 498.5]
    """

    STATISTICS: ClassVar = (Quantiles,)

    def __init__(
        self,
        *,
        with_centering: bool = True,
        with_scaling: bool = True,
        quantile_range: tuple[float, float] = (25.0, 75.0),
        unit_variance: bool = False,
    ):
        self.with_centering = with_centering
        self.with_scaling = with_scaling
        self.quantile_range = quantile_range
        self.unit_variance = unit_variance

    def _check_params(self, who: str) -> None:
        flags(who, with_centering=self.with_centering, with_scaling=self.with_scaling, unit_variance=self.unit_variance)
        pair(who, 0, 100, quantile_range=self.quantile_range)

    def _shares(self) -> tuple[float, float]:
        low, high = self.quantile_range
        return low / 100, high / 100

    def _gather(self, column: Column, who: str) -> Quantiles:
        low, high = self._shares()
        return Quantiles((low, 0.5, high))

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        center = self._center(statistic) if self.with_centering and statistic.n else 0.0
        scale = self._scale(statistic) if self.with_scaling and statistic.n else 1.0
        return Encoder(schema.name, ("",), ((number() - center) / scale,), inverse=number() * scale + center)

    def _center(self, found: Quantiles) -> float:
        return found.at(0.5)

    def _scale(self, found: Quantiles) -> float:
        low, high = self._shares()
        # Quantiles of both signs may be further apart than the largest number.
        scale = nonzero(min(found.at(high) - found.at(low), float(np.finfo(np.float64).max)))
        return scale / float(ndtri(high) - ndtri(low)) if self.unit_variance else scale

    def _publish(self) -> None:
        found: Any = self.statistics_
        self.center_ = np.array([self._center(s) if s.n else np.nan for s in found]) if self.with_centering else None
        self.scale_ = np.array([self._scale(s) if s.n else 1.0 for s in found]) if self.with_scaling else None
