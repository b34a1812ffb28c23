"""What prep found, as small records for a person or a program to read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """One column of a fitted `TablePrep`.

    `missing` counts missing values at fit; `categories` are those with a place of their own; `action` says what becomes
    of the column, `why` how its kind was found, and `features` names its columns in the output (none where dropped).
    """

    name: str
    kind: str
    missing: int
    categories: tuple[str, ...]
    action: str
    why: str
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetReport:
    """A fitted `TargetPrep`: `classes` with their `counts` at fit, or `mean` and `scale` of a regression."""

    task: str
    classes: tuple[object, ...]
    counts: tuple[int, ...]
    mean: float | None
    scale: float | None
    why: str
