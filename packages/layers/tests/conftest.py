"""Steps run op by op here: what a compiler makes of them is tested at the root, where the packages meet."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import brickwork.layers.training.trainer as trainer
from brickwork import layers


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(trainer, "find_compiler", lambda: None)
    layers.clear_session()
    layers.set_random_seed(7)
    yield


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
