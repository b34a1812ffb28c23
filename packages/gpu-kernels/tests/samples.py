"""Numbers to try every atom on: its domain, and the corners of its dtype."""

from __future__ import annotations

from itertools import product

import numpy as np

from brickwork.tensor.dim import symbol
from brickwork.tensor.dtypes import NAMES, class_of
from brickwork.tensor.expr import ATOMS, Atom, Expr, apply, arg
from brickwork.tensor.kernel import Kernel, Read, Stage, Write

DTYPES = [d for name, d in NAMES.items() if not name.startswith(("complex", "float8"))]
N = symbol("n")
CORNERS = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1.5, np.inf, -np.inf, np.nan]
# the shift counts and the domain bounds of these are rules, not samples: beyond them machines differ
STRICT_DOMAIN = {"shl", "shr"}


def takes(atom: Atom, dtype: np.dtype) -> bool:
    """Whether generated code computes an atom in a dtype."""
    return class_of(dtype) in atom.classes and (atom.name != "mulhi" or dtype == NAMES["uint32"])


PAIRS = [(a, d) for a in ATOMS.values() for d in DTYPES if takes(a, d)]


def atom_kernel(atom: Atom, dtype: np.dtype) -> Kernel:
    """The atom over n elements of each of its operands."""
    dtypes = [np.dtype("bool") if atom.name == "where" and k == 0 else dtype for k in range(atom.arity)]
    return map_kernel(apply(atom.name, *(arg(k, d) for k, d in enumerate(dtypes))), dtypes)


def map_kernel(body: Expr, dtypes: list[np.dtype]) -> Kernel:
    """A body over n contiguous elements: buffer k is operand k, the last one is the result."""
    reads = tuple(Read(k, d, 0, (1,)) for k, d in enumerate(dtypes))
    return Kernel((N,), 1, reads, (Stage((), body, write=Write(len(dtypes), body.dtype, 0, (1,))),))


def corners(dtype: np.dtype) -> list[np.generic]:
    """Zeros, ones, infinities, NaN, the extremes and the subnormals of a dtype."""
    if dtype == np.bool_:
        return [np.False_, np.True_]
    if class_of(dtype) in "iu":
        info = np.iinfo(dtype)
        return [
            dtype.type(v)
            for v in {0, 1, 2, 7, info.max, info.max - 1, info.min, info.min + 1, *([-1, -2, -7] if info.min else [])}
        ]
    bits = np.dtype(f"u{dtype.itemsize}")
    largest = np.array(np.inf, dtype).view(bits) - bits.type(1)
    extremes = np.array([1, 3, largest], bits).view(dtype)
    with np.errstate(all="ignore"):
        return [*np.array(CORNERS).astype(dtype), *extremes, *(-extremes)]


def operands(atom: Atom, dtype: np.dtype, seed: int = 0) -> list[np.ndarray]:
    """Arrays for each operand: samples of the domain, then every tuple of corners."""
    rng = np.random.default_rng(seed)
    low, high = atom.domain
    inside = [_sample(rng, low, high, dtype) for _ in range(atom.arity)]
    edges = [] if atom.name in STRICT_DOMAIN else list(product(corners(dtype), repeat=atom.arity))[:4096]
    columns = [np.concatenate([inside[k], np.array([e[k] for e in edges], dtype)]) for k in range(atom.arity)]
    if atom.name == "where":
        columns[0] = rng.random(columns[0].size) < 0.5
    return columns


def _sample(rng: np.random.Generator, low: float, high: float, dtype: np.dtype) -> np.ndarray:
    if dtype == np.bool_:
        return rng.random(100) < 0.5
    if class_of(dtype) in "iu":
        return rng.integers(
            max(int(low), np.iinfo(dtype).min if class_of(dtype) == "i" else 0), int(high) + 1, 100
        ).astype(dtype)
    return rng.uniform(low, high, 100).astype(dtype)


def ulps(got: np.ndarray, wanted: np.ndarray) -> float:
    """The largest distance in units of the last place; infinite where one is NaN and the other is not."""
    bits = np.dtype(f"i{wanted.dtype.itemsize}")
    with np.errstate(invalid="ignore"):  # signalling NaN
        nan, got_nan = wanted != wanted, got != got
    if (got_nan != nan).any():
        return np.inf

    def place(x: np.ndarray) -> np.ndarray:
        i = x[~nan].view(bits).astype(object)
        return np.where(i < 0, -(i & np.iinfo(bits).max), i)

    distance = abs(place(got) - place(wanted))
    return float(distance.max()) if distance.size else 0.0
