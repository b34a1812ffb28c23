"""Tables, and a model trained once for all that read it."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import brickwork.cli
from brickwork.cli.main import main

SHIPPED = Path(brickwork.cli.__file__).parent / "data" / "penguins.csv"


@pytest.fixture
def penguins() -> pd.DataFrame:
    """The shipped table, missing values as in the file."""
    return pd.read_csv(SHIPPED)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the species; read only."""
    folder = tmp_path_factory.mktemp("trained")
    pd.read_csv(SHIPPED).to_csv(folder / "penguins.csv", index=False)
    out = folder / "penguins.brick"
    assert main(["train", str(folder / "penguins.csv"), "--target", "species", "--out", str(out)]) == 0
    return out


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """A copy of the model that a test may spoil."""
    return Path(shutil.copy(trained, tmp_path / "model.brick"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small() -> pd.DataFrame:
    """Sixty rows of two classes that one number tells apart."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=60).round(3)
    return pd.DataFrame({"x": x, "z": rng.normal(size=60).round(3), "kind": np.where(x > 0, "up", "down")})
