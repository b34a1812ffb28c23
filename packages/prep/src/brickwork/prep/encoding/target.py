"""`TargetEncoder`: a category to what the target is in its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, check_cv

from ..columns import Column
from ..encoder import Encoder
from ..errors import PrepError, TargetError, bad_values, quote
from ..formula import number, take
from ..frame import one_dtype, open_table
from ..params import choice
from ..readings import Codes
from ..schema import ColumnSchema
from ..statistics.targets import ByCategory, Grouped, TargetCounts, TargetMoments, moments_by, moments_of
from ..targets.values import codes_of_labels, numbers_of, ordered, plain_labels, read_whole
from .categories import CategoryEncoder

__all__ = ["TargetEncoder"]

TYPES = ("auto", "binary", "multiclass", "continuous")
GREAT = 1e150  # beyond which a square overflows


class TargetEncoder(CategoryEncoder):
    """The mean of the target in the rows of each category, drawn towards the mean of all rows.

    With n rows of a category, their mean m, and the mean M of all rows: (n m + s M) / (n + s) for `smooth` s; for
    "auto" l m + (1 - l) M with l = V n / (V n + v), v and V the population variances of the target in the category and
    in all rows. Source: Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes" (2001).
    Equals scikit-learn's of that name. A target of k > 2 classes gives k columns, one for each class against the rest.

    `fit_transform` gives each row what the other folds have learned (cross-fitting): otherwise a row's own target would
    stand in its features. So it is not `fit` followed by `transform`, which is for new rows.

    3 and 3.0 are one category; missing values are one too. A category not seen at fit becomes M.

    Parameters
    ----------
    categories : "auto" or list of n_features_in_ lists, default "auto"
        Which categories of each column are told apart; rows of others count in M only.
    target_type : "auto", "binary", "multiclass" or "continuous", default "auto"
        "auto" takes numbers with fractions for continuous and everything else for classes.
    smooth : "auto" or float of 0 or more, default "auto"
    cv : int, splitter or iterable of (train, test) positions, default 5
        The folds of `fit_transform`; an int is that many of KFold (continuous) or StratifiedKFold. Each row is in
        one test part. What has a splitter can not be saved as a state.
    shuffle : bool, default True
    random_state : int, RandomState or None; of the shuffling

    Attributes
    ----------
    target_type_ : "binary", "multiclass" or "continuous"
    classes_ : array of labels, None where continuous
    target_mean_ : float M, or float64 (k,) where multiclass
    categories_ : list of arrays, as `OrdinalEncoder` has them
    encodings_ : list of float64 arrays, what each category of a column becomes; k of them per column where multiclass

    Examples
    --------
    >>> from brickwork.prep import TargetEncoder
    >>> X, y = [["Ulm"], ["Ulm"], ["Bonn"], ["Bonn"]], [1.5, 2.5, 6.0, 8.0]
    >>> TargetEncoder(smooth=2).fit(X, y).transform([["Ulm"], ["Bonn"], ["Trier"]]).ravel().tolist()
    [3.25, 5.75, 4.5]
    """

    STATISTICS: ClassVar = (TargetMoments, TargetCounts)
    handle_unknown = "ignore"

    def __init__(
        self,
        categories: Any = "auto",
        target_type: str = "auto",
        smooth: Any = "auto",
        cv: Any = 5,
        shuffle: bool = True,
        random_state: Any = None,
    ):
        self.categories = categories
        self.target_type = target_type
        self.smooth = smooth
        self.cv = cv
        self.shuffle = shuffle
        self.random_state = random_state

    def _check_params(self, who: str) -> None:
        self._check_categories(who)
        choice(who, TYPES, target_type=self.target_type)
        smooth = self.smooth
        number_like = isinstance(smooth, (int, float, np.number)) and not isinstance(smooth, bool)
        if smooth != "auto" and not (number_like and 0 <= smooth < np.inf):
            raise PrepError.of(who, "smooth must be 'auto' or a number of 0 or more", repr(smooth))
        if isinstance(self.cv, (int, np.integer)) and self.cv < 2:
            raise PrepError.of(who, "cv must be 2 folds or more", repr(self.cv))

    # ---- the target ------------------------------------------------------------------------------------------------

    def _target(self, y: Any, n_rows: int, who: str) -> Any:
        """Float64 (n,) of a continuous target, (labels, codes (n,)) of classes."""
        if y is None:
            rule = "requires y to be passed, but the target y is None"
            raise TargetError.of(who, rule, fix="Give one target for each row.")
        values = read_whole(y, who)
        if len(values) != n_rows:
            raise TargetError.of(who, f"y must have as many rows as X, {n_rows}", str(len(values)))
        if values.dtype == object:
            values = one_dtype(values.tolist())
        if not self._continuous(values, who):
            labels, codes = codes_of_labels(values, who)
            return plain_labels(labels, who), codes
        numbers = numbers_of(values, who)
        great = np.flatnonzero(np.abs(numbers) > GREAT)
        if len(great):
            rule, fix = f"must be at most {GREAT:g} in size, since it is squared", "Divide it."
            raise bad_values(who, "target", rule, great, numbers[great].tolist(), fix, TargetError)
        return numbers

    def _continuous(self, values: np.ndarray, who: str) -> bool:
        if self.target_type != "auto":
            return self.target_type == "continuous"
        fractions = values.dtype.kind == "f" and bool((values != np.floor(values)).any())
        if not who.endswith("partial_fit") or not self.__sklearn_is_fitted__():
            return fractions
        known = isinstance(self.statistics_[0], TargetMoments)
        if fractions and not known:
            fix = "Say target_type='continuous' from the first part on."
            raise TargetError.of(
                who, "the target was one of classes in the parts before", "numbers with fractions", fix
            )
        return known

    def _beside(self, columns: Sequence[Column], y: Any, who: str) -> Any:
        target = super()._beside(columns, y, who)
        if not who.endswith("partial_fit"):
            self.target_type_ = "multiclass" if isinstance(target, tuple) else "continuous"
        return target

    # ---- what is learned -------------------------------------------------------------------------------------------

    def _gather(self, column: Column, who: str) -> Any:
        return TargetMoments() if self.target_type_ == "continuous" else TargetCounts()

    def merge(self, *others: Any) -> Any:
        """Adds what others, fitted on other rows of the same columns, have learned."""
        who = self._who("merge")
        for other in others:
            if {type(s) for s in getattr(other, "statistics_", ())} - {type(s) for s in self.statistics_}:
                got = f"{other.target_type_} beside {self.target_type_}"
                raise PrepError.of(who, "targets to merge are of one type", got, "Say target_type= in each part.")
        return super().merge(*others)

    def _settle(self, statistics: Sequence[Any], schema: Sequence[ColumnSchema], who: str) -> None:
        first = statistics[0]
        classes = isinstance(first, TargetCounts)
        alike = all(type(s) is type(first) and (not classes or set(s.labels) == set(first.labels)) for s in statistics)
        if not alike or (self.target_type != "auto" and classes == (self.target_type == "continuous")):
            raise PrepError.of(who, "the target must be one, of the type asked for", self.target_type)
        self.classes_ = one_dtype(ordered(first.labels)) if classes else None
        if classes and self.target_type == "binary" and len(first.labels) > 2:
            raise TargetError.of(who, "a binary target has two labels", quote(self.classes_.tolist()))
        several = classes and (len(first.labels) > 2 or self.target_type == "multiclass")
        self.target_type_ = "continuous" if not classes else "multiclass" if several else "binary"
        super()._settle(statistics, schema, who)

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        encodings, mean = self._encodings(schema.name, statistic)
        texts, missing = self.kept_[schema.name].texts, self.kept_[schema.name].missing
        if self.target_type_ != "multiclass":
            index = dict(zip(texts, encodings[:, 0].tolist(), strict=False))
            gap = float(encodings[-1, 0]) if missing else None
            return Encoder(schema.name, ("",), (number(),), Codes(index, float(mean[0]), gap))
        codes = {text: place for place, text in enumerate(texts)}
        reading = Codes(codes, len(encodings), len(encodings) - 1 if missing else None)
        tables = np.vstack([encodings, mean]).T
        return Encoder(schema.name, self._classes(), tuple(take(table, number()) for table in tables), reading)

    def _classes(self) -> list[str]:
        return [str(label) for label in self.classes_.tolist()] if self.classes_ is not None else []

    def _encodings(self, name: str, statistic: ByCategory) -> tuple[np.ndarray, np.ndarray]:
        """What each category becomes (k, c), and what an unknown one does (c,)."""
        found = self._of_classes(statistic.grouped(), list(getattr(statistic, "labels", ())))
        mean, variance = found.whole()
        kept = self.kept_[name]
        rows = [statistic.index.get(text, -1) for text in kept.texts] + [0] * kept.missing
        whole = np.vstack([shrunk(found, self.smooth, mean, variance), mean])  # the last for what was given, never seen
        return whole[rows], mean

    def _of_classes(self, found: Grouped, labels: list[Any]) -> Grouped:
        """Of one target per label, those that count, in order: all, or the second of two."""
        if not labels:
            return found
        order = [labels.index(label) for label in ordered(labels)]
        chosen = order if self.target_type_ == "multiclass" else order[1:]
        if not chosen:  # all rows are of the first class
            return Grouped(found.counts, np.zeros_like(found.means), np.zeros_like(found.spreads))
        return Grouped(found.counts, found.means[:, chosen], found.spreads[:, chosen])

    def _publish(self) -> None:
        super()._publish()
        pairs = [self._encodings(name, s) for name, s in zip(self.kept_, self.statistics_, strict=True)]  # type: ignore[arg-type]
        self.encodings_ = [column for encodings, _ in pairs for column in encodings.T]
        mean = pairs[0][1]
        self.target_mean_ = mean if self.target_type_ == "multiclass" else float(mean[0])

    # ---- cross-fitting ---------------------------------------------------------------------------------------------

    def fit_transform(self, X: Any, y: Any = None, *, groups: Any = None) -> np.ndarray:
        """Learns from a table and a target (n,), and gives each row what the rows of the other folds tell.

        Float64 (n, number of names out), float32 of float32 arrays. `groups` (n,) goes to a splitter that takes them.
        """
        who = self._who("fit_transform")
        self._check_params(who)
        opened = open_table(X, who)
        columns = [opened.column(place) for place in range(len(opened.names))]
        table = replace(opened, sources=columns, read=lambda name, column: column)  # to learn from and to encode
        self._fit_table(table, y, who)
        target = self._target(y, table.n_rows, who)
        folds = list(self._folds(X, y, target, groups, table.n_rows, who))
        out = np.empty((table.n_rows, self.n_features_out_), dtype=self._dtype(X))
        for place, (name, (start, stop)) in enumerate(zip(self.kept_, self.spans_, strict=True)):
            kept = self.kept_[name]
            k = len(kept.values)
            codes = {text: code for code, text in enumerate(kept.texts)}
            reading = Codes(codes, k, k - 1 if kept.missing else None)
            rows = reading.read(columns[place], who).astype(np.int64)
            for train, test in folds:
                out[test, start:stop] = self._crossed(rows[train], target, train, k)[rows[test]]
        return out

    def _crossed(self, rows: np.ndarray, target: Any, train: np.ndarray, k: int) -> np.ndarray:
        """What each category (and, last, an unknown one) becomes by the rows of `train`: (k + 1, c)."""
        if isinstance(target, tuple):
            labels, codes = target
            c = len(labels)
            table = np.bincount(rows * c + codes[train], minlength=(k + 1) * c).reshape(k + 1, c)
            found = self._of_classes(moments_of(table), labels)
        else:
            found = moments_by(rows, target[train], k + 1)
        mean, variance = found.whole()
        encodings = shrunk(found, self.smooth, mean, variance)
        encodings[k] = mean
        return encodings

    def _folds(self, X: Any, y: Any, target: Any, groups: Any, n: int, who: str) -> Iterator[tuple[Any, Any]]:
        """Positions of the rows to learn from and of those to encode, fold by fold."""
        classes = isinstance(target, tuple)
        try:
            if self.cv is None or isinstance(self.cv, (int, np.integer)):
                kind = StratifiedKFold if classes else KFold
                seed = self.random_state if self.shuffle else None
                splitter: Any = kind(5 if self.cv is None else int(self.cv), shuffle=self.shuffle, random_state=seed)
                yield from splitter.split(np.zeros(n), target[1] if classes else None)
                return
            folds = [(np.arange(n)[train], np.arange(n)[test]) for train, test in check_cv(self.cv).split(X, y, groups)]
        except ValueError as cause:
            raise PrepError.of(who, "cv must give folds of these rows", str(cause), "Set cv.") from None
        times = np.bincount(np.concatenate([test for _, test in folds]), minlength=n) if folds else np.zeros(n)
        wrong = np.flatnonzero(times != 1)
        if len(wrong):
            rule = "is in the test part of exactly one fold of cv"
            fix = "Give a splitter whose test parts do not overlap and hold every row."
            raise bad_values(who, "row", rule, wrong, times[wrong].tolist(), fix, PrepError)
        yield from folds

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def shrunk(found: Grouped, smooth: Any, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """The means of groups (k, c) drawn towards those of all rows (c,)."""
    n = found.counts[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        if smooth == "auto":
            share = variance * n / (variance * n + found.spreads / n)
            out = share * found.means + (1 - share) * mean
        else:
            out = (n * found.means + smooth * mean) / (n + smooth)
    return np.where(np.isnan(out), mean, out)
