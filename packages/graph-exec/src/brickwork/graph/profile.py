"""`profile`: what each kernel of a compiled function takes, measured inside the native call."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Any

import numpy as np

from brickwork.tensor.errors import ShapeError
from brickwork.tensor.spec import as_int

from .cache import cached_object
from .executable import Executable
from .llvm.clocked import build_clocked
from .llvm.engine import host
from .llvm.library import Library
from .tracing import line_and_layer
from .work import Work, works

__all__ = ["Profile", "Row", "profile_of"]

_CLOCKED = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 8)
_CLOCK = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int32, ctypes.POINTER(ctypes.c_int64))
WIDTH = 44


@dataclass(frozen=True, slots=True)
class Row:
    """One kernel, or op that runs by Python. ``ms``: of all its ``runs`` in one call (a body of a loop runs often);
    ``flops`` and ``nbytes`` likewise, None where nobody knows; ``share``: of the time of all rows."""

    number: int
    kind: str
    title: str
    sources: tuple[str, ...]
    runs: int
    ms: float
    share: float
    flops: int | None
    nbytes: int | None

    @property
    def gflops(self) -> float | None:
        """10^9 floating-point operations per second."""
        return None if self.flops is None or self.ms == 0 else self.flops / self.ms / 1e6

    @property
    def gbytes(self) -> float | None:
        """10^9 bytes per second, of what must move at least."""
        return None if self.nbytes is None or self.ms == 0 else self.nbytes / self.ms / 1e6


@dataclass(frozen=True, slots=True)
class Profile:
    """``rows`` in the order they run. Milliseconds: ``total_ms`` of the rows together, ``step_ms`` of the same call
    without clocks in it. All are medians of ``calls`` calls. Printed, it is a table, the longest first."""

    name: str
    rows: tuple[Row, ...]
    total_ms: float
    step_ms: float
    calls: int

    def __str__(self) -> str:
        head = ("kernel", "us", "share", "runs", "MFLOP", "GFLOP/s", "MB", "GB/s", "where")
        lines = [_cells(r) for r in sorted(self.rows, key=lambda r: -r.ms)]
        flops, moved = (sum(getattr(r, k) or 0 for r in self.rows) for k in ("flops", "nbytes"))
        lines.append(_cells(Row(-1, "", "all kernels", (), 0, self.total_ms, 1.0, flops, moved)))
        lines.append(
            (
                "call without clocks",
                f"{self.step_ms * 1e3:.3g}",
                "",
                "",
                "",
                "",
                "",
                "",
                f"median of {self.calls} calls",
            )
        )
        widths = [max(len(line[k]) for line in (head, *lines)) for k in range(len(head))]
        return "\n".join(
            "  ".join(
                cell.ljust(w) if k in (0, len(head) - 1) else cell.rjust(w)
                for k, (cell, w) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in (head, *lines)
        )  # fmt: skip


def _cells(r: Row) -> tuple[str, ...]:
    title = r.title if r.number < 0 else f"{r.number} {r.title}" + (" (Python)" if r.kind == "call" else "")
    return (
        title if len(title) <= WIDTH else title[: WIDTH - 1] + "…",
        f"{r.ms * 1e3:.3g}",
        f"{r.share:.0%}",
        str(r.runs) if r.runs else "",
        "" if r.flops is None else f"{r.flops / 1e6:.3g}",
        "" if r.gflops is None else f"{r.gflops:.3g}",
        "" if r.nbytes is None else f"{r.nbytes / 1e6:.3g}",
        "" if r.gbytes is None else f"{r.gbytes:.3g}",
        _place(r.sources),
    )


def _place(sources: Sequence[str]) -> str:
    """The layers, or the lines where there are none; the last part of a path tells files apart well enough."""
    names = [layer or line.replace("\\", "/").rpartition("/")[2] for line, layer in map(line_and_layer, sources)]
    shown = list(dict.fromkeys(names))
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def profile_of(name: str, run: Executable, arrays: Sequence[np.ndarray], values: dict[str, int], calls: int) -> Profile:
    """Measure a plan on its arguments. Raises `ShapeError` unless ``calls`` is at least 1."""
    if as_int("profile", "runs", calls) < 1:
        raise ShapeError(f"profile: runs must be at least 1; got {calls}")
    steps = works(run.plan, values)
    library = _clocked(run)
    marks = np.zeros((max(1, len(steps)), 2), np.int64)
    found = np.zeros((calls, *marks.shape), np.int64)
    took: list[float] = []

    def around(call: Callable[[], None], k: int) -> None:
        marks[:] = 0
        start = time.perf_counter()
        call()
        if k % 2:
            found[k // 2] = marks
        else:
            took.append(time.perf_counter() - start)

    entry = _CLOCKED(library.address("brickwork_clocked"))
    clocked = entry, (_clock()[0], marks.ctypes.data)
    arrays = [np.array(a) for a in arrays]  # a plan may write over a donated argument
    run.repeat([(None, ()), clocked], arrays, values or None, lambda call, k: call())  # warm: code and memory
    run.repeat([(None, ()), clocked] * calls, arrays, values or None, around)
    spent = np.median(found[..., 0], axis=0) / 1e6
    rows = _rows(steps, spent, found[0, :, 1])
    return Profile(name, rows, float(sum(r.ms for r in rows)), median(took) * 1e3, calls)


def _rows(steps: Sequence[Work], spent: Any, runs: Any) -> tuple[Row, ...]:
    total = float(spent.sum()) or 1.0
    return tuple(
        Row(
            w.number,
            w.kind,
            w.title,
            w.sources,
            int(runs[k]),
            float(spent[k]),
            float(spent[k]) / total,
            None if w.flops is None else w.flops * int(runs[k]),
            None if w.nbytes is None else w.nbytes * int(runs[k]),
        )
        for k, w in enumerate(steps)
        if w.kind != "region"
    )


def _clocked(run: Executable) -> Library:
    text = build_clocked(run.plan, host(), _clock()[1])
    return Library(cached_object("clocked", text, lambda: text)[0])


@lru_cache(maxsize=1)
def _clock() -> tuple[int, int, Any]:
    """The address of `clock_gettime`, the number of a clock that only goes forward, and what keeps it alive."""
    number = getattr(time, "CLOCK_MONOTONIC", None)
    if number is not None and ctypes.sizeof(ctypes.c_long) == 8:
        try:
            function = ctypes.CDLL(None).clock_gettime
        except (OSError, TypeError, AttributeError):
            pass
        else:
            return ctypes.cast(function, ctypes.c_void_p).value or 0, int(number), function

    def ask(_: int, place: Any) -> int:
        now = time.perf_counter_ns()
        place[0], place[1] = divmod(now, 10**9)
        return 0

    stand_in = _CLOCK(ask)
    return ctypes.cast(stand_in, ctypes.c_void_p).value or 0, 0, stand_in
