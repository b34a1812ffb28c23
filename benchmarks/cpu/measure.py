"""Sides in turn: blocks of steps, first steps in new processes, memory, and calls on one row."""

from __future__ import annotations

import compileall
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

from .peers import ROOT, Missing, Process
from .workloads import Workload

REST = 0.01
"""Seconds between blocks, so that one side's waiting threads have gone to sleep before the other is timed."""
BLOCKS = {"step": (0.06, 400), "fit": (0.4, 2000)}
"""Seconds that a block is to take, and the most steps in one. An epoch has a cost of its own, so it is given more."""
FIRST_LOSSES, TOLERANCE = 5, 2e-3
WARM_STARTS = 3


@dataclass(frozen=True, slots=True)
class Settings:
    rounds: int
    threads: int
    modes: tuple[str, ...]
    pythons: dict[str, str]


@dataclass(slots=True)
class Turns:
    """``ms``: median milliseconds a step of each side. ``ratios``: of each peer the median over blocks of its time over
    ours."""

    ms: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)

    @property
    def best(self) -> str | None:
        """The fastest peer."""
        peers = [side for side in self.ms if side != "ours"]
        return min(peers, key=self.ms.__getitem__) if peers else None


@dataclass(slots=True)
class Result:
    """Of one workload: `Turns` by mode. ``first``: seconds to the first loss in a new process, libraries loaded.
    ``memory``: most bytes held."""

    workload: str
    target: float
    flops: int
    turns: dict[str, Turns] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    predict_us: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def agree(work: Workload, mine: list[float], theirs: list[float], side: str) -> None:
    """Stops the run where first losses differ by more than float32 explains: then the two do not do the same work."""
    if not all(abs(p - q) <= TOLERANCE * max(abs(q), 1e-6) for p, q in zip(mine, theirs, strict=True)):
        sys.exit(f"bench:cpu: {work.name}: losses must agree; got ours {mine} and {side} {theirs}. One trains another "
                 "model")  # fmt: skip


def say(text: str) -> None:
    """What is going on, where it does not disturb the tables."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def measure(work: Workload, sides: list[str], settings: Settings, peaks: list[float]) -> Result:
    """One workload on all sides that can run it; what the machine can do is added to ``peaks``."""
    result = Result(work.name, work.target, work.flops)
    with ExitStack() as stack:
        cache = stack.enter_context(tempfile.TemporaryDirectory())
        _first_steps(work, settings, cache, result)
        running: dict[str, Process] = {}
        for side in sides:
            if side == "torch-channels-last" and not work.pictures:
                continue
            try:
                process = stack.enter_context(_process(side, work, settings, cache))
                losses = process.ask("losses", count=FIRST_LOSSES)
                if side == "ours":
                    mine = losses["losses"]
                else:
                    agree(work, mine, losses["losses"], side)
                    result.first[side] = losses["first"]
                process.ask("start")
                running[side] = process
                say(f"{work.name}: {side} runs")
            except Missing as reason:
                if side == "ours":
                    raise
                result.missing[side] = str(reason)
        peaks.append(running["ours"].ask("peak")["gflops"])
        for mode in settings.modes:
            result.turns[mode] = turns = _take_turns(running, mode, settings.rounds)
            say(f"{work.name}, {mode}, ms: {', '.join(f'{side} {ms:.3f}' for side, ms in turns.ms.items())}")
        if work.key == "tabular":
            for side, process in running.items():
                result.predict_us[side] = process.ask("predict", count=500)["seconds"] * 1e6
    if "torch" in running:
        with _process("torch", work, settings, None) as process:
            result.memory["torch"] = _memory(process)
    return result


def _process(side: str, work: Workload, settings: Settings, cache: str | None) -> Process:
    return Process(side, settings.pythons[side], work.key, settings.threads, cache)


def _memory(process: Process) -> int:
    process.ask("start")
    process.ask("step", count=5)
    return int(process.ask("memory")["bytes"])


def _first_steps(work: Workload, settings: Settings, cache: str, result: Result) -> None:
    """Ours with nothing in the cache, then in other new processes with what the first one left there (the median)."""
    for sources in sorted((ROOT / "packages").glob("*/src")):
        compileall.compile_dir(sources, quiet=2)  # bytecode, which pip leaves beside what it installs, as on all sides
    with _process("ours", work, settings, cache) as process:
        result.first["cold"] = process.ask("start")["first"]
        process.ask("step", count=5)
        result.memory["ours"] = int(process.ask("memory")["bytes"])
    warm = []
    for _ in range(WARM_STARTS):
        with _process("ours", work, settings, cache) as process:
            warm.append(process.ask("start")["first"])
    result.first["warm"] = statistics.median(warm)


def _take_turns(running: dict[str, Process], mode: str, rounds: int) -> Turns:
    order, counts = list(running), {}
    seconds, most = BLOCKS[mode]
    for side, process in running.items():
        process.ask(mode, count=2)
        count = 8 if mode == "fit" else 2
        once = process.ask(mode, count=count)["seconds"] / count
        counts[side] = max(1, min(most, round(seconds / once)))
        process.ask(mode, count=counts[side])
    blocks: dict[str, list[float]] = {side: [] for side in running}
    for k in range(rounds):
        turn = k % len(order)
        for side in order[turn:] + order[:turn]:
            time.sleep(REST)
            blocks[side].append(process_ms(running[side], mode, counts[side]))
    turns = Turns({side: statistics.median(times) for side, times in blocks.items()})
    for side in order:
        if side != "ours":
            turns.ratios[side] = statistics.median(b / a for a, b in zip(blocks["ours"], blocks[side], strict=True))
    return turns


def process_ms(process: Process, mode: str, count: int) -> float:
    """Milliseconds a step of a block."""
    return float(process.ask(mode, count=count)["seconds"]) / count * 1e3


def as_data(result: Result) -> dict[str, Any]:
    """What a file keeps of a result."""
    data = asdict(result)
    for mode, turns in result.turns.items():
        data["turns"][mode]["best"] = turns.best
    return data
