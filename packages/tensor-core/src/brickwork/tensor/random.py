"""Random numbers that are the same on every device and at any number of threads.

Keys (`key`, `split`, `fold_in`) say which numbers; a draw is a function of its key and shape, and element i of most
draws of the key and i alone. The generator is in `philox`, the distributions are in `distributions` and `discrete`.
"""

from __future__ import annotations

import numpy as np

from .discrete import bernoulli, categorical, choice, permutation, permuted, poisson, randint
from .distributions import beta, exponential, gamma, gumbel, normal, truncated_normal, uniform
from .philox import bits, fold_in, key, split
from .philox import philox as philox  # the generator itself, for tests and other machines
from .spec import as_int
from .tensor import Tensor
from .variable import Variable

__all__ = [
    "SeedGenerator",
    "bernoulli",
    "beta",
    "bits",
    "categorical",
    "choice",
    "exponential",
    "fold_in",
    "gamma",
    "gumbel",
    "key",
    "normal",
    "permutation",
    "permuted",
    "poisson",
    "randint",
    "split",
    "truncated_normal",
    "uniform",
]


class SeedGenerator:
    """A source of keys whose state is a variable, so that a compiled step advances it and a checkpoint holds it."""

    def __init__(self, seed: int):
        self.seed = as_int("SeedGenerator", "the seed", seed)
        self.state = Variable(
            np.concatenate([key(seed).numpy(), np.zeros(1, np.uint32)]),
            name="seed_generator_state",
            trainable=False,
            dtype="uint32",
        )

    def next(self) -> Tensor:
        """A key that no other call gives."""
        state = self.state.value
        self.state.assign(state + Tensor(np.array([0, 0, 1], dtype=np.uint32)))
        return fold_in(state[:2], state[2])
