"""`brickwork train`: a table in, one model file out."""

from __future__ import annotations

import os
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

import brickwork.layers
import brickwork.prep
import brickwork.tensor
from brickwork.tensor import DeviceError, get_backend

from . import __version__
from .errors import DONE, INTERRUPTED, Mistake, counted, mistakes
from .evaluate import judge
from .lesson import Lesson, prepare
from .network import build, fit
from .report import Report
from .saved import Saved, save
from .tables import Table, read_table


def run(options: Namespace) -> int:
    """Read, prepare, train, judge and save."""
    out = options.out or Path(f"{options.table.stem}.brick")
    check(options.device, out, options.table)
    report = Report()
    saved = train(options, read_table(options.table), report)
    save(out, saved)
    return tell_saved(report, saved, out)


def check(device: str, out: Path, table: Path) -> None:
    """Refuse before any work is done what would make it worthless after."""
    with mistakes(DeviceError, about="device"):
        backend = get_backend(device)
    if backend is not get_backend("cpu"):
        raise Mistake(f"--device {device}: is usable, but networks learn on the CPU in this version. Leave it out.")
    if out.resolve() == table.resolve():
        raise Mistake(f"--out {out} would overwrite the table. Name another file.")
    folder = out.resolve().parent
    if not folder.is_dir():
        raise Mistake(f"--out {out}: there is no folder {folder}. Make it, or name another.")
    if out.is_dir() or not os.access(folder, os.W_OK):
        raise Mistake(f"--out {out}: cannot be written there. Name another file.")


def train(options: Namespace, table: Table, report: Report) -> Saved:
    """A model of the column `options.target`, told to the person as it comes about."""
    report.title("Training", f"on {table.path}, {counted(len(table.frame), 'row')}, to predict {options.target!r}")
    lesson = prepare(table, options)
    _tell(lesson, options.target, report)
    model = build(lesson.prep.n_features_out_, lesson.target, options.seed)
    learned = fit(model, lesson, options, report)
    if learned.epochs:
        report.line(f"kept the weights of epoch {learned.best_epoch}, whose validation loss was the lowest", "dim")
    report.heading(f"Validation, on {counted(len(lesson.valid_answers), 'row')} that were not learned from")
    saved = Saved(lesson.prep, lesson.target, model, {})
    truth = lesson.valid_answers if saved.is_classifier else lesson.target.inverse_transform(lesson.valid_answers)
    measures = judge(report, saved, saved.answers(lesson.valid_features), truth)
    facts = {
        "task": lesson.target.task_,
        "target": options.target,
        "table": table.path.name,
        "rows": len(lesson.answers) + len(lesson.valid_answers),
        "valid_rows": len(lesson.valid_answers),
        "columns": lesson.columns,
        "measures": measures,
        "seed": options.seed,
        "batch_size": options.batch_size,
        "versions": _versions(),
        **asdict(learned),
    }
    return Saved(lesson.prep, lesson.target, model, facts)


def tell_saved(report: Report, saved: Saved, out: Path) -> int:
    """Say where the model is, and give the exit code."""
    report.console.print()
    if saved.facts["interrupted"]:
        epochs = counted(saved.facts["epochs"], "epoch")
        report.line(f"Interrupted after {epochs}: what was learned is saved in {out}", "bold")
        return INTERRUPTED
    report.line(f"Saved in {out}", "bold")
    return DONE


def _tell(lesson: Lesson, name: str, report: Report) -> None:
    if lesson.left_out:
        report.note(f"{counted(lesson.left_out, 'row')} without a value of {name!r} left out.")
    report.console.print()
    report.columns(lesson.columns)
    report.console.print()
    found = lesson.target.describe()
    if found.task == "classification":
        classes = ", ".join(f"{label} {n}" for label, n in list(zip(found.classes, found.counts))[:8])
        more = f" and {len(found.classes) - 8} more" if len(found.classes) > 8 else ""
        report.line(f"{name}: {counted(len(found.classes), 'class', 'classes')}, {classes}{more} ({found.why})")
    else:
        report.line(f"{name}: numbers around {found.mean:.5g}, standard deviation {found.scale:.5g} ({found.why})")
    report.line(f"{counted(len(lesson.answers), 'row')} to learn from, {len(lesson.valid_answers)} held out")
    report.console.print()


def _versions() -> dict[str, Any]:
    modules = (brickwork.tensor, brickwork.layers, brickwork.prep)
    return {"brickwork.cli": __version__, **{module.__name__: module.__version__ for module in modules}}
