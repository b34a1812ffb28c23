"""Every public transformer with a table to learn from: what `test_transformers.py` and the estimator checks go through.

A room that adds a class to `bundles.TYPES` adds its cases here; a class without one fails the suite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from brickwork.prep import (
    LogTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TablePrep,
    Winsorizer,
)

N = 60
RNG = np.random.default_rng(0)

NUMBERS = pd.DataFrame(
    {
        "a": np.where(RNG.random(N) < 0.1, np.nan, RNG.normal(3, 2, N)),
        "b": RNG.integers(0, 9, N),
        "c": RNG.lognormal(0, 1, N),
    }
)
CATEGORIES = pd.DataFrame(
    {
        "city": RNG.choice(["Bonn", "Köln", "Aachen", "Ulm"], N, p=[0.5, 0.3, 0.15, 0.05]),
        "grade": np.where(RNG.random(N) < 0.1, None, RNG.choice(["low", "mid", "high"], N)),
    }
)
LABELS = RNG.choice(["no", "yes"], N)


@dataclass(frozen=True)
class Case:
    """A transformer, made anew by `make`, the table X it learns from, and the target y it takes (or None).

    `merges`: parts that were fitted by themselves tell what the whole tells. `invertible`: the inverse loses nothing.
    `checks`: its options take the tables of scikit-learn's checks (which hold zeros and negative numbers).
    """

    make: Callable[[], Any]
    X: Any = field(default_factory=lambda: NUMBERS)
    y: Any = None
    merges: bool = True
    invertible: bool = True
    checks: bool = True

    @property
    def name(self) -> str:
        return repr(self.make())


CASES = [
    Case(TablePrep, pd.concat([NUMBERS, CATEGORIES], axis=1)),
    Case(StandardScaler),
    Case(lambda: StandardScaler(with_mean=False)),
    Case(lambda: StandardScaler(with_std=False)),
    Case(MinMaxScaler),
    Case(lambda: MinMaxScaler((-1, 3), clip=True)),
    Case(MaxAbsScaler),
    Case(RobustScaler),
    Case(lambda: RobustScaler(quantile_range=(10, 80), unit_variance=True)),
    Case(QuantileTransformer),
    Case(lambda: QuantileTransformer(n_quantiles=9, output_distribution="normal"), invertible=False),
    Case(PowerTransformer),
    Case(lambda: PowerTransformer("box-cox", standardize=False), NUMBERS.abs() + 1, checks=False),
    Case(lambda: LogTransformer(base=10)),
    Case(lambda: LogTransformer(signed=False, offset=2.5), NUMBERS.abs(), checks=False),
    Case(lambda: Winsorizer(lower=0.1, upper=0.8)),
]
