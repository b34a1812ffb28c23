"""`QuantileTransformer` and `Winsorizer`: numbers by their rank, and numbers brought within quantiles."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtr, ndtri

from ..column_wise import ColumnWise, Invertible
from ..columns import Column
from ..encoder import Encoder
from ..formula import Formula, interpolate, number, where
from ..params import choice, finite, whole
from ..schema import ColumnSchema
from ..statistics import Quantiles
from .normal import normal_quantile

__all__ = ["QuantileTransformer", "Winsorizer"]

_EDGE = 1e-7  # probabilities so near to 0 and 1 are brought to this, so that their normal quantiles are finite


class QuantileTransformer(Invertible):
    """The share of values at or below x, and for a normal output the normal distribution's quantile of that share.

    Shares are linear between `n_quantiles` quantiles of the values present at fit, 0 and 1 beyond them; values that
    several quantiles share get the middle of their shares. NaN stays NaN. Equals scikit-learn's of that name with
    ``subsample=None``: all values are looked at. Over chunks, the quantiles are those of `statistics.Quantiles`.

    Parameters
    ----------
    n_quantiles : int, default 1000
        At most as many as there are rows.
    output_distribution : "uniform" or "normal", default "uniform"
        Normal output is within about 5.2, the quantiles of 1e-7 and of 1 - 1e-7.

    Attributes
    ----------
    n_quantiles_ : int
    references_ : float64 (n_quantiles_,), shares
    quantiles_ : float64 (n_quantiles_, n_features_in_)

    Examples
    --------
    >>> from brickwork.prep import QuantileTransformer
    >>> QuantileTransformer(n_quantiles=5).fit_transform([[1.0], [10.0], [100.0], [200.0], [5000.0]]).ravel().tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """

    STATISTICS: ClassVar = (Quantiles,)

    def __init__(self, *, n_quantiles: int = 1000, output_distribution: str = "uniform"):
        self.n_quantiles = n_quantiles
        self.output_distribution = output_distribution

    def _check_params(self, who: str) -> None:
        whole(who, n_quantiles=self.n_quantiles)
        choice(who, ("uniform", "normal"), output_distribution=self.output_distribution)

    def _gather(self, column: Column, who: str) -> Quantiles:
        return Quantiles(self._references(len(column.values)))

    def _references(self, n_rows: int) -> np.ndarray:
        # By way of percent, which rounds as scikit-learn's does: where values repeat, a rounding is a step.
        return np.linspace(0, 1, max(1, min(self.n_quantiles, n_rows))) * 100 / 100

    def _quantiles(self, found: Quantiles) -> np.ndarray:
        shares = self._references(found.n + found.missing)
        # Interpolation may step back by a rounding.
        return np.maximum.accumulate(found.at_each(shares.tolist()))

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        if not statistic.n:
            return Encoder(schema.name, ("",), (number(),), inverse=number())
        quantiles, shares = self._quantiles(statistic), self._references(statistic.n + statistic.missing)
        return Encoder(schema.name, ("",), (self._forward(quantiles, shares),), inverse=number())

    def _forward(self, quantiles: np.ndarray, shares: np.ndarray) -> Formula:
        x = number()
        if len(quantiles) == 1:
            share = where(x < quantiles[0], 0.0, where(x > quantiles[0], 1.0, x - x))
        else:
            # Both ends of the shares of a value, and their mean: the one function from the left, the other turned.
            rising = interpolate(x, quantiles, shares)
            falling = -interpolate(-x, -quantiles[::-1], -shares[::-1])
            share = (rising + falling) * 0.5
            # The ends are the outermost shares even where several quantiles lie on them.
            share = (
                where(x > quantiles[-1] - _EDGE, 1.0, share)
                if self._normal
                else where(x.equals(quantiles[-1]), 1.0, share)
            )
            share = (
                where(x < quantiles[0] + _EDGE, 0.0, share)
                if self._normal
                else where(x.equals(quantiles[0]), 0.0, share)
            )
        if not self._normal:
            return share
        lowest, highest = _bounds()
        return normal_quantile(share).clip(lowest, highest)

    @property
    def _normal(self) -> bool:
        return self.output_distribution == "normal"

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Values (n, n_features_in_) of shares, or of normal values."""
        given = super().inverse_transform(X)
        if self._normal:
            given = ndtr(given)
        for place, found in enumerate(self.statistics_):
            shares, quantiles = self.references_, self.quantiles_[:, place]
            if found.n:  # type: ignore[attr-defined]
                column = given[:, place]
                column = np.where(column > 1 - _EDGE, 1.0, np.where(column < _EDGE, 0.0, column))
                given[:, place] = np.where(np.isnan(column), np.nan, np.interp(column, shares, quantiles))
        return given

    def _publish(self) -> None:
        found: Any = self.statistics_
        self.references_ = self._references(found[0].n + found[0].missing)
        self.n_quantiles_ = len(self.references_)
        lost = np.full(self.n_quantiles_, np.nan)
        self.quantiles_ = np.array([self._quantiles(s) if s.n else lost for s in found]).T


class Winsorizer(ColumnWise):
    """Values below and above two quantiles of those present at fit are brought to these; NaN stays NaN.

    Parameters
    ----------
    lower, upper : float, default 0.01 and 0.99
        Shares, lower below upper.

    Attributes
    ----------
    lower_, upper_ : float64 (n_features_in_,), the bounds

    Examples
    --------
    >>> from brickwork.prep import Winsorizer
    >>> Winsorizer(lower=0.25, upper=0.75).fit_transform([[-90.0], [1.0], [2.0], [3.0], [99.0]]).ravel().tolist()
    [1.0, 1.0, 2.0, 3.0, 3.0]
    """

    STATISTICS: ClassVar = (Quantiles,)

    def __init__(self, *, lower: float = 0.01, upper: float = 0.99):
        self.lower = lower
        self.upper = upper

    def _check_params(self, who: str) -> None:
        finite(who, 0, 1, lower=self.lower, upper=self.upper)
        finite(who, float(self.lower), 1, upper=self.upper)

    def _gather(self, column: Column, who: str) -> Quantiles:
        return Quantiles((self.lower, self.upper))

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        bounds = (statistic.at(self.lower), statistic.at(self.upper)) if statistic.n else (None, None)
        return Encoder(schema.name, ("",), (number().clip(*bounds),))

    def _publish(self) -> None:
        found: Any = self.statistics_
        self.lower_, self.upper_ = (
            np.array([s.at(share) if s.n else np.nan for s in found]) for share in (self.lower, self.upper)
        )


def _bounds() -> tuple[float, float]:
    spacing = float(np.spacing(1))
    return float(ndtri(_EDGE - spacing)), float(ndtri(1 - (_EDGE - spacing)))
