"""The base of all transformers: it knows tables, names, schema, states and drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import TransformerMixin

from .columns import Column
from .drift import DriftLimits, DriftReport, compare
from .errors import PrepError, StateError, quote
from .frame import Table, open_table
from .matching import find_columns
from .schema import ColumnSchema
from .settings import known_params, output_of, plain, read_output
from .state import VERSION, demand, read_fields, read_version
from .stateful import Stateful
from .threads import each

__all__ = ["Transformer", "distinct"]


class Transformer(TransformerMixin, Stateful):
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

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "schema_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.input_tags.dict = True
        return tags


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
