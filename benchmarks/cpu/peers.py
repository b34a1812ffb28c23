"""Where the sides live: an interpreter for each that has what it needs, and a process that takes orders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
PROBE = """
import importlib.metadata as m, sys
known = m.packages_distributions()
for name in sys.argv[1:]:
    if name in known:
        print(known[name][0], m.version(known[name][0]))
"""


class Missing(Exception):
    """A side that can not run here; the text says why."""


@dataclass(frozen=True, slots=True)
class Home:
    """What a side needs, and the environment of Hatch that has it."""

    modules: tuple[str, ...]
    environment: str
    settings: dict[str, str] = field(default_factory=dict)


HOMES = {
    "ours": Home(("brickwork.layers", "brickwork.graph"), "bench"),
    "torch": Home(("torch",), "bench-torch"),
    "torch-channels-last": Home(("torch",), "bench-torch"),
    "torch-compile": Home(("torch",), "bench-torch"),
    "keras-tensorflow": Home(("keras", "tensorflow"), "bench-keras", {"KERAS_BACKEND": "tensorflow"}),
    "keras-jax": Home(("keras", "jax"), "bench-keras", {"KERAS_BACKEND": "jax"}),
}


def interpreter(side: str, given: dict[str, str]) -> tuple[str, str]:
    """(the interpreter of a side, what it has in words). Raises `Missing`."""
    home = HOMES[side]
    if side == "ours":
        return sys.executable, "this tree"
    candidates = [given[home.environment]] if home.environment in given else [sys.executable, _hatch(home.environment)]
    for python in candidates:
        if python and Path(python).exists():
            run = subprocess.run([python, "-c", PROBE, *home.modules], capture_output=True, text=True, check=False)
            found = [line for line in run.stdout.splitlines() if line]
            if run.returncode == 0 and len(found) == len(home.modules):
                return python, ", ".join(found)
    raise Missing(f"{' and '.join(home.modules)} not installed; `hatch env create {home.environment}` installs them")


def _hatch(environment: str) -> str:
    hatch = shutil.which("hatch")
    if hatch is None:
        return ""
    run = subprocess.run([hatch, "env", "find", environment], capture_output=True, text=True, cwd=ROOT, check=False)
    place = Path(run.stdout.strip() or os.devnull)
    return str(place / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


class Process:
    """A side at work on one workload, as a context: ``ask(do, **what)`` waits for the answer."""

    def __init__(self, side: str, python: str, work: str, threads: int, cache: str | None = None):
        count = str(threads)
        env = {
            **os.environ, **HOMES[side].settings, "BRICKWORK_NUM_THREADS": count, "OMP_NUM_THREADS": count,
            "TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": count, "TF_NUM_INTEROP_THREADS": count,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }  # fmt: skip
        if cache is not None:
            env["BRICKWORK_CACHE_DIR"] = cache
        self.side = side
        self.noise: IO[str] = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.cpu.worker", side, work, count],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.noise, text=True, cwd=ROOT, env=env,
        )  # fmt: skip

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """The answer to an order. Raises `Missing` with the last words of a process that died of it."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps({"do": do, **what}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.noise.seek(0)
            last = [text.strip() for text in self.noise.read().splitlines() if text.strip()][-1:]
            raise Missing(f"stopped at {do!r}: {(last or ['no word'])[0][:300]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: object) -> None:
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.noise.close()
