"""`IterativeImputer`: each column's gaps from the other columns, round by round."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn import impute
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes the next line possible

from ..columns import Column, as_numbers
from ..errors import PrepError
from ..params import choice, finite, whole
from ..state import demand, read_fields
from ..transformer import Transformer

__all__ = ["IterativeImputer"]

ORDERS = ("ascending", "descending", "roman", "arabic", "random")


class IterativeImputer(Transformer):
    """Each column's missing numbers as a linear function of the other columns, found in turn over several rounds.

    scikit-learn's of that name finds the functions (Bayesian ridge regressions); what is kept of them are their
    coefficients, so that they are applied, saved and loaded without it. van Buuren and Groothuis-Oudshoorn, "mice"
    (2011). All rows are needed at once: it has no `partial_fit`.

    Parameters
    ----------
    max_iter : int, default 10
    tol : float, default 1e-3
    n_nearest_features : int or None, default None
    initial_strategy : "mean", "median" or "most_frequent"
    imputation_order : "ascending", "descending", "roman", "arabic" or "random"
    random_state : int, default 0

    Attributes
    ----------
    initial_ : float64 (k,), what stands in a gap before the first round; k columns, those not all missing
    n_iter_ : int

    Examples
    --------
    >>> from brickwork.prep import IterativeImputer
    >>> X = [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, None]]
    >>> IterativeImputer().fit_transform(X).round(2).tolist()[-1]
    [4.0, 8.0]
    """

    def __init__(
        self,
        *,
        max_iter: int = 10,
        tol: float = 1e-3,
        n_nearest_features: int | None = None,
        initial_strategy: str = "mean",
        imputation_order: str = "ascending",
        random_state: int = 0,
    ):
        self.max_iter = max_iter
        self.tol = tol
        self.n_nearest_features = n_nearest_features
        self.initial_strategy = initial_strategy
        self.imputation_order = imputation_order
        self.random_state = random_state

    def _check_params(self, who: str) -> None:
        whole(who, max_iter=self.max_iter)
        whole(who, 0, random_state=self.random_state)
        finite(who, 0, tol=self.tol)
        if self.n_nearest_features is not None:
            whole(who, n_nearest_features=self.n_nearest_features)
        choice(who, ("mean", "median", "most_frequent"), initial_strategy=self.initial_strategy)
        choice(who, ORDERS, imputation_order=self.imputation_order)

    def _learn(self, table: Any, columns: Sequence[Column], y: Any, who: str) -> None:
        X = np.column_stack([as_numbers(column, who) for column in columns])
        kept = np.flatnonzero(~np.isnan(X).all(axis=0))
        if not len(kept):
            raise PrepError.of(who, "a column to learn from is needed", f"{X.shape[1]} columns, all missing")
        finder = impute.IterativeImputer(**self.get_params())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            finder.fit(X[:, kept])
        steps = [
            (int(step.feat_idx), step.neighbor_feat_idx, step.estimator.coef_, float(step.estimator.intercept_))
            for step in finder.imputation_sequence_
        ]
        self._set(kept, finder.initial_imputer_.statistics_, steps)
        self.n_iter_ = int(finder.n_iter_)

    def _set(self, kept: Any, initial: Any, steps: Sequence[Any]) -> None:
        self.kept_ = np.asarray(kept, np.int64)
        self.initial_ = np.asarray(initial, np.float64)
        self.steps_ = [(f, np.asarray(n, np.int64), np.asarray(c, np.float64), b) for f, n, c, b in steps]

    def _give(self, table: Any, positions: Sequence[int], X: Any, who: str) -> np.ndarray:
        columns = [as_numbers(table.column(positions[place]), who) for place in self.kept_.tolist()]
        out = np.column_stack(columns)
        gaps = np.isnan(out)
        out = np.where(gaps, self.initial_, out)
        for feature, neighbours, coefficients, intercept in self.steps_:
            rows = np.flatnonzero(gaps[:, feature])
            if len(rows):
                out[rows, feature] = out[np.ix_(rows, neighbours)] @ coefficients + intercept
        return out.astype(np.float32) if getattr(X, "dtype", None) == np.float32 else out

    def _needs(self) -> Sequence[bool]:
        kept = set(self.kept_.tolist())
        return [place in kept for place in range(self.n_features_in_)]

    def _names(self, names: Sequence[str]) -> list[str]:
        return [names[place] for place in self.kept_.tolist()]

    def _learned(self) -> dict[str, Any]:
        steps = [{"feature": f, "neighbours": n.tolist(), "coefficients": c.tolist(), "intercept": b}
                 for f, n, c, b in self.steps_]  # fmt: skip
        return {"kept": self.kept_.tolist(), "initial": self.initial_.tolist(), "rounds": self.n_iter_, "steps": steps}

    def _restore(self, learned: Any, where: str) -> None:
        kinds = {"kept": "tuple[count, ...]", "initial": "tuple[float, ...]", "rounds": "count"}
        values = read_fields(learned, kinds | {"steps": "tuple[any, ...]"}, where)
        kept, k = values["kept"], len(values["kept"])
        rises = all(a < b for a, b in pairwise(kept)) and k > 0
        demand(rises and kept[-1] < self.n_features_in_, where, "kept must be places of columns, rising", kept)
        demand(len(values["initial"]) == k, where, "initial must be as many as kept", len(values["initial"]))
        steps = []
        kind = {"feature": "count", "neighbours": "tuple[count, ...]", "coefficients": "tuple[float, ...]",
                "intercept": "float"}  # fmt: skip
        for i, step in enumerate(values["steps"]):
            one = read_fields(step, kind, f"{where}.steps[{i}]")
            inside = all(place < k for place in (one["feature"], *one["neighbours"]))
            demand(inside, where, "steps must name columns that are kept", one["feature"])
            same = len(one["neighbours"]) == len(one["coefficients"])
            demand(same, where, "coefficients must be as many as neighbours", len(one["coefficients"]))
            steps.append((one["feature"], one["neighbours"], one["coefficients"], one["intercept"]))
        self._set(kept, values["initial"], steps)
        self.n_iter_ = values["rounds"]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
