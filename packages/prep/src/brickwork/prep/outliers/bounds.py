"""`OutlierClipper` and `OutlierFlagger`: bounds of what is usual, and what becomes of numbers beyond them."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..column_wise import ColumnWise
from ..columns import Column
from ..encoder import Encoder
from ..formula import number, where
from ..params import choice, finite
from ..schema import ColumnSchema
from ..statistics import Moments, Quantiles

__all__ = ["OutlierClipper", "OutlierFlagger"]

METHODS = ("iqr", "zscore", "quantile")
FACTORS = {"iqr": 1.5, "zscore": 3.0, "quantile": 0.01}
_LARGEST = float(np.finfo(np.float64).max)


class _Bounded(ColumnWise):
    """Learns two bounds per column.

    - "iqr": q1 - factor (q3 - q1) and q3 + factor (q3 - q1), of the quartiles. Tukey, "Exploratory data analysis"
      (1977).
    - "zscore": the mean -/+ factor standard deviations (of the population).
    - "quantile": the quantiles of factor and of 1 - factor.
    """

    STATISTICS: ClassVar = (Moments, Quantiles)

    method: str
    factor: float | None

    def _check_params(self, who: str) -> None:
        choice(who, METHODS, method=self.method)
        if self.factor is not None:
            finite(who, 0, 0.5 if self.method == "quantile" else math.inf, factor=self.factor)

    @property
    def _factor(self) -> float:
        return FACTORS[self.method] if self.factor is None else float(self.factor)

    def _gather(self, column: Column, who: str) -> Moments | Quantiles:
        if self.method == "zscore":
            return Moments()
        return Quantiles((0.25, 0.75) if self.method == "iqr" else (self._factor, 1 - self._factor))

    def _bounds(self, found: Any) -> tuple[float, float]:
        """Low and high; all numbers where nothing was seen."""
        if not found.n:
            return -_LARGEST, _LARGEST
        if self.method == "quantile":
            return found.at(self._factor), found.at(1 - self._factor)
        if self.method == "zscore":
            low = high = found.mean
            reach = self._factor * found.deviation
        else:
            low, high = found.at(0.25), found.at(0.75)
            reach = self._factor * (high - low)
        return max(low - reach, -_LARGEST), min(high + reach, _LARGEST)

    def _publish(self) -> None:
        bounds = [self._bounds(found) for found in self.statistics_]
        self.lower_, self.upper_ = (np.array([pair[side] for pair in bounds]) for side in (0, 1))


class OutlierClipper(_Bounded):
    """Numbers beyond the bounds of what is usual are brought to these; NaN stays NaN.

    Parameters
    ----------
    method : "iqr", "zscore" or "quantile", default "iqr"
        The bounds: a factor of the quartiles' distance beyond the quartiles (Tukey's fences), of the standard deviation
        about the mean, or the quantiles of factor and 1 - factor.
    factor : float or None, default None
        None is 1.5, 3 and 0.01.

    Attributes
    ----------
    lower_, upper_ : float64 (n_features_in_,)

    Examples
    --------
    >>> from brickwork.prep import OutlierClipper
    >>> OutlierClipper().fit_transform([[1.0], [2.0], [3.0], [4.0], [99.0]]).ravel().tolist()
    [1.0, 2.0, 3.0, 4.0, 7.0]
    """

    def __init__(self, method: str = "iqr", *, factor: float | None = None):
        self.method = method
        self.factor = factor

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        return Encoder(schema.name, ("",), (number().clip(*self._bounds(statistic)),))


class OutlierFlagger(_Bounded):
    """Numbers beyond the bounds of what is usual become NaN, or have a column of their own that tells them.

    Parameters
    ----------
    method, factor : as in `OutlierClipper`
    output : "nan", "flag" or "both", default "flag"
        NaN in place of outliers; 1 where one is and 0 elsewhere, named `<name>_outlier`; or the number as it is and the
        flag behind it.

    Attributes
    ----------
    lower_, upper_ : float64 (n_features_in_,)

    Examples
    --------
    >>> from brickwork.prep import OutlierFlagger
    >>> OutlierFlagger().fit_transform([[1.0], [2.0], [3.0], [4.0], [99.0]]).ravel().tolist()
    [0.0, 0.0, 0.0, 0.0, 1.0]
    """

    def __init__(self, method: str = "iqr", *, factor: float | None = None, output: str = "flag"):
        self.method = method
        self.factor = factor
        self.output = output

    def _check_params(self, who: str) -> None:
        super()._check_params(who)
        choice(who, ("nan", "flag", "both"), output=self.output)

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        low, high = self._bounds(statistic)
        x = number()
        beyond = (x < low) + (x > high)
        if self.output == "nan":
            return Encoder(schema.name, ("",), (where(beyond, math.nan, x),))
        if self.output == "flag":
            return Encoder(schema.name, ("outlier",), (beyond,))
        return Encoder(schema.name, ("", "outlier"), (x, beyond))
