"""The base of transformers that learn column by column: `ColumnWise`, and `Invertible` for those that go back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import accumulate, pairwise
from typing import Any, ClassVar, Self

import numpy as np

from .columns import Column, as_numbers
from .encoder import Encoder, Replacer, blocks_of, write
from .errors import PrepError, StateError, quote
from .evaluation import evaluate
from .frame import Table, contain, open_row, open_table
from .rows import OneRow
from .schema import ColumnSchema
from .settings import OURS
from .state import demand, read_fields
from .statistics import Counts, Statistic, read_statistic
from .threads import each
from .transformer import Transformer

__all__ = ["ColumnWise", "Invertible"]


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

    def _beside(self, columns: Sequence[Column], y: Any, who: str) -> Any:
        """What each column is learned with, as `Statistic.update` takes it: the target, unless a subclass has more."""
        return self._target(y, len(columns[0].values), who)

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
        beside = self._beside(columns, y, who)
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
        beside = self._beside(columns, y, who)
        before = dict(self.__dict__)
        self.statistics_, self.schema_ = deepcopy((self.statistics_, self.schema_))
        try:
            for one, statistic, column in zip(self.schema_, self.statistics_, columns, strict=True):
                statistic.update(self._seen(column, who), beside, who)
                one.update(column)
            self._settle(self.statistics_, self.schema_, who)
        except BaseException:  # rows that can not be learned from, or an interruption, leave it as it was
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
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
