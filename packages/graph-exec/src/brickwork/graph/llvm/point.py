"""Where a body is evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field

from brickwork.tensor.kernel import Guard

__all__ = ["Point"]


@dataclass(slots=True)
class Point:
    """Where a body is evaluated.

    ``at``: the value of each loop axis. ``lanes``: 0 for a scalar, else the width of a vector along ``axis``, whose
    lane k is at ``at[axis] + k``; ``mask``: which lanes exist (None: all). ``accs``: results of stages, (value, is
    vector); ``memo``: values already made here, by node; ``proven``: guards that hold.
    """

    at: dict[int, str]
    axis: int | None = None
    lanes: int = 0
    mask: str | None = None
    accs: dict[int, tuple[str, bool]] = field(default_factory=dict)
    memo: dict[int, tuple[str, bool]] = field(default_factory=dict)
    proven: frozenset[Guard] = frozenset()
