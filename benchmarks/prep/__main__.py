"""A table of a million rows and 20 columns to a matrix, ours beside scikit-learn and skrub: `hatch run bench:prep`.

8 columns of numbers with missing values, 8 of text with 5 to 10,000 words and missing values, 2 of dates, 2 of truth.
Each side is a process of its own that makes the table, then takes turns with the others: `fit_transform` of the whole
by a new transformer. The first turn warms up and measures memory: the most bytes held above the table. A ratio is taken
turn by turn and its median counts. Then one row at a time: a frame of one row, and for ours a dict.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .sides import AGAINST, NEEDS, SIDES

ROOT = Path(__file__).parents[2]
FASTER, SMALLER, ROW = 3.0, 0.5, 150.0
"""To reach: times as fast, of the memory, microseconds for a row."""


@dataclass(slots=True)
class Side:
    """A process at work, and what it has answered."""

    name: str
    process: subprocess.Popen[str]
    turns: list[dict[str, Any]] = field(default_factory=list)
    row: dict[str, float] = field(default_factory=dict)

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"do": do, **what}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"bench:prep: {self.name} has ended; its words stand above")
        found: dict[str, Any] = json.loads(answer)
        return found

    def median(self, what: str) -> float:
        """Of the turns after the first."""
        return statistics.median(turn[what] for turn in self.turns[1:])


def start(name: str, rows: int, threads: int) -> Side:
    """The process of a side, once its table is made."""
    env = {**os.environ, "BRICKWORK_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads),
           "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.prep.worker", name, str(rows)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT)
    assert process.stdout
    if process.stdout.readline() != "ready\n":
        sys.exit(f"bench:prep: {name} did not start; its words stand above")
    return Side(name, process)


def measure(sides: Sequence[Side], rounds: int, calls: int) -> None:
    """All turns, the order of the sides turned round from one to the next."""
    for turn in range(rounds + 1):
        for side in [*sides[turn % len(sides) :], *sides[: turn % len(sides)]]:
            side.turns.append(side.ask("learn", memory=turn == 0))
            told = side.turns[-1]
            print(f"{time.strftime('%H:%M:%S')} {side.name}: {told['wall']:.2f} s", file=sys.stderr, flush=True)
    for side in sides:
        slow = side.turns[-1]["wall"] > 20
        side.row = side.ask("row", count=max(20, calls // 10) if slow or "ours" not in side.name else calls)


def table(sides: Sequence[Side]) -> list[str]:
    """A line for each side, and beside peers how ours compares."""
    by_name = {side.name: side for side in sides}
    head = ["side", "s", "CPU s", "ours is faster", "to reach", "peak MB", "ours of it", "to reach", "gives",
            "one row of a frame, us", "of a dict, us"]  # fmt: skip
    out = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for side in sides:
        first, mine = side.turns[0], by_name.get(AGAINST.get(side.name, ""))
        times = share = reach = limit = ""
        if mine is not None:
            ratios = [t["wall"] / m["wall"] for t, m in zip(side.turns[1:], mine.turns[1:], strict=True)]
            times, reach = f"{statistics.median(ratios):.1f} times", f"{FASTER:g}"
            share, limit = f"{mine.turns[0]['memory'] / max(first['memory'], 1):.2f}", f"{SMALLER:g}"
        shape = f"{first['shape'][1]} columns, {', '.join(first['dtypes'])}"
        cells = [side.name, f"{side.median('wall'):.2f}", f"{side.median('cpu'):.2f}", times, reach,
                 f"{first['memory'] / 1e6:,.0f}", share, limit, shape, f"{side.row['frame']:,.0f}",
                 f"{side.row['dict']:,.0f}" if "dict" in side.row else ""]  # fmt: skip
        out.append(f"| {' | '.join(cells)} |")
    return out


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench:prep", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side, after one to warm up")
    parser.add_argument("--calls", type=int, default=2000, help="rows transformed one by one")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES), metavar="NAME", help=", ".join(SIDES))
    parser.add_argument("--json", type=Path, help="also write what was measured to this file")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = options_of(argv)
    absent = [name for name in options.sides if find_spec(NEEDS[name].partition(".")[0]) is None]
    sides = [start(name, options.rows, options.threads) for name in options.sides if name not in absent]
    measure(sides, options.rounds, options.calls)
    print(
        f"{platform.platform()}, {platform.machine()}, {options.threads} threads, Python {platform.python_version()}."
    )
    print(f"{options.rows:,} rows, 20 columns; medians of {options.rounds} turns.")
    packages = [
        p
        for p in ("numpy", "pandas", "pyarrow", "scikit-learn", "skrub")
        if find_spec(p.replace("scikit-learn", "sklearn"))
    ]
    print(
        ", ".join(f"{name} {version(name)}" for name in packages) + f". One row is to take ours at most {ROW:g} us.\n"
    )
    print("\n".join(table(sides)))
    for name in absent:
        print(f"{name}: not run, {NEEDS[name]} is not installed.")
    if options.json:
        options.json.write_text(json.dumps({s.name: {"turns": s.turns, "row": s.row} for s in sides}, indent=1))
    for side in sides:
        side.process.terminate()


if __name__ == "__main__":
    main()
