"""`SimpleImputer`: one value per column in place of missing ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from ..column_wise import ColumnWise
from ..columns import Column
from ..encoder import Encoder, Replacer
from ..errors import PrepError, nearest
from ..formula import is_missing, number, where
from ..params import flags
from ..readings import Booleans, Gaps, Numbers
from ..schema import ColumnSchema
from ..statistics import Counts, Moments, Quantiles, Statistic
from .filling import INDICATOR, fill_of, replaced, ticks_of

__all__ = ["STRATEGIES", "SimpleImputer"]

STRATEGIES = ("mean", "median", "most_frequent", "constant")


class SimpleImputer(ColumnWise):
    """One value per column in place of missing ones; numbers, booleans, text and dates may stand side by side.

    Equals scikit-learn's of that name for numbers, and for text with "most_frequent" and "constant".

    Parameters
    ----------
    strategy : str, or dict from column name to one, default "mean"
        "mean", "median", "most_frequent" (of several the least), "constant". Text and booleans take the most frequent
        value in place of a mean or median. A column that the dict does not name takes the mean.
    fill_value : number or str, or dict from column name to one, default None
        For "constant"; None is 0 for numbers and booleans, "missing_value" for text. Dates are given in ISO 8601.
    add_indicator : bool, default False
        Whether a column of 0 and 1, `missingindicator_<name>`, is added behind for each that missed values at fit.
    keep_empty_features : bool, default False
        Whether a column that was all missing at fit stays, as 0 ("missing_value" for text); otherwise it is dropped.

    Attributes
    ----------
    statistics_ : tuple, what was learned; fill_values_ : tuple, the value for each column (None where it is dropped)

    Examples
    --------
    >>> from brickwork.prep import SimpleImputer
    >>> SimpleImputer().fit_transform([[1.0], [None], [3.0]]).tolist()
    [[1.0], [2.0], [3.0]]
    >>> SimpleImputer().fit_transform({"size": [1.0, None, 3.0], "city": ["Ulm", "Ulm", None]}).tolist()
    [[1.0, 'Ulm'], [2.0, 'Ulm'], [3.0, 'Ulm']]
    """

    STATISTICS: ClassVar = (Moments, Quantiles, Counts)

    def __init__(
        self,
        strategy: str | Mapping[str, str] = "mean",
        *,
        fill_value: Any = None,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
    ):
        self.strategy = strategy
        self.fill_value = fill_value
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features

    def _check_params(self, who: str) -> None:
        flags(who, add_indicator=self.add_indicator, keep_empty_features=self.keep_empty_features)
        given = self.strategy.values() if isinstance(self.strategy, Mapping) else (self.strategy,)
        for strategy in given:
            if strategy not in STRATEGIES:
                got = f"{strategy!r}{nearest(strategy, STRATEGIES)}"
                raise PrepError.of(who, f"strategy must be one of {', '.join(STRATEGIES)}", got)

    def _strategy(self, name: str, form: str) -> str:
        asked = self.strategy.get(name, "mean") if isinstance(self.strategy, Mapping) else self.strategy
        return "most_frequent" if form in ("text", "boolean") and asked != "constant" else asked

    def _gather(self, column: Column, who: str) -> Statistic:
        match self._strategy(column.name, column.form):
            case "mean":
                return Moments()
            case "median":
                return Quantiles((0.5,))
        return Counts()

    def _seen(self, column: Column, who: str) -> Column:
        return ticks_of(column)

    def _learn(self, table: Any, columns: Sequence[Column], y: Any, who: str) -> None:
        for given in (self.strategy, self.fill_value):
            if isinstance(given, Mapping) and (odd := [name for name in given if name not in table.names]):
                got = f"{odd[0]!r}{nearest(odd[0], table.names)}"
                raise PrepError.of(who, "strategy and fill_value name columns of the table", got)
        super()._learn(table, columns, y, who)

    def _fill(self, schema: ColumnSchema, statistic: Any, who: str) -> Any:
        """The value for missing ones, as the column's formula or array takes it; None where the column is dropped."""
        form, constant = schema.form, self._strategy(schema.name, schema.form) == "constant"
        if constant:
            given = self.fill_value
            given = given.get(schema.name) if isinstance(given, Mapping) else given
            return fill_of(form, given, schema.name, who)
        if schema.missing == schema.n:
            return fill_of(form, None, schema.name, who) if self.keep_empty_features else None
        if isinstance(statistic, Moments):
            return statistic.mean
        if isinstance(statistic, Quantiles):
            return statistic.at(0.5)
        most = max(statistic.times.values())
        common = [text for text, count in statistic.times.items() if count == most]
        if form == "text":
            return min(common)
        return float(common[0] == "True") if form == "boolean" and len(common) == 1 else _least(form, common)

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder | Replacer:
        fill = self._fill(schema, statistic, who)
        flagged = self.add_indicator and schema.missing > 0
        if fill is None:
            return Encoder(schema.name, (INDICATOR,) * flagged, (number(),) * flagged, Gaps())
        suffixes = ("", INDICATOR) if flagged else ("",)
        if schema.form in ("text", "datetime"):
            give = partial(replaced, form=schema.form, fill=fill, flagged=flagged)
            return Replacer(schema.name, suffixes, give)
        x = number()
        formulas = (where(is_missing(x), fill, x), is_missing(x))[: len(suffixes)]
        return Encoder(schema.name, suffixes, formulas, Booleans() if schema.form == "boolean" else Numbers())

    def _order(self) -> Sequence[int] | None:
        suffixes = [suffix for encoder in self.encoders_ for suffix in encoder.suffixes]
        last = [place for place, suffix in enumerate(suffixes) if suffix == INDICATOR]
        return [place for place, suffix in enumerate(suffixes) if suffix != INDICATOR] + last if last else None

    def _name(self, name: str, suffix: str) -> str:
        return f"{suffix}_{name}" if suffix else name

    def _publish(self) -> None:
        who = self._who("fit")
        self.fill_values_ = tuple(
            self._fill(schema, statistic, who) for schema, statistic in zip(self.schema_, self.statistics_, strict=True)
        )


def _least(form: str, texts: Sequence[str]) -> float:
    return min(float(text == "True") if form == "boolean" else float(text) for text in texts)
