"""The columns of a table against what fit saw of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..columns import Column, as_texts
from ..errors import quote
from ..schema import ColumnSchema
from ..statistics.profile import SAMPLE
from . import measures
from .report import ColumnDrift, DriftLimits, DriftReport

__all__ = ["compare"]

SMALL = 0.005  # categories that had a smaller share than this at fit are counted together in the index
RANGED = ("number", "boolean", "datetime")


def compare(
    schema: Sequence[ColumnSchema],
    columns: Sequence[Column | None],
    known: Sequence[Mapping[str, Any] | bool | None],
    extra: Sequence[str],
    limits: DriftLimits,
) -> DriftReport:
    """One report for the columns of fit; `columns` has None where one is gone.

    `known` has all categories of a column, where a transformer counted them; None leaves it to the schema, and False
    says that its texts are no categories (numbers or dates), so that new ones tell nothing.
    """
    n = max((len(column.values) for column in columns if column is not None), default=0)
    found = [_column(*three, limits) for three in zip(schema, columns, known, strict=True)]
    return DriftReport(tuple(found), tuple(extra), schema[0].n, n)


def _column(
    before: ColumnSchema, column: Column | None, known: Mapping[str, Any] | bool | None, limits: DriftLimits
) -> ColumnDrift:
    was = before.missing_rate
    if column is None:
        return ColumnDrift(before.name, before.form, "gone", missing=(was, 1.0), reasons=("no such column",))
    now = ColumnSchema(before.name, column.form)
    now.update(column)
    missing = (was, now.missing_rate)
    told: dict[str, Any] = {"missing": missing}
    verdicts = [_verdict("missing", abs(missing[1] - was), limits.missing, _chance_missing(before, now))]
    if now.missing == now.n or before.missing == before.n:
        verdict, reasons = _joined(verdicts, "empty")
        return ColumnDrift(before.name, before.form, verdict, missing=missing, reasons=reasons)
    if now.form != before.form and {now.form, before.form} != {"number", "boolean"}:
        reason = f"{before.form} at fit, {now.form} now"
        return ColumnDrift(before.name, before.form, "retyped", missing=missing, reasons=(reason,))
    if before.form in RANGED:
        verdicts += _numbers(before, now, column, limits, told)
    if before.form == "text" and known is not False:
        verdicts += _texts(before, now, limits, told)
    if isinstance(known, Mapping) or (before.form == "text" and known is None):
        verdicts += _unseen(before, column, known if isinstance(known, Mapping) else None, limits, told)
    verdict, reasons = _joined(verdicts, "stable")
    return ColumnDrift(before.name, before.form, verdict, **told, reasons=reasons)


def _numbers(
    before: ColumnSchema, now: ColumnSchema, column: Column, limits: DriftLimits, told: dict[str, Any]
) -> list[tuple[str, str]]:
    n, m = _rows(before), _rows(now)
    a, b = before.profile, now.profile
    if not n or not m or not len(a.keys) or not len(b.keys):
        return []
    expected, actual = measures.shares(a, b)
    unit = a.deviation or max(abs(a.mean), 1.0)
    values = column.values.view(np.int64) if column.form == "datetime" else column.values
    outside = (values < before.low) | (values > before.high)
    told["psi"] = measures.index(expected, actual, n, m)
    told["ks"] = measures.kolmogorov_smirnov(a, b)
    told["mean"] = (b.mean - a.mean) / unit
    told["outside"] = float(np.count_nonzero(outside & ~column.missing)) / (now.n - now.missing)
    if before.form == "datetime":
        return []  # time goes on: that newer rows are newer is no fault of theirs
    return [
        _verdict("psi", told["psi"], limits.psi, measures.chance_of_psi(len(expected), n, m)),
        _verdict("ks", told["ks"], limits.ks, measures.chance_of_ks(n, m)),
        _verdict("mean", abs(told["mean"]), limits.mean, measures.chance_of_mean(n, m)),
        _verdict("outside", told["outside"], limits.outside, _chance_outside(before, now)),
    ]


def _texts(before: ColumnSchema, now: ColumnSchema, limits: DriftLimits, told: dict[str, Any]) -> list[tuple[str, str]]:
    n, m = before.n - before.missing, now.n - now.missing
    large = [text for text, count in before.categories.items() if count >= SMALL * n]
    expected, actual = (
        np.array([*(one.categories.get(text, 0) for text in large), 0.0]) / rows
        for one, rows in ((before, n), (now, m))
    )
    expected[-1], actual[-1] = 1 - expected.sum(), 1 - actual.sum()  # all others
    told["psi"] = measures.index(np.maximum(expected, 0), np.maximum(actual, 0), n, m)
    return [_verdict("psi", told["psi"], limits.psi, measures.chance_of_psi(len(expected), n, m))]


def _unseen(
    before: ColumnSchema,
    column: Column,
    known: Mapping[str, Any] | None,
    limits: DriftLimits,
    told: dict[str, Any],
) -> list[tuple[str, str]]:
    if known is None and (before.others or not before.categories):
        return []  # fit saw more categories than the schema keeps, so none can be called new
    times = before.categories if known is None else known
    codes, vocabulary = as_texts(column, "drift")
    counts = np.bincount(codes[codes >= 0], minlength=len(vocabulary)).tolist()
    found: dict[str, int] = {}
    for text, count in zip(vocabulary, counts, strict=True):
        if count and text not in times:
            found[text] = found.get(text, 0) + count
    told["unseen"] = dict(sorted(found.items(), key=lambda pair: -pair[1]))
    n, m = max(before.n - before.missing, 1), sum(counts)
    # Of categories seen once there are as many to come (Good, "The population frequencies of species", 1953).
    single = sum(count == 1 for count in times.values()) / n
    share, chance = sum(found.values()) / m, single + measures.chance_of_share(max(single, 1 / n), n, m)
    verdict, reason = _verdict("unseen", share, limits.unseen, chance)
    return [(verdict, f"{reason}: {quote(told['unseen'])}" if reason else "")]


def _verdict(measure: str, value: float, limit: float, chance: float) -> tuple[str, str]:
    """("stable", "shifted" or "drifted", why)."""
    if value < limit / 2 or value <= chance:
        return "stable", ""
    shown = f"{measure} {value:.1%}" if measure in ("missing", "unseen", "outside") else f"{measure} {value:.2f}"
    return ("drifted" if value >= limit else "shifted"), shown


def _joined(verdicts: Sequence[tuple[str, str]], otherwise: str) -> tuple[str, tuple[str, ...]]:
    """The worst verdict, and the reasons for all that are not stable."""
    ranked = [verdict for verdict in ("drifted", "shifted") if verdict in {one for one, _ in verdicts}]
    return (ranked or [otherwise])[0], tuple(reason for _, reason in verdicts if reason)


def _rows(one: ColumnSchema) -> int:
    """How many values a profile was made of."""
    return min(one.n - one.missing, SAMPLE)


def _chance_missing(before: ColumnSchema, now: ColumnSchema) -> float:
    rate = (before.missing + now.missing) / (before.n + now.n)
    return measures.chance_of_share(rate, before.n, now.n)


def _chance_outside(before: ColumnSchema, now: ColumnSchema) -> float:
    return measures.chance_of_outside(before.n - before.missing, now.n - now.missing)
