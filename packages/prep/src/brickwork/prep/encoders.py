"""What fit learned of one column, as a frozen record that turns the column into float32 features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

import numpy as np

from .columns import Column, as_booleans, as_datetimes, as_numbers, as_texts, parse_number
from .dates.parts import PARTS
from .errors import SchemaError, StateError, bad_values
from .kinds import Finding
from .literals.dates import STYLES, find_style
from .state import demand, read_fields

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Encoder:
    """One column's part of a fitted `TablePrep`.

    `missing` counts missing values at fit, `why` says how the kind was found.
    `suffixes` names the features: each is the column's name, `_`, and one suffix ("" for the plain name).
    """

    name: str
    kind: str
    missing: int
    why: str

    KINDS: ClassVar[tuple[str, ...]] = ()

    @property
    def suffixes(self) -> tuple[str, ...]:
        return ()

    @property
    def categories_seen(self) -> tuple[str, ...]:
        return ()

    @property
    def action(self) -> str:
        """What becomes of the column, for a person."""
        raise NotImplementedError

    def encode(self, column: Column, out: np.ndarray, who: str) -> None:
        """Writes the features into `out`, float32 (n, len(suffixes)), given full of zeros."""
        raise NotImplementedError

    def check(self) -> None:
        """Refuses a record whose fields contradict one another; a fitted one never does."""

    def to_state(self) -> dict[str, Any]:
        """This record as a dict of plain values."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_state(cls, state: Any, where: str) -> Self:
        """The record of a state dict, or StateError."""
        kinds = {f.name: str(f.type) for f in fields(cls) if f.init} | {"missing": "count"}
        encoder = cls(**read_fields(state, kinds, where))
        encoder.check()
        return encoder


@dataclass(frozen=True, slots=True)
class Dropped(Encoder):
    """A column that gives no feature and need not be there at transform."""

    KINDS: ClassVar = ("identifier", "constant", "empty", "unsupported", "drop")

    @property
    def action(self) -> str:
        return "dropped"


@dataclass(frozen=True, slots=True)
class Numeric(Encoder):
    """(x - mean) / scale, with the median where x is missing.

    Mean, standard deviation (population) and median are those of the values present at fit.
    Where fit saw missing values a second feature is 1 in their rows. float64 inside; clipped to float32's range.
    """

    median: float
    mean: float
    scale: float

    KINDS: ClassVar = ("numeric",)

    @classmethod
    def fit(cls, column: Column, finding: Finding, who: str) -> Self:
        values = as_numbers(column, who)
        present = values[~np.isnan(values)]
        _need_values(column, present, who)
        mean, scale = mean_and_scale(present)
        missing = len(values) - len(present)
        return cls(column.name, "numeric", missing, finding.why, _median(present), mean, scale)

    @property
    def suffixes(self) -> tuple[str, ...]:
        return ("", "missing") if self.missing else ("",)

    @property
    def action(self) -> str:
        filled = f", missing as the median {self.median:.6g} with an indicator" if self.missing else ""
        return f"(x - {self.mean:.6g}) / {self.scale:.6g}{filled}"

    def encode(self, column: Column, out: np.ndarray, who: str) -> None:
        values = as_numbers(column, who)
        missing = np.isnan(values)
        filled = np.where(missing, self.median, values)
        with np.errstate(over="ignore"):
            out[:, 0] = np.clip((filled - self.mean) / self.scale, -_LARGEST, _LARGEST)
        if self.missing:
            out[:, 1] = missing

    def check(self) -> None:
        demand(self.scale > 0, self.name, "scale must be above 0", self.scale)


@dataclass(frozen=True, slots=True)
class Categorical(Encoder):
    """One-hot, with a place for any category not kept and a place for missing.

    `categories` are those kept: all, or the most frequent `max_categories`; `rare` counts the rest.
    """

    categories: tuple[str, ...]
    rare: int
    lookup: dict[str, int] = field(init=False, repr=False, compare=False)

    KINDS: ClassVar = ("categorical",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lookup", {text: i for i, text in enumerate(self.categories)})

    @classmethod
    def fit(cls, column: Column, finding: Finding, who: str, max_categories: int) -> Self:
        codes, vocabulary = as_texts(column, who)
        present = codes[codes >= 0]
        _need_values(column, present, who)
        counts = np.bincount(present, minlength=len(vocabulary))
        # Distinct codes may share a text (1 and "1" in one column), so counts are summed by text.
        times: dict[str, int] = {}
        for code in np.flatnonzero(counts).tolist():
            times[vocabulary[code]] = times.get(vocabulary[code], 0) + int(counts[code])
        frequent = sorted(times, key=lambda text: (-times[text], text))[:max_categories]
        rare = len(times) - len(frequent)
        return cls(column.name, "categorical", len(codes) - len(present), finding.why, tuple(sorted(frequent)), rare)

    @property
    def suffixes(self) -> tuple[str, ...]:
        return (*self.categories, "unseen", "missing")

    @property
    def categories_seen(self) -> tuple[str, ...]:
        return self.categories

    @property
    def action(self) -> str:
        rare = f" (the {self.rare} rarest share the unseen place)" if self.rare else ""
        return f"one-hot of {len(self.categories)}, with a place for unseen and for missing{rare}"

    def encode(self, column: Column, out: np.ndarray, who: str) -> None:
        if column.form not in ("text", "other"):
            self._refuse_retyped(column, who)
        codes, vocabulary = as_texts(column, who)
        unseen, missing = len(self.categories), len(self.categories) + 1
        places = np.array([*(self.lookup.get(text, unseen) for text in vocabulary), missing])
        out[np.arange(len(codes)), places[codes]] = 1

    def _refuse_retyped(self, column: Column, who: str) -> None:
        # Names that became numbers would all be unseen, silently; numbers pass only where some category reads as one.
        alike = {
            "number": lambda text: parse_number(text) is not None,
            "boolean": lambda text: text in ("True", "False"),
            "datetime": lambda text: find_style([text]) is not None,
        }[column.form]
        rows = np.flatnonzero(~column.missing)
        if len(rows) and not any(map(alike, self.categories)):
            rule = f"held text at fit and now holds {column.form}s"
            raise bad_values(who, column.name, rule, rows, column.at(rows), "Give it as it was at fit, or fit again.")

    def check(self) -> None:
        demand(len(self.lookup) == len(self.categories) > 0, self.name, "categories must differ", len(self.categories))
        demand(self.rare >= 0, self.name, "rare must be 0 or more", self.rare)


@dataclass(frozen=True, slots=True)
class Boolean(Encoder):
    """0 or 1, with the more frequent of both where missing, and an indicator where fit saw missing values."""

    usual: bool

    KINDS: ClassVar = ("boolean",)

    @classmethod
    def fit(cls, column: Column, finding: Finding, who: str) -> Self:
        values = as_booleans(column, who)
        present = values[~np.isnan(values)]
        _need_values(column, present, who)
        return cls(column.name, "boolean", len(values) - len(present), finding.why, bool(present.mean() > 0.5))

    @property
    def suffixes(self) -> tuple[str, ...]:
        return ("", "missing") if self.missing else ("",)

    @property
    def action(self) -> str:
        return "0 or 1" + (f", missing as {int(self.usual)} with an indicator" if self.missing else "")

    def encode(self, column: Column, out: np.ndarray, who: str) -> None:
        values = as_booleans(column, who)
        missing = np.isnan(values)
        out[:, 0] = np.where(missing, float(self.usual), values)
        if self.missing:
            out[:, 1] = missing


@dataclass(frozen=True, slots=True)
class Datetime(Encoder):
    """Parts of the date that varied at fit (see `dates.PARTS`), standardised; sines and cosines as they are.

    `median` is the date, in microseconds since 1970 (UTC), that stands where one is missing.
    """

    style: str
    median: int
    parts: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]

    KINDS: ClassVar = ("datetime",)

    @classmethod
    def fit(cls, column: Column, finding: Finding, who: str) -> Self:
        moments = as_datetimes(column, who, finding.style)
        present = moments[~np.isnat(moments)]
        _need_values(column, present, who)
        learned = {}
        for part, of in PARTS.items():
            values = of(present).astype(np.float64)
            if np.ptp(values) > 1e-9:
                learned[part] = (0.0, 1.0) if part.endswith(("_sin", "_cos")) else mean_and_scale(values)
        median = int(np.sort(present.astype(np.int64))[len(present) // 2])
        means, scales = zip(*learned.values(), strict=True) if learned else ((), ())
        missing = len(moments) - len(present)
        return cls(column.name, "datetime", missing, finding.why, finding.style, median, tuple(learned), means, scales)

    @property
    def suffixes(self) -> tuple[str, ...]:
        return (*self.parts, "missing") if self.missing else self.parts

    @property
    def action(self) -> str:
        filled = ", missing as the median date with an indicator" if self.missing else ""
        return f"{', '.join(self.parts) or 'no part varies'}{filled}"

    def encode(self, column: Column, out: np.ndarray, who: str) -> None:
        moments = as_datetimes(column, who, self.style)
        missing = np.isnat(moments)
        filled = np.where(missing, np.datetime64(self.median, "us"), moments)
        for i, (part, mean, scale) in enumerate(zip(self.parts, self.means, self.scales, strict=True)):
            out[:, i] = (PARTS[part](filled) - mean) / scale
        if self.missing:
            out[:, -1] = missing

    def check(self) -> None:
        demand(self.style in STYLES, self.name, "style must be a known one", self.style)
        demand(set(self.parts) <= set(PARTS), self.name, "parts must be known ones", self.parts)
        demand(len(set(self.parts)) == len(self.parts), self.name, "parts must differ", self.parts)
        same = len(self.parts) == len(self.means) == len(self.scales)
        demand(same, self.name, "parts, means and scales must be as many", len(self.parts))
        demand(all(scale > 0 for scale in self.scales), self.name, "scales must be above 0", self.scales)


ENCODERS: dict[str, type[Encoder]] = {
    kind: encoder for encoder in (Dropped, Numeric, Categorical, Boolean, Datetime) for kind in encoder.KINDS
}


def read_encoder(state: Any, where: str) -> Encoder:
    """The encoder of a saved column, or StateError."""
    kind = state.get("kind") if isinstance(state, dict) else None
    if not isinstance(kind, str) or kind not in ENCODERS:
        raise StateError.of(where, "kind must be a known one", repr(kind), "The file is damaged or was edited.")
    return ENCODERS[kind].from_state(state, where)


def _need_values(column: Column, present: Sequence[Any] | np.ndarray, who: str) -> None:
    if not len(present):
        rule = f"column {column.name!r} needs a value to learn from"
        raise SchemaError.of(
            who, rule, "only missing ones", "Leave it out of kinds=, and it is dropped.", column=column.name
        )


def _median(values: np.ndarray) -> float:
    # Half of each, since the mean of two values near 1e308 is infinite.
    ranked, half = np.sort(values), len(values) // 2
    return float(ranked[half] if len(values) % 2 else ranked[half - 1] / 2 + ranked[half] / 2)


def mean_and_scale(values: np.ndarray) -> tuple[float, float]:
    """Mean and population standard deviation, 1 in place of 0, without overflow for values near 1e308."""
    unit = math.ldexp(0.5, math.frexp(float(np.abs(values).max()))[1])  # a power of two, so the division rounds nothing
    mean, scale = float((values / unit).mean() * unit), float((values / unit).std() * unit)
    return mean, scale if scale > 0 else 1.0
