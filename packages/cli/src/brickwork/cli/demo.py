"""`brickwork demo`: a real job on real data, from the raw table to answers in a new process."""

from __future__ import annotations

import csv
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import Mistake
from .report import Report
from .saved import save
from .tables import read_table
from .train import check, tell_saved, train

TABLE = "penguins.csv"
TARGET = "species"
COLUMNS = ("island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year")
ROWS = (
    ("every value known", ("Torgersen", "38.6", "18.4", "188", "3600", "female", "2009")),
    ("three values missing", ("Biscoe", "47.9", "", "219", "", "", "2009")),
    ("an island never seen", ("Anvers", "50.1", "18.6", "196", "3750", "male", "2009")),
)


def run(options: Namespace) -> int:
    """Train on the penguins, save, and let another process answer for rows it has never seen."""
    check("cpu", options.out, Path(TABLE))
    report = Report()
    lesson = Namespace(target=TARGET, task="auto", epochs=200, batch_size=32, valid=0.2, seed=0)
    with as_file(files(__package__) / "data" / TABLE) as path:
        saved = train(lesson, replace(read_table(path), path=Path(TABLE)), report)
    save(options.out, saved)
    code = tell_saved(report, saved, options.out)

    report.heading("Raw rows, answered by a new process that loads the file")
    report.line(f"brickwork predict {options.out} rows.csv", "dim")
    report.console.print()
    for (about, row), answer in zip(ROWS, _predict(options.out), strict=True):
        chances = {name: float(answer[f"probability_{name}"]) for name in saved.classes or ()}
        report.answer(", ".join(value or "NA" for value in row), about, answer["prediction"], chances)
    return code


def _predict(model: Path) -> list[dict[str, str]]:
    """What `brickwork predict`, run as a process of its own, writes for the rows."""
    with TemporaryDirectory() as folder:
        table, out = Path(folder, "rows.csv"), Path(folder, "answers.csv")
        with table.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *(row for _, row in ROWS)])
        command = [sys.executable, "-m", __package__, "predict", str(model), str(table), "--out", str(out)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Mistake(f"the process that predicts ended with {done.returncode}: {done.stderr.strip()}")
        with out.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
