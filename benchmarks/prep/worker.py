"""A side in a process of its own: it reads orders, a line of JSON each, and answers in kind."""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import threading
import time
import warnings
from typing import Any

import pandas as pd

from .sides import SIDES
from .table import make


class Watch:
    """The most bytes that the process holds between enter and exit, above what it held before. Linux alone says."""

    def __init__(self) -> None:
        self.most = 0
        self._on = os.path.exists("/proc/self/statm")
        self._page = os.sysconf("SC_PAGE_SIZE") if self._on else 0
        self._over = threading.Event()

    def _held(self) -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * self._page

    def _look(self, before: int) -> None:
        while not self._over.wait(0.002):
            self.most = max(self.most, self._held() - before)

    def __enter__(self) -> Watch:
        if self._on:
            self._thread = threading.Thread(target=self._look, args=(self._held(),))
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._on:
            self._over.set()
            self._thread.join()


class Worker:
    """Answers orders: each method is one."""

    def __init__(self, side: str, rows: int):
        self.make = SIDES[side]
        self.frame = pd.DataFrame(make(rows))
        self.fitted: Any = None

    def learn(self, memory: bool) -> dict[str, Any]:
        """Fit and transform of the whole table, by a new transformer."""
        self.fitted = None
        gc.collect()
        made = self.make()
        watch = Watch() if memory else None
        if watch:
            watch.__enter__()
        start, spent = time.perf_counter(), time.process_time()
        out = made.fit_transform(self.frame)
        wall, cpu = time.perf_counter() - start, time.process_time() - spent
        if watch:
            watch.__exit__()
        self.fitted = made
        kinds = sorted({str(d) for d in out.dtypes}) if hasattr(out, "dtypes") else [str(out.dtype)]
        return {"wall": wall, "cpu": cpu, "memory": watch.most if watch else 0, "shape": out.shape, "dtypes": kinds}

    def row(self, count: int) -> dict[str, Any]:
        """Microseconds for one row: of a frame, and of a dict where the side takes one."""
        frames = [self.frame.iloc[[i]] for i in range(20)]
        found = {"frame": _each(self.fitted, frames, count)}
        if "brickwork" in type(self.fitted).__module__:
            rows = [
                {name: None if value != value else value for name, value in one.items()}
                for one in self.frame.head(20).astype(object).to_dict("records")
            ]
            found["dict"] = _each(self.fitted, rows, count)
        return found


def _each(fitted: Any, rows: list[Any], count: int) -> float:
    times = []
    for i in range(count):
        one = rows[i % len(rows)]
        start = time.perf_counter()
        fitted.transform(one)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def main() -> None:
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints goes to standard error
    worker = Worker(sys.argv[1], int(sys.argv[2]))
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        order = json.loads(line)
        answers.write(json.dumps(getattr(worker, order.pop("do"))(**order)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
