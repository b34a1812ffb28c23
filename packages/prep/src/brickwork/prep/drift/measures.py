"""Distances between two samples of one column, and how large they are by chance alone where nothing has moved.

Chance is at one in a hundred thousand, since a report asks many questions of many columns. `n` and `m` are the rows
before and now, at most as many as were looked at.
"""

from __future__ import annotations

import math

import numpy as np

from ..statistics import Profile

__all__ = [
    "chance_of_ks", "chance_of_mean", "chance_of_outside", "chance_of_psi", "chance_of_share", "index",
    "kolmogorov_smirnov", "shares",
]  # fmt: skip

RARE = 1e-5
Z = 4.4172  # standard deviations beyond which so much of a normal falls, on both sides together
UPPER = 4.2649  # the same on one side
FEW = 30  # rows below which the mean of a skewed column is nowhere near normal


def shares(before: Profile, now: Profile) -> tuple[np.ndarray, np.ndarray]:
    """The shares of both between the tenths of the first: float64 (k,) each, k at most 11."""
    edges = np.unique([before.at(q / 10) for q in range(1, 11)])
    return tuple(np.diff(np.concatenate([[0.0], p.share_below(edges), [1.0]])) for p in (before, now))  # type: ignore[return-value]


def index(expected: np.ndarray, actual: np.ndarray, n: int, m: int) -> float:
    """The population stability index, sum of (a - e) ln(a / e) over bins; half a row is added to each bin.

    Source: Siddiqi, "Credit Risk Scorecards" (2006), where 0.1 is a small and 0.25 a large shift.
    """
    k = len(expected)
    e, a = (expected * n + 0.5) / (n + 0.5 * k), (actual * m + 0.5) / (m + 0.5 * k)
    return float(np.sum((a - e) * np.log(a / e)))


def chance_of_psi(bins: int, n: int, m: int) -> float:
    """The index times n m / (n + m) is nearly chi-squared (Yurdakul, "Statistical properties of the PSI", 2018)."""
    freedom = max(bins - 1, 1)
    # The quantile of chi-squared by the approximation of Wilson and Hilferty (1931).
    quantile = freedom * (1 - 2 / (9 * freedom) + UPPER * math.sqrt(2 / (9 * freedom))) ** 3
    return quantile * (1 / n + 1 / m)


def kolmogorov_smirnov(before: Profile, now: Profile) -> float:
    """The greatest distance between both distribution functions, in [0, 1]."""
    places = np.unique(np.concatenate([before.ends(), now.ends()]))
    return float(np.abs(before.share_below(places) - now.share_below(places)).max())


def chance_of_ks(n: int, m: int) -> float:
    """Of the distance for large samples (Smirnov, "Table for estimating the goodness of fit", 1948)."""
    return math.sqrt(-math.log(RARE / 2) / 2) * math.sqrt(1 / n + 1 / m)


def chance_of_mean(n: int, m: int) -> float:
    """Of the difference of two means, in standard deviations: normal, and anything of fewer than 30 rows."""
    return Z * math.sqrt(1 / n + 1 / m) if min(n, m) >= FEW else math.inf


def chance_of_share(share: float, n: int, m: int) -> float:
    """Of the difference of two shares that are one: normal."""
    return Z * math.sqrt(max(share * (1 - share), 0.0) * (1 / n + 1 / m)) + 1 / m


def chance_of_outside(n: int, m: int) -> float:
    """Of the share outside the range of n rows.

    That the k greatest of n + m rows are all among the m has the chance (m / (n + m))^k at most.
    """
    return 2 * math.log(RARE / 2) / math.log(m / (n + m)) / m
