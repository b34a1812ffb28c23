"""`TargetPrep`: labels to class indices, or numbers standardised, and back."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..cells import cell_of
from ..errors import PrepError, TargetError, nearest, quote
from ..frame import one_dtype
from ..report import TargetReport
from ..state import VERSION, demand, read_fields, read_version
from ..statistics import Moments
from .base import TargetTransformer
from .values import codes_among, codes_of_labels, labels_at, numbers_of, ordered, plain_labels, read_whole

TASKS = ("auto", "classification", "regression")
FEW = 20  # whole numbers of at most this many different values, each common, are taken for classes


class TargetPrep(TargetTransformer):
    """Turns a target into what a network is trained on, and its answers back into the target's own values.

    classification: int64 class indices (n,) into the sorted `classes_`; labels may be of any hashable type.
    regression: float32 (n,), (y - mean_) / scale_.

    `task="auto"` takes for classes what is not a number, and whole numbers of few (at most 20) values that each occur
    about five times or more; anything else is a regression.

    Attributes
    ----------
    task_ : "classification" or "regression"
    classes_, counts_ : arrays (k,), of a classification
    mean_, scale_ : floats, of a regression (population standard deviation)
    why_ : how the task was found

    Raises
    ------
    TargetError, a ValueError, with `rows` and `values`: labels missing, infinite or unknown, or nothing to learn from.

    Examples
    --------
    >>> from brickwork.prep import TargetPrep
    >>> prep = TargetPrep().fit(["Gentoo", "Adelie", "Gentoo"])
    >>> prep.transform(["Adelie", "Gentoo"]), prep.inverse_transform([1, 0]).tolist()
    (array([0, 1]), ['Gentoo', 'Adelie'])
    """

    def __init__(self, task: str = "auto"):
        self.task = task

    def fit(self, y: Any) -> Self:
        """Learns classes, or mean and scale, of y (n,)."""
        who = "TargetPrep.fit"
        if self.task not in TASKS:
            got = f"{self.task!r}{nearest(self.task, TASKS)}"
            raise PrepError.of(who, f"task must be one of {', '.join(TASKS)}", got)
        values = read_whole(y, who)
        for name in ("classes_", "counts_", "mean_", "scale_"):
            self.__dict__.pop(name, None)
        if self.task == "auto":
            self.task_, self.why_ = find_task(values)
        else:
            self.task_, self.why_ = self.task, "as asked by task="
        if self.task_ == "classification":
            self._fit_classes(values, who)
        else:
            self._fit_scale(values, who)
        return self

    def transform(self, y: Any) -> np.ndarray:
        """Class indices, int64 (n,), or standardised values, float32 (n,)."""
        who = "TargetPrep.transform"
        self._need_fit(who)
        values = read_whole(y, who)
        if self.task_ == "regression":
            return ((numbers_of(values, who) - self.mean_) / self.scale_).astype(np.float32)
        return codes_among(values, self.classes_, who)

    def inverse_transform(self, y: Any) -> np.ndarray:
        """Labels (n,) of class indices, or float64 of the same shape from standardised values."""
        who = "TargetPrep.inverse_transform"
        self._need_fit(who)
        values = np.asarray(y)
        if self.task_ == "regression":
            return values.astype(np.float64) * self.scale_ + self.mean_
        return labels_at(values, self.classes_, who)

    def describe(self) -> TargetReport:
        """What fit found."""
        self._need_fit("TargetPrep.describe")
        if self.task_ == "regression":
            return TargetReport(self.task_, (), (), self.mean_, self.scale_, self.why_)
        return TargetReport(
            self.task_, tuple(self.classes_.tolist()), tuple(self.counts_.tolist()), None, None, self.why_
        )

    def to_state(self) -> dict[str, Any]:
        """The fitted prep as a dict of plain values; TargetError where a label is not text, a number or a boolean."""
        who = "TargetPrep.to_state"
        self._need_fit(who)
        learned: dict[str, Any]
        if self.task_ == "regression":
            learned = {"mean": self.mean_, "scale": self.scale_}
        else:
            labels = plain_labels(self.classes_.tolist(), who)
            learned = {"classes": labels, "counts": self.counts_.tolist()}
        head = {"type": "TargetPrep", "version": VERSION, "task": self.task, "task_": self.task_, "why": self.why_}
        return head | learned

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """The prep of a state. StateError where the state is damaged; nothing in a state can execute."""
        where = "TargetPrep.from_state"
        read_version(state, "TargetPrep", where)
        head = {"type": "str", "version": "int", "task": "str", "task_": "str", "why": "str"}
        if state.get("task_") == "regression":
            values = read_fields(state, head | {"mean": "float", "scale": "float"}, where)
        else:
            values = read_fields(state, head | {"classes": "tuple[label, ...]", "counts": "tuple[count, ...]"}, where)
        demand(values["task"] in TASKS, where, "task must be a known one", values["task"])
        demand(values["task_"] in TASKS[1:], where, "task_ must be a known one", values["task_"])
        demand(values["task"] in ("auto", values["task_"]), where, "task_ must be the task asked for", values["task_"])
        prep = cls(task=values["task"])
        prep.task_, prep.why_ = values["task_"], values["why"]
        if prep.task_ == "regression":
            demand(values["scale"] > 0, where, "scale must be above 0", values["scale"])
            prep.mean_, prep.scale_ = values["mean"], values["scale"]
        else:
            classes, counts = values["classes"], values["counts"]
            demand(len(set(classes)) == len(classes) > 1, where, "two or more classes that differ are needed", classes)
            demand(list(classes) == ordered(classes), where, "classes must be in order", classes)
            demand(len(counts) == len(classes), where, "counts must be as many as classes", len(counts))
            prep.classes_, prep.counts_ = one_dtype(classes), np.array(counts, dtype=np.int64)
        return prep

    def _fit_classes(self, values: np.ndarray, who: str) -> None:
        labels, codes = codes_of_labels(values, who)
        if len(labels) < 2:
            fix = "Nothing can be learned from one class: check which column is the target, and how rows were chosen."
            raise TargetError.of(who, "two or more classes are needed", f"one class, {quote(labels)}", fix)
        self.classes_ = one_dtype(labels)
        self.counts_ = np.bincount(codes)

    def _fit_scale(self, values: np.ndarray, who: str) -> None:
        numbers = numbers_of(values, who)
        if (numbers == numbers[0]).all():
            fix = "Nothing can be learned from one value: check which column is the target."
            raise TargetError.of(who, "a regression needs values that differ", f"only {float(numbers[0])!r}", fix)
        found = Moments()
        found.add(numbers)
        self.mean_, self.scale_ = found.mean, found.deviation or 1.0

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "task_") and (hasattr(self, "classes_") or hasattr(self, "scale_"))


def find_task(values: np.ndarray) -> tuple[str, str]:
    """("classification" or "regression", why) for a target (n,) without missing values."""
    cells = {cell_of(type(value)) for value in values.tolist()}
    if cells != {"number"}:
        return "classification", f"holds {', '.join(sorted(cells))}"
    numbers = np.array([float(value) for value in values.tolist()])
    n_values = len(np.unique(numbers))
    if (numbers != np.floor(numbers)).any():
        return "regression", "numbers with fractions"
    if n_values <= max(2, min(FEW, len(numbers) // 5)):
        return "classification", f"whole numbers of {n_values} values"
    return "regression", f"whole numbers of {n_values} values"
