"""What each side makes of the table: a transformer with `fit_transform` and `transform`, made by a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .table import BOOLEANS, CATEGORIES, DATES, FEW, MANY, NUMBERS

PLACES = 100
"""Categories of one column that get a place each, where the others share one."""


def ours() -> Any:
    """`TablePrep` as it comes: a column of many categories gives one number."""
    from brickwork.prep import TablePrep

    return TablePrep()


def ours_wide() -> Any:
    """`TablePrep` with places for the most frequent of many categories."""
    from brickwork.prep import TablePrep

    return TablePrep(high_cardinality="frequent")


def _parts(frame: Any) -> np.ndarray:
    """The parts of dates that `TablePrep` gives, standardised but for the circles, as users write them with pandas."""
    out = []
    for name in frame.columns:
        date = frame[name].dt
        hour = date.hour + date.minute / 60 + date.second / 3600
        time = (frame[name] - np.datetime64("1970-01-01")).dt.total_seconds() / 86_400
        plain = [time, date.year, date.month, date.day, date.day_of_week, hour]
        out += [(part - part.mean()) / part.std() for part in plain]
        for part, period in ((date.month, 12), (date.day_of_week, 7), (hour, 24)):
            out += [np.sin(2 * np.pi * part / period), np.cos(2 * np.pi * part / period)]
    return np.column_stack(out)


def _scikit_learn(categories: list[tuple[str, Any, list[str]]]) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return ColumnTransformer(
        [
            ("numbers", numbers, NUMBERS),
            *categories,
            ("dates", FunctionTransformer(_parts), DATES),
            ("booleans", FunctionTransformer(_floats), BOOLEANS),
        ],
        sparse_threshold=0,  # a dense matrix, as ours
    )


def _floats(frame: Any) -> np.ndarray:
    return np.asarray(frame.to_numpy(dtype=np.float32))


def _one_hot(most: int | None) -> Any:
    from sklearn.preprocessing import OneHotEncoder

    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=most, sparse_output=False, dtype=np.float32
    )


def scikit_learn() -> Any:
    """A `ColumnTransformer` of the same, with one number for a column of many categories (their place in order)."""
    from sklearn.preprocessing import OrdinalEncoder

    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-2, encoded_missing_value=-1)
    return _scikit_learn([("few", _one_hot(None), FEW), ("many", ordinal, MANY)])


def scikit_learn_wide() -> Any:
    """A `ColumnTransformer` with a place for each of the 100 most frequent categories; rare ones share one."""
    return _scikit_learn([("categories", _one_hot(PLACES + 1), CATEGORIES)])


def skrub() -> Any:
    """`TableVectorizer` as it comes."""
    from skrub import TableVectorizer

    return TableVectorizer()


SIDES: dict[str, Callable[[], Any]] = {
    "ours": ours,
    "scikit-learn": scikit_learn,
    "skrub": skrub,
    "ours, wide": ours_wide,
    "scikit-learn, wide": scikit_learn_wide,
}
NEEDS = {"ours": "brickwork.prep", "scikit-learn": "sklearn", "skrub": "skrub", "ours, wide": "brickwork.prep",
         "scikit-learn, wide": "sklearn"}  # fmt: skip
AGAINST = {"scikit-learn": "ours", "skrub": "ours", "scikit-learn, wide": "ours, wide"}
"""Which of ours each peer stands beside."""
