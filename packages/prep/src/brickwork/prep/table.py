"""`TablePrep`: a table of any columns to a dense float32 matrix, with no configuration."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError

from .columns import Column
from .encoders import Boolean, Categorical, Datetime, Dropped, Encoder, Numeric, read_encoder
from .errors import SHOWN, PrepError, SchemaError, nearest, quote
from .frame import Table, open_table
from .kinds import KINDS, Finding, date_style, find_kind
from .report import ColumnReport
from .state import VERSION, demand, read_fields, read_version


class TablePrep(TransformerMixin, BaseEstimator):
    """Finds what each column is and turns the table into float32 features.

    Accepts a pandas DataFrame, a 2-D array, a list of rows, a dict of lists, a list of dicts, or one dict (one row).

    - numeric: standardised, the median where missing. Infinity is refused; NaN is missing.
    - categorical: one-hot, with a place for the unseen and one for missing.
    - boolean: 0 or 1. datetime (also as text): its parts, some as sine and cosine.
    - identifiers, constant and all-missing columns are dropped; `describe()` says why.

    At transform columns are matched by name: order is free, extra columns are ignored, and a column that is missing or
    no longer holds its kind is an error. Arrays are matched by position.

    Parameters
    ----------
    kinds : dict from column name (or position) to kind, default None
        Overrides what would be found: "numeric", "categorical", "boolean", "datetime", "identifier" or "drop".
    max_categories : int, default 100
        The most categories of one column that get a place each; rarer ones share the place for the unseen.

    Attributes
    ----------
    n_features_in_, feature_names_in_ : as in scikit-learn; the latter only for tables whose names are all text
    n_features_out_ : int
    kinds_ : dict from column name to the kind found
    encoders_ : tuple of one frozen record per column

    Raises
    ------
    PrepError, a ValueError, with `column`, `rows` and `values`; its subclass SchemaError where a column is to blame.

    Examples
    --------
    >>> from brickwork.prep import TablePrep
    >>> prep = TablePrep().fit({"size": [1.0, None, 3.0], "island": ["Dream", "Biscoe", "Dream"]})
    >>> prep.get_feature_names_out().tolist()
    ['size', 'size_missing', 'island_Biscoe', 'island_Dream', 'island_unseen', 'island_missing']
    >>> prep.transform({"size": 2.0, "island": "Torgersen"})
    array([[0., 0., 0., 0., 1., 0.]], dtype=float32)
    """

    def __init__(self, kinds: Mapping[str | int, str] | None = None, max_categories: int = 100):
        self.kinds = kinds
        self.max_categories = max_categories

    def fit(self, X: Any, y: Any = None) -> Self:
        """Finds each column's kind and learns its encoder. `y` is ignored."""
        who = "TablePrep.fit"
        table = open_table(X, who)
        wanted = _read_kinds(self.kinds, table, who)
        limit = self.max_categories
        if isinstance(limit, bool) or not isinstance(limit, (int, np.integer)) or limit < 1:
            raise PrepError.of(who, "max_categories must be an integer of 1 or more", repr(limit))
        encoders = [self._fit_column(table, i, wanted.get(name), who) for i, name in enumerate(table.names)]
        if all(isinstance(encoder, Dropped) for encoder in encoders):
            rows = "1 sample" if table.n_rows == 1 else f"{table.n_rows} rows"
            found = ", ".join(f"{e.name!r}: {e.kind} ({e.why})" for e in encoders[:5])
            raise PrepError.of(who, "a column to learn from is needed", f"{rows}; {found}", "Give kinds= to keep one.")
        for encoder in encoders:
            if encoder.kind == "unsupported":
                text = (
                    f"{who}: column {encoder.name!r} is dropped; got {encoder.why}. Give it as text, numbers or dates."
                )
                warnings.warn(text, UserWarning, stacklevel=2)
        self._set(encoders, named=table.named, text_names=table.named and table.text_names)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Float32 (n, n_features_out_) of a table with the columns seen at fit."""
        who = "TablePrep.transform"
        self._need_fit(who)
        table = open_table(X, who)
        positions = self._positions_in(table, who)
        out = np.zeros((table.n_rows, self.n_features_out_), dtype=np.float32)
        for encoder, (start, stop), position in zip(self.encoders_, self.spans_, positions, strict=True):
            if stop > start:
                column = table.column(position)
                encoder.encode(column, out[:, start:stop], who)
        return out

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Object array (n_features_out_,): `size`, `size_missing`, `island_Dream`, `island_unseen`, `date_year`, ...

        `input_features` may name the columns of an array; where names were seen at fit it must equal them.
        """
        who = "TablePrep.get_feature_names_out"
        self._need_fit(who)
        names = [encoder.name for encoder in self.encoders_]
        if input_features is not None:
            given = [str(name) for name in input_features]
            if hasattr(self, "feature_names_in_") and given != names:
                raise PrepError.of(who, "input_features is not equal to feature_names_in_", quote(given))
            if len(given) != len(names):
                rule = f"input_features should have length equal to number of features ({len(names)})"
                raise PrepError.of(who, rule, str(len(given)))
            names = given
        return np.array([feature for block in self._features(names) for feature in block], dtype=object)

    def describe(self) -> list[ColumnReport]:
        """One `ColumnReport` per column of the table, in its order."""
        self._need_fit("TablePrep.describe")
        features = self._features([encoder.name for encoder in self.encoders_])
        return [
            ColumnReport(e.name, e.kind, e.missing, e.categories_seen, e.action, e.why, tuple(block))
            for e, block in zip(self.encoders_, features, strict=True)
        ]

    def to_state(self) -> dict[str, Any]:
        """The fitted prep as a dict that `json` can write; `from_state` of it transforms bit by bit alike."""
        self._need_fit("TablePrep.to_state")
        return {
            "type": "TablePrep",
            "version": VERSION,
            "kinds": None if self.kinds is None else [[_plain_key(key), kind] for key, kind in self.kinds.items()],
            "max_categories": int(self.max_categories),
            "named": self.named_,
            "text_names": hasattr(self, "feature_names_in_"),
            "columns": [encoder.to_state() for encoder in self.encoders_],
        }

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """The prep of a state. StateError where the state is damaged; nothing in a state can execute."""
        where = "TablePrep.from_state"
        read_version(state, "TablePrep", where)
        kinds = {"type": "str", "version": "int", "kinds": "any", "max_categories": "count", "named": "bool"}
        values = read_fields(state, kinds | {"text_names": "bool", "columns": "tuple[any, ...]"}, where)
        demand(values["max_categories"] > 0, where, "max_categories must be above 0", values["max_categories"])
        prep = cls(kinds=_saved_kinds(values["kinds"], where), max_categories=values["max_categories"])
        encoders = [read_encoder(column, f"{where}.columns[{i}]") for i, column in enumerate(values["columns"])]
        names = [encoder.name for encoder in encoders]
        demand(len(set(names)) == len(names) > 0, where, "columns must be there and differ in name", names)
        demand(values["named"] or not values["text_names"], where, "text_names needs named", values["text_names"])
        prep._set(encoders, named=values["named"], text_names=values["text_names"])
        demand(prep.n_features_out_ > 0, where, "a column that is not dropped is needed", names)
        return prep

    def _fit_column(self, table: Table, position: int, wanted: str | None, who: str) -> Encoder:
        column = Column(table.names[position], "other", np.zeros(0)) if wanted == "drop" else table.column(position)
        if wanted is None:
            finding = find_kind(column, who, named=table.named)
        elif wanted == "datetime":
            finding = Finding(wanted, *_asked(date_style(column, who)))
        else:
            finding = Finding(wanted, "as asked by kinds=")
        match finding.kind:
            case "numeric":
                return Numeric.fit(column, finding, who)
            case "categorical":
                return Categorical.fit(column, finding, who, int(self.max_categories))
            case "boolean":
                return Boolean.fit(column, finding, who)
            case "datetime":
                return Datetime.fit(column, finding, who)
        return Dropped(column.name, finding.kind, int(column.missing.sum()), finding.why)

    def _set(self, encoders: list[Encoder], *, named: bool, text_names: bool) -> None:
        self.encoders_ = tuple(encoders)
        stops = list(accumulate((len(encoder.suffixes) for encoder in encoders), initial=0))
        self.spans_ = tuple(pairwise(stops))
        self.kinds_ = {encoder.name: encoder.kind for encoder in encoders}
        self.named_ = named
        self.n_features_in_ = len(encoders)
        self.n_features_out_ = stops[-1]
        if text_names:
            self.feature_names_in_ = np.array([encoder.name for encoder in encoders], dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _positions_in(self, table: Table, who: str) -> list[int]:
        """Where each column of fit stands in this table, -1 for a dropped one that is not there."""
        if self.named_ and table.named:
            found = {name: i for i, name in enumerate(table.names)}
            positions = [found.get(encoder.name, -1) for encoder in self.encoders_]
            lost = [e.name for e, i in zip(self.encoders_, positions, strict=True) if i < 0 and e.suffixes]
            if lost:
                rule = f"column {lost[0]!r} was there at fit and is missing"
                got = f"columns {quote(table.names)}{nearest(lost[0], table.names)}"
                others = [f"{name!r}{nearest(name, table.names)}" for name in lost[1:SHOWN]]
                also = f" Also missing: {', '.join(others)}." if others else ""
                raise SchemaError.of(who, rule, got, f"Add or rename it.{also}", column=lost[0])
            return positions
        n = len(table.names)
        if n != self.n_features_in_:
            rule = f"X has {n} features, but TablePrep is expecting {self.n_features_in_} features as input"
            raise SchemaError.of(who, rule, fix="Give the same columns in the same order, or a table with names.")
        if table.named != self.named_ and table.text_names:
            has, was = ("has", "without") if table.named else ("does not have valid", "with")
            warnings.warn(
                f"X {has} feature names, but TablePrep was fitted {was} feature names", UserWarning, stacklevel=3
            )
        return list(range(n))

    def _features(self, names: list[str]) -> list[list[str]]:
        """The feature names of each column; a name that two columns would give gets a number."""
        taken: set[str] = set()
        blocks = []
        for name, encoder in zip(names, self.encoders_, strict=True):
            blocks.append([_free(f"{name}_{suffix}" if suffix else name, taken) for suffix in encoder.suffixes])
        return blocks

    def _need_fit(self, who: str) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(f"{who}: this TablePrep is not fitted yet. Call fit first.")

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "encoders_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.input_tags.dict = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _read_kinds(kinds: Any, table: Table, who: str) -> dict[str, str]:
    """The constructor's `kinds` by column name, checked against the table."""
    if kinds is None:
        return {}
    if not isinstance(kinds, Mapping):
        raise PrepError.of(who, "kinds must be a dict from column to kind", type(kinds).__name__)
    by_name = {}
    for key, kind in kinds.items():
        if not isinstance(kind, str) or kind not in KINDS:
            raise PrepError.of(
                who, f"a kind is one of {', '.join(KINDS)}", f"kinds[{key!r}] = {kind!r}{nearest(kind, KINDS)}"
            )
        is_position = isinstance(key, (int, np.integer)) and str(key) not in table.names and 0 <= key < len(table.names)
        name = table.names[key] if is_position else str(key)
        if name not in table.names:
            got = f"{key!r}{nearest(key, table.names)}"
            raise SchemaError.of(who, "kinds must name columns of the table", got, column=str(key))
        by_name[name] = kind
    return by_name


def _plain_key(key: Any) -> int | str:
    return int(key) if isinstance(key, (int, np.integer)) else str(key)


def _saved_kinds(pairs: Any, where: str) -> dict[Any, str] | None:
    if pairs is None:
        return None
    demand(isinstance(pairs, (list, tuple)), where, "kinds must be a list of pairs", pairs)
    for pair in pairs:
        fits = isinstance(pair, (list, tuple)) and len(pair) == 2
        demand(
            fits and isinstance(pair[0], (str, int)) and pair[1] in KINDS,
            where,
            "kinds must pair column and kind",
            pair,
        )
    return dict(pairs)


def _asked(style_and_why: tuple[str, str]) -> tuple[str, str]:
    style, why = style_and_why
    return f"as asked by kinds=; {why}", style


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    taken.add(free)
    return free
