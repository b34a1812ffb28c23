"""What the person sees: calm tables, one moving line while training, and plain lines where nobody is looking."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

LOG_WIDTH = 110  # columns of a file or a CI log, which have no width of their own
QUIET_SECONDS = 5.0  # between lines of progress where the output is not a terminal
LIVE_SECONDS = 0.1
INDENT = (0, 0, 0, 2)

NAMES = {
    "accuracy": "accuracy",
    "log_loss": "log loss",
    "mean_absolute_error": "mean absolute error",
    "root_mean_squared_error": "root mean squared error",
    "r2": "R\N{SUPERSCRIPT TWO}",
}


class Report:
    """Everything the program prints for a person. `stderr` leaves standard output to data."""

    def __init__(self, *, stderr: bool = False):
        self.console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
        if not self.console.is_terminal:
            self.console.width = LOG_WIDTH

    def title(self, what: str, about: str) -> None:
        self.console.print()
        self.console.print(Text.assemble((what, "bold"), ("  " + about, "dim")))

    def heading(self, text: str) -> None:
        self.console.print()
        self.console.print(Text(text, "bold"))

    def line(self, text: str, style: str = "") -> None:
        self.console.print(Padding(Text(text, style), INDENT, expand=False))

    def note(self, text: str) -> None:
        """Something worth knowing that stops nothing."""
        self.console.print(Padding(Text.assemble(("note: ", "yellow"), text), INDENT, expand=False))

    def columns(self, columns: Iterable[Mapping[str, Any]], *, whole: bool = False) -> None:
        """What prep found: `name`, `kind`, `missing`, `action`, `why`, `categories` each; `whole`: actions in full."""
        table = _table("column", "kind", ">missing", "what becomes of it")
        for column in columns:
            dropped = column["action"] == "dropped"
            fate = f"left out: {column['why']}" if dropped else column["action"] if whole else _fate(column)
            missing = Text(str(column["missing"]), "yellow" if column["missing"] else "dim")
            table.add_row(column["name"], column["kind"], missing, fate, style="dim" if dropped else "")
        self._show(table)

    def measures(self, measures: Mapping[str, float]) -> None:
        table = _table("", ">")
        for name, value in measures.items():
            table.add_row(NAMES.get(name, name), Text(number(value), "bold"))
        self._show(table, header=False)

    def confusion(self, classes: Sequence[str], counts: Any) -> None:
        """How many rows of each true class (down) were given each class (across)."""
        table = _table("true \\ predicted", *(f">{name}" for name in classes), ">right")
        for i, name in enumerate(classes):
            cells = [Text(str(n), "bold green" if i == j else "red" if n else "dim") for j, n in enumerate(counts[i])]
            total = int(counts[i].sum())
            table.add_row(name, *cells, f"{counts[i][i] / total:.1%}" if total else "no rows")
        self._show(table)

    def rows(self, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Any small table; a name that starts with `>` is a column of numbers."""
        table = _table(*names)
        for row in rows:
            table.add_row(*row)
        self._show(table)

    def answer(self, row: str, about: str, prediction: str, chances: Mapping[str, float]) -> None:
        """One raw row, and under it the probability of each class."""
        self.console.print(Padding(Text.assemble(row, (f"   {about}", "dim")), INDENT, expand=False))
        parts = [(f"{name} {p:.3f}   ", "bold green" if name == prediction else "dim") for name, p in chances.items()]
        self.console.print(Padding(Text.assemble(*parts), (0, 0, 0, 6), expand=False))

    def findings(self, heading: str, findings: Iterable[tuple[str, str, str, bool]]) -> None:
        """`(name, state, trouble, needed)` of each thing the doctor looked at."""
        self.heading(heading)
        table = _table("", "", "")
        for name, state, trouble, needed in findings:
            mark = ("no", "bold red") if trouble and needed else ("-", "yellow") if trouble else ("ok", "green")
            table.add_row(Text(*mark), name, state)
            if trouble:
                table.add_row("", "", Text(trouble, "" if needed else "dim"))
        self._show(table, header=False)

    def training(self, epochs: int) -> Training:
        """The progress of a training run of at most so many epochs; a context manager."""
        return _LiveTraining(self.console, epochs) if self.console.is_terminal else _LoggedTraining(self, epochs)

    def _show(self, table: Table, header: bool = True) -> None:
        table.show_header = header
        self.console.print(Padding(table, INDENT, expand=False))


class Training(AbstractContextManager["Training"]):
    """Told how far training is; `measures` maps short names to values, and is shown as it stands."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def step(self, epoch: int, share: float) -> None:
        """Within an epoch counted from 0: the share of its batches that are done."""

    def epoch(self, epoch: int, measures: Mapping[str, float]) -> None:
        """After an epoch counted from 0."""

    def finish(self, epochs: int) -> None:
        """After the last epoch: how many there were."""


class _Bar(Progress):
    """A bar with the measures under it, where they have the whole width."""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield from (Text(f"  {task.fields['measures']}", "dim") for task in self.tasks)


class _LiveTraining(Training):
    """A bar that moves."""

    def __init__(self, console: Console, epochs: int):
        self._bar = _Bar(
            TextColumn("  training"), BarColumn(bar_width=28, complete_style="cyan", finished_style="green"),
            TextColumn("{task.fields[epoch]}"), TimeElapsedColumn(), console=console,
        )  # fmt: skip
        self._epochs = epochs
        self._task = self._bar.add_task("", total=epochs, epoch=f"epoch 1/{epochs}", measures="")
        self._next = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def step(self, epoch: int, share: float) -> None:
        now = time.monotonic()
        if now >= self._next:  # a step of a small network is shorter than drawing the bar
            self._next = now + LIVE_SECONDS
            self._bar.update(self._task, completed=epoch + share)

    def epoch(self, epoch: int, measures: Mapping[str, float]) -> None:
        self._bar.update(
            self._task, completed=epoch + 1, epoch=f"epoch {epoch + 1}/{self._epochs}", measures=told(measures)
        )

    def finish(self, epochs: int) -> None:
        self._bar.update(self._task, total=max(epochs, 1), completed=max(epochs, 1))


class _LoggedTraining(Training):
    """A line now and then, for a file or a CI log."""

    def __init__(self, report: Report, epochs: int):
        self._report, self._epochs = report, epochs
        self._next = time.monotonic() + QUIET_SECONDS
        self._last = ""

    def epoch(self, epoch: int, measures: Mapping[str, float]) -> None:
        self._last = f"epoch {epoch + 1}/{self._epochs}  {told(measures)}"
        if time.monotonic() >= self._next:
            self._say()

    def finish(self, epochs: int) -> None:
        self._say()

    def _say(self) -> None:
        if self._last:
            self._report.line(self._last)
        self._last, self._next = "", time.monotonic() + QUIET_SECONDS


def told(measures: Mapping[str, float]) -> str:
    """`loss 0.0312  accuracy 0.9910`."""
    return "  ".join(f"{NAMES.get(name, name)} {number(value)}" for name, value in measures.items())


def number(value: float) -> str:
    """A number to four figures, of the same width from line to line where it is between 0 and 10."""
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.5g}"


def _fate(column: Mapping[str, Any]) -> str:
    if column["kind"] == "numeric":
        return "scaled; missing take the median" if column["missing"] else "scaled"
    categories = list(column["categories"])
    if not categories:
        return str(column["action"])
    return ", ".join(categories[:4]) + (f" and {len(categories) - 4} more" if len(categories) > 4 else "")


def _table(*names: str) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", show_edge=False, pad_edge=False)
    for name in names:
        table.add_column(name.removeprefix(">"), justify="right" if name.startswith(">") else "left", overflow="fold")
    return table
