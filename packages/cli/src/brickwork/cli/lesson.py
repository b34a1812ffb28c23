"""From a table to what a network learns from: which rows, which columns, as which numbers."""

from __future__ import annotations

import warnings
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from brickwork.prep import PrepError, TablePrep, TargetPrep, train_valid_split

from .errors import Mistake, counted, mistakes
from .saved import column_mistakes, target_column, target_numbers
from .tables import Table, as_numbers, with_numbers

KINDS = ("numeric", "categorical", "boolean", "datetime", "identifier")


@dataclass(frozen=True, slots=True)
class Lesson:
    """Fitted preps, and features float32 (n, p) with answers (n,) to learn from and to judge by.

    `columns` is what was found in the whole table, as plain records; `left_out` counts the rows without an answer.
    """

    prep: TablePrep
    target: TargetPrep
    columns: list[Mapping[str, Any]]
    left_out: int
    features: np.ndarray
    answers: np.ndarray
    valid_features: np.ndarray
    valid_answers: np.ndarray


def prepare(table: Table, options: Namespace) -> Lesson:
    """Split, fit and transform a table for `options.target`, `task`, `valid` and `seed`.

    Raises `Mistake` naming the column and the first bad row.
    """
    answers = _answers(table, options)
    known = np.flatnonzero(answers.notna().to_numpy())
    frame = with_numbers(table).drop(columns=options.target)
    if frame.columns.empty:
        raise Mistake(f"{table.path}: a column beside the target {options.target!r} is needed to predict from.")
    target = _fit_target(table, answers.iloc[known], options)
    learn, judge = _split(table, answers.iloc[known], known, target, options)
    if target.task_ == "regression":  # the scale of the rows that are learned from; classes are those of all
        target = _fit_target(table, answers.iloc[learn], options)
    with column_mistakes(table), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # prep warns of columns it cannot read; here the table tells of them
        # On every row first: what a column is, and any fault in it, are a matter of the whole table. What fills,
        # scales and encodes a column comes from the rows to learn from alone.
        whole = TablePrep().fit(frame)
        kinds = {name: kind for name, kind in whole.kinds_.items() if kind in KINDS}
        prep = TablePrep(kinds=kinds).fit(frame.iloc[learn])
        features = prep.transform(frame)
    return Lesson(
        prep,
        target,
        [
            {**asdict(found), "action": used.action}
            for found, used in zip(whole.describe(), prep.describe(), strict=True)
        ],
        len(answers) - len(known),
        features[learn],
        target.transform(answers.iloc[learn]),
        features[judge],
        target.transform(answers.iloc[judge]),
    )


def _answers(table: Table, options: Namespace) -> pd.Series:
    """The target's column with numbers where it holds numbers, NaN where missing."""
    column = target_column(table, options.target)
    numbers = as_numbers(column) if table.is_text else column
    wanted = options.task == "regression" or (options.task == "auto" and numbers.dtype.kind == "f")
    if not wanted:
        return numbers
    finite = pd.Series(target_numbers(table, column), name=column.name)
    # Gaps make floats of whole numbers, and classes named 0.0 and 1.0.
    return finite.astype("Int64") if finite.dropna().mod(1).eq(0).all() and finite.abs().max() < 2**53 else finite


def _fit_target(table: Table, answers: pd.Series, options: Namespace) -> TargetPrep:
    about = f"{table.path}: target {options.target!r}"
    with mistakes(PrepError, about=about):
        target = TargetPrep(options.task).fit(answers)
    if target.task_ == "classification" and len(answers) > 2 and target.counts_.max() == 1:
        fix = "Choose another column, or --task regression if it is a number."
        rows = counted(len(answers), "row")
        raise Mistake(f"{about}: a class needs rows to learn from; got {rows}, all different. {fix}")
    return target


def _split(
    table: Table, answers: pd.Series, known: np.ndarray, target: TargetPrep, options: Namespace
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rows to learn from and of those to judge by, with the same share of each class."""
    groups = answers if target.task_ == "classification" else False
    with mistakes(PrepError, about=f"{table.path}: --valid {options.valid:g}"):
        learn, judge, _, _ = train_valid_split(
            known, answers, valid_size=options.valid, stratify=groups, seed=options.seed
        )
    return learn, judge
