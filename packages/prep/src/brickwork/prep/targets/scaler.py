"""`TargetScaler`: targets of a regression to what trains well, and predictions back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np

from ..column_wise import Invertible
from ..columns import as_numbers
from ..errors import PrepError, SchemaError, TargetError, bad_values
from ..frame import open_table
from ..params import choice
from ..scaling import LogTransformer, PowerTransformer, QuantileTransformer, RobustScaler, StandardScaler
from ..settings import plain
from ..state import demand
from .base import TargetTransformer
from .values import numbers_of, read_whole

__all__ = ["TargetScaler"]

STEPS: Mapping[str, tuple[Callable[[], Invertible], ...]] = MappingProxyType(
    {
        "standard": (StandardScaler,),
        "robust": (RobustScaler,),
        "log": (LogTransformer, StandardScaler),
        "power": (PowerTransformer,),
        "quantile": (lambda: QuantileTransformer(output_distribution="normal"),),
    }
)
"""The transformers of each method, one after the other."""


class TargetScaler(TargetTransformer):
    """Numbers to numbers of about mean 0 and deviation 1, one target or several, and predictions back.

    It serves as `transformer=` of `sklearn.compose.TransformedTargetRegressor`.

    Parameters
    ----------
    method : str, default "standard"
        "standard" (y - mean) / deviation; "robust" (y - median) / interquartile range; "log" sign(y) log(1 + |y|), then
        standard: for amounts over several orders of size; "power" Yeo and Johnson's, then standard; "quantile" to a
        normal distribution by rank, whose inverse never leaves the range of the training targets.

    Attributes
    ----------
    steps_ : list of fitted transformers, `StandardScaler` and so on, with their attributes
    n_targets_ : int

    Raises
    ------
    TargetError, a ValueError, with `rows` and `values`: targets missing, infinite or no numbers.

    Examples
    --------
    >>> from brickwork.prep import TargetScaler
    >>> scaler = TargetScaler().fit([1.0, 2.0, 3.0])
    >>> scaler.transform([2.0, 4.0]).round(3).tolist(), scaler.inverse_transform([0.0]).tolist()
    ([0.0, 2.449], [2.0])
    """

    LEARNED: ClassVar = {"n_targets": "count", "steps": "tuple[any, ...]"}

    def __init__(self, method: str = "standard"):
        self.method = method

    def _check_params(self, who: str) -> None:
        choice(who, tuple(STEPS), method=self.method)

    def fit(self, y: Any) -> Self:
        """Learns from targets (n,) or (n, k)."""
        who = self._who("fit")
        self._check_params(who)
        numbers, _ = _matrix(y, who)
        self.n_targets_, self.steps_ = numbers.shape[1], [make() for make in STEPS[self.method]]
        for step in self.steps_:
            numbers = step.fit(numbers).transform(numbers)
        return self

    def partial_fit(self, y: Any) -> Self:
        """Adds targets (n,) or (n, k) to what was learned."""
        if not self.__sklearn_is_fitted__():
            return self.fit(y)
        numbers, _ = self._given(y, self._who("partial_fit"))
        for step in self.steps_:
            numbers = step.partial_fit(numbers).transform(numbers)
        return self

    def merge(self, *others: Self) -> Self:
        """Adds what others of the same method, fitted on other rows, have learned."""
        who = self._who("merge")
        for one in (self, *others):
            one._need_fit(who)
            if (one.method, one.n_targets_) != (self.method, self.n_targets_):
                got = f"{one.method} of {one.n_targets_} beside {self.method} of {self.n_targets_}"
                raise PrepError.of(who, "scalers to merge are of one method and as many targets", got)
        for i, step in enumerate(self.steps_):
            step.merge(*(other.steps_[i] for other in others))
        return self

    def transform(self, y: Any) -> np.ndarray:
        """Scaled targets, float64 of the shape given."""
        numbers, flat = self._given(y, self._who("transform"))
        for step in self.steps_:
            numbers = step.transform(numbers)
        return numbers[:, 0] if flat else numbers

    def inverse_transform(self, y: Any) -> np.ndarray:
        """Targets, or predictions, of scaled ones, float64 of the shape given."""
        numbers, flat = self._given(y, self._who("inverse_transform"))
        for step in reversed(self.steps_):
            numbers = step.inverse_transform(numbers)
        return numbers[:, 0] if flat else numbers

    def _given(self, y: Any, who: str) -> tuple[np.ndarray, bool]:
        self._need_fit(who)
        numbers, flat = _matrix(y, who)
        if numbers.shape[1] != self.n_targets_:
            raise TargetError.of(who, f"there are {self.n_targets_} targets", f"{numbers.shape[1]}")
        return numbers, flat

    def _learned(self) -> dict[str, Any]:
        return {"n_targets": self.n_targets_, "steps": [step.to_state() for step in self.steps_]}

    def _restore(self, values: dict[str, Any], where: str) -> None:
        makers = STEPS[self.method]
        demand(len(values["steps"]) == len(makers), where, "steps must be those of the method", len(values["steps"]))
        made = [make() for make in makers]
        steps = [type(m).from_state(s) for m, s in zip(made, values["steps"], strict=True)]
        for step, fresh in zip(steps, made, strict=True):
            demand(step.n_features_in_ == values["n_targets"], where, "steps must have n_targets", step.n_features_in_)
            asked = [plain(one.get_params(), where) for one in (step, fresh)]
            demand(asked[0] == asked[1], where, "steps must be as the method has them", step)
        self.n_targets_, self.steps_ = values["n_targets"], steps

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "steps_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.target_tags.multi_output = True
        return tags


def _matrix(y: Any, who: str) -> tuple[np.ndarray, bool]:
    """Targets as finite float64 (n, k), and whether they were one axis long."""
    shape = getattr(y, "shape", None)
    wide = len(shape) == 2 if shape is not None else bool(len(y)) and isinstance(y[0], (list, tuple, np.ndarray))
    if not wide:
        return numbers_of(read_whole(y, who), who)[:, None], True
    try:
        table = open_table(y, who)
        columns = [as_numbers(table.column(place), who) for place in range(len(table.names))]
    except SchemaError as cause:
        raise TargetError(str(cause), column=cause.column, rows=cause.rows, values=cause.values) from None
    for name, column in zip(table.names, columns, strict=True):
        if len(gone := np.flatnonzero(np.isnan(column))):
            raise bad_values(who, name, "must not be missing", gone, [None], "Drop these rows.", TargetError)
    return np.column_stack(columns), False
