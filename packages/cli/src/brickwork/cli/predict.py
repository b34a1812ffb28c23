"""`brickwork predict`: an answer for each row, as CSV."""

from __future__ import annotations

import csv
import io
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from .errors import DONE, Mistake, counted
from .evaluate import tell_unused
from .report import Report
from .saved import Saved, open_saved
from .tables import read_table


def run(options: Namespace) -> int:
    """Write `prediction`, and for classes the probability of each, for every row of a table in its order."""
    report = Report(stderr=True)
    saved = open_saved(options.model)
    table = read_table(options.table)
    if options.out is not None and _same(options.out, options.model, options.table):
        raise Mistake(f"--out {options.out} would overwrite what is read. Name another file.")
    features = saved.features(table)
    tell_unused(report, saved, list(table.frame.columns))
    text = as_csv(saved, saved.answers(features))
    if options.out is None:
        sys.stdout.buffer.write(text.encode())  # the same bytes on every system, whatever its code page
        sys.stdout.buffer.flush()
    else:
        write_beside(options.out, text)
        report.line(f"{counted(len(table.frame), 'prediction')} in {options.out}")
    return DONE


def as_csv(saved: Saved, answers: np.ndarray) -> str:
    """CSV text with a header; lines end in a newline alone, for programs that count them."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(["prediction", *(f"probability_{name}" for name in saved.classes or ())])
    writer.writerows(_rows(saved, answers))
    return sink.getvalue()


def _rows(saved: Saved, answers: np.ndarray) -> Iterator[list[str]]:
    if saved.classes is None:
        yield from ([f"{value:.9g}"] for value in answers)
    else:
        for row in answers:
            yield [saved.classes[row.argmax()], *(f"{value:.6f}" for value in row)]


def write_beside(path: Path, text: str) -> None:
    """Write a text file whole or not at all: to the side, synced, then moved into place."""
    side = path.with_name(f".{path.name}-{os.urandom(4).hex()}.tmp")
    try:
        with side.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        side.replace(path)
    except OSError as error:
        cause = error.strerror or error
        fix = "Free space, or write elsewhere."
        raise Mistake(f"{path}: cannot be written: {cause}; nothing was changed. {fix}") from error
    finally:
        with suppress(OSError):
            side.unlink()


def _same(path: Path, *others: Path) -> bool:
    return any(path.resolve() == other.resolve() for other in others)
