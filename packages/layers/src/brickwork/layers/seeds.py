"""The one seed behind all the others: initializers, dropout and shuffling draw theirs from here, in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from os import urandom

import numpy as np

from brickwork.tensor import random
from brickwork.tensor.eager import EagerTrace
from brickwork.tensor.trace import use

__all__ = ["generator", "next_seed", "seeded", "set_random_seed"]


class _Source:
    key: np.ndarray | None = None
    count = 0


def set_random_seed(seed: int) -> None:
    """Seed Python, NumPy and everything here: the same seed then gives the same weights, masks and order of rows."""
    import_module("random").seed(seed)  # Python's own, which nothing else here needs
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global generator of NumPy is what a caller of this function means
    _Source.key, _Source.count = random.key(seed).numpy(), 0


def next_seed() -> int:
    """A seed that no other call gives: from `set_random_seed`, or from the system where that was never called."""
    with use(EagerTrace()):
        if _Source.key is None:
            _Source.key = random.key(int.from_bytes(urandom(8), "little") >> 1).numpy()
        _Source.count += 1
        low, high = random.fold_in(_Source.key, _Source.count).tolist()
    return int(high) % 2**31 << 32 | int(low)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """All that draws its seed inside draws it from this one, and nothing outside is changed by it."""
    before = _Source.key, _Source.count
    with use(EagerTrace()):
        _Source.key, _Source.count = random.key(seed).numpy(), 0
    try:
        yield
    finally:
        _Source.key, _Source.count = before


def generator(seed: int | None) -> random.SeedGenerator:
    """A generator of keys for a layer, from its own seed or the next one."""
    drawn = next_seed() if seed is None else int(seed)
    with use(EagerTrace()):
        return random.SeedGenerator(drawn)
