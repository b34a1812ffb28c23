"""Eager calls beside the NumPy calls they make: `hatch run bench:eager [--rounds N] [--json FILE]`.

Twenty functions, of arrays of four numbers and of eight million bytes. Composites (sigmoid, softmax) stand beside the
expression that a person writes in NumPy. All sides take turns, in blocks, and the median block counts. PyTorch and JAX
join where they are installed; JAX's calls wait for their result.

Bounds: a call on four numbers takes at most 3 microseconds more than NumPy's, one on a large array at most 1.05 times
as long. Functions that copy nothing have no row in the second table: they are checked to share memory instead.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import brickwork.tensor as bt

THREADS = 2
TINY_BOUND, LARGE_BOUND = 3.0, 1.05
TINY, LARGE = ((4,), (2, 2)), ((2048, 1024), (512, 512))
"""Shapes of the operands, and of the square matrix."""
VIEWS = ("reshape", "transpose", "getitem")
NOT_LARGE = (*VIEWS, "zeros")
"""Nothing is read or written in proportion to the size: views, and memory that the system hands out when touched."""

Call = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """Median microseconds a call of each side; ``measure``: microseconds above NumPy, or times NumPy."""

    op: str
    ours: float
    numpy: float
    measure: float
    bound: float
    torch: float | None
    jax: float | None


def operands(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Two arrays of one shape, booleans of it, and a square matrix."""
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(0.1, 1.0, shapes[0]).astype(np.float32) for _ in range(2))
    return {"a": a, "b": b, "c": a > b, "m": rng.uniform(size=shapes[1]).astype(np.float32)}


def numpy_sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def numpy_softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return powers / np.sum(powers, axis=-1, keepdims=True)


def shared_calls(xp: Any, a: Any, b: Any, c: Any, m: Any) -> dict[str, Call]:
    """The functions that all but PyTorch call alike."""
    flat, half = (m.size,), a.shape[0] // 2
    return {
        "add": lambda: xp.add(a, b),
        "multiply": lambda: xp.multiply(a, b),
        "divide": lambda: xp.divide(a, b),
        "maximum": lambda: xp.maximum(a, b),
        "where": lambda: xp.where(c, a, b),
        "exp": lambda: xp.exp(a),
        "tanh": lambda: xp.tanh(a),
        "sum": lambda: xp.sum(a),
        "mean": lambda: xp.mean(a),
        "max": lambda: xp.max(a),
        "matmul": lambda: xp.matmul(m, m),
        "reshape": lambda: xp.reshape(m, flat),
        "transpose": lambda: xp.transpose(m),
        "getitem": lambda: a[:half],
        "zeros": lambda: xp.zeros(a.shape, xp.float32),
        "clip": lambda: xp.clip(a, 0.2, 0.8),
    }


def numpy_calls(a: Any, b: Any, c: Any, m: Any) -> dict[str, Call]:
    return shared_calls(np, a, b, c, m) | {
        "sigmoid": lambda: numpy_sigmoid(a),
        "softmax": lambda: numpy_softmax(a),
        "concat": lambda: np.concatenate((a, b)),
        "astype": lambda: a.astype(np.int32),
    }


def our_calls(a: Any, b: Any, c: Any, m: Any) -> dict[str, Call]:
    return shared_calls(bt, a, b, c, m) | {
        "sigmoid": lambda: bt.nn.sigmoid(a),
        "softmax": lambda: bt.nn.softmax(a),
        "concat": lambda: bt.concat((a, b)),
        "astype": lambda: bt.astype(a, bt.int32),
    }


def torch_calls(torch: Any, a: Any, b: Any, c: Any, m: Any) -> dict[str, Call]:
    half = a.shape[0] // 2
    return {
        "add": lambda: torch.add(a, b),
        "multiply": lambda: torch.multiply(a, b),
        "divide": lambda: torch.divide(a, b),
        "maximum": lambda: torch.maximum(a, b),
        "where": lambda: torch.where(c, a, b),
        "exp": lambda: torch.exp(a),
        "tanh": lambda: torch.tanh(a),
        "sum": lambda: torch.sum(a),
        "mean": lambda: torch.mean(a),
        "max": lambda: torch.max(a),
        "matmul": lambda: torch.matmul(m, m),
        "reshape": lambda: torch.reshape(m, (-1,)),
        "transpose": lambda: torch.transpose(m, 0, 1),
        "getitem": lambda: a[:half],
        "zeros": lambda: torch.zeros(a.shape),
        "clip": lambda: torch.clip(a, 0.2, 0.8),
        "sigmoid": lambda: torch.sigmoid(a),
        "softmax": lambda: torch.softmax(a, -1),
        "concat": lambda: torch.concat((a, b)),
        "astype": lambda: a.to(torch.int32),
    }


def jax_calls(jax: Any, a: Any, b: Any, c: Any, m: Any) -> dict[str, Call]:
    jnp = import_module("jax.numpy")
    calls = shared_calls(jnp, a, b, c, m) | {
        "sigmoid": lambda: jax.nn.sigmoid(a),
        "softmax": lambda: jax.nn.softmax(a),
        "concat": lambda: jnp.concatenate((a, b)),
        "astype": lambda: a.astype(jnp.int32),
    }
    return {name: (lambda call=call: call().block_until_ready()) for name, call in calls.items()}


def sides(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> dict[str, Mapping[str, Call]]:
    """The calls of each side that is installed, on the same numbers."""
    given = operands(shapes)
    out: dict[str, Mapping[str, Call]] = {
        "numpy": numpy_calls(**given),
        "ours": our_calls(**{name: bt.asarray(x) for name, x in given.items()}),
    }
    if find_spec("torch"):
        torch = import_module("torch")
        torch.set_num_threads(THREADS)
        out["torch"] = torch_calls(torch, **{name: torch.from_numpy(x.copy()) for name, x in given.items()})
    if find_spec("jax"):
        jax = import_module("jax")
        out["jax"] = jax_calls(jax, **{name: jax.numpy.asarray(x) for name, x in given.items()})
    return out


def agree(calls: Mapping[str, Mapping[str, Call]], op: str) -> None:
    """Raises where ours gives other numbers than NumPy, or copies what NumPy does not."""
    mine, theirs = calls["ours"][op](), calls["numpy"][op]()
    np.testing.assert_allclose(mine.numpy(), theirs, 1e-5, err_msg=op)
    if op in VIEWS and np.shares_memory(mine.numpy(), calls["ours"][op]().numpy()) is not True:
        raise SystemExit(f"bench:eager: {op} must give a view; got memory of its own")


def block(call: Call, count: int) -> float:
    """Microseconds a call."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count * 1e6


def measure(
    calls: Mapping[str, Mapping[str, Call]], ops: Sequence[str], rounds: int, count: int
) -> dict[str, dict[str, list[float]]]:
    """Blocks of every side of every op in turn, so that a busy moment takes little of each; which side goes first
    changes from round to round."""
    names = list(calls)
    taken: dict[str, dict[str, list[float]]] = {op: {name: [] for name in names} for op in ops}
    for op in ops:
        agree(calls, op)
        for name in names:
            block(calls[name][op], min(count, 20))
    for k in range(rounds):
        for op in ops:
            for name in names[k % len(names) :] + names[: k % len(names)]:
                taken[op][name].append(block(calls[name][op], count))
    return taken


def row(op: str, taken: Mapping[str, list[float]], large: bool) -> Row:
    """Medians; the measure is the median over the rounds, so that a busy moment falls on both."""
    pairs = zip(taken["ours"], taken["numpy"], strict=True)
    measured = statistics.median(x / y if large else x - y for x, y in pairs)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    bound = LARGE_BOUND if large else TINY_BOUND
    return Row(op, medians["ours"], medians["numpy"], measured, bound, medians.get("torch"), medians.get("jax"))


def show(title: str, measured: str, rows: Sequence[Row]) -> None:
    print(f"{title}\n\n| op | ours us | numpy us | {measured} | bound | | torch us | jax us |")
    print("|---|---:|---:|---:|---:|---|---:|---:|")
    for r in rows:
        peers = " | ".join("" if t is None else f"{t:.2f}" for t in (r.torch, r.jax))
        mark = "ok" if r.measure <= r.bound else "OVER"
        print(f"| {r.op} | {r.ours:.2f} | {r.numpy:.2f} | {r.measure:.2f} | {r.bound:g} | {mark} | {peers} |")
    held = sum(r.measure <= r.bound for r in rows)
    print(f"\n{held} of {len(rows)} within the bound\n")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="hatch run bench:eager", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=101, help="blocks of each side per row")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    options = parser.parse_args(argv)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    peers = ", ".join(f"{n} {version(n) if find_spec(n) else 'not installed'}" for n in ("torch", "jax"))
    print(f"{platform.platform()}, Python {platform.python_version()}, numpy {np.__version__}, {peers}\n")
    calls = sides(TINY)
    taken = measure(calls, list(calls["numpy"]), options.rounds, 50)
    tiny = [row(op, sides_of, False) for op, sides_of in taken.items()]
    show("Arrays of four numbers", "us above numpy", tiny)
    calls = sides(LARGE)
    taken = measure(calls, [op for op in calls["numpy"] if op not in NOT_LARGE], options.rounds, 1)
    large = [row(op, sides_of, True) for op, sides_of in taken.items()]
    for op in VIEWS:
        agree(calls, op)
    show("Arrays of 8 MB (matrices of 1 MB)", "times numpy", large)
    if options.json:
        record = {"tiny": [asdict(r) for r in tiny], "large": [asdict(r) for r in large]}
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
