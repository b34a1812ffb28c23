"""What each side makes of the table: a transformer with `fit_transform` and `transform`, made by a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .table import BOOLEANS, CATEGORIES, DATES, FEW, MANY, NUMBERS

PLACES = 64
"""Categories of one column that get a place each, on all sides that have such a limit."""


def ours() -> Any:
    """`TablePrep` as it comes."""
    from brickwork.prep import TablePrep

    return TablePrep()


def ours_index() -> Any:
    """`TablePrep` with one number for a column of many categories."""
    from brickwork.prep import TablePrep

    return TablePrep(high_cardinality="index")


def _parts(frame: Any) -> np.ndarray:
    """The parts of dates that `TablePrep` gives, standardised but for the circles, as users write them with pandas."""
    out = []
    for name in frame.columns:
        date = frame[name].dt
        hour = date.hour + date.minute / 60 + date.second / 3600
        time = (frame[name] - np.datetime64("1970-01-01")).dt.total_seconds() / 86_400
        plain = [time, date.year, date.month, date.day, date.weekday, hour]
        out += [(part - part.mean()) / part.std() for part in plain]
        for part, period in ((date.month, 12), (date.weekday, 7), (hour, 24)):
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
    """A `ColumnTransformer` of the same: a place for each of the 64 most frequent categories, rare ones share one."""
    return _scikit_learn([("categories", _one_hot(PLACES + 1), CATEGORIES)])


def scikit_learn_ordinal() -> Any:
    """A `ColumnTransformer` with a place for each of few categories, and one number for a column of many."""
    from sklearn.preprocessing import OrdinalEncoder

    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-2, encoded_missing_value=-1)
    return _scikit_learn([("few", _one_hot(None), FEW), ("many", ordinal, MANY)])


def skrub() -> Any:
    """`TableVectorizer` as it comes."""
    from skrub import TableVectorizer

    return TableVectorizer()


SIDES: dict[str, Callable[[], Any]] = {
    "ours": ours,
    "scikit-learn": scikit_learn,
    "skrub": skrub,
    "ours, index": ours_index,
    "scikit-learn, ordinal": scikit_learn_ordinal,
}
NEEDS = {"ours": "brickwork.prep", "scikit-learn": "sklearn", "skrub": "skrub", "ours, index": "brickwork.prep",
         "scikit-learn, ordinal": "sklearn"}  # fmt: skip
AGAINST = {"scikit-learn": "ours", "skrub": "ours", "scikit-learn, ordinal": "ours, index"}
"""Which of ours each peer stands beside."""
