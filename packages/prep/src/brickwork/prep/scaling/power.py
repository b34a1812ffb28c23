"""`PowerTransformer` and `LogTransformer`: skewed numbers to ones nearer to normal."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from scipy import optimize

from ..column_wise import Invertible
from ..columns import Column, as_numbers
from ..encoder import Encoder
from ..errors import bad_values
from ..formula import Formula, call, number, where
from ..params import choice, finite, flags
from ..readings import Numbers
from ..schema import ColumnSchema
from ..state import demand
from ..statistics import Moments, Quantiles
from ..statistics.base import Statistic, read_statistic

__all__ = ["LogTransformer", "PowerTransformer"]

METHODS = ("yeo-johnson", "box-cox")


class PowerFit(Statistic):
    """The power, and mean and deviation of what it gives, of greatest likelihood under a normal distribution.

    Found from all values where they came in one piece; of parts, from `statistics.Quantiles` of all: a value of each
    key with its count for a weight.
    """

    FIELDS: ClassVar = {"method": "str", "power": "float", "mean": "float", "deviation": "float", "points": "any"}

    def __init__(self, method: str) -> None:
        self.method = method
        self.power, self.mean, self.deviation = 1.0, 0.0, 1.0
        self.points = Quantiles()

    @property
    def n(self) -> int:
        """How many values were there."""
        return self.points.n

    def update(self, column: Column, y: Any, who: str) -> None:
        values = as_numbers(column, who)
        if self.method == "box-cox":
            _above(values, 0.0, column, who)
        first = not self.points.n
        self.points.add(values)
        values = values[~np.isnan(values)]
        if len(values):
            self._settle(values if first and self.points.shift else None)

    def merge(self, other: Self) -> None:
        alone = not self.points.n
        self.points.merge(other.points)
        if alone:
            self.power, self.mean, self.deviation = other.power, other.mean, other.deviation
        elif other.points.n:
            self._settle(None)

    def _settle(self, values: np.ndarray | None) -> None:
        points, weights = self.points.middles(), self.points.counts / self.points.n
        self.power = _most_likely(self.method, points, weights, None)
        if values is not None:
            self.power = _most_likely(self.method, values, None, self.power)
            points, weights = values, None
        given = _power(self.method, points, self.power)
        if weights is None:
            moments = Moments()
            moments.add(given)
            self.mean, self.deviation = moments.mean, 1.0 if moments.constant else moments.deviation
        else:
            self.mean = float(weights @ given)
            spread = math.sqrt(float(weights @ (given - self.mean) ** 2))
            self.deviation = spread if spread > 1e-15 * max(abs(self.mean), 1e-300) else 1.0

    def check(self, where: str) -> None:
        demand(self.method in METHODS, where, "method must be a known one", self.method)
        demand(self.deviation > 0, where, "deviation must be above 0", self.deviation)

    @classmethod
    def from_fields(cls, values: dict[str, Any], where: str) -> Self:
        points = read_statistic(values["points"], f"{where}.points", Quantiles)
        return super().from_fields(values | {"points": points}, where)


class PowerTransformer(Invertible):
    """A power of each column, chosen so that it is as near to normal as a power makes it; then mean 0 and deviation 1.

    - yeo-johnson: ((x + 1)^p - 1) / p for x >= 0, -((1 - x)^(2 - p) - 1) / (2 - p) below; logarithms where they end.
      Yeo and Johnson, "A new family of power transformations" (2000).
    - box-cox: (x^p - 1) / p of positive x. Box and Cox, "An analysis of transformations" (1964).

    p has the greatest likelihood under a normal distribution. NaN stays NaN. Equals scikit-learn's of that name.

    Parameters
    ----------
    method : "yeo-johnson" or "box-cox"
    standardize : bool, default True

    Attributes
    ----------
    lambdas_ : float64 (n_features_in_,), p of each column

    Raises
    ------
    SchemaError where box-cox meets a value of 0 or less, with its rows.

    Examples
    --------
    >>> from brickwork.prep import PowerTransformer
    >>> PowerTransformer().fit_transform([[1.0], [2.0], [3.0]]).round(2).ravel().tolist()
    [-1.25, 0.06, 1.2]
    """

    STATISTICS: ClassVar = (PowerFit,)

    def __init__(self, method: str = "yeo-johnson", *, standardize: bool = True):
        self.method = method
        self.standardize = standardize

    def _check_params(self, who: str) -> None:
        choice(who, METHODS, method=self.method)
        flags(who, standardize=self.standardize)

    def _gather(self, column: Column, who: str) -> PowerFit:
        return PowerFit(self.method)

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        p = statistic.power
        mean, scale = (statistic.mean, statistic.deviation) if self.standardize else (0.0, 1.0)
        y = number() * scale + mean
        if self.method == "box-cox":
            forward, back = _box_cox(number(), p), _box_cox_back(y, p)
        else:
            x = number()
            forward = where(x < 0, -_box_cox(1 - x.clip(None, 0), 2 - p), _box_cox(x.clip(0, None) + 1, p))
            back = where(y < 0, 1 - _box_cox_back(-y.clip(None, 0), 2 - p), _box_cox_back(y.clip(0, None), p) - 1)
        reading = Above(0.0) if self.method == "box-cox" else Numbers()
        return Encoder(schema.name, ("",), ((forward - mean) / scale,), reading, inverse=back)

    def _publish(self) -> None:
        found: Any = self.statistics_
        self.lambdas_ = np.array([s.power for s in found])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = self.method == "box-cox"
        return tags


class LogTransformer(Invertible):
    """sign(x) log(1 + |x|) of each column; without `signed`, log(x + offset). NaN stays NaN.

    Parameters
    ----------
    base : float or None, default None
        Of the logarithm, above 1; None is e.
    signed : bool, default True
        For numbers of both signs.
    offset : float, default 1.0
        Where not signed.

    Raises
    ------
    SchemaError where, not signed, x + offset is 0 or less, with its rows.

    Examples
    --------
    >>> from brickwork.prep import LogTransformer
    >>> LogTransformer(base=10, signed=False, offset=0).fit_transform([[1.0], [100.0]]).round(9).ravel().tolist()
    [0.0, 2.0]
    """

    STATISTICS: ClassVar = (Moments,)

    def __init__(self, *, base: float | None = None, signed: bool = True, offset: float = 1.0):
        self.base = base
        self.offset = offset
        self.signed = signed

    def _check_params(self, who: str) -> None:
        flags(who, signed=self.signed)
        finite(who, offset=self.offset)
        if self.base is not None:
            finite(who, math.nextafter(1.0, 2.0), base=self.base)

    def _gather(self, column: Column, who: str) -> Moments:
        if not self.signed:
            _above(as_numbers(column, who), -self.offset, column, who)
        return Moments()

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        unit = 1.0 if self.base is None else math.log(self.base)
        x, y = number(), number() * unit
        if self.signed:
            forward = call("sign", x) * call("log1p", call("abs", x))
            back = call("sign", y) * call("expm1", call("abs", y))
            return Encoder(schema.name, ("",), (forward / unit,), inverse=back)
        if self.offset == 1:
            return Encoder(schema.name, ("",), (call("log1p", x) / unit,), Above(-1.0), inverse=call("expm1", y))
        forward, back = call("log", x + self.offset) / unit, call("exp", y) - self.offset
        return Encoder(schema.name, ("",), (forward,), Above(-float(self.offset)), inverse=back)


@dataclass(frozen=True, slots=True)
class Above(Numbers):
    """Numbers that must be above a bound."""

    low: float

    def read(self, column: Column, who: str) -> np.ndarray:
        values = as_numbers(column, who)
        _above(values, self.low, column, who)
        return values

    def one(self, name: str, value: Any, who: str) -> float:
        found = Numbers.one(self, name, value, who)
        return float(self.read(Column(name, "number", np.array([found])), who)[0]) if found <= self.low else found


def _above(values: np.ndarray, low: float, column: Column, who: str) -> None:
    rows = np.flatnonzero(values <= low)
    if len(rows):
        fix = "Choose a transformation for all numbers (yeo-johnson; a signed logarithm), or another offset."
        raise bad_values(who, column.name, f"must be above {low + 0.0:g}", rows, values[rows].tolist(), fix)


def _box_cox(x: Formula, p: float) -> Formula:
    return call("log", x) if abs(p) < _ZERO else call("expm1", call("log", x) * p) / p


def _box_cox_back(y: Formula, p: float) -> Formula:
    return call("exp", y) if abs(p) < _ZERO else call("exp", call("log1p", y * p) / p)


_ZERO = float(np.finfo(np.float64).eps)


def _power(method: str, x: np.ndarray, p: float) -> np.ndarray:
    def box_cox(x: np.ndarray, p: float) -> np.ndarray:
        logs = np.log(x)
        return logs if abs(p) < _ZERO else np.expm1(logs * p) / p

    with np.errstate(all="ignore"):
        if method == "box-cox":
            return box_cox(x, p)
        return np.where(x < 0, -box_cox(1 - np.minimum(x, 0), 2 - p), box_cox(np.maximum(x, 0) + 1, p))


def _most_likely(method: str, x: np.ndarray, weights: np.ndarray | None, near: float | None) -> float:
    """p of greatest likelihood: (p - 1) mean(log slope) - log(variance of what p gives) / 2."""
    with np.errstate(all="ignore"):
        slope = np.log(x) if method == "box-cox" else np.sign(x) * np.log1p(np.abs(x))
    mean = _mean(weights)
    if float(x.max()) == float(x.min()):
        return 1.0  # every power gives one value
    sloped = mean(slope)

    def loss(p: float) -> float:
        given = _power(method, x, p)
        middle = mean(given)
        with np.errstate(all="ignore"):
            spread = mean((given - middle) ** 2)
        good = math.isfinite(spread) and spread > 0
        return 0.5 * math.log(spread) - (p - 1) * sloped if good else 1e300 * (1 + abs(p)) / (1 + abs(p) + 1)

    bracket = (-2.0, 2.0) if near is None else (near - 1e-3, near + 1e-3)
    return float(optimize.brent(loss, brack=bracket))


def _mean(weights: np.ndarray | None) -> Callable[[np.ndarray], float]:
    if weights is None:
        return lambda values: float(values.mean())
    return lambda values: float(weights @ values)
