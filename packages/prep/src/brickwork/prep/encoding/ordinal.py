"""`OrdinalEncoder`: categories to whole numbers, in order."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..columns import as_numbers
from ..encoder import Encoder
from ..errors import PrepError, bad_values
from ..formula import number
from ..frame import open_table
from ..params import choice
from ..readings import Codes
from ..schema import ColumnSchema
from .categories import CategoryEncoder, check_dtype, check_rarity, common

__all__ = ["OrdinalEncoder"]

UNKNOWN = ("error", "use_encoded_value")


class OrdinalEncoder(CategoryEncoder):
    """The place of each value among the categories of its column, 0 to k - 1. Equals scikit-learn's of that name.

    3 and 3.0 are one category. A missing value (None, NaN, NaT, NA, blank text) is no category of the order: it becomes
    `encoded_missing_value`, where fit saw one; where fit saw none it is unknown.

    Parameters
    ----------
    categories : "auto" or list of n_features_in_ lists, default "auto"
        The categories of each column in their order; NaN or None, if there, last. "auto" takes those seen, sorted:
        numbers by size, dates by time, texts by character.
    dtype : a type of numbers, default float64
    handle_unknown : "error" or "use_encoded_value", default "error"
        What a category not known becomes at transform: a SchemaError, or `unknown_value`.
    unknown_value : int or NaN
        Needed for, and only for, "use_encoded_value". Its inverse is None.
    encoded_missing_value : int or NaN, default NaN
    min_frequency : int or float, optional
        Categories of fewer rows, or of a smaller share of the rows, are joined in one, behind the others.
    max_categories : int, optional
        So many are kept, the joined one among them; missing and unknown values are not counted.

    Attributes
    ----------
    categories_ : list of arrays, one per column: int64, float64, bool, datetime64[us] or objects (text); where fit saw
        missing values the last is NaN (NaT of dates)
    infrequent_categories_ : list of arrays or None, the joined ones

    Examples
    --------
    >>> from brickwork.prep import OrdinalEncoder
    >>> sizes = OrdinalEncoder(categories=[["small", "large"]]).fit([["large"], ["small"]])
    >>> sizes.transform([["small"], ["large"]]).tolist()
    [[0.0], [1.0]]
    """

    JOINS_MISSING: ClassVar = False

    def __init__(
        self,
        *,
        categories: Any = "auto",
        dtype: Any = np.float64,
        handle_unknown: str = "error",
        unknown_value: Any = None,
        encoded_missing_value: Any = np.nan,
        min_frequency: Any = None,
        max_categories: int | None = None,
    ):
        self.categories = categories
        self.dtype = dtype
        self.handle_unknown = handle_unknown
        self.unknown_value = unknown_value
        self.encoded_missing_value = encoded_missing_value
        self.min_frequency = min_frequency
        self.max_categories = max_categories

    def _check_params(self, who: str) -> None:
        self._check_categories(who)
        check_dtype(self.dtype, who)
        choice(who, UNKNOWN, handle_unknown=self.handle_unknown)
        check_rarity(self.min_frequency, self.max_categories, who)
        for name in ("unknown_value", "encoded_missing_value"):
            value = getattr(self, name)
            if (name, value) == ("unknown_value", None):
                continue
            if not (_is_whole(value) or _is_nan(value)):
                raise PrepError.of(who, f"{name} must be a whole number or NaN", repr(value))
        if (self.unknown_value is None) == (self.handle_unknown == "use_encoded_value"):
            rule = "unknown_value is given where handle_unknown is 'use_encoded_value', and only there"
            raise PrepError.of(who, rule, f"{self.unknown_value!r} beside {self.handle_unknown!r}")
        if _is_nan(self.unknown_value) and not self._has_nan():
            raise PrepError.of(who, "an unknown_value of NaN needs a dtype of floats", repr(self.dtype))

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        kept = self.kept_[schema.name]
        used = kept.present().n_places
        for name in ("unknown_value", "encoded_missing_value"):
            value = getattr(self, name)
            if name == "encoded_missing_value" and not kept.missing:
                continue
            if _is_whole(value) and 0 <= value < used:
                rule = f"{name} must not be the code of a category, 0 to {used - 1} in column {schema.name!r}"
                raise PrepError.of(who, rule, repr(value), "Take a negative number.", column=schema.name)
        if kept.missing and _is_nan(self.encoded_missing_value) and not self._has_nan():
            rule = f"missing values, as column {schema.name!r} holds, need a code of dtype {np.dtype(self.dtype).name}"
            raise PrepError.of(who, rule, "NaN", "Set encoded_missing_value.", column=schema.name)
        index = dict(zip(kept.texts, kept.present().places.tolist(), strict=True))
        missing = float(self.encoded_missing_value) if kept.missing else None
        if self.handle_unknown == "error":
            reading = Codes(index, math.nan, missing, "refuse")
        else:
            reading = Codes(index, float(self.unknown_value), missing)
        return Encoder(schema.name, ("",), (number(),), reading)

    def _has_nan(self) -> bool:
        return np.dtype(self.dtype).kind == "f"

    def _dtype(self, X: Any) -> np.dtype:
        return np.dtype(self.dtype)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """The categories (n, n_features_in_) of codes (n, n_features_in_).

        NaN of `encoded_missing_value`, None of `unknown_value`, "infrequent_sklearn" of the joined rare ones.
        PrepError where a number is no code, with its column and rows.
        """
        who = self._who("inverse_transform")
        self._need_fit(who)
        table = open_table(X, who)
        if len(table.names) != self.n_features_in_:
            raise PrepError.of(who, f"codes have {self.n_features_in_} columns", str(len(table.names)))
        return common([self._names_of(i, as_numbers(table.column(i), who), who) for i in range(len(table.names))])

    def _names_of(self, place: int, codes: np.ndarray, who: str) -> np.ndarray:
        name = self.schema_[place].name
        kept = self.kept_[name]
        values = kept.present().of_places()
        used = len(values)
        unknown = _equal(codes, self.unknown_value) if self.handle_unknown != "error" else np.zeros(len(codes), bool)
        gaps = _equal(codes, self.encoded_missing_value) & ~unknown if kept.missing else np.zeros(len(codes), bool)
        with np.errstate(invalid="ignore"):
            wrong = np.flatnonzero(~((codes >= 0) & (codes < used) & (codes == np.floor(codes))) & ~unknown & ~gaps)
        if len(wrong):
            rule = f"holds what is no code (0 to {used - 1})"
            raise bad_values(who, name, rule, wrong, codes[wrong].tolist(), "Give what transform gave.")
        special = unknown | gaps
        held = np.where(special, 0, codes).astype(np.int64)
        out = values[held] if used else np.full(len(codes), np.nan, dtype=kept.values.dtype)
        if gaps.any():
            out = out if out.dtype.kind in "fOM" else out.astype(kept.values.dtype)
            out[gaps] = kept.values[-1]
        if unknown.any():
            out = out.astype(object)
            out[unknown] = None
        return out

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_nan(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def _equal(codes: np.ndarray, value: Any) -> np.ndarray:
    return np.isnan(codes) if _is_nan(value) else codes == value
