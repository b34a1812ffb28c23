"""The bases of all transformers: `Transformer` knows tables, names and states, `ColumnWise` learns column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError

from .columns import Column, as_numbers
from .drift import DriftLimits, DriftReport, compare
from .encoder import Encoder, Replacer, blocks_of, write
from .errors import PrepError, StateError, quote
from .formula import evaluate
from .frame import Table, contain, open_row, open_table
from .matching import find_columns
from .rows import OneRow
from .schema import ColumnSchema
from .settings import OURS, known_params, output_of, plain, read_output
from .state import VERSION, demand, read_fields, read_version
from .statistics import Counts, Statistic, read_statistic
from .threads import each

__all__ = ["ColumnWise", "Invertible", "Transformer"]


class Transformer(TransformerMixin, BaseEstimator):
    """Any table in, numbers or columns out, in scikit-learn's conventions; fitted state is plain data.

    Columns are matched by name where both tables have names: order is free, extra columns are ignored, and one that is
    missing is an error that names it. Arrays are matched by position.

    A subclass gives `_check_params`, `_learn`, `_give`, `_names`, and for its state `_learned` and `_restore`.

    Attributes
    ----------
    n_features_in_, feature_names_in_ : as in scikit-learn; the latter only for tables whose names are all text
    schema_ : tuple of `ColumnSchema`, what each column was at fit
    """

    schema_: tuple[ColumnSchema, ...]
    n_features_in_: int

    # ---- what a subclass gives -------------------------------------------------------------------------------------

    def _check_params(self, who: str) -> None:
        """PrepError where a parameter of the constructor is not one that fit can use."""

    def _learn(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> None:
        """Sets the fitted attributes from all columns of a table and the target as it was given; `schema_` is set."""
        raise NotImplementedError

    def _give(self, table: Table, positions: Sequence[int], X: Any, who: str) -> Any:
        """What transform returns."""
        raise NotImplementedError

    def _names(self, names: Sequence[str]) -> list[str]:
        """The names of what comes out, of columns that are called `names`."""
        raise NotImplementedError

    def _learned(self) -> dict[str, Any]:
        """What `_learn` set, as plain data."""
        raise NotImplementedError

    def _restore(self, learned: Any, where: str) -> None:
        """Sets what `_learn` sets, from plain data that is not to be trusted; StateError where it does not fit."""
        raise NotImplementedError

    # ---- what it gets ----------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learns from a table of n rows (and the target y, where the transformer takes one)."""
        who = self._who("fit")
        self._check_params(who)
        self._fit_table(open_table(X, who), y, who)
        return self

    def _fit_table(self, table: Table, y: Any, who: str) -> None:
        width = len(table.names)
        columns = [table.column(i) for i in range(width)]
        schema = [ColumnSchema(name, column.form) for name, column in zip(table.names, columns, strict=True)]
        each(lambda i: schema[i].update(columns[i]), range(width), table.n_rows * width)
        self._set_schema(schema, table.named, table.named and table.text_names)
        try:
            self._learn(table, columns, y, who)
        except BaseException:
            del self.schema_  # what could not learn is not fitted
            raise

    def transform(self, X: Any) -> Any:
        """The table (n rows) as fit learned to give it: (n, number of names out)."""
        who = self._who("transform")
        self._need_fit(who)
        found = self._give_one(X, who)
        if found is not None:
            return found
        table = open_table(X, who)
        return self._give(table, self._positions_in(table, who), X, who)

    def _give_one(self, X: Any, who: str) -> Any:
        """What transform returns of a table of one row, by a shorter way; None where there is none."""
        return None

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Object array of the names of what comes out.

        `input_features` may name the columns of an array; where names were seen at fit it must equal them.
        """
        who = self._who("get_feature_names_out")
        self._need_fit(who)
        names = [one.name for one in self.schema_]
        if input_features is not None:
            given = [str(name) for name in input_features]
            if hasattr(self, "feature_names_in_") and given != names:
                raise PrepError.of(who, "input_features is not equal to feature_names_in_", quote(given))
            if len(given) != len(names):
                rule = f"input_features should have length equal to number of features ({len(names)})"
                raise PrepError.of(who, rule, str(len(given)))
            names = given
        return np.array(distinct(self._names(names)), dtype=object)

    def _categories(self, place: int) -> Mapping[str, int] | bool | None:
        """How often each category of a column was seen; False for text that is not categories, None where unknown."""
        return None

    def drift(self, X: Any, *, limits: DriftLimits | None = None) -> DriftReport:
        """How far the columns of a table have moved from what fit saw: print it, or look at `drifted` and `columns`.

        Nothing is refused: a column that is gone or of another form is reported as such. Measures and their limits:
        `DriftLimits`. A measure beyond its limit counts only where chance does not explain it, so few rows tell little.
        """
        who = self._who("drift")
        self._need_fit(who)
        table = open_table(X, who)
        places = {name: i for i, name in enumerate(table.names)}
        if not (self.named_ and table.named):
            places = {one.name: i for one, i in zip(self.schema_, self._positions_in(table, who), strict=True)}
        columns = [table.column(places[one.name]) if one.name in places else None for one in self.schema_]
        known = [self._categories(place) for place in range(len(columns))]
        extra = [name for name in table.names if table.named and name not in {one.name for one in self.schema_}]
        return compare(self.schema_, columns, known, extra, limits or DriftLimits())

    def to_state(self) -> dict[str, Any]:
        """The fitted transformer as a dict that `json` can write; `from_state` of it transforms bit by bit alike."""
        who = self._who("to_state")
        self._need_fit(who)
        return {
            "type": type(self).__name__,
            "version": VERSION,
            "params": {name: plain(value, f"{who}.{name}") for name, value in self.get_params(deep=False).items()},
            "output": output_of(self),
            "named": self.named_,
            "text_names": hasattr(self, "feature_names_in_"),
            "schema": [one.to_state() for one in self.schema_],
            "learned": self._learned(),
        }

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """The transformer of a state. StateError where the state is damaged; nothing in a state can execute."""
        where = f"{cls.__name__}.from_state"
        read_version(state, cls.__name__, where)
        head = {"type": "str", "version": "int", "params": "dict", "named": "bool", "text_names": "bool"}
        values = read_fields(state, head | {"output": "any", "schema": "tuple[any, ...]", "learned": "any"}, where)
        made = cls(**known_params(cls, values["params"], where))
        try:
            made._check_params(where)
        except PrepError as cause:
            raise StateError(str(cause)) from None
        read_output(values["output"], made, where)
        schema = [ColumnSchema.from_state(one, f"{where}.schema[{i}]") for i, one in enumerate(values["schema"])]
        names = [one.name for one in schema]
        demand(len(set(names)) == len(names) > 0, where, "columns must be there and differ in name", names)
        demand(values["named"] or not values["text_names"], where, "text_names needs named", values["text_names"])
        made._set_schema(schema, values["named"], values["text_names"])
        made._restore(values["learned"], f"{where}.learned")
        return made

    # ---- what both share -------------------------------------------------------------------------------------------

    def _who(self, method: str) -> str:
        return f"{type(self).__name__}.{method}"

    def _set_schema(self, schema: Sequence[ColumnSchema], named: bool, text_names: bool) -> None:
        self.schema_, self.named_, self.n_features_in_ = tuple(schema), named, len(schema)
        if text_names:
            self.feature_names_in_ = np.array([one.name for one in schema], dtype=object)
        else:
            self.__dict__.pop("feature_names_in_", None)

    def _needs(self) -> Sequence[bool]:
        """For each column of fit, whether transform needs it."""
        return [True] * len(self.schema_)

    def _positions_in(self, table: Table, who: str) -> list[int]:
        """Where each column of fit stands in this table; -1 for one that is not there and not needed."""
        return self._positions_of(table, self._needs(), who)

    def _positions_of(self, table: Table, needs: Sequence[bool], who: str) -> list[int]:
        names = [one.name for one in self.schema_]
        return find_columns(table, names, needs, self.named_, type(self).__name__, who)

    def _need_fit(self, who: str) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(f"{who}: this {type(self).__name__} is not fitted yet. Call fit first.")

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "schema_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.input_tags.dict = True
        return tags


class ColumnWise(Transformer):
    """A transformer that learns a statistic of each column by itself, and whose statistics merge.

    A subclass gives `_gather`, a new statistic for a column, and `_encoder`, what a statistic makes of the column.
    Where it takes a target, `_target` reads it for the statistics' `update`.

    Attributes
    ----------
    statistics_ : tuple of `Statistic`, one per column: all that was learned
    n_samples_seen_ : int
    """

    STATISTICS: ClassVar[tuple[type[Statistic], ...]] = ()
    """What a state may hold as statistics; empty for any."""

    statistics_: tuple[Statistic, ...]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.startswith(f"{__package__}."):
            OURS[cls.__name__] = cls

    def _gather(self, column: Column, who: str) -> Statistic:
        """An empty statistic for a column like this one."""
        raise NotImplementedError

    def _encoder(self, schema: ColumnSchema, statistic: Statistic, who: str) -> Encoder | Replacer:
        """What becomes of a column, from what was learned of it."""
        raise NotImplementedError

    def _target(self, y: Any, n_rows: int, who: str) -> Any:
        """The target as `Statistic.update` takes it."""
        return None

    def _beside(self, table: Table, y: Any, who: str) -> Any:
        """What each column is learned with, as `Statistic.update` takes it: the target, unless a subclass has more."""
        return self._target(y, table.n_rows, who)

    def _categories(self, place: int) -> Mapping[str, int] | bool | None:
        encoder, statistic = self.encoders_[place], self.statistics_[place]
        if isinstance(encoder, Encoder) and encoder.reading.kind in ("number", "datetime"):
            return False if self.schema_[place].form == "text" else None
        return statistic.times if isinstance(statistic, Counts) else None

    def _computes(self) -> bool:
        """Whether what comes out is the formulas of single columns side by side, so that it has a program."""
        return type(self)._give is ColumnWise._give

    def _seen(self, column: Column, who: str) -> Column:
        """The column as its statistic takes it."""
        return column

    def _order(self) -> Sequence[int] | None:
        """The order of what comes out, where it is not that of the columns."""
        return None

    def _publish(self) -> None:
        """Sets fitted attributes that users of scikit-learn look for (`mean_`, `categories_`, ...), from statistics."""

    def _learn(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> None:
        beside = self._beside(table, y, who)
        statistics = [self._gather(column, who) for column in columns]
        pairs = list(zip(statistics, columns, strict=True))
        each(lambda pair: pair[0].update(self._seen(pair[1], who), beside, who), pairs, table.n_rows * len(pairs))
        self._settle(statistics, self.schema_, who)

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Adds the rows of a table to what was learned; the first call is `fit`."""
        who = self._who("partial_fit")
        if not self.__sklearn_is_fitted__():
            return self.fit(X, y)
        self._check_params(who)
        table = open_table(X, who)
        # What gives nothing so far may do so yet.
        positions = self._positions_of(table, [True] * len(self.schema_), who)
        columns = [table.column(i) for i in positions]
        beside = self._beside(table, y, who)
        for one, statistic, column in zip(self.schema_, self.statistics_, columns, strict=True):
            statistic.update(self._seen(column, who), beside, who)
            one.update(column)
        self._settle(self.statistics_, self.schema_, who)
        return self

    def merge(self, *others: Self) -> Self:
        """Adds what others, fitted on other rows of the same columns, have learned."""
        who = self._who("merge")
        self._need_fit(who)
        for other in others:
            other._need_fit(who)
            names, theirs = ([one.name for one in t.schema_] for t in (self, other))
            if type(other) is not type(self) or names != theirs:
                got = f"{type(other).__name__} of {quote(theirs)} beside {type(self).__name__} of {quote(names)}"
                raise PrepError.of(who, "transformers to merge are of one type and of the same columns", got)
            for mine, one in zip(self.statistics_, other.statistics_, strict=True):
                mine.merge(one)
            for own, seen in zip(self.schema_, other.schema_, strict=True):
                own.merge(seen)
        self._settle(self.statistics_, self.schema_, who)
        return self

    def _settle(self, statistics: Sequence[Statistic], schema: Sequence[ColumnSchema], who: str) -> None:
        """Derives everything else from the statistics."""
        self.statistics_ = tuple(statistics)
        self.encoders_ = tuple(self._encoder(o, s, who) for o, s in zip(schema, statistics, strict=True))
        stops = list(accumulate((len(encoder.suffixes) for encoder in self.encoders_), initial=0))
        self.spans_ = tuple(pairwise(stops))
        self.n_features_out_ = stops[-1]
        numbers = [encoder for encoder in self.encoders_ if isinstance(encoder, Encoder)]
        whole = len(numbers) == len(schema)
        self._row = OneRow([one.name for one in schema], numbers, stops[-1]) if whole else None
        self._publish()

    @property
    def n_samples_seen_(self) -> int:
        """How many rows were learned from."""
        self._need_fit(self._who("n_samples_seen_"))
        return self.schema_[0].n

    def _needs(self) -> Sequence[bool]:
        return [bool(encoder.suffixes) for encoder in self.encoders_]

    def _give(self, table: Table, positions: Sequence[int], X: Any, who: str) -> Any:
        order = self._order()
        if any(isinstance(encoder, Replacer) for encoder in self.encoders_):
            blocks = []
            for encoder, position in zip(self.encoders_, positions, strict=True):
                if encoder.suffixes:
                    blocks += blocks_of(encoder, table.column(position), who)
            blocks = blocks if order is None else [blocks[i] for i in order]
            return contain(blocks, self.get_feature_names_out().tolist(), X, self)
        out = np.zeros((table.n_rows, self.n_features_out_), dtype=self._dtype(X))
        used: list[Any] = [
            (encoder, position, start)
            for encoder, (start, stop), position in zip(self.encoders_, self.spans_, positions, strict=True)
            if stop > start
        ]
        write([(encoder, table.column(position), start) for encoder, position, start in used], out, who)
        return out if order is None else out[:, list(order)]

    def _give_one(self, X: Any, who: str) -> Any:
        if type(self)._give is not ColumnWise._give:  # a subclass that gives something else gives it for one row too
            return None
        found, order = self._one_row(X, self._dtype(X), who), self._order()
        return found if found is None or order is None else found[:, list(order)]

    def _one_row(self, X: Any, dtype: np.dtype, who: str) -> np.ndarray | None:
        """(1, n_features_out_) of a table of one row; None where the short way does not lead there."""
        row = open_row(X) if self.named_ and self._row is not None else None
        if row is None or self._row is None:
            return None
        try:
            return self._row(row.values, dtype, who)
        except KeyError:  # a column that is not there, which the longer way tells of
            return None

    def _dtype(self, X: Any) -> np.dtype:
        """Of what comes out: float32 of float32 arrays, else float64."""
        return np.dtype(np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64)

    def _names(self, names: Sequence[str]) -> list[str]:
        found = [
            self._name(name, suffix)
            for name, encoder in zip(names, self.encoders_, strict=True)
            for suffix in encoder.suffixes
        ]
        order = self._order()
        return found if order is None else [found[i] for i in order]

    def _name(self, name: str, suffix: str) -> str:
        """What comes out of a column is called so."""
        return f"{name}_{suffix}" if suffix else name

    def _learned(self) -> dict[str, Any]:
        return {"statistics": [statistic.to_state() for statistic in self.statistics_]}

    def _restore(self, learned: Any, where: str) -> None:
        states = read_fields(learned, {"statistics": "tuple[any, ...]"}, where)["statistics"]
        demand(len(states) == len(self.schema_), where, "statistics must be as many as columns", len(states))
        statistics = [read_statistic(s, f"{where}[{i}]", *self.STATISTICS) for i, s in enumerate(states)]
        try:
            self._settle(statistics, self.schema_, where)
        except PrepError as cause:
            raise StateError(str(cause)) from None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class Invertible(ColumnWise):
    """A `ColumnWise` whose encoders have an `inverse`."""

    def inverse_transform(self, X: Any) -> np.ndarray:
        """The columns of fit (n, n_features_in_) again, of what transform gave (n, n_features_out_)."""
        who = self._who("inverse_transform")
        self._need_fit(who)
        table = open_table(X, who)
        if len(table.names) != self.n_features_out_:
            rule = f"what transform gave has {self.n_features_out_} columns"
            raise PrepError.of(who, rule, str(len(table.names)))
        out = np.empty((table.n_rows, self.n_features_in_), dtype=self._dtype(X))
        encoders: Any = self.encoders_
        for place, (encoder, (start, stop)) in enumerate(zip(encoders, self.spans_, strict=True)):
            given = [as_numbers(table.column(i), who) for i in range(start, stop)]
            with np.errstate(all="ignore"):
                (out[:, place],) = evaluate([encoder.inverse], given)
        return out


def distinct(names: Sequence[str]) -> list[str]:
    """The names, one that comes a second time with a number behind it."""
    taken: set[str] = set()
    free = []
    for name in names:
        one, number = name, 2
        while one in taken:
            one, number = f"{name}_{number}", number + 1
        taken.add(one)
        free.append(one)
    return free
