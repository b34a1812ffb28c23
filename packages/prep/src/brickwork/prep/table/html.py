"""A fitted `TablePrep` as HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..report import ColumnReport

__all__ = ["html_table"]

HEAD = ("column", "kind", "why", "missing", "what becomes of it", "features")


def html_table(reports: Sequence[ColumnReport], title: str) -> str:
    """A table with a row per column; all text of the data is escaped."""
    head = "".join(f'<th style="text-align: left">{name}</th>' for name in HEAD)
    rows = "".join(_row(report) for report in reports)
    total = sum(len(report.features) for report in reports)
    caption = f"{escape(title)}: {len(reports)} columns, {total} features"
    return (
        f'<table class="brickwork-prep"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(report: ColumnReport) -> str:
    cells = [report.name, report.kind, report.why, report.missing, report.action, len(report.features)]
    faint = "" if report.features else ' style="opacity: 0.6"'
    return (
        f"<tr{faint}>" + "".join(f'<td style="text-align: left">{escape(str(cell))}</td>' for cell in cells) + "</tr>"
    )
