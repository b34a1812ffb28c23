"""What `drift` finds, as records, as text and as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

from ..errors import quote

__all__ = ["ColumnDrift", "DriftLimits", "DriftReport"]

BAD = ("gone", "retyped", "drifted")
HEADS = ("column", "form", "verdict", "psi", "ks", "mean", "missing", "outside", "why")


@dataclass(frozen=True, slots=True)
class DriftLimits:
    """From where on a measure counts as drift, where chance does not explain it; from half of it on, as a shift.

    Attributes
    ----------
    psi : population stability index
    ks : greatest distance between the distribution functions
    mean : difference of the means, in standard deviations of the column at fit
    missing : difference of the shares of missing values
    unseen : share of rows whose category was not there at fit
    outside : share of rows outside the range at fit

    Examples
    --------
    >>> from brickwork.prep import DriftLimits, StandardScaler
    >>> scaler = StandardScaler().fit({"a": list(range(200))})
    >>> scaler.drift({"a": list(range(60, 200))})["a"].verdict
    'drifted'
    >>> scaler.drift({"a": list(range(60, 200))}, limits=DriftLimits(psi=5, ks=0.8, mean=2))["a"].verdict
    'stable'
    """

    psi: float = 0.2
    ks: float = 0.15
    mean: float = 0.5
    missing: float = 0.05
    unseen: float = 0.02
    outside: float = 0.02


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """One column, now against then.

    Attributes
    ----------
    name, form : str; `form` is that at fit: number, boolean, datetime, text or other
    verdict : "stable", "shifted", "drifted", "retyped" (another form), "gone" (no such column), "empty" (no values)
    psi, ks, mean : float or None, as `DriftLimits` names them; None where the form has no such measure
    missing : (share at fit, share now)
    unseen : dict from each category that was not there at fit to its number of rows, the most frequent first
    outside : float or None, the share of rows outside the range at fit
    reasons : tuple of str, what the verdict rests on

    Examples
    --------
    >>> from brickwork.prep import StandardScaler
    >>> column = StandardScaler().fit({"a": list(range(200))}).drift({"a": [1.0, None] * 100})["a"]
    >>> column.missing, column.reasons[0]
    ((0.0, 0.5), 'missing 50.0%')
    """

    name: str
    form: str
    verdict: str
    psi: float | None = None
    ks: float | None = None
    mean: float | None = None
    missing: tuple[float, float] = (0.0, 0.0)
    unseen: Mapping[str, int] = field(default_factory=dict)
    outside: float | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All columns of fit, in their order.

    Attributes
    ----------
    columns : tuple of `ColumnDrift`
    extra : tuple of str, columns that were not there at fit
    n_before, n_now : int, rows
    """

    columns: Sequence[ColumnDrift]
    extra: tuple[str, ...]
    n_before: int
    n_now: int

    @property
    def drifted(self) -> list[str]:
        """The names of the columns that are drifted, retyped or gone."""
        return [column.name for column in self.columns if column.verdict in BAD]

    def __getitem__(self, name: str) -> ColumnDrift:
        """The column of this name."""
        return {column.name: column for column in self.columns}[name]

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, for a log or a monitor."""
        return {
            "n_before": self.n_before,
            "n_now": self.n_now,
            "extra": list(self.extra),
            "columns": [asdict(column) | {"unseen": dict(column.unseen)} for column in self.columns],
        }

    def __str__(self) -> str:
        rows = [HEADS, *map(_cells, self.columns)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([self._title(), *lines])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in HEADS)
        body = "".join(map(_html_row, self.columns))
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<div><p>{escape(self._title())}</p>{table}</div>"

    def _title(self) -> str:
        found = f"{len(self.drifted)} of {len(self.columns)} columns drifted"
        extra = f"; not there at fit: {quote(self.extra)}" if self.extra else ""
        return f"{self.n_now:,} rows against {self.n_before:,} at fit: {found}{extra}"


def _cells(column: ColumnDrift) -> tuple[str, ...]:
    before, now = column.missing
    measures = [_number(column.psi), _number(column.ks), _number(column.mean)]
    outside = "" if column.outside is None else f"{column.outside:.1%}"
    why = "; ".join(column.reasons)
    return column.name, column.form, column.verdict, *measures, f"{before:.1%} -> {now:.1%}", outside, why


def _html_row(column: ColumnDrift) -> str:
    style = ' style="font-weight:bold"' if column.verdict in BAD else ""
    return f"<tr{style}>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(column)) + "</tr>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
