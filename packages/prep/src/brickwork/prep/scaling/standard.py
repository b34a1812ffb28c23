"""`StandardScaler`: numbers to mean 0 and standard deviation 1."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..column_wise import Invertible
from ..columns import Column
from ..encoder import Encoder
from ..formula import number
from ..params import flags
from ..schema import ColumnSchema
from ..statistics import Moments

__all__ = ["StandardScaler"]


class StandardScaler(Invertible):
    """(x - mean) / standard deviation of each column, over the values present; NaN stays NaN.

    The deviation is the population's, 1 where all values are one. Equals scikit-learn's of that name.

    Parameters
    ----------
    with_mean, with_std : bool, default True
        Whether to subtract the mean, and to divide by the deviation.

    Attributes
    ----------
    mean_, var_, scale_ : float64 (n_features_in_,); None where not asked for

    Examples
    --------
    >>> from brickwork.prep import StandardScaler
    >>> StandardScaler().fit_transform([[1.0], [None], [3.0]]).tolist()
    [[-1.0], [nan], [1.0]]
    """

    STATISTICS: ClassVar = (Moments,)

    def __init__(self, *, with_mean: bool = True, with_std: bool = True):
        self.with_mean = with_mean
        self.with_std = with_std

    def _check_params(self, who: str) -> None:
        flags(who, with_mean=self.with_mean, with_std=self.with_std)

    def _gather(self, column: Column, who: str) -> Moments:
        return Moments()

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        mean = statistic.mean if self.with_mean else 0.0
        scale = _scale(statistic) if self.with_std else 1.0
        return Encoder(schema.name, ("",), ((number() - mean) / scale,), inverse=number() * scale + mean)

    def _publish(self) -> None:
        found: Any = self.statistics_
        self.mean_ = np.array([s.mean for s in found]) if self.with_mean else None
        self.var_ = np.array([s.variance for s in found]) if self.with_std else None
        self.scale_ = np.array([_scale(s) for s in found]) if self.with_std else None


def _scale(found: Moments) -> float:
    return 1.0 if found.constant else found.deviation
