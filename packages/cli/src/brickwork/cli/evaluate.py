"""`brickwork evaluate`: how good a model is on rows whose answers are known."""

from __future__ import annotations

from argparse import Namespace

import numpy as np

from .errors import DONE, counted
from .measures import confusion, of_classes, of_numbers
from .report import Report
from .saved import Saved, open_saved
from .tables import read_table

MOST_CLASSES = 12  # of a confusion table that still fits a terminal


def run(options: Namespace) -> int:
    """Print the measures of a model on a table."""
    saved, report = open_saved(options.model), Report()
    table = read_table(options.table)
    truth, known = saved.truth(table)
    features = saved.features(table)
    report.title("Evaluation", f"{options.model} on {options.table}, {counted(len(known), 'row')}")
    tell_unused(report, saved, list(table.frame.columns))
    tell_unknown(report, saved.facts["target"], known)
    report.console.print()
    judge(report, saved, saved.answers(features[known]), truth[known])
    return DONE


def judge(report: Report, saved: Saved, answers: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Print and return the measures of answers against the truth, and print the confusion of a classification."""
    classes = saved.classes
    found = of_numbers(truth, answers) if classes is None else of_classes(truth, answers)
    report.measures(found)
    if classes is not None and len(classes) <= MOST_CLASSES:
        report.console.print()
        report.confusion(classes, confusion(truth, answers.argmax(axis=1), len(classes)))
    return found


def tell_unused(report: Report, saved: Saved, names: list[str]) -> None:
    """Say which columns of a table the model does not know."""
    known = {*saved.prep.feature_names_in_, saved.facts["target"]}
    for name in names:
        if name not in known:
            report.note(f"column {name!r} was not there in training and is ignored.")


def tell_unknown(report: Report, target: str, known: np.ndarray) -> None:
    """Say how many rows cannot be used for want of an answer."""
    if not known.all():
        report.note(f"{counted(int((~known).sum()), 'row')} without a value of {target!r} left out.")
