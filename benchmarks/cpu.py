"""A training step on the CPU, ours beside PyTorch's: `hatch run bench:cpu [--rounds N] [--compile] [--json FILE]`.

Both train the same model from the same weights on the same rows, two threads each (or all there are), float32, Adam
with the same settings. They take turns in blocks of a few milliseconds, so that a busy moment of a shared machine falls
on both; the ratio is taken block by block and its median counts. Before anything is timed, the losses of the first
steps must agree.

`step` is the step that `fit` calls, on arrays that are there; `fit` adds what an epoch costs: shuffling, gathering
rows, metrics. A row without a bar is there to be seen.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from brickwork.layers import Dense, Sequential
from brickwork.layers.optimizers import Adam

THREADS = min(2, os.cpu_count() or 1)
REST = 0.004
"""Seconds between blocks, so that one side's waiting threads have gone to sleep before the other is timed."""
FIRST_LOSSES = 5
TOLERANCE = 2e-3
Run = Callable[[int], float]
"""Takes the number of steps to run; gives the last loss, which waits for all of them."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A model of dense layers with relu between: ``sizes`` of its layers, ``batch`` rows a step, ``steps`` in a
    timed block."""

    name: str
    sizes: tuple[int, ...]
    batch: int
    steps: int
    target: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """Median microseconds a step of each side, and the median of the ratio peer / ours over all blocks."""

    workload: str
    mode: str
    peer: str
    ours_us: float
    peer_us: float
    ratio: float
    target: float | None


WORKLOADS = (
    Workload("tabular MLP 13-64-64-1", (13, 64, 64, 1), 32, 200, 5.0),
    Workload("MLP 784-512-512-10", (784, 512, 512, 10), 128, 10, None),
)


def weights(sizes: Sequence[int]) -> list[np.ndarray]:
    """Kernels (in, out) by Glorot's uniform rule and zero biases, from one seed."""
    rng = np.random.default_rng(0)
    out = []
    for fan_in, fan_out in pairwise(sizes):
        limit = np.sqrt(6 / (fan_in + fan_out))
        out += [rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32), np.zeros(fan_out, np.float32)]
    return out


def rows(work: Workload) -> tuple[np.ndarray, np.ndarray]:
    """A block's worth of training rows."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(work.batch * work.steps, work.sizes[0])).astype(np.float32)
    y = np.tanh(x @ rng.normal(size=(work.sizes[0], work.sizes[-1]))).astype(np.float32)
    return x, y


def ours(work: Workload, mode: str) -> Run:
    """A `Sequential` of `Dense` layers, compiled by `brickwork.graph` as `fit` does it."""
    last = len(work.sizes) - 2
    model = Sequential([Dense(n, activation="relu" if k < last else None) for k, n in enumerate(work.sizes[1:])])
    model.build((None, work.sizes[0]))
    model.set_weights(weights(work.sizes))
    model.compile(optimizer=Adam(1e-3), loss="mse")
    x, y = rows(work)

    model.test_on_batch(x[: work.batch], y[: work.batch])  # makes the variables that a step uses; no weight changes
    model.reset_metrics()
    step = model.make_train_function()

    def steps(count: int) -> float:
        for _ in range(count):
            step(x[: work.batch], y[: work.batch], None)
        return float(model.get_metrics_result()["loss"])

    def fit(count: int) -> float:
        history = model.fit(x[: work.batch * count], y[: work.batch * count], batch_size=work.batch, verbose=0)
        return history.history["loss"][-1]

    return steps if mode == "step" else fit


def torch_side(work: Workload, mode: str, compiled: bool) -> Run:
    """The same in PyTorch, as its tutorials write it; with `torch.compile` where asked."""
    import torch

    torch.set_num_threads(THREADS)
    last = len(work.sizes) - 2
    layers: list[torch.nn.Module] = []
    values = weights(work.sizes)
    for k, (fan_in, fan_out) in enumerate(zip(work.sizes, work.sizes[1:], strict=False)):
        layer = torch.nn.Linear(fan_in, fan_out)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(values[2 * k].T.copy()))
            layer.bias.zero_()
        layers += [layer, torch.nn.ReLU()] if k < last else [layer]
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    loss_of = torch.nn.MSELoss()
    forward = torch.compile(model) if compiled else model
    x, y = map(torch.from_numpy, rows(work))

    def step(xb: torch.Tensor, yb: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        loss = loss_of(forward(xb), yb)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def steps(count: int) -> float:
        for _ in range(count):
            loss = step(x[: work.batch], y[: work.batch])
        return loss.item()

    def fit(count: int) -> float:
        order = torch.randperm(work.batch * count)
        losses = [step(x[part], y[part]) for part in order.split(work.batch)]
        return torch.stack(losses).mean().item()

    return steps if mode == "step" else fit


def agree(mine: Run, theirs: Run, work: Workload) -> None:
    """Raises when the first losses differ by more than float32 explains: then the two do not do the same work.

    Ours are means since metrics were last reset, as Keras gives them, so PyTorch's are averaged likewise.
    """
    a, b = [mine(1) for _ in range(FIRST_LOSSES)], [theirs(1) for _ in range(FIRST_LOSSES)]
    b = [statistics.fmean(b[: k + 1]) for k in range(len(b))]
    worst = max(abs(p - q) / max(abs(q), 1e-6) for p, q in zip(a, b, strict=True))
    if worst > TOLERANCE:
        raise SystemExit(f"bench:cpu: {work.name}: losses must agree; got {a} and {b}. One side trains another model")


def compare(work: Workload, mode: str, peer: str, rounds: int) -> Result:
    """Blocks of both sides in turn."""
    mine, theirs = ours(work, mode), torch_side(work, mode, peer == "torch.compile")
    if mode == "step":
        agree(mine, theirs, work)
    for run in (mine, theirs):
        run(work.steps)
    times: list[tuple[float, float]] = []
    for k in range(rounds):
        first, second = (mine, theirs) if k % 2 else (theirs, mine)
        pair = {}
        for run in (first, second):
            time.sleep(REST)
            start = time.perf_counter()
            run(work.steps)
            pair[run] = (time.perf_counter() - start) / work.steps * 1e6
        times.append((pair[mine], pair[theirs]))
    mine_us, peer_us = (statistics.median(t) for t in zip(*times, strict=True))
    return Result(work.name, mode, peer, mine_us, peer_us, statistics.median(b / a for a, b in times), work.target)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=25, help="blocks of each side per row")
    parser.add_argument("--compile", action="store_true", help="beside plain PyTorch, also torch.compile")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    options = parser.parse_args(argv)
    os.environ.setdefault("BRICKWORK_NUM_THREADS", str(THREADS))
    import torch

    print(f"{platform.platform()}, {THREADS} threads, Python {platform.python_version()}, torch {torch.__version__}\n")
    print("| workload | mode | peer | ours us | peer us | ratio | to reach |\n|---|---|---|---|---|---|---|")
    results = []
    for work in WORKLOADS:
        for mode in ("step", "fit"):
            for peer in ("torch eager", *(("torch.compile",) if options.compile else ())):
                r = compare(work, mode, peer, options.rounds)
                results.append(r)
                print(
                    f"| {r.workload} | {r.mode} | {r.peer} | {r.ours_us:.1f} | {r.peer_us:.1f} "
                    f"| {r.ratio:.2f} | {'' if r.target is None else f'{r.target:g}'} |"
                )
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
