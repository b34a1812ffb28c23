"""What becomes of a column: the encoder of its kind, with the reasons in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..columns import Column, parse_number
from ..dates.parts import FORMULAS, circle
from ..encoder import Encoder
from ..errors import SchemaError, bad_values
from ..formula import Formula, is_missing, number, one_hot, take, where
from ..literals.dates import find_style, read_dates
from ..readings import Booleans, Codes, Dates
from ..statistics import Counts
from .figures import Figures, Truths
from .instants import LEARNED, Instants
from .kinds import DROPPED, Finding

__all__ = ["Choice", "Options", "choose"]

_LARGEST = float(np.finfo(np.float32).max)
_TINY = 1e-9  # below which a part of dates does not vary

PARTS = {
    "time": "time", "year": "year", "month": "month", "day": "day", "weekday": "weekday", "hour": "time_of_day",
}  # fmt: skip
"""The parts that dates become, by the names that `dates.parts` has for them."""
CIRCLES = ("month", "weekday", "hour")


@dataclass(frozen=True, slots=True)
class Options:
    """The parameters of `TablePrep` that say what becomes of a column."""

    impute: Any
    scale: Any
    max_categories: int
    high_cardinality: Any
    indices: bool


@dataclass(frozen=True, slots=True)
class Choice(Encoder):
    """An encoder that knows its `kind`, `why` it is that, and what its `action` is, for a person.

    `categories` are those with a place of their own. `vocabulary` is how many indices a column of them has for a
    network's embedding; 0 where it gives numbers. `taken` is what another transformer has learned that gives them.
    """

    kind: str = ""
    why: str = ""
    action: str = "dropped"
    categories: tuple[str, ...] = ()
    vocabulary: int = 0
    taken: Any = None


@dataclass(frozen=True, slots=True)
class Known(Codes):
    """Codes of a column that must not come back as another kind of value."""

    def _coded(self, column: Column, who: str) -> tuple[np.ndarray, np.ndarray]:
        if column.form not in ("text", "other"):
            self._refuse_retyped(column, who)
        return Codes._coded(self, column, who)

    def _refuse_retyped(self, column: Column, who: str) -> None:
        # Names that became numbers would all be unseen, silently; numbers pass only where some category reads as one.
        alike: Callable[[str], bool] = {
            "number": lambda text: parse_number(text) is not None,
            "boolean": lambda text: text in ("True", "False"),
            "datetime": lambda text: find_style([text]) is not None,
        }[column.form]
        rows = np.flatnonzero(~column.missing)
        if len(rows) and not any(map(alike, self.index)):
            rule = f"held text at fit and now holds {column.form}s"
            raise bad_values(who, column.name, rule, rows, column.at(rows), "Give it as it was at fit, or fit again.")


def choose(gathered: Any, finding: Finding, options: Options) -> Choice:
    """What becomes of a column whose kind was found."""
    name, missing = gathered.name, gathered.missing
    if finding.kind in DROPPED:
        return Choice(name, (), (), kind=finding.kind, why=finding.why)
    part = _read(gathered.part, finding)
    if part is None or (isinstance(part, Figures) and not part.moments.n):
        rule = f"column {name!r} is {finding.kind}, and all its values must read so"
        raise SchemaError.of("TablePrep", rule, "others", "Mend these, or give another kind.", column=name)
    match finding.kind:
        case "numeric":
            return _numeric(name, part, gathered.n - part.moments.n, finding, options)
        case "boolean":
            return _boolean(name, part, missing, finding)
        case "datetime":
            return _datetime(name, part, missing, finding, options)
    return _categorical(name, part, finding, options)


def _read(part: Any, finding: Finding) -> Any:
    """The statistic of a kind, of text what it stands for; None where it does not."""
    if not isinstance(part, Counts):
        return part
    match finding.kind:
        case "numeric":
            return Figures.of_texts(part)
        case "boolean":
            return Truths.of_texts(part)
        case "datetime":
            ticks = read_dates(part.texts, finding.style)
            return None if None in ticks else Instants.of_ticks(ticks, part.counts)
    return part


# ---- numbers, booleans, dates: a value of their own where one is missing, and an indicator where fit saw that -------


def _filled(x: Formula, value: float) -> Formula:
    return where(is_missing(x), value, x)


def _with_indicator(suffixes: list[str], formulas: list[Formula], missing: int) -> dict[str, Any]:
    if missing:
        suffixes, formulas = [*suffixes, "missing"], [*formulas, is_missing(number())]
    return {"suffixes": tuple(suffixes), "formulas": tuple(formulas)}


def _numeric(name: str, figures: Figures, missing: int, finding: Finding, options: Options) -> Choice:
    moments, quantiles = figures.moments, figures.quantiles
    fill, filled = {
        "median": lambda: (quantiles.at(0.5), "the median"),
        "mean": lambda: (moments.mean, "the mean"),
    }.get(options.impute, lambda: (float(options.impute), "the number"))()
    scaled, told = _scaled(_filled(number(), fill), moments, quantiles, options.scale)
    action = told + (f", missing as {filled} {fill:.6g} with an indicator" if missing else "")
    both = _with_indicator([""], [scaled.clip(-_LARGEST, _LARGEST)], missing)
    return Choice(name, **both, kind="numeric", why=finding.why, action=action)


def _scaled(x: Formula, moments: Any, quantiles: Any, scale: Any) -> tuple[Formula, str]:
    """x on the scale that was asked for, and how, for a person."""
    if scale is None:
        return x, "as it is"
    low, size = {
        "standard": lambda: (moments.mean, 1.0 if moments.constant else moments.deviation),
        "robust": lambda: (quantiles.at(0.5), quantiles.at(0.75) - quantiles.at(0.25)),
        "minmax": lambda: (moments.low, moments.high - moments.low),
    }[scale]()
    if not np.isfinite(size):  # a range beyond float64: all in halves
        half = {"robust": (0.25, 0.75), "minmax": (0.0, 1.0)}[scale]
        ends = (moments.low, moments.high) if scale == "minmax" else tuple(quantiles.at(q) for q in half)
        return (x * 0.5 - low * 0.5) / (ends[1] * 0.5 - ends[0] * 0.5), f"(x - {low:.6g}) / {size:.6g}"
    size = size if size > 0 else 1.0
    return (x - low) / size, f"(x - {low:.6g}) / {size:.6g}"


def _boolean(name: str, truths: Truths, missing: int, finding: Finding) -> Choice:
    usual = float(truths.yes > truths.no)
    both = _with_indicator([""], [_filled(number(), usual)], missing)
    action = "0 or 1" + (f", missing as {usual:.0f} with an indicator" if missing else "")
    return Choice(name, **both, reading=Booleans(), kind="boolean", why=finding.why, action=action)


def _datetime(name: str, instants: Instants, missing: int, finding: Finding, options: Options) -> Choice:
    median = float(np.floor(instants.ticks.at(0.5)))
    learned = dict(zip(LEARNED, instants.parts, strict=True))
    varying = [part for part in PARTS if learned[PARTS[part]].high - learned[PARTS[part]].low > _TINY]
    suffixes, formulas = list(varying), []
    for part in varying:
        found = learned[PARTS[part]]
        mean, deviation = (found.mean, found.deviation or 1.0) if options.scale is not None else (0.0, 1.0)
        formulas.append((FORMULAS[PARTS[part]] - mean) / deviation)
    for part in CIRCLES:
        if part in varying:
            suffixes += [f"{part}_sin", f"{part}_cos"]
            formulas += circle(PARTS[part])
    # A missing date is replaced before its parts are taken: one `where` for all of them.
    known: dict[int, Formula] = {}
    formulas = [_of_input(formula, _filled(number(), median), known) for formula in formulas]
    action = (", ".join(suffixes) or "no part varies") + (
        ", missing as the median date with an indicator" * bool(missing)
    )
    both = _with_indicator(suffixes, formulas, missing)
    return Choice(name, **both, reading=Dates(finding.style), kind="datetime", why=finding.why, action=action)


def _of_input(formula: Formula, value: Formula, known: dict[int, Formula]) -> Formula:
    """The formula of another input; what was shared stays shared."""
    found = known.get(id(formula))
    if found is None:
        parts = tuple(_of_input(part, value, known) for part in formula.inputs)
        found = value if formula.op == "input" else Formula(formula.op, parts, formula.value, formula.width)
        known[id(formula)] = found
    return found


# ---- categories -----------------------------------------------------------------------------------------------------


def _categorical(name: str, counts: Counts, finding: Finding, options: Options) -> Choice:
    ranked = counts.ranked()
    about = {"kind": "categorical", "why": finding.why}
    if options.indices:
        return _indices(name, ranked, about, vocabulary=len(ranked) + 2)
    if len(ranked) <= options.max_categories:
        return _one_hot(name, ranked, [], counts, about)
    match options.high_cardinality:
        case "frequent":
            most = options.max_categories
            return _one_hot(name, ranked[:most], ranked[most:], counts, about)
        case "frequency":
            return _frequency(name, ranked, counts, about)
    return _indices(name, ranked, about, vocabulary=0)


def _shares(ranked: list[str], counts: Counts) -> list[float]:
    """log(1 + count) of each text, of that of the most frequent: in (0, 1], so no model meets a great number."""
    logs = np.log1p([counts.times[text] for text in ranked])
    return (logs / logs[0]).tolist()


def _one_hot(name: str, kept: list[str], rare: list[str], counts: Counts, about: dict[str, Any]) -> Choice:
    """A place for each of the kept in the order of their text, one for others, one for missing; rare ones share."""
    places = sorted(kept)
    n = len(places)
    index = {text: i for i, text in enumerate(places)}
    action = f"one-hot of {n}, with a place for unseen and for missing"
    suffixes: tuple[str, ...] = (*places, "unseen", "missing")
    formulas = (one_hot(number(), n + 2),)
    if rare:
        # Codes go on behind those of unseen and missing: all of the rare are at the place of the unseen, each with its
        # own frequency.
        share = dict(zip([*kept, *rare], _shares([*kept, *rare], counts), strict=True))
        index |= {text: n + 2 + i for i, text in enumerate(rare)}
        place = take([*range(n + 2), *([n] * len(rare))], number())
        often = [*(share[text] for text in places), 0.0, 0.0, *(share[text] for text in rare)]
        formulas = (one_hot(place, n + 2), take(often, number()))
        suffixes = (*suffixes, "frequency")
        action += f" (the {len(rare)} rarest share the unseen place, told apart by how frequent they are)"
    reading = Known(index, n, n + 1)
    return Choice(name, suffixes, formulas, reading, action=action, categories=tuple(places), **about)


def _frequency(name: str, ranked: list[str], counts: Counts, about: dict[str, Any]) -> Choice:
    n = len(ranked)
    formulas = (take([*_shares(ranked, counts), 0.0, 0.0], number()), number().equals(n + 1))
    reading = Known({text: i for i, text in enumerate(ranked)}, n, n + 1)
    action = f"how frequent each of {n} is, 0 for the unseen, with a place for missing"
    return Choice(name, ("frequency", "missing"), formulas, reading, action=action, **about)


def _indices(name: str, ranked: list[str], about: dict[str, Any], *, vocabulary: int) -> Choice:
    """0 where missing, 1 for the unseen, then the categories, the most frequent first (as `CategoryIndexer` has it)."""
    reading = Known({text: i + 2 for i, text in enumerate(ranked)}, 1, 0)
    action = f"an index: 0 for missing, 1 for unseen, then {len(ranked)} categories, the most frequent first"
    about |= {"action": action, "categories": tuple(ranked)}
    return Choice(name, ("",), (number(),), reading, vocabulary=vocabulary, **about)
