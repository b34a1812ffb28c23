"""A side in a process of its own: it reads orders, a line of JSON each, and answers in kind.

What a library prints goes to standard error, so that the answers stay readable.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from importlib import import_module
from typing import Any

import numpy.random  # noqa: F401 - draws rows and weights; it loads with its first use, which is no side's work

from .peers import HOMES
from .sides import SIDES
from .workloads import BY_KEY

try:
    import resource
except ImportError:  # Windows has no such count
    resource = None  # type: ignore[assignment]


def memory() -> int:
    """The most bytes that this process has held, 0 where the system does not say."""
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


class Worker:
    """Answers orders: each method is one."""

    def __init__(self, side: str, work: str, threads: int):
        self.make, self.work, self.threads = SIDES[side], BY_KEY[work], threads
        self.side: Any = None

    def losses(self, count: int) -> dict[str, Any]:
        """The first losses of a model without dropout, and the seconds until the first of them was there."""
        start = time.perf_counter()
        side = self.make(self.work, self.threads, False)
        first = side.losses(1)
        seconds = time.perf_counter() - start
        return {"losses": first + side.losses(count - 1), "first": seconds}

    def start(self) -> dict[str, Any]:
        """The model as it is timed; one step is made."""
        start = time.perf_counter()
        self.side = self.make(self.work, self.threads, True)
        self.side.steps(1)
        return {"first": time.perf_counter() - start}

    def step(self, count: int) -> dict[str, Any]:
        start = time.perf_counter()
        self.side.steps(count)
        return {"seconds": time.perf_counter() - start}

    def fit(self, count: int) -> dict[str, Any]:
        return {"seconds": self.side.fit(count)}

    def predict(self, count: int) -> dict[str, Any]:
        """Median seconds of a call on one row."""
        call, times = self.side.predict(), []
        for _ in range(20):
            call()
        for _ in range(count):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return {"seconds": statistics.median(times)}

    def peak(self) -> dict[str, Any]:
        return {"gflops": self.side.peak()}

    def memory(self) -> dict[str, Any]:
        return {"bytes": memory()}


def main(side: str, work: str, threads: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(threads)])
    for module in HOMES[side].modules:  # before any clock runs
        import_module(module)
    worker = Worker(side, work, int(threads))
    for line in sys.stdin:
        order = json.loads(line)
        answer = getattr(worker, order.pop("do"))(**order)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
