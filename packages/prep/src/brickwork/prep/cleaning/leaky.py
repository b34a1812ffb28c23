"""`DropLeaky`: columns that tell the target, and will not be there, or not be true, when it is to be predicted."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..columns import Column
from ..errors import PrepError, TargetError, bad_values
from ..frame import Table, read_target
from ..splits.keys import codes, quantile_bins
from ..splits.leakage import LeakageWarning
from ..targets import find_task
from .choice import ColumnChoice
from .constant import need_share
from .correlated import correlations, finite, ranks

__all__ = ["DropLeaky", "information_share"]

LEAST = 20  # rows below which nothing is told from chance
DISTINCT = 256  # different values up to which numbers count as categories
BINS = 10  # of a regression target
LEVEL = 5  # of the stack: who called fit
WEIGHT = 0.5  # of the target's own shares, in rows, beside the rows of one value


class DropLeaky(ColumnChoice):
    """Drops columns that tell the target almost alone, with a LeakageWarning that says why.

    - correlation: of a number, date or boolean with the target of a regression, Pearson's or Spearman's, over the rows
      that have a value.
    - information: the share of the target's entropy that is gone once the column is known, 1 - L / H. H is the entropy
      of the classes (of ten quantile bins of a regression target), L the mean of -log p, where p is what the other rows
      with the same value (leaving the row itself out, with half a row of the overall shares added) say of the row's
      class. Numbers of more than 256 values are cut into quantile bins; missing is a value, and is looked at by itself.
      Leaving rows out is what keeps an identifier, which tells every row of training and none other, at 0.

    With fewer than 20 rows, and where every column tells the target, none is dropped; columns of objects that prep
    cannot read are kept.

    Parameters
    ----------
    correlation : in (0, 1], default 0.99
    information : in (0, 1], default 0.95
        From what size on a column is dropped.

    Attributes
    ----------
    kept_, dropped_ : the positions of the columns kept, and of each dropped one the reason

    Raises
    ------
    TargetError where the target is missing or is no column of finite or hashable values.

    Examples
    --------
    >>> import warnings
    >>> from brickwork.prep import DropLeaky
    >>> rows = range(40)
    >>> table = {"paid": [["no", "yes"][i % 2] for i in rows], "age": [20 + i * i % 17 for i in rows]}
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     DropLeaky().fit(table, [i % 2 for i in rows]).dropped_
    {'paid': 'stands one to one for the target'}
    """

    def __init__(self, correlation: float = 0.99, information: float = 0.95):
        self.correlation = correlation
        self.information = information

    def _check_params(self, who: str) -> None:
        need_share("correlation", self.correlation, who)
        need_share("information", self.information, who)

    def _drops(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> Mapping[int, str]:
        numbers, classes = _read(y, table.n_rows, who)
        if table.n_rows < LEAST:
            return {}
        told = [] if numbers is None else [("Pearson's", numbers), ("Spearman's", ranks(numbers))]
        found = {i: self._why(column, told, classes) for i, column in enumerate(columns) if column.form != "other"}
        drops = {i: why for i, why in found.items() if why is not None}
        if len(drops) == len(columns):  # an easy target, or a table made of it: what to keep is for a person to say
            text = f"none is dropped, since every column tells the target; column {columns[0].name!r} {drops[0]}"
            warnings.warn(f"{who}: {text}.", LeakageWarning, stacklevel=LEVEL)
            return {}
        for i, why in drops.items():
            text = f"column {columns[i].name!r} is dropped: it {why}. Keep it by leaving it out of DropLeaky."
            warnings.warn(f"{who}: {text}", LeakageWarning, stacklevel=LEVEL)
        return drops

    def _why(self, column: Column, told: Sequence[tuple[str, np.ndarray]], classes: np.ndarray) -> str | None:
        """What a column tells of the target, which is given as numbers for each coefficient; None where it is kept."""
        if column.form != "text":
            for name, numbers in told:
                x = _as_floats(column)
                r = _r(ranks(x) if name == "Spearman's" else x, numbers)
                if abs(r) >= self.correlation:
                    return f"has a correlation ({name}) of {r:.4f} with the target"
        values = _values(column)
        missing = column.missing
        if missing.any() and information_share(missing.astype(np.int64), classes) >= self.information:
            return "tells the target by where it is missing"
        share = information_share(values, classes)
        if share < self.information:
            return None
        n_pairs = len(np.unique(values * (classes.max() + 1) + classes))
        if n_pairs == len(np.unique(values)) == len(np.unique(classes)) and not told:
            return "stands one to one for the target"
        return f"takes away {100 * share:.1f} % of the target's entropy"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def information_share(values: np.ndarray, classes: np.ndarray) -> float:
    """1 - L / H as in `DropLeaky`, of codes from 0, both int64 (n,); 0 where all classes are one."""
    n_classes, n = int(classes.max()) + 1, len(classes)
    prior = np.bincount(classes, minlength=n_classes) / n
    entropy = -float(np.sum(prior[prior > 0] * np.log(prior[prior > 0])))
    if entropy == 0:
        return 0.0
    cells, counts = np.unique(values * n_classes + classes, return_counts=True)
    of_value = np.bincount(values)[cells // n_classes]
    told = (counts - 1 + WEIGHT * prior[cells % n_classes]) / (of_value - 1 + WEIGHT)
    return 1 + float(counts @ np.log(told)) / n / entropy


def _r(a: np.ndarray, b: np.ndarray) -> float:
    return float(correlations([a, b])[0, 1])


def _read(y: Any, n: int, who: str) -> tuple[np.ndarray | None, np.ndarray]:
    """The target as numbers (None where it is a classification), and as classes, codes from 0."""
    if y is None:
        raise PrepError.of(who, "requires y to be passed, but the target y is None", fix="Give y to fit.")
    values, missing = read_target(y, who)
    if len(values) != n:
        raise PrepError.of(who, "X and y have one row each per case", f"{n} rows in X, {len(values)} in y")
    if missing.any():
        rows = np.flatnonzero(missing)
        gone = [None] * len(rows)
        raise bad_values(who, "target", "must not be missing", rows, gone, "Drop these rows.", TargetError)
    if find_task(values)[0] == "classification":
        return None, codes(values)
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        rows = np.flatnonzero(~np.isfinite(numbers))
        raise bad_values(who, "target", "must be finite", rows, numbers[rows].tolist(), "Drop these rows.", TargetError)
    return numbers, quantile_bins(numbers, BINS)


def _values(column: Column) -> np.ndarray:
    """Int64 (n,): codes from 0 of the values of a column, one for missing."""
    if column.form == "text":
        return column.values + 1
    missing, out = column.missing, np.zeros(len(column.values), dtype=np.int64)
    present = column.values[~missing]
    distinct, inverse = np.unique(present, return_inverse=True)
    if len(distinct) > DISTINCT:
        # Of ranks among the distinct, which order alike and are finite numbers of whatever the values are.
        inverse = quantile_bins(inverse.astype(np.float64), min(100, max(BINS, len(present) // 20)))
    out[~missing] = inverse + 1
    return out


def _as_floats(column: Column) -> np.ndarray:
    if column.form == "datetime":
        ticks = column.values.view(np.int64).astype(np.float64)
        return np.where(column.missing, np.nan, ticks)
    return finite(column.values)
