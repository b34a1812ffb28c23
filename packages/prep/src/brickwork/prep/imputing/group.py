"""`GroupImputer`: the value of a row's group in place of missing ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..columns import Column, as_datetimes, as_numbers, as_texts
from ..errors import PrepError, SchemaError, nearest
from ..frame import contain
from ..params import choice
from ..schema import ColumnSchema
from ..state import demand, read, read_fields
from ..transformer import Transformer
from .filling import fill_of, filled_text, ticks_of

__all__ = ["GroupImputer"]


class GroupImputer(Transformer):
    """Missing values become the mean, median or most frequent value of the row's group.

    A group is the rows that share the values of the columns `by` (a missing one is a value of its own). Where a group
    was not seen at fit, or saw no value, that of all rows is taken. Text and booleans take the most frequent value
    (of several the least) in place of a mean or median. Columns `by` come out as they are.

    Parameters
    ----------
    by : column name or position, or a list of these, default 0
    strategy : "mean", "median" or "most_frequent", default "mean"

    Attributes
    ----------
    by_ : tuple of column names
    groups_ : dict from a group's values (tuple of str or None) to its number
    fills_ : dict from column name to the list of the groups' values, that of all rows at its end

    Examples
    --------
    >>> from brickwork.prep import GroupImputer
    >>> table = {"kind": ["a", "a", "b", "b", "a"], "size": [1.0, 3.0, 10.0, 12.0, None]}
    >>> GroupImputer("kind").fit_transform(table).tolist()[-1]
    ['a', 2.0]
    """

    def __init__(self, by: Any = 0, *, strategy: str = "mean"):
        self.by = by
        self.strategy = strategy

    def _check_params(self, who: str) -> None:
        choice(who, ("mean", "median", "most_frequent"), strategy=self.strategy)

    def _learn(self, table: Any, columns: Sequence[Column], y: Any, who: str) -> None:
        self.by_ = _chosen(self.by, table.names, who)
        keys = self._keys([column for column in columns if column.name in self.by_], who)
        self.groups_: dict[tuple[str | None, ...], int] = {}
        number = self.groups_.setdefault
        codes = np.array([number(key, len(self.groups_)) for key in keys[0]], np.int64)[keys[1]]
        self.fills_ = {
            column.name: self._fills(column, codes, who) for column in columns if column.name not in self.by_
        }

    def _keys(self, by: Sequence[Column], who: str) -> tuple[list[tuple[str | None, ...]], np.ndarray]:
        """The distinct values of the columns that groups are made by, and which of them each row has."""
        read = [as_texts(column, who) for column in by]
        stacked = np.stack([codes for codes, _ in read], axis=1)
        distinct, place = np.unique(stacked, axis=0, return_inverse=True)
        words = [[*vocabulary, None] for _, vocabulary in read]
        keys = [tuple(w[code] for w, code in zip(words, row, strict=True)) for row in distinct.tolist()]
        return keys, place.reshape(-1)

    def _fills(self, column: Column, groups: np.ndarray, who: str) -> list[Any]:
        """The value of each group (None where it has none), and at the end that of all rows."""
        k = len(self.groups_)
        if column.form == "text":
            codes, vocabulary = as_texts(column, who)
            order = sorted(range(len(vocabulary)), key=vocabulary.__getitem__)
            rank = np.empty(len(vocabulary) + 1, np.int64)
            rank[[*order, -1]] = [*range(len(vocabulary)), -1]
            names: list[Any] = [vocabulary[i] for i in order]
            return [None if found < 0 else names[found] for found in _modes(rank[codes], groups, k)]
        values = as_numbers(ticks_of(column), who)
        present = ~np.isnan(values)
        distinct, codes = np.unique(values[present], return_inverse=True)
        if self.strategy == "most_frequent" or column.form == "boolean":
            found = _modes(codes.reshape(-1), groups[present], k)
            return [None if place < 0 else float(distinct[place]) for place in found]
        middle = _means if self.strategy == "mean" else _medians
        return [None if np.isnan(v) else v for v in middle(values[present], groups[present], k).tolist()]

    def _give(self, table: Any, positions: Sequence[int], X: Any, who: str) -> Any:
        columns = {one.name: table.column(p) for one, p in zip(self.schema_, positions, strict=True)}
        keys, place = self._keys([columns[name] for name in columns if name in self.by_], who)
        codes = np.array([self.groups_.get(key, len(self.groups_)) for key in keys], np.int64)[place]
        blocks = [self._filled(one, columns[one.name], codes, who) for one in self.schema_]
        return contain(blocks, [one.name for one in self.schema_], X, self)

    def _filled(self, one: ColumnSchema, column: Column, codes: np.ndarray, who: str) -> np.ndarray:
        fills = self.fills_.get(one.name)
        if fills is not None and fills[-1] is None:
            fills = [fill_of(one.form, None, one.name, who)]  # a column that was all missing
            codes = np.zeros_like(codes)
        if fills is not None:
            fills = [fills[-1] if fill is None else fill for fill in fills]
        match one.form:
            case "text":
                values = filled_text(column, None, who)  # type: ignore[arg-type]
                return values if fills is None else np.where(column.missing, np.array(fills, object)[codes], values)
            case "datetime":
                moments = as_datetimes(column, who, "iso")
                if fills is None:
                    return moments
                return np.where(
                    np.isnat(moments), np.array(fills).astype(np.int64).view("datetime64[us]")[codes], moments
                )
        values = as_numbers(column, who)
        return values if fills is None else np.where(np.isnan(values), np.array(fills, np.float64)[codes], values)

    def _names(self, names: Sequence[str]) -> list[str]:
        return list(names)

    def _learned(self) -> dict[str, Any]:
        return {
            "by": list(self.by_),
            "groups": [list(key) for key in self.groups_],
            "fills": [[name, fills] for name, fills in self.fills_.items()],
        }

    def _restore(self, learned: Any, where: str) -> None:
        kinds = {"by": "tuple[str, ...]", "groups": "tuple[any, ...]", "fills": "tuple[any, ...]"}
        values = read_fields(learned, kinds, where)
        forms = {one.name: one.form for one in self.schema_}
        self.by_ = values["by"]
        demand(0 < len(set(self.by_)) == len(self.by_), where, "by must name columns", self.by_)
        groups = [tuple(read(group, "tuple[optional str, ...]", where)) for group in values["groups"]]
        demand(all(len(group) == len(self.by_) for group in groups), where, "a group has a value for each by", groups)
        self.groups_ = {group: place for place, group in enumerate(groups)}
        demand(len(self.groups_) == len(groups), where, "groups must differ", len(groups))
        pairs = [read(pair, "tuple[any, ...]", where) for pair in values["fills"]]
        demand(all(len(pair) == 2 and isinstance(pair[0], str) for pair in pairs), where, "fills are pairs", pairs)
        self.fills_ = {}
        for name, fills in pairs:
            kind = "optional str" if forms.get(name) == "text" else "optional float"
            self.fills_[name] = list(read(fills, f"tuple[{kind}, ...]", f"{where}.fills"))
            demand(len(self.fills_[name]) == len(groups) + 1, where, "fills must be as many as groups and one", name)
        named = sorted([*self.by_, *self.fills_])
        demand(named == sorted(forms), where, "by and fills must name all columns", named)


def _chosen(by: Any, names: Sequence[str], who: str) -> tuple[str, ...]:
    given = list(by) if isinstance(by, (list, tuple)) else [by]
    chosen = []
    for one in given:
        position = isinstance(one, (int, np.integer)) and not isinstance(one, bool) and -1 < one < len(names)
        name = names[one] if position and one not in names else one
        if name not in names:
            fix = "Name a column, or give its position."
            raise SchemaError.of(who, "by must name columns of the table", f"{one!r}{nearest(one, names)}", fix)
        chosen.append(name)
    if not chosen or len(set(chosen)) < len(chosen):
        raise PrepError.of(who, "by must name columns, each once", repr(by))
    return tuple(name for name in names if name in chosen)


def _means(values: np.ndarray, groups: np.ndarray, k: int) -> np.ndarray:
    counts = np.bincount(groups, minlength=k)
    means = np.full(k + 1, np.nan)
    if len(values):
        largest = float(np.abs(values).max())
        unit = largest if largest > 1e300 else 1.0  # a sum of such would overflow
        sums = np.bincount(groups, weights=values / unit, minlength=k)
        with np.errstate(invalid="ignore", divide="ignore"):
            means[:k] = sums / counts * unit
        means[k] = (values / unit).mean() * unit
    return means


def _medians(values: np.ndarray, groups: np.ndarray, k: int) -> np.ndarray:
    order = np.lexsort((values, groups))
    ranked, counts = values[order], np.bincount(groups, minlength=k)
    starts = np.cumsum(counts) - counts
    medians = np.full(k + 1, np.nan)
    held = np.flatnonzero(counts)
    low, high = (ranked[starts[held] + (counts[held] - 1 + upper) // 2] for upper in (0, 1))
    medians[held] = low / 2 + high / 2
    if len(values):
        whole = np.sort(values)
        medians[k] = whole[(len(whole) - 1) // 2] / 2 + whole[len(whole) // 2] / 2
    return medians


def _modes(codes: np.ndarray, groups: np.ndarray, k: int) -> list[int]:
    """The most frequent code (of several the least; -1 where there is none) of each group, and of all rows."""
    present = codes >= 0
    codes, groups = codes[present], groups[present]
    found = [-1] * (k + 1)
    if len(codes):
        pairs, counts = np.unique(np.stack([groups, codes]), axis=1, return_counts=True)
        best = np.lexsort(
            (-pairs[1], counts, pairs[0])
        )  # the last of a group is its most frequent, the least of several
        for place in best.tolist():
            found[int(pairs[0, place])] = int(pairs[1, place])
        found[k] = int(np.argmax(np.bincount(codes)))
    return found
