"""Scalers by the range of the values: `MinMaxScaler`, `MaxAbsScaler`."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..column_wise import Invertible
from ..columns import Column
from ..encoder import Encoder
from ..formula import number
from ..params import flags, pair
from ..schema import ColumnSchema
from ..statistics import Moments

__all__ = ["MaxAbsScaler", "MinMaxScaler", "nonzero"]

_TINY = 10 * float(np.finfo(np.float64).eps)


class MinMaxScaler(Invertible):
    """a + (x - min) / (max - min) * (b - a) of each column, with min and max of the values present; NaN stays NaN.

    Equals scikit-learn's of that name. A column of one value becomes a.

    Parameters
    ----------
    feature_range : (a, b), default (0, 1)
    clip : bool, default False
        Whether values beyond what fit saw are brought to a or b.

    Attributes
    ----------
    data_min_, data_max_, data_range_, min_, scale_ : float64 (n_features_in_,); transform is x * scale_ + min_

    Examples
    --------
    >>> from brickwork.prep import MinMaxScaler
    >>> MinMaxScaler().fit_transform([[1.0], [2.0], [3.0]]).tolist()
    [[0.0], [0.5], [1.0]]
    """

    STATISTICS: ClassVar = (Moments,)

    def __init__(self, feature_range: tuple[float, float] = (0, 1), *, clip: bool = False):
        self.feature_range = feature_range
        self.clip = clip

    def _check_params(self, who: str) -> None:
        pair(who, feature_range=self.feature_range)
        flags(who, clip=self.clip)

    def _gather(self, column: Column, who: str) -> Moments:
        return Moments()

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        a, b = map(float, self.feature_range)
        scale = self._scale(statistic)
        start = a - statistic.low * scale
        out = number() * scale + start
        return Encoder(schema.name, ("",), (out.clip(a, b) if self.clip else out,), inverse=(number() - start) / scale)

    def _scale(self, found: Moments) -> float:
        a, b = map(float, self.feature_range)
        # Halves, since the distance of two finite numbers may be infinite.
        half = found.high / 2 - found.low / 2
        return (b / 2 - a / 2) / half if half > 4e307 else (b - a) / nonzero(found.high - found.low)

    def _publish(self) -> None:
        found: Any = self.statistics_
        self.data_min_ = np.array([s.low if s.n else np.nan for s in found])
        self.data_max_ = np.array([s.high if s.n else np.nan for s in found])
        self.data_range_ = self.data_max_ - self.data_min_
        self.scale_ = np.array([self._scale(s) for s in found])
        self.min_ = float(self.feature_range[0]) - self.data_min_ * self.scale_


class MaxAbsScaler(Invertible):
    """x / max|x| of each column, over the values present; NaN stays NaN. Equals scikit-learn's of that name.

    Attributes
    ----------
    max_abs_, scale_ : float64 (n_features_in_,); scale_ is 1 where all values are 0

    Examples
    --------
    >>> from brickwork.prep import MaxAbsScaler
    >>> MaxAbsScaler().fit_transform([[-4.0], [2.0]]).tolist()
    [[-1.0], [0.5]]
    """

    STATISTICS: ClassVar = (Moments,)

    def _gather(self, column: Column, who: str) -> Moments:
        return Moments()

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        scale = nonzero(_largest(statistic))
        return Encoder(schema.name, ("",), (number() / scale,), inverse=number() * scale)

    def _publish(self) -> None:
        found: Any = self.statistics_
        self.max_abs_ = np.array([_largest(s) for s in found])
        self.scale_ = np.array([nonzero(_largest(s)) for s in found])


def nonzero(scale: float) -> float:
    """The scale to divide by: 1 in place of what is 0 but for rounding, as scikit-learn has it."""
    return scale if scale >= _TINY else 1.0


def _largest(found: Moments) -> float:
    return max(abs(found.low), abs(found.high))
