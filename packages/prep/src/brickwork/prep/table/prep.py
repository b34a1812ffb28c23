"""`TablePrep`: a table of any columns to what models and networks take, with no configuration."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn import get_config
from sklearn.utils import get_tags

from ..column_wise import ColumnWise
from ..columns import Column
from ..encoder import write
from ..errors import PrepError, SchemaError, nearest
from ..frame import Table, open_table
from ..params import choice, finite, whole
from ..report import ColumnReport
from ..schema import ColumnSchema
from ..statistics import Counts, Statistic
from ..transformer import distinct
from .choice import Choice, Options, choose
from .fitted import Fitted
from .gathered import Gathered
from .html import html_table
from .kinds import KINDS, find_kind

__all__ = ["TablePrep"]

TOLD = {"unsupported": "Give it as text, numbers or dates.",
        "text": "Give it to a TfidfVectorizer or HashingVectorizer beside this (ColumnTransformer)."}  # fmt: skip


class TablePrep(ColumnWise):
    """Finds what each column is and turns the table into float32 features, or into the inputs of a network.

    Accepts a dataframe (pandas, polars, Arrow, ...), a 2-D array, a list of rows, a dict of lists, a list of dicts, or
    one dict (one row).

    - numeric: standardised, the median where missing. Infinity is refused; NaN is missing.
    - categorical: one-hot, with a place for the unseen and one for missing.
    - boolean: 0 or 1. datetime (also as text): its parts, some as sine and cosine.
    - identifiers, free text, constant and all-missing columns are dropped; `describe()` says why.

    Where fit saw a missing number, boolean or date, a further feature is 1 in such rows. At transform columns are
    matched by name: order is free, extra columns are ignored, and a column that is missing or no longer holds its kind
    is an error. Arrays are matched by position.

    Parameters
    ----------
    kinds : dict from column name (or position) to kind, default None
        Overrides what would be found: "numeric", "categorical", "boolean", "datetime", "identifier" or "drop".
    columns : dict from column name (or position) to a transformer of this package, default None
        What becomes of a column instead: `{"price": RobustScaler(), "city": TargetEncoder()}`. It learns from that
        column alone and gives numbers.
    max_categories : int, default 100
        The most categories of one column that get a place each.
    high_cardinality : "frequency" (default), "frequent", "index", or a transformer of this package
        What a column of more categories becomes. "frequency": one number, log(1 + count) of that of the most frequent,
        0 for the unseen, and a place for missing. It is small for any number of categories, never above 1, and neither
        an order nor the target is read into it, so trees, distances, linear models and networks alike can take it.
        "frequent": places for the most frequent as well, which costs a row `max_categories` numbers. "index": 0 for
        missing, 1 for unseen, then by frequency, for trees. Where the category itself matters give `TargetEncoder()`,
        `HashingEncoder()`, or, for networks, `output="inputs"`.
    impute : "median" (default), "mean" or a number
        What stands where a number is missing; of a date the median, of a boolean the more frequent.
    scale : "standard" (default), "robust", "minmax" or None
        Numbers minus mean, over standard deviation; minus median, over the range of the middle half; to [0, 1]; as they
        are. Parts of dates are standardised unless it is None.
    output : "matrix" (default) or "inputs"
        "inputs" is a dict for networks: "numbers" float32 (n, k), and for each categorical column, by its name, int32
        (n,) indices for an embedding: 0 for missing, 1 for unseen, then all its categories, the most frequent first.

    Attributes
    ----------
    n_features_in_, feature_names_in_ : as in scikit-learn; the latter only for tables whose names are all text
    n_features_out_ : int
    kinds_ : dict from column name to the kind found
    vocabulary_sizes_ : dict from each column that is given as indices to how many there are (0 ... size - 1)
    statistics_, schema_ : what was learned of each column, and what it held

    Raises
    ------
    PrepError, a ValueError, with `column`, `rows` and `values`; its subclass SchemaError where a column is to blame.

    Notes
    -----
    `partial_fit` and `merge` learn from parts of a table, in their order, what fit learns from the whole; medians of
    more than 8,192 distinct values are then near and not exact (see `statistics.Quantiles`).

    Examples
    --------
    >>> from brickwork.prep import TablePrep
    >>> prep = TablePrep().fit({"size": [1.0, None, 3.0], "island": ["Dream", "Biscoe", "Dream"]})
    >>> prep.get_feature_names_out().tolist()
    ['size', 'size_missing', 'island_Biscoe', 'island_Dream', 'island_unseen', 'island_missing']
    >>> prep.transform({"size": 2.0, "island": "Torgersen"})
    array([[0., 0., 0., 0., 1., 0.]], dtype=float32)
    >>> TablePrep(output="inputs").fit_transform({"size": [1.0, 3.0], "island": ["Dream", "Biscoe"]})["island"]
    array([3, 2], dtype=int32)
    """

    CHOSEN: ClassVar = ("frequency", "frequent", "index")

    def __init__(
        self,
        kinds: Mapping[str | int, str] | None = None,
        columns: Mapping[str | int, ColumnWise] | None = None,
        max_categories: int = 100,
        high_cardinality: Any = "frequency",
        impute: Any = "median",
        scale: str | None = "standard",
        output: str = "matrix",
    ):
        self.kinds = kinds
        self.columns = columns
        self.max_categories = max_categories
        self.high_cardinality = high_cardinality
        self.impute = impute
        self.scale = scale
        self.output = output

    # ---- parameters ------------------------------------------------------------------------------------------------

    def _check_params(self, who: str) -> None:
        for name, given in (("kinds", self.kinds), ("columns", self.columns)):
            if given is not None and not isinstance(given, Mapping):
                rule = f"{name} must be a dict from column to {'kind' if name == 'kinds' else 'transformer'}"
                raise PrepError.of(who, rule, type(given).__name__)
        for key, kind in (self.kinds or {}).items():
            if not isinstance(kind, str) or kind not in KINDS:
                got = f"kinds[{key!r}] = {kind!r}{nearest(kind, KINDS)}"
                raise PrepError.of(who, f"a kind is one of {', '.join(KINDS)}", got)
        for key, made in (self.columns or {}).items():
            self._check_transformer(f"columns[{key!r}]", made, who)
        whole(who, max_categories=self.max_categories)
        if not isinstance(self.high_cardinality, str):
            self._check_transformer("high_cardinality", self.high_cardinality, who)
        else:
            choice(who, self.CHOSEN, high_cardinality=self.high_cardinality)
        if isinstance(self.impute, str):
            choice(who, ("median", "mean"), impute=self.impute)
        else:
            finite(who, impute=self.impute)
        choice(who, ("standard", "robust", "minmax", None), scale=self.scale)
        choice(who, ("matrix", "inputs"), output=self.output)

    def _check_transformer(self, name: str, made: Any, who: str) -> None:
        if not isinstance(made, ColumnWise) or isinstance(made, TablePrep):
            rule = f"{name} must be a transformer of brickwork.prep that learns column by column"
            raise PrepError.of(who, rule, repr(made), "RobustScaler(), for example.")
        made._check_params(f"{who}({name})")

    @property
    def _options(self) -> Options:
        return Options(
            self.impute, self.scale, int(self.max_categories), self.high_cardinality, self.output == "inputs"
        )

    def _of_column(self, given: Mapping[str | int, Any] | None, name: str) -> Any:
        """What a parameter says of a column, found by its name or, where no column is called so, by its position."""
        for key, value in (given or {}).items():
            if str(key) == name:
                return value
        names = [one.name for one in self.schema_]
        place = names.index(name)
        found = {k: v for k, v in (given or {}).items() if isinstance(k, (int, np.integer)) and str(k) not in names}
        return found.get(place)

    def _check_named(self, who: str) -> None:
        names = [one.name for one in self.schema_]
        for what, given in (("kinds", self.kinds), ("columns", self.columns)):
            for key in given or {}:
                place = isinstance(key, (int, np.integer)) and 0 <= key < len(names)
                if str(key) not in names and not place:
                    got = f"{key!r}{nearest(key, names)}"
                    raise SchemaError.of(who, f"{what} must name columns of the table", got, column=str(key))

    # ---- learning --------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Finds each column's kind and learns what becomes of it. `y` is for transformers in `columns` that take it."""
        super().fit(X, y)
        self._need_columns("TablePrep.fit")
        self._warn("TablePrep.fit")
        return self

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """`fit`, then `transform` of the same table, whose columns are read once."""
        who = self._who("fit_transform")
        self._check_params(who)
        table = _read(open_table(X, who))
        self._fit_table(table, y, who)
        self._need_columns(who)
        self._warn(who)
        return self._crossed(self._give(table, range(len(table.names)), X, who), table, y)

    def _crossed(self, out: Any, table: Table, y: Any) -> Any:
        """The same, with what transformers inside give of the rows that they learn from."""
        encoders: Any = self.encoders_
        numbers, first = (out if self.output == "matrix" else out["numbers"]), 0
        for i, encoder in enumerate(encoders):
            if encoder.taken is not None and encoder.taken.crosses:
                numbers[:, first : first + len(encoder.suffixes)] = encoder.taken.crossed(table.column(i), y)
            first += 0 if encoder.vocabulary else len(encoder.suffixes)
        return out

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Adds the rows of a table; what each column is, is found anew from all rows so far."""
        return super().partial_fit(X, y) if self.__sklearn_is_fitted__() else super().fit(X, y)

    def _beside(self, columns: Sequence[Column], y: Any, who: str) -> Any:
        return y

    def _gather(self, column: Column, who: str) -> Statistic:
        made = self._of_column(self.columns, column.name)
        if made is not None:
            return Fitted(made)
        gathered = Gathered(column.name, self._of_column(self.kinds, column.name) or "")
        # Whether it becomes a column of many categories shows at the end: text may, what has no value yet, and what is
        # asked to.
        may = gathered.asked == "categorical" or (
            not gathered.asked and (column.form == "text" or column.missing.all())
        )
        if may and not isinstance(self.high_cardinality, str):
            gathered.beside = Fitted(self.high_cardinality)
        return gathered

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Choice:
        made = self._of_column(self.columns, schema.name)
        if made is not None:
            return self._taken_by(made, schema, statistic, "transformer", "as asked by columns=", who)
        asked = self._of_column(self.kinds, schema.name) or ""
        fits = isinstance(statistic, Gathered) and (statistic.name, statistic.asked) == (schema.name, asked)
        if not fits or (statistic.beside is not None and isinstance(self.high_cardinality, str)):
            rule = f"column {schema.name!r} must have been learned as kinds= and high_cardinality= ask"
            raise PrepError.of(who, rule, type(statistic).__name__)
        finding = find_kind(statistic, named=self.named_)
        many = finding.kind == "categorical" and len(statistic.part.times) > self.max_categories
        other = self.high_cardinality
        if many and self.output == "matrix" and not isinstance(other, str):
            return self._taken_by(other, schema, statistic.beside, "categorical", finding.why, who)
        return choose(statistic, finding, self._options)

    def _taken_by(self, made: Any, schema: ColumnSchema, statistic: Any, kind: str, why: str, who: str) -> Choice:
        """What another transformer makes of a column."""
        if not isinstance(statistic, Fitted) or type(statistic.made) is not type(made):
            rule = f"column {schema.name!r} must have been learned by {type(made).__name__}"
            raise PrepError.of(who, rule, type(statistic).__name__)
        found = statistic.encoder(schema.name, who)
        about = {"kind": kind, "why": why, "action": repr(made), "taken": statistic}
        return Choice(schema.name, found.suffixes, found.formulas, found.reading, **about)

    def _publish(self) -> None:
        encoders: Any = self.encoders_
        self.kinds_ = {encoder.name: encoder.kind for encoder in encoders}
        self.vocabulary_sizes_ = {e.name: e.vocabulary for e in encoders if e.vocabulary}
        self._check_named("TablePrep.fit")
        if "numbers" in self.vocabulary_sizes_:
            rule = "column 'numbers' gives indices, and so is called the matrix of all that are numbers"
            raise PrepError.of("TablePrep.fit", rule, fix="Rename it.", column="numbers")

    def _need_columns(self, who: str) -> None:
        if not self.n_features_out_:
            n, encoders = self.schema_[0].n, self.encoders_
            rows = "1 sample" if n == 1 else f"{n} rows"
            found = ", ".join(f"{e.name!r}: {e.kind} ({e.why})" for e in encoders[:5])  # type: ignore[union-attr]
            del self.schema_  # what could not learn is not fitted
            raise PrepError.of(who, "a column to learn from is needed", f"{rows}; {found}", "Give kinds= to keep one.")

    def _warn(self, who: str) -> None:
        for encoder in self.encoders_:
            told = TOLD.get(encoder.kind)  # type: ignore[union-attr]
            if told:
                text = f"{who}: column {encoder.name!r} is dropped; got {encoder.why}. {told}"  # type: ignore[union-attr]
                warnings.warn(text, UserWarning, stacklevel=3)

    # ---- giving ----------------------------------------------------------------------------------------------------

    def _dtype(self, X: Any) -> np.dtype:
        return np.dtype(np.float32)

    def _categories(self, place: int) -> Mapping[str, int] | bool | None:
        encoder: Any = self.encoders_[place]
        counted: Any = getattr(self.statistics_[place], "part", None)
        if encoder.kind == "categorical" and isinstance(counted, Counts):
            return counted.times
        return None if encoder.kind in ("categorical", "boolean") else super()._categories(place)

    def _computes(self) -> bool:
        return self.output == "matrix"

    def _give(self, table: Table, positions: Sequence[int], X: Any, who: str) -> Any:
        if self.output == "matrix":
            return super()._give(table, positions, X, who)
        numbers, indices = self._inputs
        width = sum(len(encoder.suffixes) for _, encoder in numbers)
        matrix = np.zeros((table.n_rows, width), np.float32)
        found = {encoder.name: np.zeros((table.n_rows, 1), np.int32) for _, encoder in indices}
        first, parts = 0, []
        for i, encoder in numbers:
            parts.append((encoder, table.column(positions[i]), first))
            first += len(encoder.suffixes)
        write(parts, matrix, who)
        for i, encoder in indices:
            write([(encoder, table.column(positions[i]), 0)], found[encoder.name], who)
        return {"numbers": matrix} | {name: codes[:, 0] for name, codes in found.items()}

    def _give_one(self, X: Any, who: str) -> Any:
        if self.output == "matrix":
            return self._one_row(X, np.dtype(np.float32), who)
        row = self._one_row(X, np.dtype(np.float64), who)
        if row is None:
            return None
        numbers, indices = self._inputs
        places = [place for i, _ in numbers for place in range(*self.spans_[i])]
        codes = {encoder.name: row[:, self.spans_[i][0]].astype(np.int32) for i, encoder in indices}
        return {"numbers": row[:, places].astype(np.float32)} | codes

    @property
    def _inputs(self) -> tuple[list[tuple[int, Choice]], list[tuple[int, Choice]]]:
        """The columns that give numbers and those that give indices, each with its place among the columns of fit."""
        used: list[Any] = [(i, encoder) for i, encoder in enumerate(self.encoders_) if encoder.suffixes]
        return [one for one in used if not one[1].vocabulary], [one for one in used if one[1].vocabulary]

    # ---- telling ---------------------------------------------------------------------------------------------------

    def describe(self) -> list[ColumnReport]:
        """One `ColumnReport` per column of the table, in its order."""
        self._need_fit("TablePrep.describe")
        names = distinct(self._names([one.name for one in self.schema_]))
        encoders: Any = self.encoders_
        return [
            ColumnReport(e.name, e.kind, one.missing, e.categories, e.action, e.why, tuple(names[start:stop]))
            for e, one, (start, stop) in zip(encoders, self.schema_, self.spans_, strict=True)
        ]

    def _repr_html_(self) -> str:
        """For notebooks: what each column is and becomes; before fit what scikit-learn shows."""
        if not self.__sklearn_is_fitted__():
            return super()._repr_html_inner()
        return html_table(self.describe(), repr(self))

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        asked = get_config()["display"] == "diagram"
        return {"text/plain": repr(self)} | ({"text/html": self._repr_html_()} if asked else {})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        takers = [*(self.columns or {}).values(), self.high_cardinality]
        tags.target_tags.required = any(get_tags(t).target_tags.required for t in takers if isinstance(t, ColumnWise))
        return tags


def _read(table: Table) -> Table:
    """The table with columns that are read once, however often they are asked for."""
    columns = [table.column(i) for i in range(len(table.names))]
    return Table(table.names, table.n_rows, columns, lambda name, column: column, table.named, table.text_names)
