"""Every public transformer with a table to learn from: what `test_transformers.py` and the estimator checks go through.

A room that adds a class to `bundles.TYPES` adds its cases here; a class without one fails the suite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from brickwork.prep import (
    Binarizer,
    BooleanParser,
    CategoryIndexer,
    CountEncoder,
    CountVectorizer,
    DateDifference,
    DatetimeEncoder,
    Deduplicate,
    Differences,
    DropColumns,
    DropConstant,
    DropCorrelated,
    DropDuplicateColumns,
    DropLeaky,
    GroupImputer,
    HashingEncoder,
    HashingVectorizer,
    HolidayFlags,
    IterativeImputer,
    KBinsDiscretizer,
    Lags,
    LogTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    MissingIndicator,
    NumberParser,
    OneHotEncoder,
    OrdinalEncoder,
    OutlierClipper,
    OutlierFlagger,
    PowerTransformer,
    QuantileTransformer,
    RareGrouper,
    RobustScaler,
    RollingWindows,
    SelectColumns,
    SimpleImputer,
    StandardScaler,
    TablePrep,
    TargetEncoder,
    TextIndexer,
    TfidfVectorizer,
    TimeSince,
    Winsorizer,
)
from brickwork.prep import selectors as s

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
DATES = pd.DataFrame(
    {
        "came": np.where(
            np.arange(N) % 9 == 4, None, pd.date_range("2023-11-28 05:30", periods=N, freq="97h").astype(object)
        ),
        "told": [f"{1 + i * 7 % 28}/{1 + i % 12}/2024 {i % 12 + 1}:{i:02} pm" for i in range(N)],
        "land": ["DE", "FR", None] * (N // 3),
    }
)
WRITTEN = pd.DataFrame(
    {
        "load": [["1,200 kg", "500 g", "-3 kg", None][i % 4] for i in range(N)],
        "price": [["$3.5k", "(42)", "12%", "n/a", "1e3"][i % 5] for i in range(N)],
    }
)
WORDS = pd.DataFrame(
    {
        "paid": [["yes", "Nein", None][i % 3] for i in range(N)],
        "open": [["on", "OFF", "1", "0"][i % 4] for i in range(N)],
    }
)
TEXTS = pd.DataFrame(
    {
        "said": [
            None if i % 11 == 5 else " ".join(RNG.choice("to be or not it is what we do".split(), 1 + i % 6))
            for i in range(N)
        ],
        "noted": RNG.choice(["déjà vu", "Never seen", "seen twice", "it is"], N),
    }
)
HOLIDAYS = {"DE": ["2023-12-25", "2024-05-01"], "FR": ["2024-05-01", "2024-07-14"]}
MIXED = pd.concat([NUMBERS, CATEGORIES], axis=1).assign(
    ok=pd.array(np.where(RNG.random(N) < 0.1, None, RNG.random(N) < 0.5), dtype="boolean"),
    seen=pd.Series(pd.date_range("2024-01-01", periods=N, freq="31h")).where(RNG.random(N) > 0.1),
)
LABELS = RNG.choice(["no", "yes"], N)
CODED = CATEGORIES.assign(code=np.where(np.arange(N) % 7, np.arange(N) % 5, np.nan), odd=np.arange(N) % 2 == 1)
"""Categories in text, numbers with gaps, and booleans."""
AMOUNTS = np.random.default_rng(1).normal(9, 3, N)
GRADES = np.array(["a", "b", "c"])[np.arange(N) % 3]
MESSY = pd.concat(
    [
        NUMBERS,
        CATEGORIES.assign(
            again=NUMBERS["b"],
            planet="Earth",
            inch=NUMBERS["c"] / 2.54,
            told=np.where(LABELS == "yes", "paid", "open"),
            place=RNG.choice(["São Paulo", "Sao Paulo", "SAO-PAULO", "Rio de Janeiro", "Rio de Janero"], N),
        ),
    ],
    axis=1,
)
SERIES = NUMBERS.assign(
    shop=CATEGORIES["city"], day=pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.permutation(N), unit="D")
)


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
    Case(TablePrep, MIXED),
    Case(lambda: TablePrep(max_categories=2, high_cardinality="index", scale=None), MIXED),
    Case(lambda: TablePrep(max_categories=2, high_cardinality=TargetEncoder(), scale="robust"), MIXED, LABELS),
    Case(
        lambda: TablePrep({"b": "categorical"}, {"a": RobustScaler()}, impute="mean", scale="minmax"),
        MIXED,
        checks=False,
    ),
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
    Case(SelectColumns, MESSY),
    Case(lambda: SelectColumns(s.numeric() - "b"), MESSY, checks=False),
    Case(lambda: DropColumns(["a", "told"]), MESSY, checks=False),
    Case(DropConstant, MESSY),
    Case(lambda: DropConstant(threshold=0.3), MESSY, checks=False),
    Case(DropDuplicateColumns, MESSY),
    Case(lambda: DropDuplicateColumns(match="codes"), MESSY),
    Case(DropCorrelated, MESSY),
    Case(lambda: DropCorrelated(threshold=0.9, method="spearman"), MESSY),
    Case(DropLeaky, MESSY, LABELS),
    Case(Lags),
    Case(Differences),
    Case(RollingWindows),
    Case(lambda: Lags(lags=1), checks=False),
    Case(lambda: Lags(["a", "b"], (1, 3), groups="shop", time="day"), SERIES, checks=False),
    Case(lambda: Differences(lags=(1, 2), relative=True, groups="shop"), SERIES, checks=False),
    Case(lambda: RollingWindows(window=3, min_periods=1), checks=False),
    Case(
        lambda: RollingWindows("a", timedelta(days=9), ("median", "count"), lag=1, groups="shop", time="day"),
        SERIES,
        checks=False,
    ),
    Case(Deduplicate, MESSY),
    Case(lambda: Deduplicate("place", threshold=0.9), MESSY, checks=False),
    Case(DatetimeEncoder, DATES[["came", "told"]]),
    Case(lambda: DatetimeEncoder(["week", "time_of_day", "is_month_end"], cyclic="splines"), DATES[["came", "told"]]),
    Case(lambda: DatetimeEncoder(["month", "weekday"], cyclic="sincos", style="day/month/year"), DATES[["told"]]),
    Case(lambda: DatetimeEncoder(cyclic="sincos", zone="Europe/Berlin"), DATES[["came", "told"]]),
    Case(TimeSince, DATES[["came", "told"]]),
    Case(lambda: TimeSince("2024-01-01", unit="weeks"), DATES[["came", "told"]]),
    Case(DateDifference, DATES[["came", "told"]]),
    Case(lambda: DateDifference([("told", "came")], unit="years"), DATES, checks=False),
    Case(lambda: HolidayFlags(HOLIDAYS["DE"]), DATES[["came", "told"]]),
    Case(lambda: HolidayFlags(HOLIDAYS, distance=False), DATES[["came", "told"]]),
    Case(lambda: HolidayFlags(HOLIDAYS, by="land", horizon=90), DATES, checks=False),
    Case(SimpleImputer),
    Case(lambda: SimpleImputer("median", add_indicator=True), MIXED),
    Case(lambda: SimpleImputer({"a": "constant", "city": "most_frequent"}, fill_value={"a": 7}), MIXED, checks=False),
    Case(lambda: GroupImputer("city"), MIXED, merges=False, checks=False),
    Case(lambda: GroupImputer(["city", "b"], strategy="median"), MIXED, merges=False, checks=False),
    Case(lambda: GroupImputer(strategy="most_frequent"), MIXED, merges=False),
    Case(IterativeImputer, merges=False),
    Case(MissingIndicator, MIXED, checks=False),
    Case(lambda: MissingIndicator(features="all"), MIXED),
    Case(KBinsDiscretizer),
    Case(lambda: KBinsDiscretizer(3, encode="onehot-dense", strategy="uniform")),
    Case(lambda: KBinsDiscretizer(4, encode="ordinal", strategy="kmeans")),
    Case(lambda: Binarizer(threshold=2.0)),
    Case(OutlierClipper),
    Case(lambda: OutlierClipper("zscore", factor=1.0)),
    Case(OutlierFlagger),
    Case(lambda: OutlierFlagger("quantile", factor=0.1, output="both")),
    Case(lambda: OutlierFlagger(output="nan")),
    Case(lambda: NumberParser(units={"kg": 1, "g": 0.001}), WRITTEN),
    Case(lambda: NumberParser(decimal=",", errors="missing", fractions=True), WRITTEN),
    Case(BooleanParser, WORDS, checks=False),
    Case(lambda: BooleanParser(true=["on", "1"], false=["off", "0"], errors="missing"), WORDS),
    Case(OrdinalEncoder, CATEGORIES),
    Case(lambda: OrdinalEncoder(min_frequency=9, encoded_missing_value=-1, dtype="int32"), CODED),
    Case(lambda: OneHotEncoder(sparse_output=False), CATEGORIES),
    Case(OneHotEncoder, CODED),
    Case(lambda: OneHotEncoder(drop="if_binary", max_categories=3, handle_unknown="ignore"), CODED),
    Case(TargetEncoder, CODED, LABELS),
    Case(lambda: TargetEncoder(smooth=2, cv=3), CODED, AMOUNTS, checks=False),
    Case(lambda: TargetEncoder(target_type="multiclass"), CATEGORIES, GRADES),
    Case(CountEncoder, CODED),
    Case(lambda: CountEncoder(normalize=True), CATEGORIES),
    Case(HashingEncoder, CODED),
    Case(lambda: HashingEncoder(n_components=3), CATEGORIES),
    Case(RareGrouper, CATEGORIES),
    Case(lambda: RareGrouper(min_frequency=12, other="else"), CODED),
    Case(CategoryIndexer, CODED),
    Case(lambda: CategoryIndexer(min_frequency=0.1), CATEGORIES),
    Case(CountVectorizer, TEXTS),
    Case(lambda: CountVectorizer(analyzer="char_wb", ngram_range=(2, 3), max_features=20, sparse_output=False), TEXTS),
    Case(TfidfVectorizer, TEXTS),
    Case(lambda: TfidfVectorizer(min_df=0.1, strip_accents="unicode", sparse_output=False), TEXTS, checks=False),
    Case(lambda: HashingVectorizer(n_features=16, sparse_output=False), TEXTS),
    Case(lambda: HashingVectorizer(n_features=64, stop_words="english"), TEXTS),
    Case(TextIndexer, TEXTS),
    Case(lambda: TextIndexer(length=3, max_tokens=6, padding="pre", analyzer="char"), TEXTS),
]
