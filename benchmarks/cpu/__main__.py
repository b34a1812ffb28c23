"""A training step on the CPU, ours beside PyTorch's and Keras's: `hatch run bench:cpu`.

All train the same model from the same weights on the same rows: two threads each (or all there are), float32, Adam with
the same settings, a whole step of forward pass, loss, gradients and update. Each side is a process; they take turns in
blocks of some 60 ms (400 ms of `fit`), so that a busy moment of a shared machine falls on all; a ratio is taken block
by block and its median counts. Before anything is timed, the losses of the first steps must agree, without dropout.

`step` is the step that `fit` calls, on one batch that is there; `fit` is an epoch over arrays, with what that adds:
shuffling, gathering rows, callbacks, metrics (PyTorch's is the loop that its users write). PyTorch's Adam is the fused
one, its fastest. Peers that are not installed are named below the table; `hatch run bench:cpu` makes the environments
that have them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from .measure import Result, Settings, as_data, measure
from .peers import HOMES, Missing, interpreter
from .workloads import BY_KEY, WORKLOADS

THREADS = min(2, os.cpu_count() or 1)
MB = 1e6


def cell(value: float | None, form: str = ".2f") -> str:
    return "" if value is None else format(value, form)


def steps_table(results: Sequence[Result], sides: Sequence[str], peak: float) -> list[str]:
    """Times of all sides, and what ours is beside the fastest of the others."""
    peers = [s for s in sides if s != "ours"]
    columns = ["workload", "mode", "ours ms", *(f"{p} ms" for p in peers), "fastest", "ratio", "to reach", "of peak"]
    out = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for r in results:
        for mode, turns in r.turns.items():
            ratio = turns.ratios[turns.best] if turns.best else None
            share = r.flops / (turns.ms["ours"] * 1e6) / peak
            times = [cell(turns.ms.get(side), ".3f") for side in ("ours", *peers)]
            cells = [r.workload, mode, *times, turns.best or "", cell(ratio), f"{r.target:g}", f"{share:.0%}"]
            out.append(f"| {' | '.join(cells)} |")
    return out


def first_table(results: Sequence[Result], sides: Sequence[str]) -> list[str]:
    """Seconds to the first loss, and memory."""
    peers = [s for s in sides if s != "ours"]
    out = [
        "| workload | ours, nothing cached, s | ours, cached, s | "
        + "".join(f"{p} s | " for p in peers)
        + "ours MB | torch MB | ratio |",
        "|---" * (6 + len(peers)) + "|",
    ]
    for r in results:
        mine, theirs = r.memory.get("ours"), r.memory.get("torch")
        ratio = mine / theirs if mine and theirs else None
        firsts = "".join(f"{cell(r.first.get(p))} | " for p in peers)
        held = f"{cell(mine and mine / MB, '.0f')} | {cell(theirs and theirs / MB, '.0f')} | {cell(ratio)}"
        out.append(f"| {r.workload} | {r.first['cold']:.2f} | {r.first['warm']:.2f} | {firsts}{held} |")
    return out


def notes(results: Sequence[Result], found: dict[str, str], absent: dict[str, str]) -> list[str]:
    """Calls on one row, versions, and who is missing."""
    out = []
    for r in results:
        if r.predict_us:
            calls = ", ".join(f"{side} {us:.0f}" for side, us in r.predict_us.items())
            out.append(f"One row through three layers (13-64-64-1), microseconds a call: {calls}. To reach: ours 60.")
    out += [f"{side}: {text}." for side, text in found.items() if side != "ours"]
    out += [f"{side}: not run, {reason}." for side, reason in absent.items()]
    out += [f"{r.workload}: without {side}, {why}." for r in results for side, why in r.missing.items()]
    return out


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench:cpu", description=(__doc__ or "").splitlines()[0])
    peers = [side for side in HOMES if side != "ours"]
    parser.add_argument("--workloads", nargs="+", choices=BY_KEY, default=list(BY_KEY), metavar="NAME",
                        help=f"of {', '.join(BY_KEY)}")  # fmt: skip
    parser.add_argument(
        "--peers", nargs="*", choices=peers, default=peers, metavar="NAME", help=f"of {', '.join(peers)}"
    )
    parser.add_argument("--rounds", type=int, default=15, help="blocks of each side per row")
    parser.add_argument("--modes", nargs="+", choices=("step", "fit"), default=["step", "fit"], metavar="MODE",
                        help="of step, fit")  # fmt: skip
    parser.add_argument("--torch-python", help="interpreter that has torch, where Hatch does not know one")
    parser.add_argument("--keras-python", help="interpreter that has keras, tensorflow and jax")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = options_of(argv)
    given = {"bench-torch": options.torch_python, "bench-keras": options.keras_python}
    pythons, found, absent = {}, {}, {}
    for side in ("ours", *options.peers):
        try:
            pythons[side], found[side] = interpreter(side, {k: v for k, v in given.items() if v})
        except Missing as reason:
            absent[side] = str(reason)
    sides, results = list(pythons), []
    peaks: list[float] = []
    settings = Settings(options.rounds, THREADS, tuple(m for m in ("step", "fit") if m in options.modes), pythons)
    for work in WORKLOADS:
        if work.key in options.workloads:
            results.append(measure(work, sides, settings, peaks))
    peak = max(peaks)
    print(f"{platform.platform()}, {platform.processor() or platform.machine()}, {THREADS} threads, Python "
          f"{platform.python_version()}. Measured peak: {peak:.0f} GFLOP/s.\n")  # fmt: skip
    for table in (steps_table(results, sides, peak), first_table(results, sides), notes(results, found, absent)):
        print("\n".join(table) + "\n")
    if options.json:
        data = {"threads": THREADS, "peak_gflops": peak, "versions": found, "absent": absent}
        data["results"] = [as_data(r) for r in results]
        options.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
